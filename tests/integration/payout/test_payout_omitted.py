"""What is owed and stands on no list: sums left over, money on a death, gifts. Shown to the office, paid to nobody."""

from datetime import date
from typing import Any

from services.payout.months import plus_months
from shared.events import Arrears
from shared.words import LineStatus, Outcome
from tests.integration.payout.months_world import Entry, a_person, closed, pay, step, the_post_says
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_line, a_merit_line
from tests.integration.payout.statement_world import breaks, resolved
from tests.integration.payout.test_known_at_the_build import FUNERAL, dead, finish, month

FEB, MAR, APR = (plus_months(PERIOD, n) for n in range(3))
TET = {"benefit_code": "TET-2026-BT", "coefficient_hundredths": None, "monthly_vnd": 0, "one_off_vnd": 400_000}


async def omitted(bench: Bench, period: str) -> list[tuple[str, str, str, int, str | None]]:
    answer = await bench.client.get(f"/v1/payrolls/{period}/{PAYER}/omitted")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert sum(part["vnd"] for part in found["sums"].values()) == sum(one["vnd"] for one in found["omitted"])
    return [(one["month"], one["part"], one["code"], one["vnd"], one["why"]) for one in found["omitted"]]


async def test_what_came_back_or_was_held_is_missed_until_a_list_names_it(bench: Bench) -> None:
    who, unknown = await a_person(bench), bench.snapshot()
    await bench.see(unknown)
    await bench.verify(bench.result(unknown, Outcome.NOT_FOUND))
    await closed(bench, FEB, PAYER, Entry(who, a_line()), Entry(unknown, a_line()))
    await pay(bench, FEB, PAYER)
    await the_post_says(bench, LineStatus.RETURNED, FEB)
    await closed(bench, MAR, PAYER, Entry(who, a_line()))
    assert await omitted(bench, MAR) == []  # February can still be paid by its own list
    await finish(bench, FEB)
    held, came_back = (FEB, "held", "BT-5c", 360_000, "NOT_FOUND"), (FEB, "unpaid", "BT-5c", 360_000, None)
    assert await omitted(bench, MAR) == [held, came_back]
    unpaid = Arrears(periods=(FEB,), vnd=360_000)
    await closed(bench, APR, PAYER, Entry(who, a_line(unpaid=unpaid)), Entry(unknown, a_line(unpaid=unpaid)))
    assert await omitted(bench, APR) == []
    assert await omitted(bench, MAR) == [held, came_back]


async def test_money_that_came_back_after_its_month_was_finished_is_missed(bench: Bench) -> None:
    who = await a_person(bench)
    assert await month(bench, FEB, Entry(who, a_line()), LineStatus.PAID) is None
    await finish(bench, FEB)
    await the_post_says(bench, LineStatus.RETURNED, FEB)
    await closed(bench, MAR, PAYER, Entry(who, a_line()))
    assert await omitted(bench, MAR) == []
    [item] = await breaks(bench)
    await resolved(bench, item["break_id"], "recovered")
    assert await omitted(bench, MAR) == [(FEB, "unpaid", "BT-5c", 360_000, "late")]


async def test_money_on_a_death_that_nobody_listed_is_missed_by_the_payer_of_its_month(bench: Bench) -> None:
    gone, listed, other = [await a_person(bench) for _ in range(3)]
    gift = Entry(gone, a_line(**TET))  # a one-off sum too, and no money on a death
    await closed(bench, FEB, PAYER, *(Entry(one, a_line()) for one in (gone, listed)), gift)
    await closed(bench, FEB, "xa-other", Entry(other, a_line()))
    for one in (gone, listed, other):
        await dead(bench, one, date(2024, 2, 10))
    await closed(bench, MAR, PAYER, Entry(listed, a_line(**FUNERAL)))
    assert await omitted(bench, MAR) == [(FEB, "funeral", "FUNERAL", 7_200_000, None)]
    await closed(bench, APR, PAYER, Entry(gone, a_line(**FUNERAL)))
    assert await omitted(bench, APR) == []


async def test_a_gift_of_the_month_is_missed_once_a_person_whatever_groups_they_are_in(bench: Bench) -> None:
    """Tết 2026: the tables say in which month; who has it on any list does not miss it."""
    tet = "2026-01"
    given, missed = await a_person(bench), await a_person(bench)
    line: dict[str, Any] = {"monthly_vnd": 500_000}
    await closed(bench, plus_months(tet, -1), PAYER, Entry(given, a_line(**TET)), Entry(missed, a_line(**line)))
    assert [one for one in await omitted(bench, plus_months(tet, -1)) if one[1] == "gift"] == []
    entries = [Entry(given, a_line(**line)), Entry(missed, a_line(**line)), Entry(missed, a_merit_line(monthly_vnd=2_789_000))]
    await closed(bench, tet, PAYER, *entries)
    assert await omitted(bench, tet) == [(tet, "gift", "TET_2026", 400_000, None)]


async def test_nothing_is_paid_that_nobody_listed(bench: Bench) -> None:
    gone = await a_person(bench)
    await closed(bench, FEB, PAYER, Entry(gone, a_line()))
    await pay(bench, FEB, PAYER)
    await dead(bench, gone, date(2024, 2, 10))
    await closed(bench, MAR, PAYER)
    assert [one[1] for one in await omitted(bench, MAR)] == ["funeral"]
    assert (await step(bench, MAR, PAYER, "build"))["batches"] == []
    missing = await bench.client.get(f"/v1/payrolls/2031-01/{PAYER}/omitted")
    assert (missing.status_code, missing.json()["code"]) == (404, "NOT_CLOSED")
