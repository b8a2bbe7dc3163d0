"""Offices build a month at the same time. One person on two lists makes two builds meet at that person and nowhere else: whoever wrote
first pays, the other finds it paid, whatever each could see when it decided."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from shared.events import DeclaredLine
from shared.words import HeldReason, Role
from tests.integration.payout.months_world import Entry, a_person, closed, held, step
from tests.integration.payout.payout_bench import PERIOD, Bench, a_line, a_merit_line
from tests.integration.payout.test_build_properties import again_changes_nothing, conserved

HERE, THERE = "xa-here", "xa-there"
HIGHER = {"benefit_code": "BT-6d", "coefficient_hundredths": 200, "monthly_vnd": 720_000}
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'held'::regclass"
MEETING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"


async def until(bench: Bench, sql: str, count: int) -> None:
    """As many as that wait."""
    async with bench.database.session() as session, asyncio.timeout(20):
        while await session.fetchval(sql) != count:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def nothing_is_written(bench: Bench) -> AsyncIterator[None]:
    """Builds read and decide, and stand still before they write."""
    async with bench.database.session() as session, session.transaction():
        await session.execute("LOCK TABLE held IN SHARE MODE")
        yield


@pytest.mark.parametrize(
    ("there", "paid"),
    [
        (a_line(), 1),
        (a_line(**HIGHER), 1),
        (a_merit_line(), 2),
    ],
    ids=["the same benefit", "benefits that exclude each other", "benefits of two laws"],
)
async def test_two_builds_that_did_not_see_each_other_pay_once(bench: Bench, there: DeclaredLine, paid: int) -> None:
    """The second list comes after the first build looked; the second build sees the first list, and nothing of it in a payment."""
    who, alone = await a_person(bench, payer=THERE), await a_person(bench)
    await closed(bench, PERIOD, HERE, Entry(who, a_line()), Entry(alone, a_line()))
    async with nothing_is_written(bench):
        here = asyncio.create_task(step(bench, PERIOD, HERE, "build"))
        await until(bench, WAITING, 1)
        await closed(bench, PERIOD, THERE, Entry(who, there))
        other = asyncio.create_task(step(bench, PERIOD, THERE, "build"))
        await until(bench, WAITING, 2)
    await asyncio.gather(here, other)

    ends = await held(bench, who.beneficiary_id)
    assert list(ends.values()).count(None) == paid
    assert set(ends.values()) <= {None, HeldReason.PAID_ELSEWHERE}
    assert await held(bench, alone.beneficiary_id) == {f"{PERIOD} {HERE}": None}
    for payer in (HERE, THERE):
        await conserved(bench, PERIOD, payer)
        await again_changes_nothing(bench, PERIOD, payer)


async def finishing(bench: Bench, payer: str) -> str:
    """Why a month may not be finished now; nothing when it is."""
    headers = {"Authorization": f"Bearer {bench.issuer.token('chief', (Role.APPROVER,))}"}
    answer = await bench.client.post(f"/v1/payrolls/{PERIOD}/{payer}/finish", headers=headers)
    return str(answer.json().get("code", ""))


async def test_builds_that_both_gave_way_are_righted_by_the_next_which_frees_exactly_one(bench: Bench) -> None:
    """The person came over between the two looks, so each payer saw the other as theirs. Both hold; neither month can be finished like
    that; the next builds, at the same time again, pay once."""
    who = await a_person(bench, payer=THERE)
    for payer in (HERE, THERE):
        await closed(bench, PERIOD, payer, Entry(who, a_line()))
    async with nothing_is_written(bench):
        here = asyncio.create_task(step(bench, PERIOD, HERE, "build"))
        await until(bench, WAITING, 1)
        await bench.see(bench.snapshot(who.beneficiary_id, payer=HERE))
        there = asyncio.create_task(step(bench, PERIOD, THERE, "build"))
        await until(bench, WAITING, 2)
    await asyncio.gather(here, there)
    assert set((await held(bench, who.beneficiary_id)).values()) == {HeldReason.PAID_ELSEWHERE}
    assert {await finishing(bench, payer) for payer in (HERE, THERE)} == {"NOT_FINISHED"}
    async with nothing_is_written(bench):
        again = [asyncio.create_task(step(bench, PERIOD, payer, "build")) for payer in (HERE, THERE)]
        await until(bench, WAITING, 2)
    await asyncio.gather(*again)
    ends = await held(bench, who.beneficiary_id)
    assert sorted(map(str, ends.values())) == ["None", "PAID_ELSEWHERE"]
    [paying] = [whose.removeprefix(f"{PERIOD} ") for whose, reason in ends.items() if reason is None]
    assert await finishing(bench, HERE if paying == THERE else THERE) == "", "who is paid elsewhere is no reason to wait"
    await again_changes_nothing(bench, PERIOD, paying)


@pytest.mark.parametrize("at_once", [True, False])
async def test_who_gave_way_to_a_line_that_is_held_itself_is_paid_by_the_next_build(bench: Bench, at_once: bool) -> None:
    """The other line is worth more and its amount is not the rule's: of two builds at once, or the lower payer's first, both hold."""
    who = await a_person(bench, payer=THERE)
    await closed(bench, PERIOD, HERE, Entry(who, a_line(monthly_vnd=400_000)))
    await closed(bench, PERIOD, THERE, Entry(who, a_line()))
    if at_once:
        async with nothing_is_written(bench):
            both = [asyncio.create_task(step(bench, PERIOD, payer, "build")) for payer in (HERE, THERE)]
            await until(bench, WAITING, 2)
        await asyncio.gather(*both)
    else:
        await step(bench, PERIOD, THERE, "build")
        await step(bench, PERIOD, HERE, "build")
    assert await held(bench, who.beneficiary_id) == {f"{PERIOD} {HERE}": "AMOUNT_DIFFERS", f"{PERIOD} {THERE}": "PAID_ELSEWHERE"}
    assert await finishing(bench, THERE) == "NOT_FINISHED"
    await step(bench, PERIOD, THERE, "build")
    await step(bench, PERIOD, HERE, "build")
    ends = await held(bench, who.beneficiary_id)
    assert (ends[f"{PERIOD} {THERE}"], ends[f"{PERIOD} {HERE}"]) == (None, "PAID_ELSEWHERE")


async def test_a_preview_that_is_overtaken_starts_over(bench: Bench) -> None:
    who = await a_person(bench, payer=THERE)
    await closed(bench, PERIOD, HERE, Entry(who, a_line()))
    async with nothing_is_written(bench):
        here = asyncio.create_task(step(bench, PERIOD, HERE, "build"))
        await until(bench, WAITING, 1)
        await closed(bench, PERIOD, THERE, Entry(who, a_line()))
        seen = asyncio.create_task(step(bench, PERIOD, THERE, "preview"))
        await until(bench, WAITING, 2)
    await asyncio.gather(here, seen)
    assert (await held(bench, who.beneficiary_id))[f"{PERIOD} {HERE}"] is None
    assert seen.result()["lists"] in ([], [{"provider": "post", "count": 1, "vnd": 360_000}]), (
        "before the build committed, or after"
    )


# --- what the database refuses itself ---------------------------------------------------------------------------------------------

PAYMENT = """
    WITH one AS (INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date)
                 VALUES (gen_random_uuid(), $1, $2, 'post', 9, 1, $3, repeat('0', 64), '2024-03-01') RETURNING batch_id)
    INSERT INTO instruction (instruction_id, batch_id, beneficiary_id, part, attempt, provider, channel, area, vnd, end_to_end_id)
    SELECT gen_random_uuid(), batch_id, $4, 1, 1, 'post', 'counter', '18496', $3, $5 FROM one RETURNING instruction_id"""
SHARE = "INSERT INTO instruction_line (instruction_id, entitlement_id, piece, vnd) VALUES ($1, $2, 1, $3)"


async def test_the_database_lets_two_sessions_pay_a_benefit_once_whoever_is_first(bench: Bench) -> None:
    """No build in it: two sessions write at the same time, neither sees the other, and the second fails when the first commits."""
    who = await a_person(bench)
    [here] = await closed(bench, PERIOD, HERE, Entry(who, a_line()))
    [there] = await closed(bench, PERIOD, THERE, Entry(who, a_line()))

    async def pays(session: Any, line: Any, code: str) -> None:
        made = await session.fetchval(PAYMENT, PERIOD, line.payer, line.declared_vnd, who.beneficiary_id, code)
        await session.execute(SHARE, made, line.entitlement_id, line.declared_vnd)

    async with bench.database.session() as one, bench.database.session() as two, two.transaction():
        first = one.transaction()
        await first.start()
        await pays(one, here, "ABCDEFGH234567AB")
        second = asyncio.create_task(pays(two, there, "ABCDEFGH234567AC"))
        await until(bench, MEETING, 1)
        await first.commit()
        with pytest.raises(asyncpg.CheckViolationError, match="one payer pays a benefit of a month"):
            await second


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM paid_by",
        "TRUNCATE paid_by",
        "UPDATE paid_by SET who = 'xa-another'",
        "UPDATE paid_by SET what = '2024-03'",
    ],
)
async def test_who_pays_a_person_is_never_forgotten(bench: Bench, sql: str) -> None:
    who = await a_person(bench)
    await closed(bench, PERIOD, HERE, Entry(who, a_line()))
    await step(bench, PERIOD, HERE, "build")
    async with bench.database.session() as session:
        with pytest.raises(asyncpg.PostgresError):
            await session.execute(sql)
