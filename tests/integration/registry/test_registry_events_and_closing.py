"""Events at the door, closing, and what the database itself refuses."""

import asyncio
from datetime import date

import asyncpg
import pytest
from joserfc.jwk import OctKey

from services.registry.refusals import CloseReason
from shared.events import (
    AccountRegistered,
    Changed,
    Ended,
    ListClosed,
    ListOpened,
    PaymentState,
    TextState,
    VerificationResult,
    WishRecorded,
)
from shared.ids import random_id
from shared.personal import Account, Payee, PersonalData
from shared.topics import Provider
from shared.words import (
    AccountCheck,
    AccountSource,
    Channel,
    EndReason,
    InstructionState,
    Life,
    MessageStatus,
    Outcome,
    Wish,
)
from tests.integration.registry.registry_bench import PAYER, PERIOD, SOURCE, a_line, an_identity

DIED = date(2024, 1, 18)
TAM = {"full_name": "Lê Văn Tám", "birth_date": "1980-01-01", "sex": "male", "personal_number": "042080990002"}


def ended(record="r1", seq=2, reason=EndReason.DEATH, on=DIED):
    return Ended(source=SOURCE, record=record, source_sequence=seq, reason=reason, on=on)


def an_account(bench, record="tk-1", seq=1, **identity):
    personal = PersonalData(
        identity=an_identity(**identity), account=Account(bank_bin="970405", number="3709000000001", holder="NGUYEN THI HOA")
    )
    return AccountRegistered(
        source="door",
        record=record,
        source_sequence=seq,
        account_source=AccountSource.COMMUNE_POLICE,
        personal=bench.sealed(personal),
    )


# --- people ------------------------------------------------------------------------------------------------------------------------


async def test_an_enrolment_makes_a_person_and_one_snapshot(bench):
    await bench.see(bench.enrolled())
    (snapshot,) = await bench.snapshots()
    assert (snapshot.version.epoch, snapshot.version.n, snapshot.life, snapshot.wish) == (1, 1, Life.ALIVE, Wish.NONE)
    assert bench.vault.open_as(snapshot.payee, str(snapshot.beneficiary_id), Payee).full_name == "Nguyễn Thị Hòa"


async def test_the_same_event_again_changes_nothing(bench):
    event = bench.enrolled()
    await bench.see(event, event)
    await bench.see(event)
    assert len(await bench.snapshots()) == 1
    assert [fate for fate, _ in await bench.fates()] == ["applied", "repeated", "repeated"]


async def test_an_older_event_is_recorded_and_has_no_effect(bench):
    await bench.see(bench.enrolled(seq=5))
    await bench.snapshots()
    await bench.see(bench.enrolled(seq=4, line=a_line(monthly_vnd=1)))
    assert await bench.snapshots() == []
    assert [fate for fate, _ in await bench.fates()] == ["applied", "stale"]
    assert (await bench.rows("SELECT declared_vnd FROM list_row"))[0]["declared_vnd"] == 360_000


async def test_the_same_sequence_with_other_content_is_a_conflict(bench):
    await bench.see(bench.enrolled())
    await bench.see(bench.enrolled(line=a_line(monthly_vnd=1)))
    assert [fate for fate, _ in await bench.fates()] == ["applied", "conflict"]


async def test_an_account_before_its_person_waits_with_all_that_follows(bench):
    wish = WishRecorded(source="door", record="tk-1", source_sequence=2, wish=Wish.POST, reason="R_HABIT")
    await bench.see(wish)
    await bench.see(an_account(bench))
    assert [fate for fate, _ in await bench.fates()] == ["no_person", "no_person"]
    await bench.see(bench.enrolled())
    (snapshot,) = await bench.snapshots()
    assert (snapshot.wish, snapshot.account_source) == (Wish.POST, AccountSource.COMMUNE_POLICE)
    assert await bench.rows("SELECT * FROM waiting") == []


async def test_one_person_in_two_partitions_at_once_is_one_person(bench):
    await asyncio.gather(bench.see(bench.enrolled("r1")), bench.see(bench.enrolled("r2", line=a_line(benefit_code="BT-6d"))))
    assert len(await bench.rows("SELECT FROM person")) == 1
    assert len(await bench.rows("SELECT FROM list_row")) == 2


async def test_a_jwe_that_does_not_open_is_a_refusal_with_a_sender(bench):
    sealed = bench.sealed(PersonalData(identity=an_identity()))
    await bench.see(bench.enrolled(personal=None).model_copy(update={"personal": sealed[:-8] + "AAAAAAAA"}), bench.enrolled("r2"))
    assert await bench.fates() == [("refused", "PERSONAL_UNREADABLE"), ("applied", None)]


