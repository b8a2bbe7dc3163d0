"""What a death brings is paid once, under whatever name a list holds it: its code, a one-off beside a benefit, or a sum carried over."""

import asyncio
from datetime import date
from typing import Any

import asyncpg
import pytest

from shared.events import Arrears, BeneficiarySnapshot, DeclaredLine, EntitlementLine
from shared.words import HeldReason, LineStatus, Programme
from tests.integration.payout.joined_world import join
from tests.integration.payout.months_world import Entry, a_person, closed, pay, step, the_post_says
from tests.integration.payout.payout_bench import PAYER, Bench, a_line, a_merit_line
from tests.integration.payout.test_known_at_the_build import FUNERAL, dead, finish
from tests.integration.payout.test_two_payers_at_once import MEETING, PAYMENT, SHARE, until

FEBRUARY, MARCH, APRIL = "2024-02", "2024-03", "2024-04"
DIED, VND = date(2024, 2, 20), 7_200_000
OWN, BESIDE = a_line(**FUNERAL), a_line(one_off_vnd=VND)
MERIT = a_line(**(FUNERAL | {"benefit_code": "MT-NCC", "programme": Programme.MERIT}))


async def gone(bench: Bench) -> BeneficiarySnapshot:
    """Somebody who died in February."""
    return await dead(bench, await a_person(bench), DIED)


async def ends(bench: Bench, *lines: EntitlementLine) -> list[str | None]:
    """Why each of these lines of one person is held; None: it is in a payment."""
    known = {line["entitlement_id"]: line["held"] for line in (await bench.trace(lines[0].beneficiary_id))["lines"]}
    return [known[str(line.entitlement_id)] for line in lines]


async def put_into_a_payment(session: Any, line: EntitlementLine, code: str = "ABCDEFGH234567AB") -> None:
    """Past every build."""
    made = await session.fetchval(PAYMENT, line.period, line.payer, line.declared_vnd, line.beneficiary_id, code)
    await session.execute(SHARE, made, line.entitlement_id, line.declared_vnd)


async def refused(bench: Bench, line: EntitlementLine) -> None:
    """The database says it, also of a line that is held no more."""
    async with bench.database.session() as session, session.transaction():
        await session.execute("UPDATE held SET until = now() WHERE entitlement_id = $1 AND until IS NULL", line.entitlement_id)
        with pytest.raises(asyncpg.CheckViolationError, match="money on a death is paid once"):
            await put_into_a_payment(session, line)


@pytest.mark.parametrize("own", [OWN, MERIT], ids=["the same law", "another law"])
async def test_beside_the_last_months_benefit_it_is_not_paid_again_under_its_own_code(bench: Bench, own: DeclaredLine) -> None:
    who = await gone(bench)
    [beside] = await closed(bench, FEBRUARY, PAYER, Entry(who, BESIDE))
    await pay(bench, FEBRUARY, PAYER)
    [again] = await closed(bench, MARCH, PAYER, Entry(who, own))
    await refused(bench, again)
    await pay(bench, MARCH, PAYER)
    assert await ends(bench, beside, again) == [None, HeldReason.PAID_ELSEWHERE]


async def test_the_months_of_a_heroic_mother_beside_her_allowance_are_not_her_burial_money(bench: Bench) -> None:
    """Three months of the allowance beside it are her relatives'; any other sum may be burial money, so that waits for people."""
    mother, other = await gone(bench), await gone(bench)
    allowance = {"benefit_code": "NCC-BM", "programme": Programme.MERIT, "coefficient_hundredths": None, "monthly_vnd": 6_165_000}
    burial = a_line(**(FUNERAL | {"benefit_code": "MT-NCC", "programme": Programme.MERIT, "one_off_vnd": 18_000_000}))
    months = a_line(**(FUNERAL | {"benefit_code": "MT-BM", "programme": Programme.MERIT, "one_off_vnd": 18_495_000}))
    february = await closed(
        bench, FEBRUARY, PAYER,
        Entry(mother, a_line(**allowance, one_off_vnd=18_495_000)), Entry(other, a_line(**allowance, one_off_vnd=18_000_000)),
    )  # fmt: skip
    await pay(bench, FEBRUARY, PAYER)
    march = await closed(
        bench, MARCH, PAYER, Entry(mother, burial), Entry(mother, months), Entry(other, burial), Entry(other, months)
    )
    for line in march[1:]:
        await refused(bench, line)
    await pay(bench, MARCH, PAYER)
    assert [end for line in february + march for end in await ends(bench, line)] == [None, None, None] + [
        HeldReason.PAID_ELSEWHERE
    ] * 3


async def test_under_its_own_code_it_is_not_paid_again_beside_a_benefit(bench: Bench) -> None:
    """The list of the month of death comes late, and from another payer."""
    who = await gone(bench)
    [own] = await closed(bench, MARCH, PAYER, Entry(who, OWN))
    await pay(bench, MARCH, PAYER)
    [late] = await closed(bench, FEBRUARY, "xa-late", Entry(who, BESIDE))
    await refused(bench, late)
    await step(bench, FEBRUARY, "xa-late", "build")
    assert await ends(bench, own, late) == [None, HeldReason.PAID_ELSEWHERE]


