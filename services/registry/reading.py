"""A list file is read in a process of its own: on another processor, in its own memory, and a file that breaks a reader breaks only that.

The two speak in lines of JSON: an order, the columns or a refusal; where to begin, part after part, an empty line for each that
is taken; the marks, the returned list.
Run as `python -m services.registry.reading` by `Reading.start`; it ends when its input or its output does.
"""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter

from services.registry import transcoding
from services.registry.areas import Areas
from services.registry.banks import BankNames
from services.registry.columns import Column
from services.registry.delimited import Delimited, write_returned
from services.registry.import_report import HEADINGS, Mark
from services.registry.intake import ListReader, Part
from services.registry.intake_accounts import AccountsReader
from services.registry.intake_payroll import PayrollReader
from services.registry.refusals import FileReason, NotAList
from services.registry.rewriting import rewritten
from services.registry.sheets import Line, ListFile, lines_of, open_list
from services.registry.workbook import RisingMarks, with_marks
from shared import crashing
from shared.areas import AREAS_FILE, CHANGES_FILE, HAMLETS_FILE
from shared.banks import BANKS_FILE
from shared.collecting import collect_less_often
from shared.errors import Trouble

# What a reader may take: the largest old workbook needs 600 MB. Six kilobytes of a broken .xls otherwise take all the machine has.
MEMORY_BYTES_MAX = 2 * 1024**3
_ROOT = Path(__file__).parents[2]
# One line holds one part: 2,000 rows of about 500 bytes, at most 3,000 because cells are capped.
_LINE_BYTES_MAX = 8 * 1024 * 1024
# Parts that are read before the first of them is taken: a list of any length is in memory only so far.
PARTS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the tables are that say what names on lists mean."""

    areas: Path = AREAS_FILE
    changes: Path = CHANGES_FILE
    banks: Path = BANKS_FILE
    hamlets: Path = HAMLETS_FILE


@dataclass(frozen=True, slots=True)
class Order:
    """What to read and how. `period` is None for an account list; `today` bounds birth dates; `said`: what an office calls its columns,
    by folded word, an empty column for one that is left aside."""

    path: Path
    payer: str
    period: str | None
    today: date
    tables: Tables
    _: KW_ONLY
    said: Mapping[str, str] = field(default_factory=dict)
    crash_point: str | None = None  # what the reader is armed for (shared/crashing.py)


@dataclass(frozen=True, slots=True)
class Read:
    """One part: its number, its last row, its rows; no rows when an earlier run took it."""

    part_no: int
    upto: int
    part: Part | None = None


_ORDER, _READ = TypeAdapter(Order), TypeAdapter(Read)
_DIED = "the reader of a list has died"


class Reading:
    """The service's side. Make with `start`, end with `close`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Wrap a process that has its order."""
        self._process = process
        self.columns: dict[Column, int] = {}
        self.suffix = ""
        self.read_as = ""

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
            reading.suffix, reading.read_as = told["suffix"], told["read_as"]
        except BaseException:
            await reading.close()
            raise
        return reading

    async def parts(self, uptos: Sequence[int], part_rows: int) -> AsyncIterator[Read]:
        """Part after part; `uptos` are the last rows of those that an earlier run took."""
        line = await self._ask(json.dumps({"uptos": list(uptos), "part_rows": part_rows}).encode())
        while line.strip() != b"null":
            yield _READ.validate_json(line)
            line = await self._ask(b"")  # this part is taken: the reader may go on

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
        if self._process.stdin.is_closing():
            raise Trouble(_DIED)
        self._process.stdin.write(line + b"\n")
        return await self._line()

    async def _line(self) -> bytes:
        assert self._process.stdout
        line = await self._process.stdout.readline()
        if not line:
            # The library for .xls asks for all memory when a file's own lengths are wrong; at the limit it ends the process.
            if await self._process.wait() == -signal.SIGABRT and not self.suffix:
                raise NotAList(FileReason.FILE_NOT_EXCEL)
            raise Trouble(_DIED)
        return line


def main() -> None:
    """The reader's side: one file, then the end."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX if most < 0 else min(most, MEMORY_BYTES_MAX), most))
    order = _ORDER.validate_json(sys.stdin.readline())
    if order.crash_point:
        crashing.arm(order.crash_point)
    collect_less_often()
    try:
        _read_list(order)
    finally:
        transcoding.copy_of(order.path).unlink(missing_ok=True)


def _read_list(order: Order) -> None:
    try:
        file, reader = opened(order)
    except NotAList as refused:
        _tell({"refused": refused.reason, "where": refused.where})
        return
    _tell({"columns": file.columns, "suffix": "csv" if isinstance(file, Delimited) else "xlsx", "read_as": _read_as(file)})
    _serve(file, reader)


def _serve(file: ListFile, reader: ListReader) -> None:
    wanted = json.loads(sys.stdin.readline())
    for count, read in enumerate(_parts(file, reader, wanted["uptos"], part_rows=wanted["part_rows"])):
        if count >= PARTS_AHEAD and not sys.stdin.readline():
            return
        sys.stdout.write(f"{_READ.dump_json(read, exclude_none=True).decode()}\n")
        sys.stdout.flush()
    _tell(None)
    if last := next((line for line in sys.stdin if line.strip()), None):
        told = json.loads(last)
        try:
            _write_returned(file, Path(told["marks"]), Path(told["target"]))
            _tell({})
        except NotAList as refused:
            _tell({"refused": refused.reason, "where": refused.where})


def _read_as(file: ListFile) -> str:
    """What the texts of the file were written in."""
    codes = sorted({str(code) for code in file.codes.values()})
    return ", ".join(codes) or (file.written_in if isinstance(file, Delimited) else "Unicode")


def _tell(value: Any) -> None:
    print(json.dumps(value), flush=True)


def opened(order: Order) -> tuple[ListFile, ListReader]:
    """A list and who reads it. Raises NotAList."""
    said = {word: Column(name) if name else None for word, name in order.said.items()}
    banks = BankNames.from_file(order.tables.banks)
    areas = Areas.from_files(order.tables.areas, order.tables.changes, order.tables.hamlets)
    if order.period is None:
        accounts = AccountsReader(areas, banks, payer=order.payer, today=order.today)
        return open_list(order.path, accounts.needs, said), accounts
    if not areas.knows(order.payer):
        raise NotAList(FileReason.PAYER_UNKNOWN)
    if not areas.pays(order.payer, date.fromisoformat(f"{order.period}-01")):
        raise NotAList(FileReason.PAYER_OTHER_TIME)
    payroll = PayrollReader(areas, banks, period=order.period, payer=order.payer, today=order.today)
    return open_list(order.path, payroll.needs, said), payroll


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
        told: Iterator[Mark] = (tuple(mark) for line in written for mark in json.loads(line))
        if isinstance(file, Delimited):
            write_returned(file, told, target, headings=HEADINGS)
            return
        if not file.sheet.in_place:
            rewritten(file, RisingMarks(told), target, headings=HEADINGS)
            return
        marked = RisingMarks(chain([(file.header_row, *HEADINGS)], told))
        with_marks(file.path, target, marked, width=file.sheet.width(file.header_row))


if __name__ == "__main__":
    main()
