"""Files that providers hand in: kept whole before they have any effect, then booked some thousand lines at a time.

A file is taken once: by its hash it is the same row again, and goes on where it stopped when it was interrupted. What a line proves goes
the way of every answer (`handlers.take_answers`); what it does not prove opens a break. Silence moves nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.payout import store_statements
from services.payout.bank_file import BIN_OF_PROVIDER
from services.payout.breaks import Booking, Told, contradiction
from services.payout.emitting import Entries, by_file
from services.payout.handlers import Handlers
from services.payout.own_accounts import OwnAccounts, shown_by_payers
from services.payout.proving import Chunk, Payroll, as_booking, as_line, judge
from services.payout.reading_statement import read_statement
from services.payout.reason_codes import iso_code, reason_of
from services.payout.results import Fate
from services.payout.sending import account_index
from services.payout.statement_line import (
    FileKind,
    NotAStatement,
    Statement,
    StatementLine,
    StatementRefusal,
)
from services.payout.store_statements import Kept, KeptLine
from shared.actors import Actor
from shared.database import Tx
from shared.events import AuditRecord, PaymentResult
from shared.ids import derived_id
from shared.outbox import OutEvent, put_events
from shared.personal import Payee
from shared.process import Runtime
from shared.topics import Provider
from shared.vault import Kind
from shared.words import InstructionState

PART_BYTES = 2**18
LOOK_SECONDS = 5.0


class StatementDesk:
    """Takes files in and books them. One provider's files go one after another."""

    def __init__(self, runtime: Runtime, handlers: Handlers) -> None:
        """The vault must hold payee: files name people, so they are kept sealed."""
        self._runtime = runtime
        self._vault = runtime.vault
        self._handlers = handlers
        self.own = OwnAccounts(runtime.settings, runtime.vault)
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
                raise statement if isinstance(statement, NotAStatement) else NotAStatement(refusal)
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
            funding = await store_statements.funding_of_file(tx, file_id)
            fates = await store_statements.fates_of_file(tx, file_id)
            return dict(row) | {"fates": fates, "funding": [shown_by_payers(one, self.own) for one in funding]}

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

    def read(self, content: bytes, kept: Kept) -> Statement | NotAStatement:
        """What a file says, or why it is refused."""
        try:
            return read_statement(content, Provider(kept.provider), sha256=kept.sha256, schema_of=self._schema)
        except NotAStatement as refused:
            return refused

    def _schema(self, version: str) -> bytes | None:
        path = self._schemas / f"{version}.xsd" if self._schemas else None
        return path.read_bytes() if path and path.exists() else None

    def sealed(self, content: bytes, kept: Kept) -> list[str]:
        """The file in sealed parts; a part in another place does not open."""
        month = kept.at.strftime("%Y-%m")
        parts = [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]
        return [self._vault.seal(Kind.PAYEE, f"{kept.file_id}/{number}", month, part) for number, part in enumerate(parts)]

    async def keep(
        self, tx: Tx, kept: Kept, statement: Statement | NotAStatement, *, sealed: Sequence[str]
    ) -> StatementRefusal | None:
        """Keep a file with what its lines say, before any effect. Returns why it is refused."""
        await store_statements.take_turns(tx, kept.provider)
        known = await store_statements.known_file(tx, kept.provider, kept.sha256)
        if known is not None and known["state"] != "refused":
            return None
        read = None if isinstance(statement, NotAStatement) else statement
        refusal = statement.reason if isinstance(statement, NotAStatement) else await self._refused(tx, kept, statement)
        await store_statements.save_file(tx, kept, read, refusal=refusal)
        await store_statements.add_parts(tx, kept.file_id, sealed)
        if read and not refusal:
            await store_statements.add_lines(tx, kept.file_id, [self._line(line) for line in read.lines])
            spans = {account_index(self._vault, account): to_on for account, to_on in read.whole.items()}
            await store_statements.add_spans(tx, kept.file_id, spans)
        act = "statement_refused" if refusal else "statement_taken"
        record = AuditRecord(actor=kept.actor, act=act, subject=f"statement:{kept.file_id}", at=kept.at)
        await put_events(tx, [OutEvent(record.TOPIC, kept.actor, record)], kept.at)
        return refusal

    async def _refused(self, tx: Tx, kept: Kept, statement: Statement) -> StatementRefusal | None:
        provider = Provider(kept.provider)
        if statement.kind in (FileKind.CAMT_053, FileKind.CAMT_054, FileKind.MT940) and (
            not statement.accounts or statement.accounts - self.own.numbers or statement.banks - {BIN_OF_PROVIDER[provider]}
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

    def _line(self, line: StatementLine) -> KeptLine:
        indexes = map(self._account_ix, (line.account, line.ours, line.came_from))
        return KeptLine(line, iso_code(line.code), reason_of(line.code), *indexes)

    def _account_ix(self, account: str | None) -> bytes | None:
        return account_index(self._vault, account) if account else None

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
            judge(chunk, as_line(row), row["account_ix"], from_ix=row["from_ix"])
        await self._answer(tx, chunk, at)
        await store_statements.open_breaks(tx, chunk.breaks, at)
        fates = [(line, fate, one) for line, (fate, one) in sorted(chunk.fates.items())]
        await store_statements.set_fates(tx, file_id, fates)
        return True

    async def _chunk(self, tx: Tx, file: Record, rows: Sequence[Record]) -> Chunk:
        ids = sorted({row["end_to_end_id"] for row in rows if row["end_to_end_id"]})
        told = {row["end_to_end_id"]: row for row in await store_statements.told_payments(tx, ids)}
        with_account = {row["end_to_end_id"] for row in rows if row["account_ix"]}
        before: dict[str, list[Booking]] = defaultdict(list)
        for row in await store_statements.earlier_bookings(
            tx, file["file_id"], ids, provider=file["provider"], kind=file["kind"]
        ):
            before[row["end_to_end_id"]].append(as_booking(row))
        payments = {key: self._told(row, with_account=key in with_account) for key, row in told.items()}
        batches = await store_statements.claimed_batches(tx, {row["batch_id"] for row in rows if row["batch_id"]})
        return Chunk(
            file["file_id"], Provider(file["provider"]), FileKind(file["kind"]), file["sha256"], file["received_at"],
            funding=self.own.funding, told=payments,
            payrolls={key: (row["period"], row["payer"]) for key, row in batches.items()}, before=before,
        )  # fmt: skip

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
            (row["period"], row["payer"]),
            self._account_ix(account.number if account else None),
        )

    async def _answer(self, tx: Tx, chunk: Chunk, at: datetime) -> None:
        """What is proven goes the way of every answer, and auditors are told: it never came over the provider's topic."""
        answers = [answer for _line, answer in chunk.answers]
        judged = await self._handlers.take_answers(tx, answers)
        proven: dict[Payroll, list[PaymentResult]] = defaultdict(list)
        for (line, answer), (fate, state) in zip(chunk.answers, judged, strict=True):
            told = chunk.told.get(line.end_to_end_id or "")
            if fate in (Fate.APPLIED, Fate.REPEAT):
                chunk.fates[line.line] = (str(fate), None)
            else:
                chunk.open(contradiction(state, answer.status), line, told)
            if fate is Fate.APPLIED:
                proven[told.payroll if told else chunk.payrolls[answer.batch_id]].append(answer)
        events = [
            event
            for (period, payer), some in proven.items()
            for event in Entries(period, payer, at).books(by_file(some, chunk.sha256))
        ]
        await put_events(tx, events, at)
