"""Two reviewers erase somebody: nothing personal stays in registry, the money's history does, and nobody comes back under the old id."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.registry import store_republish
from services.registry.eraser import Answer, Eraser, KeyReused
from services.registry.erasing import ErasureCause, ErasureReason, Requester
from services.registry.looking import Looker
from services.registry.pairs import Pair
from services.registry.store_events import Key
from shared import topics
from shared.errors import BadRecord
from shared.events import AccountRegistered, BeneficiarySnapshot, Ended, PaymentState, VerificationResult, Version, WishRecorded
from shared.personal import Account, Circumstances, Collector, Delivery, PersonalData
from shared.setting_aside import SetAside
from shared.topics import Provider, Service
from shared.words import AccountSource, Channel, EndReason, InstructionState, Outcome, Wish
from tests.integration.registry.registry_bench import PAYER, PERIOD, SOURCE, Bench, an_identity
from tests.integration.registry.test_registry_candidates import REVIEWER, SLIP
from tests.integration.registry.test_registry_merging import merge, sight, unmerge

SECOND = replace(REVIEWER, id="second")
SAID = (ErasureCause.PERSON_ASKED, Requester.PERSON, "12/2026")
PERSONAL = PersonalData(
    identity=an_identity(old_number="183900001"),
    account=Account(bank_bin="970405", number="3709000000001", holder="NGUYEN THI HOA"),
    delivery=Delivery(hamlet="Xóm 3", address="Số 7"), collector=Collector(full_name="Lê Văn Tám", paper_number="7"), phone="0912000001",
    circumstances=Circumstances(requested=True),
)  # fmt: skip


def an_eraser(bench: Bench, after_months: int = 0) -> Eraser:
    return Eraser(bench.database, bench.vault, bench.clock, registrar=bench.registrar, after_months=after_months)


async def published(bench: Bench) -> None:
    """The relay has told everything."""
    async with bench.database.transaction("test") as tx:
        await tx.execute("UPDATE outbox_cursor SET (xid, id) = (SELECT xid, id FROM outbox ORDER BY xid DESC, id DESC LIMIT 1)")


async def paid(bench: Bench, who: UUID, **changes: Any) -> PaymentState:
    """What payout says of the month."""
    same: dict[str, Any] = {
        "beneficiary_id": who, "instruction_id": uuid4(), "state_seq": 3, "state": InstructionState.PAID, "provider": Provider.BANK_A,
        "channel": Channel.ACCOUNT, "periods": (PERIOD,), "payer": PAYER, "attempt": 1, "vnd": 360_000,
    }  # fmt: skip
    state = PaymentState(**{**same, **changes})
    async with bench.database.transaction("test") as tx:
        await bench.handlers.on_payment(tx, [bench.received(state)])
    return state


async def ended(bench: Bench, record: str = "r1", seq: int = 8, on: date = date(2024, 2, 28)) -> None:
    await bench.see(Ended(source=SOURCE, record=record, source_sequence=seq, reason=EndReason.NO_LONGER_ENTITLED, on=on))


async def who(bench: Bench, record: str = "r1") -> UUID:
    (row,) = await bench.rows("SELECT beneficiary_id FROM source_record WHERE record = $1", record)
    return UUID(str(row["beneficiary_id"]))


async def somebody(bench: Bench, record: str = "r1", **changes: Any) -> UUID:
    """Somebody of whom everything is known."""
    await bench.see(bench.enrolled(record, **{"personal": PERSONAL, **changes}))
    return await who(bench, record)


async def settled(bench: Bench, record: str = "r1", **changes: Any) -> UUID:
    """The same, after the month: list closed, paid, ended, verified, told."""
    person = await somebody(bench, record, **changes)
    await bench.close()
    await paid(bench, person)
    await ended(bench, record)
    result = VerificationResult(
        beneficiary_id=person, result_seq=1, identity_digest="0" * 64, outcome=Outcome.MATCH, checked_at=bench.clock.now()
    )
    async with bench.database.transaction("test") as tx:
        await bench.handlers.on_verification(tx, [bench.received(result)])
    await published(bench)
    await bench.told()
    return person


async def erase(bench: Bench, person: UUID) -> Answer | ErasureReason:
    asked = await an_eraser(bench).ask(person, SAID, actor=REVIEWER)
    if isinstance(asked, ErasureReason):
        return asked
    return await an_eraser(bench).confirm(UUID(asked["erasure_id"]), SECOND)


async def everything(bench: Bench) -> str:
    """All rows of all tables as text, as a dump would show them."""
    tables = await bench.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'outbox_default'")
    found = []
    for table in [*(row["tablename"] for row in tables)]:
        found += [row["text"] for row in await bench.rows(f"SELECT to_jsonb(t)::text AS text FROM {table} t")]
    found += [bytes(row["payload"]).decode() for row in await bench.rows("SELECT payload FROM outbox")]
    return "\n".join(found)


async def traces_of(bench: Bench, person: UUID) -> list[str]:
    """Every block, digest and index that stands with somebody."""
    (row,) = await bench.rows("SELECT to_jsonb(p) AS said FROM person p WHERE beneficiary_id = $1", person)
    said = json.loads(row["said"])
    found = [
        str(value)
        for name, value in said.items()
        if value and (name.endswith(("_digest", "_ix")) or str(value).startswith("v1."))
    ]
    found += [row["ix"].hex() for row in await bench.rows("SELECT ix FROM person_key WHERE beneficiary_id = $1", person)]
    found += [row["digest"] for row in await bench.rows("SELECT digest FROM source_record WHERE beneficiary_id = $1", person)]
    return [trace.removeprefix("\\x") for trace in found if trace]


async def test_nothing_personal_stays_and_the_money_does(bench: Bench) -> None:
    person = await settled(bench)
    await Looker(bench.database, bench.clock, bench.registrar.sealer, areas=bench.areas).look()
    traces = await traces_of(bench, person)
    before = await everything(bench)
    assert len(traces) > 15
    assert all(trace in before for trace in traces)
    await bench.told()
    done = await erase(bench, person)
    assert not isinstance(done, ErasureReason)
    assert done["erased"] == [str(person)]
    after = await everything(bench)
    assert [trace for trace in traces if trace in after] == []
    lines = await bench.rows("SELECT declared_vnd, circumstances FROM entitlement_line WHERE beneficiary_id = $1", person)
    assert [(row["declared_vnd"], row["circumstances"]) for row in lines] == [(360_000, None)]
    history = await bench.rows("SELECT kind, fate, declared_vnd FROM source_event WHERE beneficiary_id = $1 ORDER BY id", person)
    assert [row["kind"] for row in history] == ["enrolled", "ended", "erased"]
    assert history[0]["declared_vnd"] == 360_000


async def test_readers_are_told_once_with_blocks_that_say_nothing(bench: Bench) -> None:
    person = await settled(bench)
    await bench.told()
    await erase(bench, person)
    told = await bench.told()
    (snapshot,) = [message for message in told if isinstance(message, BeneficiarySnapshot)]
    assert (snapshot.beneficiary_id, snapshot.erased_at, snapshot.wish) == (person, bench.clock.now(), Wish.NONE)
    assert snapshot.version == Version(epoch=1, n=2)
    assert bench.registrar.sealer.open_identity(str(person), snapshot.identity).full_name == "-"
    assert bench.registrar.sealer.open_payee(str(person), snapshot.payee).account is None
    assert (snapshot.delivery, snapshot.contact, snapshot.account_digest, snapshot.delivery_digest) == (None, None, None, None)
    async with bench.database.transaction("test") as tx:
        page = await store_republish.pages(bench.registrar.sealer, bench.clock)[topics.REGISTRY_BENEFICIARY](tx, "", 10)
    (again,) = [event.message for _, event in page]
    assert isinstance(again, BeneficiarySnapshot)
    assert (again.version, again.erased_at, again.identity_digest) == (
        snapshot.version,
        snapshot.erased_at,
        snapshot.identity_digest,
    )
    acts = [message.act for message in told if message.TOPIC == topics.AUDIT]  # type: ignore[attr-defined]
    assert acts == ["ask_erasure", "confirm_erasure"]


# --- wrong orders ------------------------------------------------------------------------------------------------------------------


async def test_nobody_goes_while_anything_runs_and_it_is_looked_at_again_at_the_confirmation(bench: Bench) -> None:
    person = await somebody(bench)
    eraser = an_eraser(bench)
    await published(bench)
    assert await erase(bench, person) is ErasureReason.ON_OPEN_LIST
    await bench.close()
    assert await erase(bench, person) is ErasureReason.STILL_ENTITLED
    await ended(bench)
    assert await erase(bench, person) is ErasureReason.MONEY_OWED
    state = await paid(bench, person, state=InstructionState.UNKNOWN, state_seq=2)
    assert await erase(bench, person) is ErasureReason.PAYMENT_NOT_SETTLED
    await paid(bench, person, instruction_id=state.instruction_id, state=InstructionState.RETURNED, state_seq=3)
    assert await erase(bench, person) is ErasureReason.MONEY_OWED
    await paid(bench, person, attempt=2, channel=Channel.COUNTER, provider=Provider.POST, state=InstructionState.COLLECTED)
    assert await erase(bench, person) is ErasureReason.NOT_PUBLISHED_YET
    await published(bench)
    assert await an_eraser(bench, after_months=120).ask(person, SAID, actor=REVIEWER) is ErasureReason.RETENTION_NOT_OVER
    asked = await eraser.ask(person, SAID, actor=REVIEWER)
    assert not isinstance(asked, ErasureReason)
    erasure = UUID(asked["erasure_id"])
    assert await erase(bench, person) is ErasureReason.ALREADY_ASKED
    assert await eraser.confirm(erasure, REVIEWER) is ErasureReason.SECOND_PERSON_NEEDED
    await bench.see(bench.enrolled("r9", identity=PERSONAL.identity, period="2024-03"))
    assert await eraser.confirm(erasure, SECOND) is ErasureReason.ON_OPEN_LIST
    assert await eraser.withdraw(erasure, REVIEWER) is None
    assert await eraser.confirm(erasure, SECOND) is ErasureReason.ERASURE_UNKNOWN
    assert await eraser.withdraw(uuid4(), REVIEWER) is ErasureReason.ERASURE_UNKNOWN


async def test_what_is_done_is_done_once(bench: Bench) -> None:
    person = await settled(bench)
    done = await erase(bench, person)
    assert not isinstance(done, ErasureReason)
    erasure = UUID(done["erasure_id"])
    assert await an_eraser(bench).confirm(erasure, SECOND) is ErasureReason.ALREADY_CONFIRMED
    assert await an_eraser(bench).withdraw(erasure, REVIEWER) is ErasureReason.ALREADY_CONFIRMED
    assert await erase(bench, person) is ErasureReason.ALREADY_ERASED


async def test_a_request_under_a_key_is_answered_again(bench: Bench) -> None:
    person = await settled(bench)
    eraser, key = an_eraser(bench), Key("reviewer", "erasure:k-1", "0" * 64)
    asked = await eraser.ask(person, SAID, actor=REVIEWER, key=key)
    assert await eraser.ask(person, SAID, actor=REVIEWER, key=key) == asked
    with pytest.raises(KeyReused):
        await eraser.ask(person, SAID, actor=REVIEWER, key=replace(key, request_sha256="1" * 64))
    assert not isinstance(asked, ErasureReason)
    confirming = Key("second", "erasure:k-2", "2" * 64)
    done = await eraser.confirm(UUID(asked["erasure_id"]), SECOND, key=confirming)
    assert await eraser.confirm(UUID(asked["erasure_id"]), SECOND, key=confirming) == done


async def test_the_dead_are_owed_nothing_for_later_months(bench: Bench) -> None:
    person = await somebody(bench)
    await bench.close()
    death = Ended(source=SOURCE, record="r1", source_sequence=8, reason=EndReason.DEATH, on=date(2024, 1, 30))
    await bench.see(death)
    await published(bench)
    assert not isinstance(await erase(bench, person), ErasureReason)


# --- merged people -----------------------------------------------------------------------------------------------------------------


async def test_who_stays_takes_the_merged_ids_along(bench: Bench) -> None:
    await bench.see(bench.enrolled("r1", personal=PERSONAL), bench.enrolled("r2", identity=SLIP))
    stays, goes = await who(bench, "r1"), await who(bench, "r2")
    traces = [*await traces_of(bench, stays), *await traces_of(bench, goes)]
    await merge(bench, goes, stays)
    await bench.close()
    await paid(bench, stays)
    await ended(bench, "r1")
    await ended(bench, "r2")
    await published(bench)
    assert await erase(bench, goes) is ErasureReason.MERGED_INTO_ANOTHER
    seen = await sight(bench, Pair.of(goes, stays), REVIEWER)
    done = await erase(bench, stays)
    assert not isinstance(done, ErasureReason)
    assert done["erased"] == [str(stays), str(goes)]
    after = await everything(bench)
    assert [trace for trace in traces if trace in after] == []
    assert str(seen) in after  # that somebody looked stays, what they saw does not
    with pytest.raises(AssertionError):
        await unmerge(bench, goes, stays)  # nobody can see the two any more


# --- afterwards --------------------------------------------------------------------------------------------------------------------


async def test_the_same_human_comes_back_as_somebody_new(bench: Bench) -> None:
    person = await settled(bench)
    await erase(bench, person)
    await bench.told()
    await bench.see(bench.enrolled("r1", 1, personal=PERSONAL))  # what had been taken before is not news
    assert [
        (row["fate"], row["beneficiary_id"]) for row in await bench.rows("SELECT * FROM source_event ORDER BY id DESC LIMIT 1")
    ] == [("stale", person)]
    await bench.see(bench.enrolled("r1", 9, personal=PERSONAL, period="2024-03"))
    fresh = await who(bench)
    assert fresh != person
    assert {snapshot.beneficiary_id for snapshot in await bench.snapshots()} == {fresh}
    await bench.see(bench.enrolled("r1", 10, personal=PERSONAL))  # the old month is frozen, whoever it is said of
    assert (await bench.fates())[-1] == ("refused", "LIST_CLOSED")
    (row,) = await bench.rows("SELECT erased_at, identity, number_ix FROM person WHERE beneficiary_id = $1", person)
    assert (row["erased_at"], row["identity"], row["number_ix"]) == (bench.clock.now(), None, None)


async def test_what_comes_late_about_an_erased_record_changes_nobody(bench: Bench) -> None:
    person = await settled(bench)
    account = {"source": SOURCE, "account_source": AccountSource.COMMUNE_POLICE, "personal": bench.sealed(PERSONAL)}
    await erase(bench, person)
    await bench.told()
    await bench.see(WishRecorded(source=SOURCE, record="r1", source_sequence=7, wish=Wish.POST))
    await bench.see(WishRecorded(source=SOURCE, record="r1", source_sequence=9, wish=Wish.POST))
    assert (await bench.fates())[-2:] == [("stale", None), ("refused", "PERSON_ERASED")]
    await bench.see(AccountRegistered(record="r1", source_sequence=9, **account))
    assert (await bench.fates())[-1] == ("no_person", None)
    assert await bench.told() == []
    await bench.see(bench.enrolled("r7", personal=PERSONAL, period="2024-03"))
    assert await who(bench, "r1") == await who(bench, "r7") != person  # what waited is somebody new's


async def test_a_result_told_late_is_not_kept(bench: Bench) -> None:
    person = await settled(bench)
    await erase(bench, person)
    late = VerificationResult(
        beneficiary_id=person, result_seq=2, identity_digest="0" * 64, outcome=Outcome.DEAD, checked_at=bench.clock.now()
    )
    async with bench.database.transaction("test") as tx:
        await bench.handlers.on_verification(tx, [bench.received(late)])
    assert await bench.rows("SELECT FROM verified") == []
    await Looker(bench.database, bench.clock, bench.registrar.sealer, areas=bench.areas).look()
    assert await bench.rows("SELECT FROM person_key") == []


async def test_rows_that_waited_under_a_hash_lose_it(bench: Bench) -> None:
    header = "Họ và tên,Số CCCD,Ngân hàng,Số tài khoản,Chủ tài khoản"
    told = await bench.accounts(f"{header}\nNguyễn Thị Hòa,042149990001,Agribank,3709000000001,NGUYEN THI HOA\n".encode())
    assert told["waiting"] == 1
    person = await settled(bench)
    (row,) = await bench.rows("SELECT record FROM source_event WHERE fate = 'no_person'")
    assert row["record"].startswith("unmatched.")
    await erase(bench, person)
    assert row["record"] not in await everything(bench)


async def test_set_aside_records_go_by_their_index_and_those_of_before_are_opened_once(bench: Bench) -> None:
    person = await settled(bench)
    keys = [str(person), f"{SOURCE}:r1", f"{SOURCE}:r2", "\ufffd"]
    raw = [
        SimpleNamespace(
            topic=topics.MINISTRY_BENEFICIARY, partition=0, offset=offset, timestamp=1, value=b"{}", headers=[],
            key=key.encode() if offset != 3 else b"\xff",
        )
        for offset, key in enumerate(keys)
    ]  # fmt: skip
    aside = SetAside(Service.REGISTRY, bench.vault, bench.clock)
    async with bench.database.transaction("test") as tx:
        await aside.save(tx, raw, [BadRecord(record.offset, "JSON") for record in raw])
        await tx.execute("SET LOCAL session_replication_role = replica")
        await tx.execute('UPDATE dead_letter SET key_ix = NULL WHERE "offset" IN (1, 2)')  # set aside before it was kept
    await published(bench)
    await bench.told()
    assert isinstance(await erase(bench, person), dict)
    letters = await bench.rows('SELECT original, key_ix, erased_for FROM dead_letter ORDER BY "offset"')
    assert [(row["original"] == "", row["key_ix"] is None, row["erased_for"]) for row in letters] == [
        (True, True, person), (True, True, person), (False, False, None), (False, False, None),
    ]  # fmt: skip
    for change in ("key_ix = NULL", "key_ix = sha256('x')", "original = ''"):
        await refuses(bench, f'UPDATE dead_letter SET {change} WHERE "offset" = 2')
    await refuses(bench, "UPDATE dead_letter SET key_ix = sha256('x') WHERE \"offset\" = 0")


async def test_who_waits_for_a_place_is_not_erased_and_what_waited_goes(bench: Bench) -> None:
    person = await settled(bench)
    case = (
        "INSERT INTO area_case (case_id, source, record, period, benefit_code, sequence, payer, declared_vnd, old_area, old_until, since,"
        " codes, beneficiary_id, subject, sealed, found_at) SELECT $2, 's', 'r', '2024-02', 'BT-5c', 1, payer, 1, '18496', '2025-06-30',"
        " '2025-07-01', '{18496,18502}', NULL, number_ix, 'v1.identity.case', changed_at FROM person WHERE beneficiary_id = $1"
    )
    placed = (
        "INSERT INTO area_decision (case_id, old_area, old_until, since, codes, area, evidence, beneficiary_id, subject, decider,"
        " decider_token, decided_at)"
        " SELECT case_id, old_area, old_until, since, codes, '18502', 'HOME_VISIT', $1, subject, 'd', 't', found_at FROM area_case"
    )
    async with bench.database.transaction("test") as tx:
        await tx.execute(case, person, uuid4())
    assert await erase(bench, person) is ErasureReason.ON_OPEN_LIST
    async with bench.database.transaction("test") as tx:
        await tx.execute(placed, person)
        await tx.execute("UPDATE area_case SET fate = 'applied', beneficiary_id = $1", person)
    await refuses(bench, "UPDATE area_decision SET subject = NULL")
    assert not isinstance(await erase(bench, person), ErasureReason)
    assert [tuple(row) for row in await bench.rows("SELECT subject, sealed FROM area_case")] == [(None, None)]
    assert [tuple(row) for row in await bench.rows("SELECT subject, area FROM area_decision")] == [(None, "18502")]
    await refuses(bench, "UPDATE area_decision SET area = '18496'")


# --- the database itself ------------------------------------------------------------------------------------------------------------


async def refuses(bench: Bench, statement: str, *values: Any) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(statement, *values)


async def test_database_lets_nobody_erase_alone_or_halfway(bench: Bench) -> None:
    person = await settled(bench)
    at = bench.clock.now()
    alone = (
        "INSERT INTO erasure (erasure_id, beneficiary_id, reason, requester, paper, asked_by, asked_token, asked_at, confirmed_by,"
        " confirmed_token, confirmed_at, with_merged) VALUES (gen_random_uuid(), $1,"
        " 'PERSON_ASKED', 'PERSON', $3, 'me', 't', $2, 'me', 't', $2, '{}')"
    )
    await refuses(bench, alone, person, at, "12/2026")
    await refuses(bench, alone.replace("'me', 't', $2, '{}'", "'you', 't', $2, '{}'"), person, at, "042149990001")
    await refuses(bench, "UPDATE person SET erased_at = $2 WHERE beneficiary_id = $1", person, at)
    async with bench.database.transaction("test") as tx:
        await tx.execute(alone.replace("'me', 't', $2, '{}'", "'you', 't', $2, '{}'"), person, at, "12/2026")
    await refuses(bench, "UPDATE person SET erased_at = $2 WHERE beneficiary_id = $1", person, at)  # with everything still there
    await refuses(bench, "UPDATE erasure SET reason = 'WRONGLY_KEPT' WHERE beneficiary_id = $1", person)
    await refuses(bench, "DELETE FROM erasure WHERE beneficiary_id = $1", person)


async def test_database_lets_an_erasure_through_and_nothing_else(bench: Bench) -> None:
    await bench.see(bench.enrolled("r2", identity=SLIP), bench.enrolled("r1", personal=PERSONAL))
    other, person = await who(bench, "r2"), await who(bench, "r1")
    await sight(bench, Pair.of(person, other), REVIEWER)
    await published(bench)
    wrong: Sequence[tuple[str, UUID]] = (
        ("UPDATE pair_sight SET one_digest = NULL, other_digest = NULL", other),
        ("UPDATE pair_sight SET actor = 'x'", person),
        ("UPDATE outbox SET payload = '' WHERE key = $1::uuid::text", other),
        ("UPDATE outbox SET payload = 'x' WHERE key = $1::uuid::text", person),
        ("DELETE FROM outbox WHERE key = $1::uuid::text", person),
        ("UPDATE source_event SET record = 'unmatched.erased'", person),
        ("UPDATE entitlement_line SET declared_vnd = 1, circumstances = NULL WHERE beneficiary_id = $1", person),
        ("UPDATE entitlement_line SET circumstances = NULL WHERE beneficiary_id = $1", other),
        ("DELETE FROM entitlement_line WHERE beneficiary_id = $1", person),
        ("UPDATE person SET erased_at = NULL WHERE beneficiary_id = $1", person),
        ("UPDATE person SET erased_at = erased_at + interval '1 day' WHERE beneficiary_id = $1", person),
        ("UPDATE person SET number_ix = '\\x00' WHERE beneficiary_id = $1", person),
    )
    await bench.close()
    await paid(bench, person)
    await ended(bench)
    await published(bench)
    assert not isinstance(await erase(bench, person), ErasureReason)
    await published(bench)
    for statement, whose in wrong:
        await refuses(bench, statement, *([whose] if "$1" in statement else []))
    async with bench.database.transaction("test") as tx:
        await tx.execute("INSERT INTO payroll_list (period, payer, state) VALUES ('2024-09', $1, 'open')", PAYER)
    again = (
        "SELECT source, record, '2024-09', beneficiary_id, payer, area, benefit_code, declared_vnd, line, 'active' FROM list_row"
    )
    await refuses(
        bench,
        "INSERT INTO list_row (source, record, period, beneficiary_id, payer, area, benefit_code, declared_vnd, line, state)"
        f" {again} WHERE beneficiary_id = $1",
        person,
    )
