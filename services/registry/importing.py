"""An officer's file, part by part: rows are read in a thread while the part before them is decided; the returned list is written last."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any
from uuid import UUID

from services.registry.areas import Areas
from services.registry.banks import BankNames
from services.registry.delimited import Delimited, write_returned
from services.registry.handlers import Registrar
from services.registry.import_report import HEADINGS, NOTHING, Mark, Report, added
from services.registry.inbox import Inbox, Returned
from services.registry.intake import ListReader, Part
from services.registry.intake_accounts import AccountsReader
from services.registry.intake_payroll import PayrollReader
from services.registry.refusals import FileReason, NotAList
from services.registry.sheets import Line, ListFile, lines_of, open_list
from services.registry.store_imports import Import
from services.registry.taking import Taking, Trial, begin
from services.registry.workbook import with_marks
from shared.clock import Clock
from shared.crashing import point
from shared.database import Database
from shared.ids import random_id

# Rows decided in one transaction: about half a second, because a longer one holds back every relay of the server.
PART_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Request:
    """One file and who hands it in. `period` is None for an account list."""

    kind: str
    path: Path
    sha256: str
    _: KW_ONLY
    source: str
    payer: str
    period: str | None
    actor: str
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Names:
    """What names on lists mean."""

    areas: Areas
    banks: BankNames


class Importer:
    """Takes files."""

    def __init__(
        self, database: Database, clock: Clock, registrar: Registrar, *, names: Names, inbox: Inbox, part_rows: int = PART_ROWS
    ) -> None:
        """`inbox`: where returned lists wait."""
        self._database = database
        self._clock = clock
        self._registrar = registrar
        self._names = names
        self._inbox = inbox
        self._part_rows = part_rows

    async def take(self, request: Request) -> dict[str, Any]:
        """The answer to the officer. Raises NotAList when nothing of the file can be taken; then nothing was."""
        reader = self._reader(request)
        file = await asyncio.to_thread(open_list, request.path, reader.needs)
        handed = Import(
            import_id=random_id(), kind=request.kind, source=request.source, payer=request.payer, period=request.period,
            sha256=request.sha256, actor=request.actor, at=self._clock.now(),
        )  # fmt: skip
        if request.dry_run:
            taking: Taking = Trial(self._database, self._registrar, handed)
        else:
            taking = await begin(self._database, self._registrar, handed, clock=self._clock)
        marks = self._inbox.new("marks")
        try:
            whole = await self._parts(file, reader, taking=taking, marks=marks)
            await taking.end(whole)
            returned = self._inbox.new("csv" if isinstance(file, Delimited) else "xlsx")
            await asyncio.to_thread(_write_returned, file, marks, returned)
        finally:
            marks.unlink(missing_ok=True)
        self._inbox.give(taking.import_id, Returned(returned, request.payer))
        return _answer(taking.import_id, whole, dry_run=request.dry_run)

    def _reader(self, request: Request) -> ListReader:
        today = self._clock.today()
        if request.period is None:
            return AccountsReader(self._names.banks, today=today)
        if request.payer not in self._names.areas.payers:
            raise NotAList(FileReason.PAYER_UNKNOWN)
        return PayrollReader(self._names.areas, self._names.banks, period=request.period, payer=request.payer, today=today)

    async def _parts(self, file: ListFile, reader: ListReader, *, taking: Taking, marks: Path) -> Report:
        """Decide part after part; the next one is read meanwhile."""
        parts = _read_parts(file, reader, taking.uptos, part_rows=self._part_rows)
        ahead = asyncio.create_task(asyncio.to_thread(next, parts, None))
        whole = NOTHING
        point("list_marks.before_write")
        try:
            with marks.open("w", encoding="utf-8") as written:
                while (read := await ahead) is not None:
                    ahead = asyncio.create_task(asyncio.to_thread(next, parts, None))
                    part_no, upto, part = read
                    if part is None:
                        told = await taking.known(part_no)
                    else:
                        told = await taking.part(part_no, part, upto=upto, columns=file.columns)
                    whole = added(whole, told)
                    written.writelines(f"{json.dumps(mark)}\n" for mark in told.marks)
        finally:
            await asyncio.wait([ahead])
        point("list_marks.after_write")
        return whole


def _read_parts(
    file: ListFile, reader: ListReader, uptos: Sequence[int], *, part_rows: int
) -> Iterator[tuple[int, int, Part | None]]:
    """(number, last row, rows) of each part; the rows of a part that was taken before are not read again."""
    lines = lines_of(file)
    part_no = 0
    for part_no, upto in enumerate(uptos, start=1):
        passed, lines = _up_to(lines, upto)
        reader.passed(passed)
        yield part_no - 1, upto, None
    while some := list(islice(lines, part_rows)):
        yield part_no, some[-1].row_no, reader.part(some)
        part_no += 1


def _up_to(lines: Iterator[Line], row_no: int) -> tuple[list[Line], Iterator[Line]]:
    passed: list[Line] = []
    for line in lines:
        if line.row_no > row_no:
            return passed, chain([line], lines)
        passed.append(line)
    return passed, lines


def _write_returned(file: ListFile, marks: Path, target: Path) -> None:
    with marks.open(encoding="utf-8") as written:
        told: Iterator[Mark] = (tuple(json.loads(line)) for line in written)
        if isinstance(file, Delimited):
            write_returned(file, told, target, headings=HEADINGS)
            return
        beside = {row_no: (result, reason) for row_no, result, reason in told} | {file.header_row: HEADINGS}
    with_marks(file.path, target, beside, width=max(len(row) for _, row in islice(file.rows(), file.header_row)))


def _answer(import_id: UUID, told: Report, *, dry_run: bool) -> dict[str, Any]:
    counts = told.counts
    return {
        "import_id": str(import_id),
        "dry_run": dry_run,
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