async def test_an_event_waits_for_its_lists_content_key_and_holds_back_nobody(bench):
    key = OctKey.generate_key(256, parameters={"kid": "list-7"})
    opened = ListOpened(
        source=SOURCE, record="list", source_sequence=1, period=PERIOD, payer=PAYER, content_key=bench.sealed_key(key)
    )
    await bench.see(bench.enrolled("r1", key=key), bench.enrolled("r2", identity=an_identity(**TAM)))
    assert len(await bench.snapshots()) == 1
    await bench.see(opened, bench.enrolled("r3", key=key, line=a_line(benefit_code="BT-6d")))
    assert len(await bench.snapshots()) == 1
    assert len(await bench.rows("SELECT FROM list_row WHERE state = 'active'")) == 3
    assert await bench.rows("SELECT FROM waiting") == []


# --- closing -----------------------------------------------------------------------------------------------------------------------


async def test_a_list_closes_with_its_totals_and_closing_again_says_the_same(bench):
    await bench.see(
        bench.enrolled(),
        bench.enrolled("r2", line=a_line(benefit_code="BT-6d")),
        bench.enrolled("r3", identity=an_identity(**TAM)),
    )
    closing = await bench.close()
    lines = await bench.lines()
    assert (closing.count, closing.vnd) == (len(lines), sum(line.declared_vnd for line in lines)) == (3, 1_080_000)
    assert len({line.beneficiary_id for line in lines}) == 2
    assert await bench.close() == closing
    assert await bench.told() == []


async def test_an_empty_list_does_not_close(bench):
    assert await bench.close() is CloseReason.LIST_EMPTY


async def test_a_person_who_dies_before_the_list_closes_is_not_frozen(bench):
    await bench.see(bench.enrolled(), bench.enrolled("r2", identity=an_identity(**TAM)))
    await bench.see(ended())
    closing = await bench.close()
    assert closing.count == 1
    assert [row["end_reason"] for row in await bench.rows("SELECT end_reason FROM list_row ORDER BY record")] == ["death", None]


async def test_the_month_of_death_is_frozen(bench):
    await bench.see(bench.enrolled())
    await bench.see(ended(on=date(2024, 2, 3)))
    assert (await bench.close()).count == 1


async def test_a_late_death_changes_the_person_and_no_line(bench):
    await bench.see(bench.enrolled())
    await bench.close()
    before = await bench.rows("SELECT * FROM entitlement_line")
    await bench.told()
    await bench.see(ended())
    (snapshot,) = await bench.told()
    assert (snapshot.life, snapshot.died_on) == (Life.DEAD, DIED)
    assert await bench.rows("SELECT * FROM entitlement_line") == before
    assert (await bench.rows("SELECT notes FROM source_event ORDER BY id DESC"))[0]["notes"] == ["LINE_FROZEN"]


async def test_after_closing_a_new_row_is_refused(bench):
    await bench.see(bench.enrolled())
    await bench.close()
    await bench.see(bench.enrolled("r2", identity=an_identity(**TAM)))
    assert (await bench.fates())[-1] == ("refused", "LIST_CLOSED")


async def test_a_move_within_the_payers_area_goes_with_the_person_into_the_line(bench):
    await bench.see(bench.enrolled(), an_account(bench))
    await bench.see(Changed(source="door", record="tk-1", source_sequence=2, area="18499"))
    await bench.close()
    assert [line.area for line in await bench.lines()] == ["18499"]


@pytest.mark.parametrize(("count", "vnd", "closes"), [(2, 720_000, True), (3, 1_080_000, False), (2, 720_001, False)])
async def test_a_list_closes_only_when_upstreams_totals_agree(bench, count, vnd, closes):
    await bench.see(bench.enrolled(), bench.enrolled("r2"))  # the second is a duplicate: refused, but upstream counts it
    await bench.see(ListClosed(source=SOURCE, record="list", source_sequence=9, period=PERIOD, payer=PAYER, count=count, vnd=vnd))
    done = await bench.close()
    assert (done is not CloseReason.TOTALS_DIFFER) == closes


