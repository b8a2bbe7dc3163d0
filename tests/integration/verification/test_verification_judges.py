"""Verification on a real database: judged once, silent on repeats, duplicates and shared accounts seen across batches."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.verification import store
from shared.errors import BadRecord
from shared.events import ListClosing
from shared.words import AccountCheck, Finding, Outcome
from tests.integration.verification.verification_bench import Bench, a_register_line, an_account, an_identity


async def test_known_person_with_own_account_matches(bench: Bench) -> None:
    await bench.load(a_register_line())
    snapshot = bench.snapshot(an_identity(), an_account())
    await bench.see(snapshot)
    (result,) = await bench.told()
    assert (result.outcome, result.account, result.result_seq) == (Outcome.MATCH, AccountCheck.USABLE, 1)
    assert (result.identity_digest, result.account_digest) == (snapshot.identity_digest, snapshot.account_digest)


async def test_same_digests_again_fall_silent(bench: Bench) -> None:
    await bench.load(a_register_line())
    who = uuid4()
    first = bench.snapshot(an_identity(), who=who)
    await bench.see(first)
    await bench.told()
    await bench.see(first)
    await bench.see(bench.snapshot(an_identity(), who=who))  # a new version, equal content sealed again
    await bench.see(first)  # an old version comes late
    bench.clock.move(timedelta(days=1))
    await bench.load(a_register_line())  # the same extract again
    assert await bench.told() == []


async def test_changed_account_is_judged_again(bench: Bench) -> None:
    await bench.load(a_register_line())
    who = uuid4()
    await bench.see(bench.snapshot(an_identity(), who=who))
    await bench.see(bench.snapshot(an_identity(), an_account(holder="LE VAN NAM"), who=who))
    first, second = await bench.told()
    assert (first.account, second.account) == (None, AccountCheck.NAME_MISMATCH)
    assert (first.result_seq, second.result_seq) == (1, 2)


async def test_empty_register_is_unavailable_until_extract_is_whole(bench: Bench) -> None:
    await bench.see(bench.snapshot(an_identity()))
    assert [r.outcome for r in await bench.told()] == [Outcome.UNAVAILABLE]
    lines = [a_register_line(), a_register_line(personal_number="042149990002", given_name="Lan")]
    one, other = await bench.publish(*lines)
    await bench.arrive([one])
    assert await bench.told() == []
    await bench.arrive([other, one])  # one is delivered twice
    assert [r.outcome for r in await bench.told()] == [Outcome.MATCH]


async def test_death_in_the_register_is_told_once(bench: Bench) -> None:
    await bench.load(a_register_line())
    await bench.see(bench.snapshot(an_identity()))
    await bench.told()
    bench.clock.move(timedelta(days=1))
    dead = a_register_line(status="dead", status_date="2024-01-15")
    await bench.load(dead)
    (result,) = await bench.told()
    assert (result.outcome, result.died_on) == (Outcome.DEAD, date(2024, 1, 15))
    bench.clock.move(timedelta(days=1))
    await bench.load(dead)
    assert await bench.told() == []


async def test_older_entry_never_wins(bench: Bench) -> None:
    old = await bench.publish(a_register_line())
    bench.clock.move(timedelta(days=1))
    await bench.load(a_register_line(status="moved", status_date="2024-01-18"))
    await bench.arrive(old)
    await bench.see(bench.snapshot(an_identity()))
    assert [r.outcome for r in await bench.told()] == [Outcome.MOVED]


async def test_two_beneficiaries_of_one_register_person_are_duplicates(bench: Bench) -> None:
    await bench.load(a_register_line())
    one, other = uuid4(), uuid4()
    await bench.see(bench.snapshot(an_identity(), who=one))
    await bench.see(bench.snapshot(an_identity(full_name="NGUYỄN THỊ HOÀ"), who=other))
    results = await bench.told()
    assert [(r.beneficiary_id, r.outcome) for r in results if r.beneficiary_id == one] == [
        (one, Outcome.MATCH),
        (one, Outcome.DUPLICATE),
    ]
    assert [r.outcome for r in results if r.beneficiary_id == other] == [Outcome.DUPLICATE]
    await bench.see(bench.snapshot(an_identity(full_name="Trần Văn Nam", personal_number="042049990777"), who=other))
    freed = {r.beneficiary_id: r.outcome for r in await bench.told()}
    assert freed == {one: Outcome.MATCH, other: Outcome.NOT_FOUND}


async def test_duplicates_judged_at_the_same_moment_see_each_other(bench: Bench) -> None:
    await bench.load(a_register_line())
    pairs = [bench.snapshot(an_identity()) for _ in range(2)]
    await asyncio.gather(*(bench.see(snapshot) for snapshot in pairs))
    last = {r.beneficiary_id: r.outcome for r in await bench.told()}
    assert set(last.values()) == {Outcome.DUPLICATE}


async def test_account_claimed_by_two_people_is_shared_until_one_lets_go(bench: Bench) -> None:
    await bench.load(a_register_line(), a_register_line(personal_number="042149990002"))
    one, other = uuid4(), uuid4()
    await bench.see(bench.snapshot(an_identity(), an_account(), who=one))
    await bench.see(bench.snapshot(an_identity(personal_number="042149990002"), an_account(), who=other))
    last = {r.beneficiary_id: r.account for r in await bench.told()}
    assert last == {one: AccountCheck.SHARED_ACCOUNT, other: AccountCheck.SHARED_ACCOUNT}
    await bench.see(bench.snapshot(an_identity(personal_number="042149990002"), who=other))
    last = {r.beneficiary_id: r.account for r in await bench.told()}
    assert last == {one: AccountCheck.USABLE, other: None}


async def test_changed_number_follows_the_new_entry(bench: Bench) -> None:
    new = a_register_line(personal_number="042149990009", status="dead", status_date="2024-01-10")
    await bench.load(a_register_line(replaced_by_number="042149990009"))
    await bench.see(bench.snapshot(an_identity()))
    assert [r.outcome for r in await bench.told()] == [Outcome.NUMBER_CHANGED]
    bench.clock.move(timedelta(days=1))
    await bench.load(new)
    assert [r.outcome for r in await bench.told()] == [Outcome.DEAD]


async def test_person_without_a_number_is_weak_when_unique(bench: Bench) -> None:
    await bench.load(a_register_line())
    await bench.see(bench.snapshot(an_identity(personal_number=None)))
    (result,) = await bench.told()
    assert (result.outcome, result.evidence[0].finding) == (Outcome.WEAK_MATCH, Finding.ABSENT)
    bench.clock.move(timedelta(days=1))
    await bench.load(a_register_line(), a_register_line(personal_number="042149990002"))  # a twin appears
    assert [r.outcome for r in await bench.told()] == [Outcome.NOT_FOUND]


async def test_block_of_another_person_is_a_bad_record(bench: Bench) -> None:
    good, stranger = bench.snapshot(an_identity()), bench.snapshot(an_identity())
    with pytest.raises(BadRecord):
        await bench.see(good.model_copy(update={"identity": stranger.identity}))


async def test_closing_again_changes_nothing_and_progress_counts(bench: Bench) -> None:
    closing = ListClosing(
        period="2024-02", payer="huyen-444", count=1, vnd=1, digest="0" * 64, programmes=(), closed_at=bench.clock.now()
    )
    await bench.load(a_register_line())
    await bench.see(bench.snapshot(an_identity()))
    for _ in range(2):
        async with bench.database.transaction("test") as tx:
            await bench.handlers.on_list(tx, bench._received([closing]))
    async with bench.database.reading() as tx:
        progress: Any = await store.list_progress(tx, "2024-02", "huyen-444")
    assert (progress["count"], progress["outcomes"]) == (1, {"match": 1})


async def test_results_are_append_only(bench: Bench) -> None:
    await bench.load(a_register_line())
    await bench.see(bench.snapshot(an_identity()))
    async with bench.database.session() as session:
        with pytest.raises(asyncpg.CheckViolationError):
            await session.execute("UPDATE verdict SET outcome = 'match'")
        for refused in (
            "UPDATE person SET result_seq = 0",
            "UPDATE person SET n = n - 1",
            "UPDATE person SET beneficiary_id = gen_random_uuid()",
            "DELETE FROM person",
            "TRUNCATE person CASCADE",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await session.execute(refused)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await session.execute(
                "INSERT INTO verdict SELECT gen_random_uuid(), result_seq, identity_digest, account_digest, outcome, evidence, died_on,"
                " account, checked_at FROM verdict"
            )


async def test_nothing_personal_stands_in_any_table_in_the_clear(bench: Bench) -> None:
    await bench.load(a_register_line(old_number="183900001"))
    await bench.see(bench.snapshot(an_identity(), an_account()))
    async with bench.database.session() as session:
        tables = [row["tablename"] for row in await session.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        rows = [row[0] for table in tables for row in await session.fetch(f"SELECT t::text FROM {table} t")]
    held = "".join(rows)  # a bytea column shows as hex
    for canary in ("042149990001", "183900001", "Nguyễn", "NGUYEN", "1949-03-02", "3709000000001"):
        assert canary not in held
        assert canary.encode().hex() not in held


async def test_a_merged_away_id_is_nobody_and_makes_no_duplicate(bench: Bench) -> None:
    await bench.load(a_register_line())
    stays, goes = uuid4(), uuid4()
    await bench.see(bench.snapshot(an_identity(), an_account(), who=stays), bench.snapshot(an_identity(), an_account(), who=goes))
    assert {r.outcome for r in await bench.told()} == {Outcome.DUPLICATE}
    merged = bench.snapshot(an_identity(), an_account(), who=goes).model_copy(update={"merged_into": stays})
    await bench.see(merged)
    told = {r.beneficiary_id: (r.outcome, r.account) for r in await bench.told()}
    assert told[stays] == (Outcome.MATCH, AccountCheck.USABLE)
    assert told.get(goes, (Outcome.DUPLICATE,))[0] is Outcome.DUPLICATE
    await bench.see(merged)
    assert await bench.told() == []
    await bench.see(bench.snapshot(an_identity(), an_account(), who=goes))
    assert {r.outcome for r in await bench.told()} == {Outcome.DUPLICATE}  # two again: nobody knows who is who
