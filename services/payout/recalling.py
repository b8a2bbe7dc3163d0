"""Cancelling what was sent: the states of one wish to cancel, and how its race with the payment is decided. Pure.

Asking stops nothing: only the provider's word ends a payment. `cancelled` means that no money left and none will under this id,
`too_late` that it had left. The first word is believed while it fits what is known; one that does not fit changes nothing and opens
a break.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from services.payout.batch import DEAD, INSTRUCTION_MOVES
from services.payout.refusals import Refusal
from services.payout.results import Fate, Sent, about_another
from shared.events import PaymentResult
from shared.words import CancelOutcome, InstructionState, LineStatus

_S = InstructionState


class CancelState(StrEnum):
    """States of the wish to cancel one payment.

    `asked`: two people signed and the provider was told. `unknown`: it said nothing in time, which means nothing. `not_known`: it
    says that it knows no such payment, which is no proof either: the order may still be on its way. `moot`: it ended another way.
    """

    PROPOSED = "proposed"
    ASKED = "asked"
    UNKNOWN = "unknown"
    NOT_KNOWN = "not_known"
    CANCELLED = "cancelled"
    TOO_LATE = "too_late"
    MOOT = "moot"


_C = CancelState
_ENDS = frozenset({_C.CANCELLED, _C.TOO_LATE, _C.MOOT})
CANCEL_MOVES: Mapping[CancelState, frozenset[CancelState]] = {
    _C.PROPOSED: frozenset({_C.ASKED, _C.TOO_LATE, _C.MOOT}),
    _C.ASKED: _ENDS | {_C.UNKNOWN, _C.NOT_KNOWN},
    _C.UNKNOWN: _ENDS | {_C.NOT_KNOWN},
    _C.NOT_KNOWN: _ENDS,
    _C.TOO_LATE: frozenset({_C.MOOT}),
}
"""All legal moves; the table `cancel_move` is the same and a test compares."""
OPEN = frozenset({_C.ASKED, _C.UNKNOWN, _C.NOT_KNOWN})
"""The provider was asked and has not said how it ended."""
IN_FLIGHT = frozenset({_S.SENDING, _S.ACCEPTED, _S.ISSUED, _S.UNKNOWN})
"""Payments that may still be cancelled: sent, and not known to have ended."""
_PAID = frozenset({_S.PAID, _S.COLLECTED})


class After(StrEnum):
    """What becomes of the lines of a payment that died under a cancel: kept back for good, or free for the next build."""

    KEEP = "keep"
    FREE = "free"


class Wish(NamedTuple):
    """Why payments are asked back, a code; what becomes of their lines; and of what is kept back, only these months (none: all). What else
    such a payment pays is still owed: it waits for the next build."""

    reason: str
    after: After = After.KEEP
    months: frozenset[str] = frozenset()


class Judged(NamedTuple):
    """The fate of an answer to a cancel, and the states it brings when applied; None: as it was."""

    fate: Fate
    payment: InstructionState | None = None
    cancel: CancelState | None = None


_CONFLICT = Judged(Fate.CONFLICT)


def judge_cancel(payment: Sent | None, cancel: CancelState | None, answer: PaymentResult) -> Judged:
    """What a provider's word about a cancel means. Nobody asked, or another amount, batch or provider: a contradiction."""
    if answer.end_to_end_id is None or answer.outcome is None:
        return _CONFLICT
    if payment is None:
        return Judged(Fate.FOREIGN)
    if about_another(payment, answer) or cancel in (None, _C.PROPOSED) or payment.closed:
        return _CONFLICT
    assert cancel is not None
    judge = {
        CancelOutcome.CANCELLED: _cancelled, CancelOutcome.TOO_LATE: _too_late, CancelOutcome.UNKNOWN_ID: _unknown_id,
    }[answer.outcome]  # fmt: skip
    return judge(payment.state, cancel)


