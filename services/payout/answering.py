"""What a batch of answers does to payments, money and wishes to cancel, decided before anything is written. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.payout import ledger
from services.payout.batch import DEAD
from services.payout.ledger import Posting
from services.payout.recalling import CancelState, disputes, follows, judge_cancel
from services.payout.results import Fate, SentBatch, judge_batch, judge_line, sent_of
from shared.events import PaymentResult
from shared.words import InstructionState, ResultKind

Row = Mapping[str, Any]


@dataclass
class Answers:
    """One batch of answers while it is judged: what we hold, what was decided, what is to be written.

    A wave moves each payment, or wish to cancel, once. `kept`: payments whose lines must not be paid again by themselves,
    `disputed`: of these, cancelled ones whose money is said to have left.
    """

    batches: Mapping[UUID, Row]
    payments: Mapping[str, Row]
    states: dict[UUID, InstructionState]
    cancels: dict[UUID, CancelState] = field(default_factory=dict)
    judged: list[tuple[PaymentResult, str, str]] = field(default_factory=list)
    waves: list[dict[UUID, tuple[InstructionState, str | None]]] = field(default_factory=list)
    cancel_waves: list[dict[UUID, CancelState]] = field(default_factory=list)
    kept: set[UUID] = field(default_factory=set)
    disputed: set[UUID] = field(default_factory=set)
    postings: list[tuple[str, str, Posting]] = field(default_factory=list)
    marks: dict[ResultKind, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, batches: list[Any], payments: list[Any]) -> Answers:
        """About these rows of `answered_batches` and `answered_payments`."""
        return cls(
            batches={row["batch_id"]: row for row in batches},
            payments={row["end_to_end_id"]: row for row in payments},
            states={row["instruction_id"]: InstructionState(row["state"]) for row in payments},
            cancels={row["instruction_id"]: CancelState(row["cancel"]) for row in payments if row["cancel"]},
        )


def judge(answers: Answers, answer: PaymentResult) -> Fate:
    """The fate of one answer, with everything that follows from it noted."""
    if answer.kind not in (ResultKind.LINE, ResultKind.CANCEL):
        return _judge_whole(answers, answer)
    row = answers.payments.get(answer.end_to_end_id or "")
    key = row["instruction_id"] if row is not None else None
    payment = sent_of(row, answers.states[row["instruction_id"]]) if row is not None else None
    cancel = answers.cancels.get(key) if key else None
    if answer.kind is ResultKind.CANCEL:
        fate, brought, cancel_brought = judge_cancel(payment, cancel, answer)
    else:
        (fate, brought), cancel_brought = judge_line(payment, answer), None
    if row is not None and cancel_brought is not None:
        _wish_goes(answers, row, cancel_brought)
    if row is not None and brought is not None:
        _apply(answers, row, brought, reason=answer.reason)
    if payment and fate is Fate.CONFLICT and disputes(payment.state, answer) and not payment.closed:
        answers.kept.add(payment.instruction_id)
        answers.disputed.add(payment.instruction_id)
    return fate


def _judge_whole(answers: Answers, answer: PaymentResult) -> Fate:
    batch = answers.batches.get(answer.batch_id)
    rows = [row for row in answers.payments.values() if row["batch_id"] == answer.batch_id]
    states = [answers.states[row["instruction_id"]] for row in rows]
    fate = judge_batch(SentBatch.of(batch) if batch else None, states, answer)
    if fate is Fate.APPLIED:
        answers.marks[answer.kind].add(answer.batch_id)
        for row in rows if answer.kind is ResultKind.BATCH_REFUSED else ():
            if answers.states[row["instruction_id"]] is not InstructionState.CANCELLED:
                _apply(answers, row, InstructionState.REJECTED, reason=answer.reason)
    return fate


def _apply(answers: Answers, row: Row, brought: InstructionState, *, reason: str | None) -> None:
    """One move of one payment, with the postings it means and what it means for a wish to cancel it."""
    key = row["instruction_id"]
    _into_wave(answers.waves, key, (brought, reason))
    by_month = ledger.shares_of(row, row["period"])
    for month, shares in by_month.items():
        of = month if len(by_month) > 1 else ""
        postings = ledger.on_move(key, row["provider"], shares, before=answers.states[key], after=brought, of=of)
        answers.postings += [(month, row["payer"], posting) for posting in postings]
    answers.states[key] = brought
    cancel = answers.cancels.get(key)
    if cancel is None:
        return
    if row["keep"] and cancel is not CancelState.PROPOSED and brought in DEAD:
        answers.kept.add(key)
    goes = follows(cancel, brought)
    if goes:
        _wish_goes(answers, row, goes)


def _wish_goes(answers: Answers, row: Row, to: CancelState) -> None:
    _into_wave(answers.cancel_waves, row["instruction_id"], to)
    answers.cancels[row["instruction_id"]] = to


def _into_wave(waves: list[dict[UUID, Any]], key: UUID, value: Any) -> None:
    """In the first wave that does not move it yet."""
    wave = next((wave for wave in waves if key not in wave), None)
    if wave is None:
        wave = {}
        waves.append(wave)
    wave[key] = value
