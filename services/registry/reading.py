"""A list file is read in a process of its own: on another processor, in its own memory, and a file that breaks a reader breaks only that.

The two speak in lines of JSON: an order, the columns or a refusal; where to begin, part after part; the marks, the returned list.
Run as `python -m services.registry.reading` by `Reading.start`; it ends when its input or its output does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter

from services.registry.areas import Areas
from services.registry.banks import BANKS_FILE, BankNames
from services.registry.columns import Column
from services.registry.delimited import Delimited, write_returned
from services.registry.import_report import HEADINGS, Mark
from services.registry.intake import ListReader, Part
from services.registry.intake_accounts import AccountsReader
from services.registry.intake_payroll import PayrollReader
from services.registry.refusals import FileReason, NotAList
from services.registry.sheets import Line, ListFile, lines_of, open_list
from services.registry.workbook import with_marks
from shared import crashing
from shared.areas import AREAS_FILE
from shared.errors import Trouble

_ROOT = Path(__file__).parents[2]
# One line holds one part: 2,000 rows of about 700 bytes.
_LINE_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the tables are that say what names on lists mean."""

    areas: Path = AREAS_FILE
    banks: Path = BANKS_FILE


@dataclass(frozen=True, slots=True)
class Order:
    """What to read and how. `period` is None for an account list; `today` bounds birth dates."""

    path: Path
    payer: str
    period: str | None
    today: date
    tables: Tables
    crash_point: str | None = None  # what the reader is armed for (shared/crashing.py)


@dataclass(frozen=True, slots=True)
class Read:
    """One part: its number, its last row, its rows; no rows when an earlier run took it."""

    part_no: int
    upto: int
    part: Part | None = None


_ORDER, _READ = TypeAdapter(Order), TypeAdapter(Read)


class Reading:
    """The service's side. Make with `start`, end with `close`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Wrap a process that has its order."""
        self._process = process
        self.columns: dict[Column, int] = {}
        self.suffix = ""

    @classmethod
    async def start(cls, order: Order) -> Self:
        """Open a file. Raises NotAList with what the officer must do."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.registry.reading", cwd=_ROOT, limit=_LINE_BYTES_MAX,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        reading = cls(process)
        try:
            order = replace(order, crash_point=crashing.hand_down())
            told = json.loads(await reading._ask(_ORDER.dump_json(order)))
            if "refused" in told:
                raise NotAList(FileReason(told["refused"]), told["where"])
            reading.columns = {Column(name): index for name, index in told["columns"].items()}
            reading.suffix = told["suffix"]
        except BaseException:
            await reading.close()
            raise
        return reading

    async def parts(self, uptos: Sequence[int], part_rows: int) -> AsyncIterator[Read]:
        """Part after part; `uptos` are the last rows of those that an earlier run took."""
        line = await self._ask(json.dumps({"uptos": list(uptos), "part_rows": part_rows}).encode())
        while line.strip() != b"null":
            yield _READ.validate_json(line)
            line = await self._line()

    async def write_returned(self, marks: Path, target: Path) -> None:
        """Write the list with its marks. Raises NotAList for a workbook whose parts do not fit together."""
        told = json.loads(await self._ask(json.dumps({"marks": str(marks), "target": str(target)}).encode()))
        if "refused" in told:
            raise NotAList(FileReason(told["refused"]), told["where"])

    async def close(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _ask(self, line: bytes) -> bytes:
        assert self._process.stdin
        self._process.stdin.write(line + b"\n")
        return await self._line()

    async def _line(self) -> bytes:
        assert self._process.stdout
        line = await self._process.stdout.readline()
        if not line:
            raise Trouble("the reader of a list has died")
        return line


def main() -> None:
    """The reader's side: one file, then the end."""
    order = _ORDER.validate_json(sys.stdin.readline())
    if order.crash_point:
        crashing.arm(order.crash_point)
    try:
        file, reader = _opened(order)
    except NotAList as refused:
        _tell({"refused": refused.reason, "where": refused.where})
        return
    _tell({"columns": file.columns, "suffix": "csv" if isinstance(file, Delimited) else "xlsx"})
    wanted = json.loads(sys.stdin.readline())
    for read in _parts(file, reader, wanted["uptos"], part_rows=wanted["part_rows"]):
        sys.stdout.write(f"{_READ.dump_json(read, exclude_none=True).decode()}\n")
        sys.stdout.flush()
    _tell(None)
    if last := sys.stdin.readline():
        told = json.loads(last)
        try:
            _write_returned(file, Path(told["marks"]), Path(told["target"]))
            _tell({})
        except NotAList as refused:
            _tell({"refused": refused.reason, "where": refused.where})


def _tell(value: Any) -> None:
    print(json.dumps(value), flush=True)


def _opened(order: Order) -> tuple[ListFile, ListReader]:
    banks = BankNames.from_file(order.tables.banks)
    if order.period is None:
        accounts = AccountsReader(banks, today=order.today)
        return open_list(order.path, accounts.needs), accounts
    areas = Areas.from_file(order.tables.areas)
    if order.payer not in areas.payers:
        raise NotAList(FileReason.PAYER_UNKNOWN)
    payroll = PayrollReader(areas, banks, period=order.period, payer=order.payer, today=order.today)
    return open_list(order.path, payroll.needs), payroll


def _parts(file: ListFile, reader: ListReader, uptos: Sequence[int], *, part_rows: int) -> Iterator[Read]:
    """The rows of a part that was taken before are not read again."""
    lines = lines_of(file)
    for part_no, upto in enumerate(uptos):
        passed, lines = _up_to(lines, upto)
        reader.passed(passed)
        yield Read(part_no, upto)
    part_no = len(uptos)
    while some := list(islice(lines, part_rows)):
        yield Read(part_no, some[-1].row_no, reader.part(some))
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


if __name__ == "__main__":
    main()
