"""An officer's file, part by part: rows are read in another process while the part before them is decided; the returned list comes last."""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from services.registry import store_files
from services.registry.handlers import Registrar
from services.registry.import_report import NOTHING, Report, added
from services.registry.inbox import Inbox, Returned
from services.registry.reading import Order, Reading, Tables
from services.registry.store_files import Office
from services.registry.store_imports import Import
from services.registry.taking import Taking, Trial, begin
from shared.clock import Clock
from shared.crashing import point
from shared.database import Database
from shared.ids import random_id

# Rows decided in one transaction: about half a second, because a longer one holds back every relay of the server.
PART_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Request:
    """One file and who hands it in. `period` is None for an account list; `is_full`: the file is the whole list of its source."""

    kind: str
    path: Path
    sha256: str
    _: KW_ONLY
    source: str
    payer: str
    period: str | None
    actor: str
    dry_run: bool
    is_full: bool = False


class Importer:
    """Takes files."""

    def __init__(
        self, database: Database, clock: Clock, registrar: Registrar, *, tables: Tables, inbox: Inbox, part_rows: int = PART_ROWS
    ) -> None:
        """`inbox`: where returned lists wait."""
        self._database = database
        self._clock = clock
        self._registrar = registrar
        self._tables = tables
        self._inbox = inbox
        self._part_rows = part_rows

    async def take(self, request: Request) -> dict[str, Any]:
        """The answer to the officer. Raises NotAList when nothing of the file can be taken; then nothing was."""
        async with self._database.reading() as tx:
            said = await store_files.column_words(tx, Office(request.kind, request.payer, request.source))
        order = Order(request.path, request.payer, request.period, self._clock.today(), self._tables, said=said)
        reading = await Reading.start(order)
        marks = self._inbox.new("marks")
        try:
            taking = await self._taking(request)
            whole = await self._parts(reading, taking, marks)
            await taking.end(whole)
            returned = self._inbox.new(reading.suffix)
            await reading.write_returned(marks, returned)
        finally:
            await reading.close()
            marks.unlink(missing_ok=True)
        self._inbox.give(taking.import_id, Returned(returned, request.payer))
        return _answer(taking.import_id, whole, dry_run=request.dry_run, read_as=reading.read_as)

    async def _taking(self, request: Request) -> Taking:
        handed = Import(
            import_id=random_id(), kind=request.kind, source=request.source, payer=request.payer, period=request.period,
            sha256=request.sha256, actor=request.actor, at=self._clock.now(), is_full=request.is_full,
        )  # fmt: skip
        if request.dry_run:
            return Trial(self._database, self._registrar, handed)
        return await begin(self._database, self._registrar, handed, clock=self._clock)

    async def _parts(self, reading: Reading, taking: Taking, marks: Path) -> Report:
        """Decide part after part; the reader is ahead by what the pipe between us holds."""
        whole = NOTHING
        point("list_marks.before_write")
        with marks.open("w", encoding="utf-8") as written:
            async for read in reading.parts(taking.uptos, self._part_rows):
                if read.part is None:
                    told = await taking.known(read.part_no)
                else:
                    told = await taking.part(read.part_no, read.part, upto=read.upto, columns=reading.columns)
                whole = added(whole, told)
                written.write(f"{json.dumps(told.marks)}\n")
        point("list_marks.after_write")
        return whole


def _answer(import_id: UUID, told: Report, *, dry_run: bool, read_as: str) -> dict[str, Any]:
    counts = told.counts
    return {
        "import_id": str(import_id),
        "dry_run": dry_run,
        "read_as": read_as,
        "rows": counts.row_count,
        "accepted": counts.accepted,
        "refused": counts.refused,
        "unchanged": counts.unchanged,
        "waiting": counts.waiting,
        "declared_vnd": counts.declared_vnd,
        "reasons": told.reasons,
        "errors": [asdict(place) for place in told.errors],
        "returned_list": f"/v1/imports/{import_id}/list",
    }
