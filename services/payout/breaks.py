"""What does not agree between our ledger, what we told a provider, and what it says: the types, who resolves one, and how. Pure.

A line of a file moves a payment only when it is proven: an id of ours at this provider, its amount, its account, a day on which it can
have happened, once. Everything else opens a break of exactly one type, the first that fits in the order of `BreakType`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.payout.results import Fate
from services.payout.statement_line import BOOKINGS, Fault, FileKind, LineKind, StatementLine, place_of
from shared.events import PaymentResult
from shared.ids import derived_id
from shared.topics import Provider
from shared.words import CancelOutcome, InstructionState, LineStatus

_S = InstructionState
LATE_DAYS = 60
"""A booking so long after the day of execution is not of this payment."""


class BreakType(StrEnum):
    """A closed list, in order of precedence (reliability.md 1.4)."""

    UNKNOWN_ID = "unknown_id"
    EXTRA = "extra"
    AMOUNT = "amount"
    ACCOUNT = "account"
    DUPLICATE = "duplicate"
    DATE = "date"
    REVERSAL = "reversal"
    MISSING = "missing"


class Remedy(StrEnum):
    """How a break ends; each is one posting out of `breaks:<provider>`.

    `believed`: what the line says is true after all, and the payment moves with it. `explained`: it agrees by other proof, no money moved
    wrongly. `claimed`: the provider owes it. `recovered`: it came back. `accepted`: a cost of ours.
    """

    BELIEVED = "believed"
    EXPLAINED = "explained"
    CLAIMED = "claimed"
    RECOVERED = "recovered"
    ACCEPTED = "accepted"


class BreakRefusal(StrEnum):
    """Why a step on a break is not done, in order of precedence. Nothing was changed."""

    BREAK_UNKNOWN = "BREAK_UNKNOWN"
    BREAK_ENDED = "BREAK_ENDED"
    NOT_THE_OWNER = "NOT_THE_OWNER"
    NOTHING_PROPOSED = "NOTHING_PROPOSED"
    PROPOSER_APPROVES = "PROPOSER_APPROVES"
    PROPOSAL_DIFFERS = "PROPOSAL_DIFFERS"
    NOT_BELIEVABLE = "NOT_BELIEVABLE"


BREAK_ADVICE: Mapping[BreakRefusal, str] = {
    BreakRefusal.BREAK_UNKNOWN: "Không có chênh lệch này.",
    BreakRefusal.BREAK_ENDED: "Chênh lệch này đã được giải quyết.",
    BreakRefusal.NOT_THE_OWNER: "Nhận xử lý chênh lệch trước khi đề nghị cách giải quyết.",
    BreakRefusal.NOTHING_PROPOSED: "Chưa có đề nghị giải quyết nào để duyệt.",
    BreakRefusal.PROPOSER_APPROVES: "Người duyệt phải khác người đề nghị.",
    BreakRefusal.PROPOSAL_DIFFERS: "Chữ ký không đúng với đề nghị hiện tại; xem lại rồi ký lại.",
    BreakRefusal.NOT_BELIEVABLE: "Dòng này không thể làm thay đổi khoản chi; chọn cách giải quyết khác.",
}
BELIEVABLE = frozenset({BreakType.ACCOUNT, BreakType.DATE, BreakType.REVERSAL})
"""Types whose line can still move its payment: the id is known and the amount right."""
STATUS: Mapping[LineKind, LineStatus] = {
    LineKind.ACCEPTED: LineStatus.ACCEPTED,
    LineKind.PAID: LineStatus.PAID,
    LineKind.REJECTED: LineStatus.REJECTED,
    LineKind.RETURNED: LineStatus.RETURNED,
    LineKind.REVERSAL: LineStatus.RETURNED,
}
"""What a line means for its payment when it is believed: a reversed booking has come back."""


@dataclass(frozen=True, slots=True)
class Told:
    """A payment as we told a provider. `payroll`: (period, payer); `account_ix`: keyed index of its account where we still know it."""

    instruction_id: UUID
    batch_id: UUID
    provider: Provider
    vnd: int
    execution_on: date
    state: InstructionState
    payroll: tuple[str, str]
    account_ix: bytes | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """One movement of money named already: in this very file (then on which sheet) or an earlier one, of what kind, under which name of
    the provider's."""

    same_file: bool
    kind: LineKind
    bank_ref: str | None
    booked_on: date | None
    sheet: int = 1