def _cancelled(state: InstructionState, cancel: CancelState) -> Judged:
    if state in (_S.CANCELLED, _S.REJECTED, _S.EXPIRED):  # known already, or as little paid
        return Judged(Fate.REPEAT)
    if cancel in OPEN and _S.CANCELLED in INSTRUCTION_MOVES.get(state, ()):
        return Judged(Fate.APPLIED, _S.CANCELLED, _C.CANCELLED)
    return _CONFLICT  # it was paid, or it was too late: not both


def _too_late(state: InstructionState, cancel: CancelState) -> Judged:
    if cancel is _C.TOO_LATE or state is _S.RETURNED:
        return Judged(Fate.REPEAT)
    return Judged(Fate.APPLIED, None, _C.TOO_LATE) if cancel in OPEN else _CONFLICT


def _unknown_id(state: InstructionState, cancel: CancelState) -> Judged:
    """Believed only of a payment that the provider never spoke of."""
    if cancel is _C.NOT_KNOWN:
        return Judged(Fate.REPEAT)
    unheard = state in (_S.SENDING, _S.UNKNOWN)
    return Judged(Fate.APPLIED, None, _C.NOT_KNOWN) if unheard and _C.NOT_KNOWN in CANCEL_MOVES.get(cancel, ()) else _CONFLICT


def follows(cancel: CancelState | None, moved_to: InstructionState) -> CancelState | None:
    """Where a cancel goes because its payment moved by another answer; None: nowhere."""
    if cancel is None or moved_to is _S.CANCELLED:
        return None
    to = _C.TOO_LATE if moved_to in _PAID else _C.MOOT if moved_to in DEAD else None
    return to if to in CANCEL_MOVES.get(cancel, ()) else None


def disputes(state: InstructionState | None, answer: PaymentResult) -> bool:
    """Whether an answer says that money left for a payment that was cancelled: its lines must not be paid again on doubt."""
    left = answer.status in (LineStatus.PAID, LineStatus.RETURNED) or answer.outcome is CancelOutcome.TOO_LATE
    return state is _S.CANCELLED and left


def cancel_sha256(wish: Wish, named: Iterable[tuple[str, str]]) -> str:
    """What both signatures name: reason, what becomes of the lines, of which months, and per payment the hash of the list that left and its
    id."""
    months = (f"month:{month}" for month in sorted(wish.months))
    text = [f"cancel:{wish.reason}:{wish.after}", *months, *sorted(f"{list_hash}:{identity}" for list_hash, identity in named)]
    return hashlib.sha256("".join(line + "\n" for line in text).encode()).hexdigest()


def by_month(rows: Iterable[Any], wish: Wish) -> tuple[dict[str, int], dict[str, int]]:
    """VND by month that these payments pay: what is kept back for good if they are cancelled, and what the next build may pay."""
    back, owed = defaultdict[str, int](int), defaultdict[str, int](int)
    for row in rows:
        for month, vnd in zip(row["months"], row["vnds"], strict=True):
            kept = wish.after is After.KEEP and (not wish.months or month in wish.months)
            (back if kept else owed)[month] += vnd
    return dict(sorted(back.items())), dict(sorted(owed.items()))


def refused(people: Collection[UUID], rows: Collection[Any], sha256: str) -> Refusal | None:
    """Why these people's payments cannot be cancelled. `rows`: all their payments of the payroll that are not dead."""
    of_whom: dict[UUID, list[Any]] = {who: [] for who in people}
    for row in rows:
        of_whom[row["beneficiary_id"]].append(row)
    if any(row["cancel_list"] not in (None, sha256) for row in rows if row["state"] in IN_FLIGHT):
        return Refusal.CANCEL_OPEN
    without = [found for found in of_whom.values() if not any(row["state"] in IN_FLIGHT for row in found)]
    if any(row["state"] in _PAID for found in without for row in found):
        return Refusal.ALREADY_PAID
    if any(found for found in without):
        return Refusal.NOT_SENT
    return Refusal.NOTHING_TO_CANCEL if without or not people else None
