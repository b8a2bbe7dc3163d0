"""Files that providers hand in: kept whole before they have any effect, then booked some thousand lines at a time.

A file is taken once: by its hash it is the same row again, and goes on where it stopped when it was interrupted. What a line proves goes
the way of every answer (`handlers.take_answers`); what it does not prove opens a break. Silence moves nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.payout import store_statements
from services.payout.bank_file import BIN_OF_PROVIDER
from services.payout.breaks import STATUS, Booking, Break, BreakType, Told, break_of_line, contradiction, doubt
from services.payout.handlers import Handlers
from services.payout.reading_statement import read_statement
from services.payout.reason_codes import iso_code, reason_of
from services.payout.results import Fate
from services.payout.statement_line import (
    Fault,
    FileKind,
    LineKind,
    NotAStatement,
    Statement,
    StatementLine,
    StatementRefusal,
)
from services.payout.store_statements import Kept
from shared.actors import Actor
from shared.database import Tx
from shared.events import AuditRecord, PaymentResult
from shared.ids import derived_id
from shared.outbox import OutEvent, put_events
from shared.personal import Payee
from shared.process import Runtime
from shared.topics import Provider
from shared.vault import Kind
from shared.words import Basis, InstructionState, LineStatus, ResultKind

PART_BYTES = 2**18
LOOK_SECONDS = 5.0


@dataclass
class _Chunk:
    """Some lines of one file while they are judged."""

    file_id: UUID
    provider: Provider
    kind: FileKind
    told: Mapping[str, Told]
    before: dict[str, list[Booking]]
    answers: list[tuple[StatementLine, PaymentResult]] = field(default_factory=list)
    fates: dict[int, tuple[str, UUID | None]] = field(default_factory=dict)
    breaks: list[Break] = field(default_factory=list)

    def open(self, kind: BreakType, line: StatementLine, told: Told | None) -> None:
        """A line is a break."""
        one = break_of_line(kind, line, told, provider=self.provider, file_id=self.file_id)
        self.breaks.append(one)
        self.fates[line.line] = ("break", one.break_id)


class StatementDesk:
    """Takes files in and books them. One provider's files go one after another."""

    def __init__(self, runtime: Runtime, handlers: Handlers) -> None:
        """The vault must hold payee: files name people, so they are kept sealed."""
        self._runtime = runtime
        self._vault = runtime.vault
        self._handlers = handlers
        self._account: str = runtime.settings.debtor_account
        self._schemas: Path | None = runtime.settings.schemas_dir

    async def take(self, provider: Provider, content: bytes, actor: Actor) -> dict[str, Any]:
        """Keep a file and book it; the same file again changes nothing. Raises NotAStatement for one that is refused; it is kept too."""
        kept = self.kept(provider, content, actor)
        async with self._runtime.database.reading() as tx:
            known = await store_statements.known_file(tx, provider, kept.sha256)
        if known is None or known["state"] == "refused":
            statement = await asyncio.to_thread(self.read, content, kept)
            sealed = await asyncio.to_thread(self.sealed, content, kept)
            async with self._runtime.database.transaction("payout.statement_kept") as tx:
                refusal = await self.keep(tx, kept, statement, sealed=sealed)
            if refusal:
                self._runtime.log.info("statement_refused", provider=provider, reason=refusal)
                raise NotAStatement(refusal)
        await self._book_all(kept.file_id, provider)
        return await self.shown(kept.file_id)

    async def book_waiting(self) -> int:
        """Go on with files that were kept and not booked to their end; returns how many."""
        async with self._runtime.database.reading() as tx:
            files = await store_statements.waiting_files(tx)
        for row in files:
            await self._book_all(row["file_id"], Provider(row["provider"]))
        return len(files)

    async def shown(self, file_id: UUID) -> dict[str, Any]:
        """A file and what became of its lines. Raises LookupError for a file nobody handed in."""
        async with self._runtime.database.reading() as tx:
            row = await store_statements.file_by_id(tx, file_id)
            if row is None:
                raise LookupError(file_id)
            return dict(row) | {"fates": await store_statements.fates_of_file(tx, file_id)}

    async def _book_all(self, file_id: UUID, provider: Provider) -> None:
        while True:
            async with self._runtime.database.transaction("payout.statement_booked") as tx:
                if not await self.book(tx, file_id, provider):
                    return

    # --- the steps, each in its caller's transaction ------------------------------------------------------------------------------

    def kept(self, provider: Provider, content: bytes, actor: Actor) -> Kept:
        """A file's identity: provider and hash."""
        sha256 = hashlib.sha256(content).hexdigest()
        file_id = derived_id("statement", provider, sha256)
        return Kept(file_id, provider, sha256, len(content), actor.id, self._runtime.clock.now())

    def read(self, content: bytes, kept: Kept) -> Statement | StatementRefusal:
        """What a file says, or why it is refused."""
        try:
            return read_statement(content, Provider(kept.provider), sha256=kept.sha256, schema_of=self._schema)
        except NotAStatement as refused:
            return refused.reason

    def _schema(self, version: str) -> bytes | None:
        path = self._schemas / f"{version}.xsd" if self._schemas else None
        return path.read_bytes() if path and path.exists() else None

    def sealed(self, content: bytes, kept: Kept) -> list[str]:
        """The file in sealed parts; a part in another place does not open."""
        month = kept.at.strftime("%Y-%m")
        parts = [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]
        return [self._vault.seal(Kind.PAYEE, f"{kept.file_id}/{number}", month, part) for number, part in enumerate(parts)]

    async def keep(
        self, tx: Tx, kept: Kept, statement: Statement | StatementRefusal, *, sealed: Sequence[str]
    ) -> StatementRefusal | None:
        """Keep a file with what its lines say, before any effect. Returns why it is refused."""
        await store_statements.take_turns(tx, kept.provider)
        known = await store_statements.known_file(tx, kept.provider, kept.sha256)
        if known is not None and known["state"] != "refused":
            return None
        refusal = statement if isinstance(statement, StatementRefusal) else await self._refused(tx, kept, statement)
        read = None if isinstance(statement, StatementRefusal) else statement
        await store_statements.save_file(tx, kept, read, refusal=refusal)
        await store_statements.add_parts(tx, kept.file_id, sealed)
        if read and not refusal:
            await store_statements.add_lines(tx, kept.file_id, [self._line(line) for line in read.lines])
        act = "statement_refused" if refusal else "statement_taken"
        record = AuditRecord(actor=kept.actor, act=act, subject=f"statement:{kept.file_id}", at=kept.at)
        await put_events(tx, [OutEvent(record.TOPIC, kept.actor, record)], kept.at)
        return refusal

    async def _refused(self, tx: Tx, kept: Kept, statement: Statement) -> StatementRefusal | None:
        provider = Provider(kept.provider)
        if statement.kind in (FileKind.CAMT_053, FileKind.CAMT_054, FileKind.MT940) and (
            statement.accounts != {self._account} or statement.banks - {BIN_OF_PROVIDER[provider]}
        ):
            return StatementRefusal.ACCOUNT_FOREIGN
        batches = await store_statements.claimed_batches(tx, {claim.batch_id for claim in statement.claims})
        for claim in statement.claims:
            batch = batches.get(claim.batch_id)
            if batch is None or batch["provider"] != provider or batch["sent_count"] is None:
                return StatementRefusal.BATCH_FOREIGN
            if claim.count not in (None, batch["sent_count"]) or claim.vnd not in (None, batch["sent_vnd"]):
                return StatementRefusal.TOTALS_WRONG
        ids = {line.end_to_end_id for line in statement.lines if line.end_to_end_id}
        if statement.kind is FileKind.POST_LIST and ids and not await store_statements.ids_of_ours(tx, provider, ids):
            return StatementRefusal.BATCH_FOREIGN
        return StatementRefusal.MESSAGE_KNOWN if await store_statements.message_taken(tx, kept, statement) else None

    def _line(self, line: StatementLine) -> tuple[StatementLine, str | None, str | None, bytes | None]:
        return line, iso_code(line.code), reason_of(line.code), self._account_ix(line.account)

    def _account_ix(self, account: str | None) -> bytes | None:
        return self._vault.index("statement-account", "".join(account.split()).upper()) if account else None

    async def book(self, tx: Tx, file_id: UUID, provider: Provider) -> bool:
        """Book the next lines of a file; False when it is booked to its end."""
        await store_statements.take_turns(tx, provider)
        file = await store_statements.file_by_id(tx, file_id)
        if file is None or file["state"] != "received":
            return False
        at = self._runtime.clock.now()
        rows = await store_statements.waiting_lines(tx, file_id)
        if not rows:
            await store_statements.mark_booked(tx, file_id, at)
            return False
        chunk = await self._chunk(tx, file, rows)
        for row in rows:
            _judge(chunk, _as_line(row), row["account_ix"], received_at=file["received_at"])
        await self._answer(tx, chunk)
        await store_statements.open_breaks(tx, chunk.breaks, at)
        fates = [(line, fate, one) for line, (fate, one) in sorted(chunk.fates.items())]
        await store_statements.set_fates(tx, file_id, fates)
        return True

    async def _chunk(self, tx: Tx, file: Record, rows: Sequence[Record]) -> _Chunk:
        ids = sorted({row["end_to_end_id"] for row in rows if row["end_to_end_id"]})
        told = {row["end_to_end_id"]: row for row in await store_statements.told_payments(tx, ids)}
        with_account = {row["end_to_end_id"] for row in rows if row["account_ix"]}
        before: dict[str, list[Booking]] = defaultdict(list)
        for row in await store_statements.earlier_bookings(
            tx, file["file_id"], ids, provider=file["provider"], kind=file["kind"]
        ):
            before[row["end_to_end_id"]].append(_booking(row))
        payments = {key: self._told(row, with_account=key in with_account) for key, row in told.items()}
        return _Chunk(file["file_id"], Provider(file["provider"]), FileKind(file["kind"]), payments, before)

    def _told(self, row: Record, *, with_account: bool) -> Told:
        account = None
        if with_account and row["payee"]:
            account = self._vault.open_as(row["payee"], str(row["beneficiary_id"]), Payee).account
        return Told(
            row["instruction_id"],
            row["batch_id"],
            Provider(row["provider"]),
            row["vnd"],
            row["execution_on"],
            InstructionState(row["state"]),
            self._account_ix(account.number if account else None),
        )

    async def _answer(self, tx: Tx, chunk: _Chunk) -> None:
        """What is proven goes the way of every answer; what contradicts what we hold is a break."""
        answers = [answer for _line, answer in chunk.answers]
        judged = await self._handlers.take_answers(tx, answers)
        for (line, answer), (fate, state) in zip(chunk.answers, judged, strict=True):
            if fate in (Fate.APPLIED, Fate.REPEAT):
                chunk.fates[line.line] = (str(fate), None)
            else:
                told = chunk.told.get(line.end_to_end_id or "")
                chunk.open(contradiction(state, answer.status), line, told)


