"""An officer's file taken whole in one transaction, or not at all. A dry run is the same code ended by a rollback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from services.registry import store_lists
from services.registry.areas import Areas
from services.registry.banks import BankNames
from services.registry.desk import Outcome, RecordKey
from services.registry.handlers import Registrar
from services.registry.import_report import Report, report
from services.registry.intake import Intake
from services.registry.intake_accounts import AccountsReader
from services.registry.intake_payroll import PayrollReader
from services.registry.refusals import FileReason, NotAList
from services.registry.statements import Statement
from services.registry.store_lists import Import
from services.registry.workbook import with_marks
from shared.clock import Clock
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.ids import random_id
from shared.outbox import OutEvent, put_events

# Rows decided at once: the event loop, and with it the heartbeat of the consumers, gets its turn in between.
CHUNK_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Request:
    """One file and who hands it in. `period` is None for an account list."""

    kind: str
    body: bytes
    source: str
    payer: str
    period: str | None
    actor: str
    dry_run: bool


class _DryRun(Exception):
    """Ends the transaction of a dry run."""


class Importer:
    """Takes files."""

    def __init__(self, database: Database, clock: Clock, registrar: Registrar, *, areas: Areas, banks: BankNames) -> None:
        """`areas`, `banks`: what names on lists mean."""
        self._database = database
        self._clock = clock
        self._registrar = registrar
        self._areas = areas
        self._banks = banks

    async def take(self, request: Request) -> dict[str, Any]:
        """The answer to the officer. Raises NotAList when nothing of the file can be taken; then nothing was."""
        intake = await asyncio.to_thread(self._reader(request), request.body)
        now = self._clock.now()
        file = Import(
            import_id=random_id(), kind=request.kind, source=request.source, payer=request.payer, period=request.period,
            sha256=hashlib.sha256(request.body).hexdigest(), actor=request.actor, at=now,
        )  # fmt: skip
        try:
            async with self._database.transaction("registry.import_list") as tx:
                answer = await self._taken(tx, file, intake)
                if request.dry_run:
                    raise _DryRun
        except _DryRun:
            pass
        marked = await asyncio.to_thread(with_marks, request.body, answer.marks, intake.header_row)
        return _answer(file.import_id, answer, marked, dry_run=request.dry_run)

    def _reader(self, request: Request) -> Callable[[bytes], Intake]:
        today = self._clock.today()
        if request.period is None:
            return AccountsReader(self._banks, today=today).read
        if request.payer not in self._areas.payers:
            raise NotAList(FileReason.PAYER_UNKNOWN)
        return PayrollReader(self._areas, self._banks, period=request.period, payer=request.payer, today=today).read

    async def _taken(self, tx: Tx, file: Import, intake: Intake) -> Report:
        ordinal = await store_lists.begin_import(tx, file)
        statements = [
            Statement(source=file.source, record=None, sequence=ordinal, at=file.at, act=row.act, row_no=row.row_no)
            for row in intake.rows
            if row.act is not None
        ]
        outcomes: list[Outcome] = []
        seen: set[RecordKey] = set()
        for start in range(0, len(statements), CHUNK_ROWS):
            chunk = statements[start : start + CHUNK_ROWS]
            outcomes += await self._registrar.take(tx, chunk, import_id=file.import_id, seen=seen)
        answer = report(intake, {int(done.statement.row_no or 0): done for done in outcomes})
        await store_lists.end_import(tx, file.import_id, answer.counts)
        record = AuditRecord(actor=file.actor, act=f"import_{file.kind}", subject=str(file.import_id), at=file.at)
        await put_events(tx, [OutEvent(record.TOPIC, file.actor, record)], file.at)
        return answer


def _answer(import_id: UUID, answer: Report, marked: bytes, *, dry_run: bool) -> dict[str, Any]:
    counts = answer.counts
    return {
        "import_id": str(import_id),
        "dry_run": dry_run,
        "rows": counts.row_count,
        "accepted": counts.accepted,
        "refused": counts.refused,
        "unchanged": counts.unchanged,
        "waiting": counts.waiting,
        "declared_vnd": counts.declared_vnd,
        "reasons": answer.reasons,
        "errors": [asdict(place) for place in answer.errors],
        "workbook_base64": base64.b64encode(marked).decode(),
    }
