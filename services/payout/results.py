"""What a provider's answer means for a payment or a batch. An answer only adds knowledge; nothing is inferred from silence. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.payout.batch import INSTRUCTION_MOVES
from shared.events import PaymentResult
from shared.topics import Provider
from shared.words import Channel, InstructionState, LineStatus, ResultKind

_S = InstructionState
_BANK_STATES = {
    LineStatus.ACCEPTED: _S.ACCEPTED,
    LineStatus.PAID: _S.PAID,
    LineStatus.REJECTED: _S.REJECTED,
    LineStatus.RETURNED: _S.RETURNED,
}
_POST_STATES = {**_BANK_STATES, LineStatus.ACCEPTED: _S.ISSUED, LineStatus.PAID: _S.COLLECTED, LineStatus.RETURNED: _S.EXPIRED}
_NOT_SENT = (_S.CREATED, _S.SEALED, _S.WITHDRAWN)
_UNANSWERED = (_S.SENDING, _S.UNKNOWN)
# What a state already implies: hearing it late is no contradiction.
_IMPLIED: Mapping[InstructionState, frozenset[InstructionState]] = {
    _S.PAID: frozenset({_S.ACCEPTED}),
    _S.COLLECTED: frozenset({_S.ISSUED}),
    _S.REJECTED: frozenset({_S.ACCEPTED, _S.ISSUED}),
    _S.EXPIRED: frozenset({_S.ISSUED}),
    _S.RETURNED: frozenset({_S.ACCEPTED, _S.ISSUED, _S.PAID, _S.COLLECTED}),
    _S.CANCELLED: frozenset({_S.ACCEPTED, _S.ISSUED, _S.REJECTED, _S.EXPIRED}),
}


class Fate(StrEnum):
    """What became of an answer. Every answer is kept, whatever its fate."""

    APPLIED = "applied"
    REPEAT = "repeat"
    CONFLICT = "conflict"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Sent:
    """A payment as we hold it. In a payroll that is `closed` nothing moves: what would move there is a conflict, for people to look at."""

    instruction_id: UUID
    batch_id: UUID
    provider: Provider
    vnd: int
    state: InstructionState
    channel: Channel
    closed: bool = False


def sent_of(row: Any, state: InstructionState) -> Sent:
    """A payment as its row (a mapping) and the answers judged so far have it."""
    provider, channel, closed = Provider(row["provider"]), Channel(row["channel"]), row["closed"]
    return Sent(row["instruction_id"], row["batch_id"], provider, row["vnd"], state, channel, closed=closed)


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A batch as we hold it. `sent_count` is None before it is sent."""

    provider: Provider
    sent_count: int | None
    sent_vnd: int | None
    received_at: datetime | None
    completed_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> SentBatch:
        """From a row with these columns."""
        return cls(Provider(row["provider"]), row["sent_count"], row["sent_vnd"], row["received_at"], row["completed_at"])


def judge_line(payment: Sent | None, answer: PaymentResult) -> tuple[Fate, InstructionState | None]:
    """The fate of an answer about one line, and the state it brings when applied."""
    assert answer.kind is ResultKind.LINE
    if answer.end_to_end_id is None or answer.status is None:
        return Fate.CONFLICT, None
    if payment is None:
        return Fate.FOREIGN, None
    if about_another(payment, answer) or payment.state in _NOT_SENT:
        return Fate.CONFLICT, None
    brought = _state_of(answer.status, payment)
    if brought is payment.state or brought in _IMPLIED.get(payment.state, ()):
        return Fate.REPEAT, None
    if brought in INSTRUCTION_MOVES.get(payment.state, ()) and not payment.closed:
        return Fate.APPLIED, brought
    return Fate.CONFLICT, None


def judge_batch(batch: SentBatch | None, states: Collection[InstructionState], answer: PaymentResult) -> Fate:
    """The fate of an answer about a whole batch; `states` are those of its sent payments. A refusal rejects them all or none."""
    if batch is None:
        return Fate.FOREIGN
    if batch.provider is not answer.provider or batch.sent_count is None:
        return Fate.CONFLICT
    if answer.kind is ResultKind.BATCH_REFUSED:
        return _judge_refusal(states)
    if answer.kind is ResultKind.BATCH_COMPLETE:
        return Fate.REPEAT if batch.completed_at else Fate.APPLIED
    if answer.count not in (None, batch.sent_count) or answer.vnd not in (None, batch.sent_vnd):
        return Fate.CONFLICT
    return Fate.REPEAT if batch.received_at else Fate.APPLIED


def _judge_refusal(states: Collection[InstructionState]) -> Fate:
    left = [state for state in states if state is not _S.CANCELLED]  # a cancelled line is as little paid as a refused one
    if states and all(state is _S.REJECTED for state in left):
        return Fate.REPEAT
    return Fate.APPLIED if all(state in _UNANSWERED for state in left) else Fate.CONFLICT


def about_another(payment: Sent, answer: PaymentResult) -> bool:
    """Whether an answer names a payment of ours but another provider, batch or amount."""
    same = (payment.provider, payment.batch_id) == (answer.provider, answer.batch_id)
    return not same or answer.amount_vnd not in (None, payment.vnd)


def _state_of(status: LineStatus, payment: Sent) -> InstructionState:
    """A word about an account, or about cash: what comes back after it was collected came from the person, not from the counter."""
    if payment.channel is Channel.ACCOUNT:
        return _BANK_STATES[status]
    if status is LineStatus.RETURNED and payment.state in (_S.COLLECTED, _S.RETURNED):
        return _S.RETURNED
    return _POST_STATES[status]
