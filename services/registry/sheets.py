"""A workbook as rows of cells: what kind of file it is, its first sheet, its header, its data rows. Pure; bytes in, rows out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from python_calamine import CalamineError, CalamineWorkbook

from services.registry.cells import Cell, folded, is_empty
from services.registry.columns import Column, find_header
from services.registry.refusals import FileReason, NotAList

UNPACKED_BYTES_MAX = 400 * 1024 * 1024
ROWS_MAX = 100_000
_TOTAL_WORDS = ("tong cong", "cong", "tong", "tong so")
_PDF, _OLE, _ZIP = b"%PDF", b"\xd0\xcf\x11\xe0", b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Line:
    """One row below the header. Rows count from 1, as spreadsheets do."""

    row_no: int
    cells: Sequence[Cell]
    columns: dict[Column, int]

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
        shown = [cell for cell in self.cells[:4] if isinstance(cell, str) and cell.strip()]
        return bool(shown) and folded(shown[0]).removesuffix(" ") in _TOTAL_WORDS and not self.has(Column.NUMBER)

    @property
    def is_remark(self) -> bool:
        """A heading of a commune, a signature line: few words and nothing of a person. A numbered row with a name never is one."""
        shown = sum(not is_empty(cell) for cell in self.cells)
        numbered = isinstance(self.cell(Column.ROW), int | float) and self.has(Column.NAME)
        return shown <= 2 and not numbered


@dataclass(frozen=True, slots=True)
class Sheet:
    """The first sheet of a workbook from its header down."""

    header_row: int
    columns: dict[Column, int]
    rows: Sequence[Sequence[Cell]]

    def lines(self) -> Iterator[Line]:
        """Rows below the header that show anything."""
        for number, row in enumerate(self.rows[self.header_row :], start=self.header_row + 1):
            if not all(map(is_empty, row)):
                yield Line(number, row, self.columns)


def read_sheet(body: bytes, needs: Sequence[tuple[Column, ...]]) -> Sheet:
    """The list in a workbook. Raises NotAList with what the officer must do; nothing is taken then."""
    _refuse_other_files(body)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(body))
        rows = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=ROWS_MAX + 1)
    except (CalamineError, OSError, IndexError, ValueError, TypeError):
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None
    if not rows:
        raise NotAList(FileReason.FILE_EMPTY)
    if len(rows) > ROWS_MAX:
        raise NotAList(FileReason.FILE_TOO_LARGE)
    header_row, columns = find_header(rows, needs)
    sheet = Sheet(header_row, columns, rows)
    if next(sheet.lines(), None) is None:
        raise NotAList(FileReason.NO_ROWS)
    return sheet


def letter(index: int) -> str:
    """A column's letters: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _refuse_other_files(body: bytes) -> None:
    """By what the bytes are, not by the name of the file."""
    if not body.strip():
        raise NotAList(FileReason.FILE_EMPTY)
    if body[:1024].lstrip().startswith(_PDF):
        raise NotAList(FileReason.FILE_IS_PDF)
    if body.startswith(_OLE):
        raise NotAList(FileReason.FILE_IS_OLD_EXCEL)
    if not body.startswith(_ZIP):
        raise NotAList(FileReason.FILE_NOT_EXCEL)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None
    # A small archive can unpack into more than the machine has.
    if sum(part.file_size for part in parts) > UNPACKED_BYTES_MAX:
        raise NotAList(FileReason.FILE_TOO_LARGE)
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise NotAList(FileReason.FILE_NOT_EXCEL)
