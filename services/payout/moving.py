"""Who pays a month of somebody who moved (domain 2.2): never two payers, and who does is a question of dates. Pure."""

from __future__ import annotations

from datetime import date

from services.payout.circumstances import Move, MoveKind, Person
from services.payout.months import plus_months
from services.payout.policy import MonthOfMove, Policy
from shared.clock import period_of


def payer_of(person: Person, month: str, policy: Policy) -> str | None:
    """The payer of a month; None where the old place has stopped and the new one does not pay yet."""
    payer: str | None = person.payer
    for move in sorted(person.moves, key=lambda move: move.on):
        if month < first_month_of_new(move, policy):
            break
        starts = _starts(move, policy)
        payer = move.to_payer if starts is not None and month >= starts else None
    return payer


def first_month_of_new(move: Move, policy: Policy) -> str:
    """The first month the old place does not pay any more."""
    return first_month_after(move.on, policy.month_of_move)


def first_month_after(moved_on: date, month_of_move: MonthOfMove) -> str:
    """The first month not paid by the place somebody left on this day."""
    month = period_of(moved_on)
    return month if month_of_move == "new" else plus_months(month, 1)


def _starts(move: Move, policy: Policy) -> str | None:
    """The first month the new place pays; None while it has not decided, or was not asked."""
    first = first_month_of_new(move, policy)
    if move.kind is MoveKind.WITHIN_DISTRICT:
        return first
    if move.decided_on is None:
        return None
    decided = period_of(move.decided_on)
    if move.kind is MoveKind.ELSEWHERE:
        return max(first, plus_months(decided, 1))
    if not move.requested:
        return None
    return first if policy.gap_after_move == "continued" else max(first, decided)