@pytest.mark.parametrize("months", [(FEBRUARY, FEBRUARY), (FEBRUARY, MARCH)], ids=["on one list", "in a payroll of two months"])
async def test_of_both_at_once_the_benefit_goes_out_with_it(bench: Bench, months: tuple[str, str]) -> None:
    who, wrong = await gone(bench), await gone(bench)
    lines = [(FEBRUARY, Entry(who, BESIDE)), (FEBRUARY, Entry(wrong, a_line(monthly_vnd=1, one_off_vnd=VND)))]
    lines += [(months[1], Entry(who, OWN)), (months[1], Entry(wrong, OWN))]
    made: list[EntitlementLine] = []
    for month in sorted(set(months)):
        made += await closed(bench, month, PAYER, *(entry for of, entry in lines if of == month))
    if len(set(months)) > 1:
        assert (await join(bench, *months)).status_code == 200
    await step(bench, FEBRUARY, PAYER, "build")
    beside, held, own, other = made
    assert await ends(bench, beside, own) == [None, HeldReason.PAID_ELSEWHERE]
    assert await ends(bench, held, other) == [HeldReason.AMOUNT_DIFFERS, None], "what is held itself is in nobody's way"
    assert (await step(bench, FEBRUARY, PAYER, "build"))["batches"] == []
    assert await ends(bench, beside, own) == [None, HeldReason.PAID_ELSEWHERE]
    assert await ends(bench, held, other) == [HeldReason.PAID_ELSEWHERE, None]


async def test_a_sum_carried_over_under_a_benefit_is_funeral_money_still(bench: Bench) -> None:
    """Nobody collected it in the month of the death; March's list asks for it as unpaid, beside what else was left over, and nobody
    collects that either. It is not paid under its code as well, and its code is free while nothing of it is under way."""
    who = await gone(bench)
    await closed(bench, FEBRUARY, PAYER, Entry(who, OWN), Entry(who, a_line()))
    await not_collected(bench, FEBRUARY, 2)
    carried = a_line(monthly_vnd=0, unpaid=Arrears(periods=(FEBRUARY,), vnd=VND + 360_000))
    march = await closed(bench, MARCH, PAYER, Entry(who, carried), Entry(who, OWN))
    await pay(bench, MARCH, PAYER)
    assert await ends(bench, *march) == [None, HeldReason.PAID_ELSEWHERE]
    await refused(bench, march[1])
    await the_post_says(bench, LineStatus.RETURNED, MARCH, reason="NOAS")
    [april] = await closed(bench, APRIL, PAYER, Entry(who, OWN))
    await pay(bench, APRIL, PAYER)
    assert await ends(bench, april) == [None], "nothing of it is under way any more"
    await step(bench, MARCH, PAYER, "build")
    assert await ends(bench, march[0]) == [HeldReason.PAID_ELSEWHERE]
    await refused(bench, march[0])


async def test_what_else_was_left_over_and_small_or_earlier_sums_keep_nothing_back(bench: Bench) -> None:
    rest, small, before, living = await gone(bench), await gone(bench), await gone(bench), await a_person(bench)
    await closed(bench, "2024-01", PAYER, Entry(before, a_line(one_off_vnd=VND)))
    await pay(bench, "2024-01", PAYER)
    await closed(bench, FEBRUARY, PAYER, Entry(rest, OWN), Entry(rest, a_line()), Entry(small, a_line(one_off_vnd=400_000)))
    await not_collected(bench, FEBRUARY, 3)
    left = a_line(monthly_vnd=0, unpaid=Arrears(periods=(FEBRUARY,), vnd=360_000))
    march = await closed(
        bench, MARCH, PAYER, Entry(rest, left), Entry(rest, OWN), Entry(small, OWN), Entry(before, OWN),
        Entry(living, a_line(one_off_vnd=VND)), Entry(living, a_merit_line(one_off_vnd=VND)),
    )  # fmt: skip
    await pay(bench, MARCH, PAYER)
    assert [end for line in march for end in await ends(bench, line)] == [None] * len(march)


async def not_collected(bench: Bench, period: str, lines: int) -> None:
    """A month is paid by the post, comes back whole and is finished."""
    await pay(bench, period, PAYER)
    await the_post_says(bench, LineStatus.RETURNED, period, reason="NOAS")
    assert (await finish(bench, period))["carried"] == lines


async def test_two_sessions_meet_at_the_person_whoever_is_first(bench: Bench) -> None:
    """No build in it: neither sees the other, and the second fails when the first commits."""
    who = await gone(bench)
    [beside] = await closed(bench, FEBRUARY, "xa-here", Entry(who, BESIDE))
    [own] = await closed(bench, MARCH, "xa-there", Entry(who, OWN))
    async with bench.database.session() as one, bench.database.session() as two, two.transaction():
        first = one.transaction()
        await first.start()
        await put_into_a_payment(one, beside)
        second = asyncio.create_task(put_into_a_payment(two, own, "ABCDEFGH234567AC"))
        await until(bench, MEETING, 1)
        await first.commit()
        with pytest.raises(asyncpg.CheckViolationError, match="money on a death is paid once"):
            await second
