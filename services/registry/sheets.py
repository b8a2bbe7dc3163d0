"""A list file as rows of cells: what kind of file it is, its header, its data rows one after another."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from services.registry.cells import Cell, folded, is_empty
from services.registry.columns import HEADER_ROWS_MAX, Column, find_header
from services.registry.delimited import Delimited, open_delimited
from services.registry.refusals import FileReason, NotAList

# A workbook is held whole while it is read, about 1.5 KB a row: longer lists come as text.
UNPACKED_BYTES_MAX = 200 * 1024 * 1024
WORKBOOK_ROWS_MAX = 50_000
_TOTAL_WORDS = ("tong cong", "cong", "tong", "tong so")
_PDF, _OLE, _ZIP = b"%PDF", b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One row below the header. Rows count from 1, as spreadsheets do. `width`: cells that the header has a place for."""

    row_no: int
    cells: Sequence[Cell]
    columns: dict[Column, int]
    width: int | None = None

    def cell(self, column: Column) -> Cell:
        """The cell of a column; None where the list has no such column."""
        index = self.columns.get(column)
        return self.cells[index] if index is not None and index < len(self.cells) else None

    def has(self, column: Column) -> bool:
        """Whether the cell shows something."""
        return not is_empty(self.cell(column))

    @property
    def is_totals(self) -> bool:
        """Whether the row adds up the rows above."""
        first = next((cell for cell in self.cells[:4] if isinstance(cell, str) and not is_empty(cell)), "")
        return not first.isdigit() and folded(first) in _TOTAL_WORDS and not self.has(Column.NUMBER)

    @property
    def is_remark(self) -> bool:
        """A heading of a commune, a signature line: few words and nothing of a person. A numbered row with a name never is one."""
        shown = sum(1 for _ in islice((cell for cell in self.cells if not is_empty(cell)), 3))
        if shown > 2:
            return False
        number = self.cell(Column.ROW)
        numbered = isinstance(number, int | float) or (isinstance(number, str) and number.strip().isdigit())
        return not (numbered and self.has(Column.NAME))

    @property
    def overflows(self) -> bool:
        """Whether something stands beyond the header's last cell: a separator in a cell without quotes has shifted the rest."""
        return self.width is not None and not all(map(is_empty, self.cells[self.width :]))


@dataclass(frozen=True, slots=True)
class Workbook:
    """The first sheet of a workbook from its header down."""

    path: Path
    sheet: Any
    header_row: int
    columns: dict[Column, int]
    width: None = None

    def rows(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Every row with its number; what calamine leaves out on the left is put back."""
        left: list[Cell] = [""] * self.sheet.start[1]
        return enumerate((left + row for row in self.sheet.iter_rows()), start=1)


ListFile = Workbook | Delimited


def open_list(path: Path, needs: Sequence[tuple[Column, ...]]) -> ListFile:
    """The list in a file. Raises NotAList with what the officer must do; nothing is taken then."""
    with path.open("rb") as file:
        top = file.read(1024)
    if not top.strip():
        raise NotAList(FileReason.FILE_EMPTY)
    if top.lstrip().startswith(_PDF):
        raise NotAList(FileReason.FILE_IS_PDF)
    if top.startswith(_OLE):
        raise NotAList(FileReason.FILE_IS_OLD_EXCEL)
    if not top.startswith(_ZIP) and b"\x00" in top and not top.startswith(_UTF16_MARKS):
        raise NotAList(FileReason.FILE_NOT_EXCEL)
    opened = _open_workbook(path, needs) if top.startswith(_ZIP) else open_delimited(path, needs)
    if next(lines_of(opened), None) is None:
        raise NotAList(FileReason.NO_ROWS)
    return opened


def lines_of(file: ListFile) -> Iterator[Line]:
    """Rows below the header that show anything."""
    for number, row in islice(file.rows(), file.header_row, None):
        if not all(map(is_empty, row)):
            yield Line(number, row, file.columns, file.width)


def letter(index: int) -> str:
    """A column's letters: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _open_workbook(path: Path, needs: Sequence[tuple[Column, ...]]) -> Workbook:
    _refuse_broken_archives(path)
    try:
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
        workbook = Workbook(path, sheet, 0, {})
        top = [row for _, row in islice(workbook.rows(), HEADER_ROWS_MAX)]
    except (CalamineError, OSError, IndexError, ValueError, TypeError):
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None
    if not top:
        raise NotAList(FileReason.FILE_EMPTY)
    if sheet.total_height >= WORKBOOK_ROWS_MAX:
        raise NotAList(
            FileReason.FILE_TOO_LARGE, f"Bảng tính: nhiều nhất {WORKBOOK_ROWS_MAX} dòng; danh sách dài hơn lưu dạng CSV UTF-8."
        )
    header_row, columns = find_header(top, needs)
    return replace(workbook, header_row=header_row, columns=columns)


def _refuse_broken_archives(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None
    # A small archive can unpack into more than the machine has.
    if sum(part.file_size for part in parts) > UNPACKED_BYTES_MAX:
        raise NotAList(FileReason.FILE_TOO_LARGE)
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise NotAList(FileReason.FILE_NOT_EXCEL)
