"""A month is owed once, whatever it comes in as: with its own list, as arrears, as a sum nobody collected, or again because it came back
after its payroll was finished."""

import asyncio
from typing import Any

import asyncpg
import pytest

from services.payout.months import plus_months
from shared.events import Arrears, BeneficiarySnapshot
from shared.words import HeldReason, LineStatus
from tests.integration.payout.joined_world import join
from tests.integration.payout.months_world import Entry, a_person, closed, held, pay, step, the_post_says
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_line
from tests.integration.payout.statement_world import breaks, resolved
from tests.integration.payout.test_known_at_the_build import differences, finish, month
from tests.integration.payout.test_two_payers_at_once import WAITING, nothing_is_written, until

FULL = 720_000
MORE_BY_AGE = 180_000
FEB, MAR, APR = (plus_months(PERIOD, n) for n in range(3))
AMISS = HeldReason.AMOUNT_DIFFERS
RIGHT: dict[str, Any] = {"benefit_code": "BT-6a", "coefficient_hundredths": 200, "monthly_vnd": FULL}


def entry(who: BeneficiarySnapshot, **earlier: int) -> Entry:
    """A line that brings so much of February besides."""
    return Entry(who, a_line(**RIGHT, **{part: Arrears(periods=(FEB,), vnd=vnd) for part, vnd in earlier.items()}))


async def held_in(bench: Bench, who: BeneficiarySnapshot, period: str) -> str | None:
    """Why the line of a month is held now."""
    return (await held(bench, who.beneficiary_id))[f"{period} {PAYER}"]


async def test_arrears_of_a_month_that_was_paid_are_held_and_shown_and_a_raise_is_not(bench: Bench) -> None:
    again, raised = await a_person(bench), await a_person(bench)
    await closed(bench, FEB, PAYER, entry(again), entry(raised))
    await pay(bench, FEB, PAYER)
    await the_post_says(bench, LineStatus.PAID, FEB)
    await closed(bench, MAR, PAYER, entry(again, arrears=FULL), entry(raised, arrears=MORE_BY_AGE))
    await pay(bench, MAR, PAYER)
    assert [await held_in(bench, who, MAR) for who in (again, raised)] == [AMISS, None]
    [line] = (await differences(bench, MAR))["lines"]
    assert [(one["reason"], one["declared_vnd"], one["owed_vnd"]) for one in line["differences"]] == [
        ("ALREADY_BROUGHT", FULL, MORE_BY_AGE)
    ]
    await closed(bench, APR, PAYER, entry(raised, arrears=MORE_BY_AGE))
    await pay(bench, APR, PAYER)
    assert await held_in(bench, raised, APR) == AMISS, "the raise came with March"


async def test_a_suspended_month_is_paid_as_arrears_once(bench: Bench) -> None:
    who = await a_person(bench)
    assert await month(bench, MAR, entry(who, arrears=FULL), None) is None
    assert await month(bench, APR, entry(who, arrears=FULL), None) == AMISS


async def test_what_is_held_can_be_arrears_or_unpaid_but_not_both(bench: Bench) -> None:
    """February's line is held; while February is not finished it may still be paid there. Then March brings it as arrears; April must
    not."""
    who = await a_person(bench)
    assert await month(bench, FEB, entry(who, arrears=FULL), None) == HeldReason.AMOUNT_DIFFERS  # its own month twice
    assert await month(bench, MAR, entry(who, arrears=FULL), None) == AMISS
    await finish(bench, FEB)
    await pay(bench, MAR, PAYER)
    assert await held_in(bench, who, MAR) is None
    assert await month(bench, APR, entry(who, unpaid=FULL), None) == AMISS


async def test_a_list_that_comes_late_does_not_pay_what_a_later_one_brought(bench: Bench) -> None:
    who = await a_person(bench)
    assert await month(bench, MAR, entry(who, arrears=FULL), None) is None
    assert await month(bench, FEB, entry(who), None) == AMISS
    [line] = (await differences(bench, FEB))["lines"]
    assert [one["reason"] for one in line["differences"]] == ["ALREADY_BROUGHT"]


async def test_months_paid_together_bring_february_once(bench: Bench) -> None:
    """Own list and arrears in one payment: the raise goes with it, the month again does not."""
    again, raised = await a_person(bench), await a_person(bench)
    await closed(bench, FEB, PAYER, entry(again), entry(raised))
    await closed(bench, MAR, PAYER, entry(again, arrears=FULL), entry(raised, arrears=MORE_BY_AGE))
    assert (await join(bench, FEB, MAR)).status_code == 200
    await pay(bench, FEB, PAYER)
    assert [await held_in(bench, again, period) for period in (FEB, MAR)] == [None, AMISS]
    assert [await held_in(bench, raised, period) for period in (FEB, MAR)] == [None, None]
    assert not (await step(bench, FEB, PAYER, "build"))["batches"]


