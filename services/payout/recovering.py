"""Recovery cases: opened by themselves from what is known of the people paid, ended by two people or by the provider's return."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.payout import store_recovery
from services.payout.emitting import Entries
from services.payout.policy import MonthOfMove
from services.payout.recovery import CLAIMED, OPEN, Ending, RecoveryRefusal, accounts, claim, proposal_sha256
from services.payout.store_recovery import Case
from shared.actors import Actor
from shared.clock import Clock
from shared.database import Database, Tx
from shared.events import DeclaredLine
from shared.ids import derived_id
from shared.outbox import OutEvent, put_events

LOOK_SECONDS = 20.0


class RecoveryDesk:
    """Looks again and again for money that reached somebody who was not owed it. Looking takes no transaction id."""

    def __init__(self, database: Database, clock: Clock, month_of_move: MonthOfMove = "old") -> None:
        """Of one service. `month_of_move`: which place pays the month of a move."""
        self._database = database
        self._clock = clock
        self._month_of_move = month_of_move

    async def look(self) -> int:
        """Open what is due, end what came back; returns how many cases changed. Two copies that look at once do it once."""
        async with self._database.reading() as tx:
            due = cases_of(await store_recovery.paid_beyond_what_was_owed(tx, self._month_of_move))
            back = await store_recovery.came_back(tx)
        if not due and not back:
            return 0
        async with self._database.transaction("payout.recovery") as tx:
            at = self._clock.now()
            events = await _open(tx, due, at)
            events += await _end_returned(tx, at)
            await put_events(tx, events, at)
            return len(events)


def cases_of(rows: Sequence[Mapping[str, Any] | Record]) -> list[Case]:
    """What is to be claimed of each payment, never more of a line than the months not owed are worth."""
    claimed: dict[UUID, int] = defaultdict(int)
    cases = []
    for row in rows:
        line, line_id = DeclaredLine.model_validate_json(row["content"]), row["entitlement_id"]
        before = row["claimed_vnd"] + claimed[line_id]
        vnd = claim(row["vnd"], line, row["period"], through=row["through"], claimed_vnd=before)
        if vnd:
            claimed[line_id] += vnd
            identity = derived_id("recovery", line_id, row["instruction_id"])
            where = (row["beneficiary_id"], row["period"], row["payer"])
            cases.append(
                Case(identity, line_id, row["instruction_id"], *where, vnd, row["reason"], row["fact_on"], row["payroll"])
            )
    return cases


async def _open(tx: Tx, cases: Sequence[Case], at: datetime) -> list[OutEvent]:
    new = await store_recovery.open_cases(tx, cases, at) if cases else set()
    return [
        Entries(case.payroll, case.payer, at).recovery(
            store_recovery.opening_id(case.case_id),
            case.instruction_id,
            case.vnd,
            accounts=(OPEN, CLAIMED),
            reason=case.reason,
        )
        for case in cases
        if case.case_id in new
    ]


async def _end_returned(tx: Tx, at: datetime) -> list[OutEvent]:
    events = []
    for row in await store_recovery.came_back(tx):
        case = await store_recovery.case(tx, row["case_id"])
        if case is not None and case["ended_at"] is None:
            events += await _end(tx, case, Ending.CAME_BACK, why=None, actor=None, at=at)
            await store_recovery.end_as_came_back(tx, case["case_id"], at)
    return events


async def _end(tx: Tx, case: Record, ending: Ending, *, why: str | None, actor: Actor | None, at: datetime) -> list[OutEvent]:
    posting_id = await store_recovery.post_ending(tx, case, ending, at)
    if posting_id is None:
        return []
    entries = Entries(case["payroll"], case["payer"], at)
    return [
        entries.recovery(
            posting_id,
            case["instruction_id"],
            case["vnd"],
            accounts=accounts(ending),
            reason=why or ending,
            actor=actor.id if actor else None,
        )
    ]


# --- steps of people -------------------------------------------------------------------------------------------------------------


async def take(tx: Tx, case_id: UUID, *, actor: Actor, at: datetime) -> Record | RecoveryRefusal:
    """This person looks after it from now on; another may take it over until it ended."""
    case = await _still_open(tx, case_id)
    if not isinstance(case, RecoveryRefusal):
        await store_recovery.own(tx, case_id, actor, at)
    return case


async def propose(tx: Tx, case_id: UUID, ending: Ending, why: str, *, actor: Actor, at: datetime) -> str | RecoveryRefusal:
    """Its owner says how it ends and why; returns the hash that the second person signs. A new proposal replaces the last."""
    case = await _still_open(tx, case_id)
    if isinstance(case, RecoveryRefusal):
        return case
    if case["owner"] != actor.id:
        return RecoveryRefusal.NOT_THE_OWNER
    await store_recovery.propose(tx, case_id, actor, ending=ending, why=why, at=at)
    return proposal_sha256(case_id, case["vnd"], ending=ending, why=why, proposed_by=actor.id)


async def approve(tx: Tx, case_id: UUID, *, actor: Actor, at: datetime) -> str | RecoveryRefusal:
    """The second person agrees: one posting ends it. Returns how it ended."""
    case = await _still_open(tx, case_id)
    if isinstance(case, RecoveryRefusal):
        return case
    if case["ending"] is None:
        return RecoveryRefusal.NOTHING_PROPOSED
    if case["proposed_by"] == actor.id:
        return RecoveryRefusal.PROPOSER_APPROVES
    ending = Ending(case["ending"])
    if actor.sha256 != proposal_sha256(case_id, case["vnd"], ending=ending, why=case["why"], proposed_by=case["proposed_by"]):
        return RecoveryRefusal.PROPOSAL_DIFFERS
    events = await _end(tx, case, ending, why=case["why"], actor=actor, at=at)
    await store_recovery.approve(tx, case_id, actor, at)
    await put_events(tx, events, at)
    return str(ending)


async def _still_open(tx: Tx, case_id: UUID) -> Record | RecoveryRefusal:
    case = await store_recovery.case(tx, case_id)
    if case is None:
        return RecoveryRefusal.RECOVERY_UNKNOWN
    return RecoveryRefusal.RECOVERY_ENDED if case["ended_at"] else case