def _as_line(row: Mapping[str, Any] | Record) -> StatementLine:
    fault = Fault(row["fault"]) if row["fault"] else None
    names = ("end_to_end_id", "vnd", "booked_on", "code", "bank_ref", "batch_id")
    return StatementLine(row["line"], LineKind(row["kind"]), fault=fault, **{name: row[name] for name in names})


def _booking(row: Mapping[str, Any] | Record) -> Booking:
    return Booking(row["same_file"], LineKind(row["kind"]), row["bank_ref"], row["booked_on"])


def _judge(chunk: _Chunk, line: StatementLine, account_ix: bytes | None, *, received_at: datetime) -> None:
    """A line is an answer, a break, or says nothing."""
    if line.batch_id is not None and line.end_to_end_id is None:
        chunk.answers.append((line, _of_batch(chunk, line, received_at)))
        return
    if line.kind is LineKind.UNKNOWN and line.fault is None:
        chunk.fates[line.line] = ("nothing", None)
        return
    told = chunk.told.get(line.end_to_end_id or "")
    before = chunk.before[line.end_to_end_id or ""]
    why = doubt(line, told, provider=chunk.provider, kind=chunk.kind, account_ix=account_ix, before=before)
    if why or told is None:
        chunk.open(why or BreakType.UNKNOWN_ID, line, told)
        return
    before.append(Booking(True, line.kind, line.bank_ref, line.booked_on))
    chunk.answers.append((line, answer_of(line, told, file_id=chunk.file_id, kind=chunk.kind, received_at=received_at)))


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


def _of_batch(chunk: _Chunk, line: StatementLine, received_at: datetime) -> PaymentResult:
    assert line.batch_id is not None
    return PaymentResult(
        result_id=derived_id("statement line", chunk.file_id, line.line, ""),
        provider=chunk.provider,
        batch_id=line.batch_id,
        kind=ResultKind.BATCH_REFUSED if line.kind is LineKind.REJECTED else ResultKind.BATCH_RECEIVED,
        reason=line.code,
        basis=Basis.ANSWER,
        occurred_at=_moment(line, received_at),
    )


def _moment(line: StatementLine, received_at: datetime) -> datetime:
    """A booking has a day and no hour."""
    if line.booked_on is None:
        return received_at
    return datetime(line.booked_on.year, line.booked_on.month, line.booked_on.day, tzinfo=UTC)