# --- what the database refuses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entitlement_line SET declared_vnd = declared_vnd + 1",
        "DELETE FROM entitlement_line",
        "UPDATE payroll_list SET vnd = vnd + 1",
        "DELETE FROM payroll_list",
        "UPDATE source_event SET fate = 'stale'",
        "DELETE FROM source_event",
        "UPDATE person SET n = n - 1",
        "UPDATE source_record SET sequence = sequence - 1",
        "UPDATE person SET identity = 'Nguyễn Thị Hòa'",
        "UPDATE person SET number_ix = (SELECT number_ix FROM person ORDER BY beneficiary_id LIMIT 1)",
        "UPDATE person SET life = 'dead'",
        "UPDATE list_row SET beneficiary_id = (SELECT min(beneficiary_id::text) FROM list_row)::uuid",
        "DELETE FROM person",
        "TRUNCATE person CASCADE",
        "UPDATE person SET beneficiary_id = gen_random_uuid()",
        "DELETE FROM list_row",
        "UPDATE list_row SET record = concat('x', record)",
        "UPDATE payroll_list SET payer = 'another'",
        "UPDATE source_record SET beneficiary_id = gen_random_uuid()",
        "INSERT INTO source_record VALUES ('s', 'r', gen_random_uuid(), 1, 'd')",
        "UPDATE list_row SET beneficiary_id = gen_random_uuid()",
        "UPDATE list_row SET import_id = gen_random_uuid(), row_no = 1",
        """INSERT INTO source_event (source, sequence, kind, fate, notes, import_id, row_no, at)
           VALUES ('s', 1, 'enrolled', 'applied', '{}', gen_random_uuid(), 1, now())""",
        """INSERT INTO entitlement_line (entitlement_id, beneficiary_id, period, payer, area, epoch, n, declared_vnd, line, source, record)
           SELECT gen_random_uuid(), beneficiary_id, period, payer, area, epoch, n, declared_vnd, line, source, concat('x', record)
             FROM entitlement_line LIMIT 1""",
        """INSERT INTO list_row (source, record, period, beneficiary_id, payer, area, benefit_code, declared_vnd, line, state)
           SELECT source, record, '2031-01', gen_random_uuid(), payer, area, benefit_code, declared_vnd, line, state
             FROM list_row LIMIT 1""",
    ],
)
async def test_the_database_refuses(bench, sql):
    await bench.see(bench.enrolled(), bench.enrolled("r2", identity=an_identity(**TAM)))
    await bench.close()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(sql)


# --- feedback ------------------------------------------------------------------------------------------------------------------------


async def test_feedback_fills_the_funnel_and_emits_nothing(bench):
    await bench.see(bench.enrolled(), an_account(bench), bench.enrolled("r2", identity=an_identity(**TAM)))
    who = next(s for s in await bench.snapshots() if s.account_digest)
    at = bench.clock.now()
    result = VerificationResult(
        beneficiary_id=who.beneficiary_id, result_seq=2, identity_digest=who.identity_digest, account_digest=who.account_digest,
        outcome=Outcome.MATCH, account=AccountCheck.USABLE, checked_at=at,
    )  # fmt: skip
    older = result.model_copy(update={"result_seq": 1, "outcome": Outcome.UNAVAILABLE})
    paid = PaymentState(
        beneficiary_id=who.beneficiary_id, instruction_id=random_id(), state_seq=3, state=InstructionState.PAID, provider=Provider.BANK_A,
        channel=Channel.ACCOUNT, periods=(PERIOD,), payer=PAYER, attempt=1, vnd=360_000,
    )  # fmt: skip
    sent = paid.model_copy(update={"state_seq": 2, "state": InstructionState.SENDING})
    text = TextState(
        message_id=random_id(),
        campaign="c",
        round=1,
        beneficiary_ids=(who.beneficiary_id,),
        status=MessageStatus.DELIVERED,
        parts=1,
        at=at,
    )
    async with bench.database.transaction("test") as tx:
        await bench.handlers.on_verification(tx, [bench.received(result), bench.received(older)])
        await bench.handlers.on_payment(tx, [bench.received(paid), bench.received(sent)])
        await bench.handlers.on_text(
            tx, [bench.received(text), bench.received(text.model_copy(update={"status": MessageStatus.CREATED}))]
        )
        await bench.handlers.on_verification(tx, [bench.received(older)])
        await bench.handlers.on_payment(tx, [bench.received(sent)])
    assert await bench.told() == []
    older_band, younger = sorted(await bench.funnel(), key=lambda cell: cell["age_band"], reverse=True)
    counts = {
        "people": 1,
        "gone": 0,
        "cannot": 0,
        "base": 1,
        "exists": 1,
        "wished": 1,
        "verified": 1,
        "paid": 1,
        "back_to_cash": 0,
    }
    place = {"payer": PAYER, "area": "18496", "programme": "social_assistance"}
    assert older_band == {**place, "age_band": "70_79", **counts}
    assert (younger["age_band"], younger["base"], younger["exists"]) == ("16_59", 1, 0)
    trace = await bench.trace(who.beneficiary_id)
    assert trace["payments"][0]["state"] == "paid"
    assert trace["texts"][0]["status"] == "delivered"
    assert trace["verified"]["outcome"] == "match"


async def test_numbers_that_no_column_holds_are_refused_by_name_and_hold_back_nobody(bench):
    closed = ListClosed(source=SOURCE, record="l", source_sequence=1, period=PERIOD, payer=PAYER, count=2**31, vnd=1)
    await bench.see(bench.enrolled("r1", 2**63), bench.enrolled("r2", 2**63 - 1), closed)
    assert sorted(await bench.fates(), key=str) == [("applied", None), ("refused", "TOO_LARGE"), ("refused", "TOO_LARGE")]
    await bench.see(bench.enrolled("r2", 2**200))
    assert (await bench.fates())[-1] == ("refused", "TOO_LARGE")