@dataclass(frozen=True, slots=True)
class Break:
    """A disagreement that somebody must own. `vnd` is the amount in question."""

    break_id: UUID
    type: BreakType
    provider: Provider
    vnd: int
    end_to_end_id: str | None = None
    instruction_id: UUID | None = None
    batch_id: UUID | None = None
    file_id: UUID | None = None
    line: int | None = None


def doubt(
    line: StatementLine,
    told: Told | None,
    *,
    provider: Provider,
    kind: FileKind,
    account_ix: bytes | None,
    before: Collection[Booking],
) -> BreakType | None:
    """Why a line about one payment is not proven; None when it is. `before`: what files named of this id earlier."""
    if line.end_to_end_id is None:
        return BreakType.UNKNOWN_ID if line.fault else BreakType.EXTRA
    if told is None or told.provider is not provider:
        return BreakType.UNKNOWN_ID
    checks = (
        (BreakType.AMOUNT, line.fault is Fault.AMOUNT or line.vnd not in (None, told.vnd)),
        (BreakType.ACCOUNT, None not in (account_ix, told.account_ix) and account_ix != told.account_ix),
        (BreakType.DUPLICATE, any(_said_twice(line, one, kind) for one in before)),
        (BreakType.DATE, line.fault is Fault.DATE or not _possible(line, told)),
        (BreakType.REVERSAL, line.kind is LineKind.REVERSAL),
    )
    return next((kind_of_break for kind_of_break, applies in checks if applies), None)


def is_funding(line: StatementLine, from_ix: bytes | None, funding: Collection[bytes]) -> bool:
    """Whether a line is money we are funded with: a plain credit under no id of ours from one of these accounts."""
    plain = line.kind is LineKind.RETURNED and line.end_to_end_id is None and line.fault is None and line.code is None
    return plain and line.vnd is not None and from_ix in funding


def _said_twice(line: StatementLine, one: Booking, kind: FileKind) -> bool:
    """Whether a line is a second movement, not the same one said again. `one` stands in this file or an earlier one of this kind."""
    if one.kind is not line.kind or line.kind is LineKind.ACCEPTED:
        return False
    if kind not in BOOKINGS:
        # A sheet of everybody beside one of each commune says nothing twice.
        copied = one.sheet != place_of(line.line)[0] and one.booked_on == line.booked_on
        return kind is FileKind.POST_LIST and one.same_file and not copied
    if one.same_file or None in (one.bank_ref, line.bank_ref):
        return one.same_file or one.booked_on != line.booked_on
    return one.bank_ref != line.bank_ref


def _possible(line: StatementLine, told: Told) -> bool:
    """No money moves before the day of execution, nor months after it; a rejection may come earlier."""
    if line.booked_on is None or line.kind in (LineKind.ACCEPTED, LineKind.REJECTED):
        return True
    return told.execution_on <= line.booked_on <= told.execution_on + timedelta(days=LATE_DAYS)


def contradiction(state: InstructionState | None, status: LineStatus | None) -> BreakType:
    """The type of an answer that is about a payment of ours and cannot be true beside what we hold."""
    if status is LineStatus.REJECTED and state in (_S.PAID, _S.COLLECTED, _S.RETURNED):
        return BreakType.REVERSAL  # what was said to have left is said not to have left
    if status is LineStatus.RETURNED and state in (_S.PAID, _S.COLLECTED):
        return BreakType.REVERSAL  # it came back after its payroll was finished, in which nothing moves any more
    return BreakType.EXTRA  # money of a payment that is dead or never left