async def test_two_builds_that_did_not_see_each_other_bring_arrears_once(bench: Bench) -> None:
    """Two months of one payer are built at the same time, and both ask for February: whoever writes second finds it brought."""
    who = await a_person(bench)
    await closed(bench, APR, PAYER, entry(who, arrears=FULL))
    async with nothing_is_written(bench):
        later = asyncio.create_task(step(bench, APR, PAYER, "build"))
        await until(bench, WAITING, 1)
        await closed(bench, MAR, PAYER, entry(who, arrears=FULL))
        earlier = asyncio.create_task(step(bench, MAR, PAYER, "build"))
        await until(bench, WAITING, 2)
    await asyncio.gather(later, earlier)
    assert sorted([str(await held_in(bench, who, period)) for period in (MAR, APR)]) == [str(AMISS), "None"]


async def test_the_database_refuses_what_nobody_collected_twice(bench: Bench) -> None:
    """Guarantee: of a month two lines in payments never name it as unpaid."""
    who = await a_person(bench)
    old = {"unpaid": Arrears(periods=("2019-01",), vnd=FULL)}
    [march] = await closed(bench, MAR, PAYER, Entry(who, a_line(**RIGHT, **old)))
    await pay(bench, MAR, PAYER)
    [april] = await closed(bench, APR, PAYER, Entry(who, a_line(**RIGHT, **old)))
    await pay(bench, APR, PAYER)
    assert await held_in(bench, who, APR) == AMISS
    async with bench.database.session() as session:
        await session.execute("UPDATE held SET until = now() WHERE entitlement_id = $1", april.entitlement_id)
        with pytest.raises(asyncpg.CheckViolationError, match="brought once"):
            await session.execute(_PAY_TOO, march.entitlement_id, april.entitlement_id)


_PAY_TOO = """
WITH b AS (INSERT INTO batch (batch_id, period, payer, provider, round, count, vnd, sha256, execution_date)
           SELECT gen_random_uuid(), l.period, l.payer, 'post', 9, 1, l.declared_vnd, repeat('a', 64), '2024-04-25' FROM line l
            WHERE l.entitlement_id = $2 RETURNING batch_id, vnd),
     p AS (INSERT INTO instruction (instruction_id, batch_id, beneficiary_id, part, attempt, provider, channel, area, vnd, end_to_end_id)
           SELECT gen_random_uuid(), b.batch_id, i.beneficiary_id, 1, 1, 'post', i.channel, i.area, b.vnd, 'ABCDEFGHIJKLMNOP'
             FROM b, instruction i JOIN instruction_line il USING (instruction_id)
            WHERE il.entitlement_id = $1 RETURNING instruction_id, vnd)
INSERT INTO instruction_line (instruction_id, entitlement_id, piece, vnd) SELECT instruction_id, $2, 1, vnd FROM p
"""


@pytest.mark.parametrize("known_first", [True, False])
async def test_months_we_hold_and_months_we_do_not_are_not_mixed_to_pass(bench: Bench, *, known_first: bool) -> None:
    """February was paid. January 2019 is older than we are; named together with February it does not let February pass."""
    who = await a_person(bench)
    assert await month(bench, FEB, entry(who), LineStatus.PAID) is None
    await finish(bench, FEB)
    months = (FEB, "2019-01") if known_first else ("2019-01", FEB)
    mixed = a_line(**RIGHT, unpaid=Arrears(periods=months, vnd=2 * FULL))
    assert await month(bench, MAR, Entry(who, mixed), None) == AMISS


async def test_money_that_came_back_after_its_month_was_finished_reaches_the_person_with_a_later_list(bench: Bench) -> None:
    """The month stays as it was settled; two people end the break as money that came back; then, and not before, a list may bring it."""
    who = await a_person(bench)
    assert await month(bench, FEB, entry(who), LineStatus.PAID) is None
    await finish(bench, FEB)
    await the_post_says(bench, LineStatus.RETURNED, FEB)
    [item] = await breaks(bench)
    assert (item["type"], item["vnd"]) == ("reversal", FULL)
    assert await month(bench, MAR, entry(who, unpaid=FULL), None) == AMISS
    ended = await resolved(bench, item["break_id"], "recovered")
    assert ended.status_code == 200, ended.text
    await pay(bench, MAR, PAYER)
    assert await held_in(bench, who, MAR) is None
    assert await month(bench, APR, entry(who, unpaid=FULL), None) == AMISS
