"""SQL of money claimed back. Every write is set-based; the text is in `queries_recovery.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Record

from services.payout.policy import MonthOfMove
from services.payout.recovery import CLAIMED, OPEN, Ending, accounts
from shared.actors import Actor
from shared.database import Tx, load_queries
from shared.ids import derived_id

queries = load_queries(__file__, "queries_recovery.sql")
SHOWN = 500


class Case(NamedTuple):
    """What one payment brought of one line for months not owed. `payroll`: the one that paid it, under which auditors are told."""

    case_id: UUID
    entitlement_id: UUID
    instruction_id: UUID
    beneficiary_id: UUID
    period: str
    payer: str
    vnd: int
    reason: str
    fact_on: date
    payroll: str


async def _all(rows: AsyncIterator[Record]) -> list[Record]:
    return [row async for row in rows]


async def paid_beyond_what_was_owed(tx: Tx, month_of_move: MonthOfMove) -> list[Record]:
    """Lines paid for months after a death or a move and not claimed back yet, each with the last month that was owed."""
    return await _all(queries.paid_beyond_what_was_owed(tx, old_pays_month_of_move=month_of_move == "old"))


async def came_back(tx: Tx) -> list[Record]:
    """Open cases whose payment was returned."""
    return await _all(queries.cases_that_came_back(tx))


def opening_id(case_id: UUID) -> UUID:
    """The id of the posting that opens a case."""
    return derived_id("recovery posting", case_id, "opened")


async def open_cases(tx: Tx, cases: Sequence[Case], at: datetime) -> set[UUID]:
    """Open cases, each with its posting; returns those that are new."""
    rows = sorted(cases)
    new = queries.open_cases(
        tx,
        ids=[case.case_id for case in rows],
        lines=[case.entitlement_id for case in rows],
        payments=[case.instruction_id for case in rows],
        people=[case.beneficiary_id for case in rows],
        periods=[case.period for case in rows],
        payers=[case.payer for case in rows],
        vnds=[case.vnd for case in rows],
        reasons=[case.reason for case in rows],
        days=[case.fact_on for case in rows],
        postings=[opening_id(case.case_id) for case in rows],
        debit=OPEN,
        credit=CLAIMED,
        at=at,
    )
    return {row["case_id"] for row in await _all(new)}


async def post_ending(tx: Tx, case: Mapping[str, Any] | Record, ending: Ending, at: datetime) -> UUID | None:
    """The posting that ends a case; None when it was made before."""
    debit, credit = accounts(ending)
    names = {"case_id": case["case_id"], "payer": case["payer"], "vnd": case["vnd"], "at": at}
    posting_id = derived_id("recovery posting", case["case_id"], "ended")
    new = await _all(queries.post_recovery(tx, posting_id=posting_id, debit=debit, credit=credit, **names))
    return posting_id if new else None


async def end_as_came_back(tx: Tx, case_id: UUID, at: datetime) -> None:
    """The provider gave the payment back."""
    await queries.end_as_came_back(tx, case_id=case_id, at=at)


async def case(tx: Tx, case_id: UUID) -> Record | None:
    """One case, locked."""
    row: Record | None = await queries.recovery_case(tx, case_id=case_id)
    return row


async def own(tx: Tx, case_id: UUID, actor: Actor, at: datetime) -> None:
    """Somebody looks after a case."""
    await queries.own_recovery(tx, case_id=case_id, actor=actor.id, at=at)


async def propose(tx: Tx, case_id: UUID, actor: Actor, *, ending: Ending, why: str, at: datetime) -> None:
    """How a case would end."""
    await queries.propose_ending(tx, case_id=case_id, ending=ending, why=why, actor=actor.id, token=actor.token, at=at)


async def approve(tx: Tx, case_id: UUID, actor: Actor, at: datetime) -> None:
    """The second signature."""
    await queries.approve_ending(tx, case_id=case_id, actor=actor.id, token=actor.token, at=at)


async def shown(tx: Tx, *, still_open: bool, payer: str | None) -> list[dict[str, Any]]:
    """Cases, oldest first."""
    return [dict(row) for row in await _all(queries.shown_recoveries(tx, open=still_open, payer=payer, most=SHOWN))]


async def counted(tx: Tx) -> list[dict[str, Any]]:
    """Open cases per payer."""
    return [dict(row) for row in await _all(queries.counted_recoveries(tx))]
