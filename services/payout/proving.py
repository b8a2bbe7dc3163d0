"""From the lines of a file to answers and breaks: what each proves, and what its payment is told by it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.payout.breaks import STATUS, Booking, Break, BreakType, Told, break_of_line, doubt, is_funding
from services.payout.statement_line import Fault, FileKind, LineKind, StatementLine, place_of
from shared.events import PaymentResult
from shared.ids import derived_id
from shared.topics import Provider
from shared.words import Basis, InstructionState, LineStatus, ResultKind

Payroll = tuple[str, str]
"""(period, payer)."""


@dataclass
class Chunk:
    """Some lines of one file while they are judged."""

    file_id: UUID
    provider: Provider
    kind: FileKind
    sha256: str
    received_at: datetime
    told: Mapping[str, Told]
    payrolls: Mapping[UUID, Payroll]
    before: dict[str, list[Booking]]
    funding: Collection[bytes] = ()
    answers: list[tuple[StatementLine, PaymentResult]] = field(default_factory=list)
    fates: dict[int, tuple[str, UUID | None]] = field(default_factory=dict)
    breaks: list[Break] = field(default_factory=list)

    def open(self, kind: BreakType, line: StatementLine, told: Told | None) -> None:
        """A line is a break."""
        one = break_of_line(kind, line, told, provider=self.provider, file_id=self.file_id)
        self.breaks.append(one)
        self.fates[line.line] = ("break", one.break_id)


def as_line(row: Any) -> StatementLine:
    """A stored line."""
    fault = Fault(row["fault"]) if row["fault"] else None
    names = ("end_to_end_id", "vnd", "booked_on", "code", "bank_ref", "batch_id")
    return StatementLine(row["line"], LineKind(row["kind"]), fault=fault, **{name: row[name] for name in names})


def as_booking(row: Any) -> Booking:
    """What a file named before."""
    return Booking(row["same_file"], LineKind(row["kind"]), row["bank_ref"], row["booked_on"], place_of(row["line"])[0])


def judge(chunk: Chunk, line: StatementLine, account_ix: bytes | None, *, from_ix: bytes | None = None) -> None:
    """A line is an answer, a break, money we are funded with, or says nothing."""
    if line.batch_id is not None and line.end_to_end_id is None:
        chunk.answers.append((line, _of_batch(chunk, line)))
        return
    if line.kind is LineKind.UNKNOWN and line.fault is None:
        chunk.fates[line.line] = ("nothing", None)
        return
    if is_funding(line, from_ix, chunk.funding):
        chunk.fates[line.line] = ("funding", None)
        return
    told = chunk.told.get(line.end_to_end_id or "")
    before = chunk.before[line.end_to_end_id or ""]
    why = doubt(line, told, provider=chunk.provider, kind=chunk.kind, account_ix=account_ix, before=before)
    if why or told is None:
        chunk.open(why or BreakType.UNKNOWN_ID, line, told)
        return
    before.append(Booking(True, line.kind, line.bank_ref, line.booked_on, place_of(line.line)[0]))
    chunk.answers.append((line, answer_of(line, told, file_id=chunk.file_id, kind=chunk.kind, received_at=chunk.received_at)))


def answer_of(line: StatementLine, told: Told, *, file_id: UUID, kind: FileKind | None, received_at: datetime) -> PaymentResult:
    """What a line says of its payment, as an answer. `kind` None: people believe it."""
    status = STATUS[line.kind]
    if kind is FileKind.POST_LIST and status is LineStatus.RETURNED and told.state is InstructionState.REJECTED:
        status = LineStatus.REJECTED  # a clerk has one word for what never reached the counter and what nobody fetched there
    return PaymentResult(
        result_id=derived_id("statement line", file_id, line.line, "" if kind else "believed"),
        provider=told.provider,
        batch_id=told.batch_id,
        kind=ResultKind.LINE,
        end_to_end_id=line.end_to_end_id,
        status=status,
        amount_vnd=told.vnd,
        reason=line.code,
        basis=Basis.ANSWER if kind is FileKind.PAIN_002 else Basis.STATEMENT,
        occurred_at=_moment(line, received_at),
    )


def _of_batch(chunk: Chunk, line: StatementLine) -> PaymentResult:
    assert line.batch_id is not None
    return PaymentResult(
        result_id=derived_id("statement line", chunk.file_id, line.line, ""),
        provider=chunk.provider,
        batch_id=line.batch_id,
        kind=ResultKind.BATCH_REFUSED if line.kind is LineKind.REJECTED else ResultKind.BATCH_RECEIVED,
        reason=line.code,
        basis=Basis.ANSWER,
        occurred_at=_moment(line, chunk.received_at),
    )


def _moment(line: StatementLine, received_at: datetime) -> datetime:
    """A booking has a day and no hour."""
    if line.booked_on is None:
        return received_at
    return datetime(line.booked_on.year, line.booked_on.month, line.booked_on.day, tzinfo=UTC)
