"""Who is gone from a full list is shown, ended or kept by a person, and never ended by absence."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import asyncpg
import pytest

from services.registry.gone import GoneReason
from services.registry.refusals import CloseReason, Fate
from services.registry.store_files import Decided, Gone
from shared.events import BeneficiarySnapshot, ListClosing
from shared.words import Life
from tests.integration.registry.registry_bench import PAYER, PERIOD, SOURCE, Bench
from tests.integration.registry.test_registry_undoing import a_list

NEXT = "2024-03"


async def candidates(bench: Bench, period: str = NEXT) -> list[Gone]:
    return await bench.gatekeeper.candidates(period, PAYER, SOURCE)


async def decide(bench: Bench, decided: Iterable[Decided], period: str = NEXT) -> Any:
    return await bench.gatekeeper.decide(list(decided), period=period, payer=PAYER, source=SOURCE, actor="officer")


async def test_absence_from_a_full_list_makes_candidates_and_ends_nobody(bench: Bench) -> None:
    await bench.payroll(a_list(range(6)), is_full=True)
    assert await candidates(bench, PERIOD) == []
    await bench.payroll(a_list(range(4)), period=NEXT)
    assert await candidates(bench) == []  # the file does not say that it is the whole list
    await bench.payroll(a_list(range(4)), period=NEXT, is_full=True)
    gone = await candidates(bench)
    assert [(one.period, one.choice) for one in gone] == [(PERIOD, None)] * 2
    assert {row["state"] for row in await bench.rows("SELECT state FROM list_row")} == {"active"}
    await bench.payroll(a_list(range(4)), period=NEXT, is_full=True)
    assert await candidates(bench) == gone


async def test_a_row_the_newer_full_file_of_the_same_month_has_not_holds_the_closing_until_somebody_decides(bench: Bench) -> None:
    await bench.payroll(a_list(range(5)), is_full=True)
    await bench.payroll(a_list(range(3)), is_full=True)
    gone = await candidates(bench, PERIOD)
    assert [one.period for one in gone] == [PERIOD, PERIOD]
    assert await bench.close() is CloseReason.GONE_UNDECIDED
    keep, end = (
        Decided(gone[0].record, "keep", None, None),
        Decided(gone[1].record, "end", "no_longer_entitled", date(2024, 1, 31)),
    )
    assert await decide(bench, [keep], PERIOD) == {"decided": 1, "unchanged": 0, "ended": 0}
    assert await bench.close() is CloseReason.GONE_UNDECIDED
    assert await decide(bench, [keep, end], PERIOD) == {"decided": 1, "unchanged": 1, "ended": 1}
    closing = await bench.close()
    assert isinstance(closing, ListClosing)
    assert closing.count == 4
    assert sorted(str(one.choice) for one in await candidates(bench, PERIOD)) == ["end", "keep"]


async def test_a_death_decided_here_is_a_statement_like_any_other(bench: Bench) -> None:
    await bench.payroll(a_list(range(2)))
    await bench.payroll(a_list(range(1)), period=NEXT, is_full=True)
    (gone,) = await candidates(bench)
    await bench.told()
    await decide(bench, [Decided(gone.record, "end", "death", date(2024, 2, 10))])
    (snapshot,) = [message for message in await bench.told() if isinstance(message, BeneficiarySnapshot)]
    assert (snapshot.life, snapshot.died_on) == (Life.DEAD, date(2024, 2, 10))
    late = await bench.payroll(a_list(range(2)), period=NEXT)
    assert late["reasons"] == {"PERSON_DEAD": 1}


async def test_a_death_decided_by_mistake_is_taken_back(bench: Bench) -> None:
    """Whoever was ended as dead is alive again, with what an open list said of them, and the next list takes them."""
    await bench.payroll(a_list(range(2)))
    await bench.payroll(a_list(range(2)), period=NEXT, is_full=True)
    await bench.payroll(a_list(range(1)), period=NEXT, is_full=True)
    (gone,) = await candidates(bench)
    await decide(bench, [Decided(gone.record, "end", "death", date(2024, 1, 10))])
    await bench.told()
    assert await reinstated(bench, "nobody") is GoneReason.NOT_OF_PAYER
    (done,) = await reinstated(bench, gone.record)
    assert (done.fate, done.reason, done.notes) == (Fate.APPLIED, None, ())
    (snapshot,) = [message for message in await bench.told() if isinstance(message, BeneficiarySnapshot)]
    assert (snapshot.life, snapshot.died_on) == (Life.ALIVE, None)
    assert {row["state"] for row in await bench.rows("SELECT state FROM list_row WHERE record = $1", gone.record)} == {"active"}
    late = await bench.payroll(a_list(range(2)), period="2024-04")
    assert (late["accepted"], late["reasons"]) == (2, {})


async def reinstated(bench: Bench, *records: str) -> Any:
    return await bench.gatekeeper.reinstate(records, period=NEXT, payer=PAYER, source=SOURCE, actor="officer")


async def test_decisions_are_taken_all_or_none_and_once(bench: Bench) -> None:
    await bench.payroll(a_list(range(4)))
    await bench.payroll(a_list(range(1)), period=NEXT, is_full=True)
    gone = await candidates(bench)
    one, two, _ = (Decided(row.record, "end", "given_up", date(2024, 2, 1)) for row in gone)
    assert await decide(bench, [one, Decided("nobody", "keep", None, None)]) is GoneReason.NOT_GONE
    assert await decide(bench, [one, Decided(two.record, "end", None, None)]) is GoneReason.DECISION_INCOMPLETE
    assert await decide(bench, [one, Decided(two.record, "keep", "death", None)]) is GoneReason.DECISION_INCOMPLETE
    assert await decide(bench, [one, one]) is GoneReason.DECISION_INCOMPLETE
    assert all(row.choice is None for row in await candidates(bench))
    assert await decide(bench, [one]) == {"decided": 1, "unchanged": 0, "ended": 1}
    assert await decide(bench, [one]) == {"decided": 0, "unchanged": 1, "ended": 0}
    assert await decide(bench, [Decided(one.record, "keep", None, None)]) is GoneReason.DECIDED_OTHERWISE


def born_apart(rows: Iterable[int], *, refused: Iterable[int] = (), mistyped: Iterable[int] = ()) -> bytes:
    """People of different birth dates; of some the sum cannot be read, of some neither sum nor number can."""
    said = a_list(rows).decode().splitlines()
    for at, number in enumerate(rows, start=1):
        said[at] = said[at].replace("02/03/1949", f"{number + 1:02}/03/1949")
        if number in {*refused, *mistyped}:
            said[at] = said[at].replace("360000", "ba trăm")
        if number in mistyped:
            said[at] = said[at].replace("0421499", "04X1499")
    return "\r\n".join(said).encode()


@pytest.mark.parametrize("period", [PERIOD, NEXT])
async def test_who_stands_in_the_full_file_and_was_refused_is_marked_and_not_ended_by_the_way(bench: Bench, period: str) -> None:
    await bench.payroll(born_apart(range(5)), is_full=True)
    taken = await bench.payroll(born_apart(range(4), refused=(2,), mistyped=(3,)), period=period, is_full=True)
    assert taken["refused"] == 2
    gone = {one.record: one for one in await candidates(bench, period)}
    assert sorted(one.refused_row or 0 for one in gone.values()) == [0, 4, 5]
    ends = {one.refused_row: Decided(one.record, "end", "no_longer_entitled", date(2024, 1, 31)) for one in gone.values()}
    assert await decide(bench, ends.values(), period) is GoneReason.IN_THE_FILE
    assert await decide(bench, [ends[None]], period) == {"decided": 1, "unchanged": 0, "ended": 1}
    assert await decide(bench, [ends[4]], period) is GoneReason.IN_THE_FILE
    assert (await decide(bench, [replace(ends[4], although_in_file=True)], period))["ended"] == 1
    assert (await decide(bench, [ends[4]], period))["unchanged"] == 1
    assert (await decide(bench, [Decided(ends[5].record, "keep", None, None)], period))["decided"] == 1


async def test_who_was_refused_for_what_we_know_is_marked_too(bench: Bench) -> None:
    other = a_list(range(2)).replace("1,Nguyễn Thị Hòa,02/03/1949".encode(), "1,Trần Văn Tám,05/06/1955".encode())
    await bench.payroll(other, is_full=True)
    taken = await bench.payroll(other.replace(b"042149900001", b"042149900000"), period=NEXT, is_full=True)
    assert taken["reasons"] == {"NUMBER_CLASH": 1}
    (gone,) = await candidates(bench)
    assert gone.refused_row == 3


async def test_who_stands_on_another_sources_list_is_not_gone(bench: Bench) -> None:
    await bench.payroll(a_list(range(2)))
    request = await bench.handed("payroll", a_list(range(1, 2)), source="another/office", period=NEXT)
    await bench.importer.take(request)
    await bench.payroll(a_list(range(1)), period=NEXT, is_full=True)
    assert await candidates(bench) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE gone_decision SET choice = 'keep', reason = NULL, ended_on = NULL",
        "DELETE FROM gone_decision",
        "INSERT INTO gone_decision SELECT 's', 'r', period, payer, 'end', NULL, NULL, import_id, actor, at FROM gone_decision",
        "INSERT INTO gone_decision SELECT * FROM gone_decision",
    ],
)
async def test_a_decision_stays_and_says_why(bench: Bench, change: str) -> None:
    await bench.payroll(a_list(range(2)))
    await bench.payroll(a_list(range(1)), period=NEXT, is_full=True)
    await decide(bench, [Decided(row.record, "end", "given_up", date(2024, 2, 1)) for row in await candidates(bench)])
    with pytest.raises(asyncpg.PostgresError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(change)