def break_of_line(kind: BreakType, line: StatementLine, told: Told | None, *, provider: Provider, file_id: UUID) -> Break:
    """The break a line opens. A booking has the provider's own name: told again in another file, it is the same break."""
    where: tuple[object, ...] = (file_id, line.line)
    if line.bank_ref and line.end_to_end_id:
        where = (line.end_to_end_id, line.kind, line.bank_ref, line.vnd)
    vnd = line.vnd or 0
    if told and kind is BreakType.AMOUNT:
        vnd = abs(told.vnd - line.vnd) if line.vnd is not None else told.vnd
    elif told and line.vnd is None:
        vnd = told.vnd
    return Break(
        derived_id("break", kind, provider, *where),
        kind,
        provider,
        vnd,
        end_to_end_id=line.end_to_end_id,
        instruction_id=told.instruction_id if told else None,
        batch_id=told.batch_id if told else line.batch_id,
        file_id=file_id,
        line=line.line,
    )


def contradictions(
    judged: Iterable[tuple[PaymentResult, str, str]], payments: Mapping[str, Any], states: Mapping[UUID, InstructionState]
) -> list[Break]:
    """What must be looked at of the answers of a topic: about nobody's payment, or not to be true beside what we hold.

    `judged`: (answer, hash, fate); `payments`: rows with provider, vnd, instruction_id by end-to-end id.
    """
    wrong = [answer for answer, _hash, fate in judged if fate in (Fate.CONFLICT, Fate.FOREIGN)]
    return [
        _break_of_answer(answer, payments.get(answer.end_to_end_id or ""), state_of(answer, payments, states)) for answer in wrong
    ]


def state_of(
    answer: PaymentResult, payments: Mapping[str, Any], states: Mapping[UUID, InstructionState]
) -> InstructionState | None:
    """The state of the payment an answer is about, None for none of ours."""
    row = payments.get(answer.end_to_end_id or "")
    return states[row["instruction_id"]] if row is not None else None


def _contradicts(state: InstructionState | None, answer: PaymentResult) -> BreakType:
    """The word about a cancel says of the payment what a word about the line would say."""
    if answer.outcome is CancelOutcome.UNKNOWN_ID:
        return BreakType.UNKNOWN_ID
    return contradiction(state, LineStatus.REJECTED if answer.outcome is CancelOutcome.CANCELLED else answer.status)


def _break_of_answer(answer: PaymentResult, payment: Any, state: InstructionState | None) -> Break:
    if payment is not None and payment["provider"] != answer.provider:
        payment = None
    kind = _contradicts(state, answer)
    if payment is None:
        kind = BreakType.UNKNOWN_ID if answer.end_to_end_id else kind
    elif answer.amount_vnd not in (None, payment["vnd"]):
        kind = BreakType.AMOUNT
    vnd = answer.amount_vnd if answer.amount_vnd is not None else payment["vnd"] if payment else answer.vnd or 0
    return Break(
        derived_id("break", kind, answer.provider, answer.result_id),
        kind,
        answer.provider,
        abs(vnd - payment["vnd"]) if payment and kind is BreakType.AMOUNT else vnd,
        end_to_end_id=answer.end_to_end_id,
        instruction_id=payment["instruction_id"] if payment else None,
        batch_id=answer.batch_id,
    )


def proposal_sha256(break_id: UUID, kind: str, vnd: int, *, remedy: str, proposed_by: str) -> str:
    """What the second person signs: this break, this end, this proposer."""
    return hashlib.sha256("|".join((str(break_id), kind, str(vnd), remedy, proposed_by)).encode()).hexdigest()


def accounts(remedy: Remedy, provider: str) -> tuple[str, str]:
    """(debit, credit) of the posting that ends a break."""
    return f"{remedy}:{provider}", f"breaks:{provider}"
