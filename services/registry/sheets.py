"""A list file as rows of cells: what kind of file it is, its header, its data rows one after another, in Unicode."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from services.registry import headers, workbooks
from services.registry.cells import Cell, folded, is_empty
from services.registry.columns import HEADER_ROWS_MAX, NOTHING_SAID, Column, Said, means
from services.registry.delimited import Delimited, open_delimited
from services.registry.legacy_text import TextCode, code_of, decoded, is_unicode
from services.registry.refusals import FileReason, NotAList
from services.registry.workbooks import Rows

# Rows looked at to see in which code a column is written.
SAMPLE_ROWS = 300
_TOTAL_WORDS = ("tong cong", "cong", "tong", "tong so")
# `2`, `(2)`, `B`, `9=7+8`: what forms write under their header.
_COLUMN_NO = re.compile(r"\(?[0-9A-Z]{1,2}(\.0)?\)?(=[0-9+()x ]{1,20})?")
_PDF, _OLE, _ZIP = b"%PDF", b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One row below the header. Rows count from 1, as spreadsheets do. `width`: cells that the header has a place for."""

    row_no: int
    cells: Sequence[Cell]
    columns: dict[Column, int]
    width: int | None = None
    _by_column: dict[Column, Cell] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Cells are asked for by their columns, thirty of every row: they are put in order once."""
        object.__setattr__(self, "_by_column", _by_column(self.cells, self.columns))

    def cell(self, column: Column) -> Cell:
        """The cell of a column; None where the list has no such column."""
        return self._by_column.get(column)

    def has(self, column: Column) -> bool:
        """Whether the cell shows something."""
        return not is_empty(self.cell(column))

    @property
    def is_totals(self) -> bool:
        """Whether the row adds up the rows above."""
        if self.cells and isinstance(self.cells[0], str) and self.cells[0].isdigit():  # nearly every row is numbered
            return False
        first = next((cell for cell in self.cells[:4] if isinstance(cell, str) and not is_empty(cell)), "")
        return not first.isdigit() and folded(first) in _TOTAL_WORDS and not self.has(Column.NUMBER)

    @property
    def is_remark(self) -> bool:
        """A heading of a commune, a signature line: few words and nothing of a person. A numbered row with a name never is one. Also the
        header again on the next page, and the row of column numbers under it."""
        shown = 0
        for cell in self.cells:
            shown += not is_empty(cell)
            if shown > 2:
                return self._repeats_the_header
        number = self.cell(Column.ROW)
        numbered = isinstance(number, int | float) or (isinstance(number, str) and number.strip().isdigit())
        return not (numbered and self.has(Column.NAME))

    @property
    def _repeats_the_header(self) -> bool:
        name = self.cell(Column.NAME)
        if not isinstance(name, str | int | float) or is_empty(name):
            return False
        if means(name, Column.NAME):
            return sum(means(self.cell(column), column) for column in self.columns) > 2
        return _COLUMN_NO.fullmatch(str(name)) is not None and all(
            _COLUMN_NO.fullmatch(str(cell)) for cell in self.cells if not is_empty(cell)
        )

    @property
    def overflows(self) -> bool:
        """Whether something stands beyond the header's last cell: a separator in a cell without quotes has shifted the rest."""
        return self.width is not None and not all(map(is_empty, self.cells[self.width :]))


@dataclass(frozen=True, slots=True)
class Workbook:
    """The first visible sheet of a workbook from its header down. `codes`: columns that are written in a code of before Unicode."""

    path: Path
    sheet: Rows
    header_row: int = 0
    columns: dict[Column, int] = field(default_factory=dict)
    codes: Mapping[int, TextCode] = field(default_factory=dict)
    width: None = None

    def rows(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Every row with its number."""
        return self.sheet.rows()


ListFile = Workbook | Delimited


def open_list(path: Path, needs: Sequence[tuple[Column, ...]], said: Said = NOTHING_SAID) -> ListFile:
    """The list in a file. `said`: what its office calls columns. Raises NotAList with what the officer must do; nothing is taken then."""
    with path.open("rb") as file:
        top = file.read(1024)
    if not top.strip():
        raise NotAList(FileReason.FILE_EMPTY)
    if top.lstrip().startswith(_PDF):
        raise NotAList(FileReason.FILE_IS_PDF)
    if top.startswith((_OLE, _ZIP)):
        opened: ListFile = _open_workbook(path, needs, said, is_archive=top.startswith(_ZIP))
    elif b"\x00" in top and not top.startswith(_UTF16_MARKS):
        raise NotAList(FileReason.FILE_NOT_EXCEL)
    else:
        opened = open_delimited(path, needs, said)
    if next(lines_of(opened), None) is None:
        raise NotAList(FileReason.NO_ROWS)
    return replace(opened, codes=_codes(opened))


def lines_of(file: ListFile) -> Iterator[Line]:
    """Rows below the header that show anything."""
    codes = file.codes
    for number, row in islice(file.rows(), file.header_row, None):
        if not all(map(is_empty, row)):
            cells = _in_unicode(row, codes) if codes else row
            yield Line(number, cells, file.columns, file.width)


def _by_column(cells: Sequence[Cell], columns: dict[Column, int]) -> dict[Column, Cell]:
    try:
        return dict(zip(columns, map(cells.__getitem__, columns.values()), strict=True))
    except IndexError:  # a row that is shorter than the header
        return {column: cells[index] for column, index in columns.items() if index < len(cells)}


def letter(index: int) -> str:
    """A column's letters: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _open_workbook(path: Path, needs: Sequence[tuple[Column, ...]], said: Said, *, is_archive: bool) -> Workbook:
    sheet = workbooks.open_archive(path) if is_archive else workbooks.open_old(path)
    top = [row for _, row in islice(sheet.rows(), HEADER_ROWS_MAX)]
    header_row, columns = headers.find(top, needs, said)
    # One sheet is read; rows of another one must not be left out without a word.
    lists = [place for place, other in enumerate(sheet.others, start=2) if headers.named(other, needs, said)]
    if lists:
        raise NotAList(FileReason.SHEETS_SEVERAL, f"Trang tính thứ {', '.join(map(str, [1, *lists]))} trong các trang đang hiện.")
    return Workbook(path, sheet, header_row, columns)


# --- codes of before Unicode ---------------------------------------------------------------------------------------------------


def _in_unicode(row: Sequence[Cell], codes: Mapping[int, TextCode]) -> Sequence[Cell]:
    cells = list(row)
    for index, code in codes.items():
        if index < len(cells) and isinstance(cell := cells[index], str):
            cells[index] = decoded(cell, code)
    return cells


def _codes(file: ListFile) -> dict[int, TextCode]:
    """The code of every column that is not in Unicode. Raises NotAList where names are in a code we do not know."""
    sample = list(islice(lines_of(file), SAMPLE_ROWS))
    found: dict[int, TextCode] = {}
    undecided: list[int] = []
    for column, index in file.columns.items():
        texts = [cell for line in sample if index < len(line.cells) and isinstance(cell := line.cells[index], str)]
        code, is_sure = code_of(texts)
        if code:
            found[index] = code
        elif column is Column.NAME and not is_sure:
            raise NotAList(FileReason.TEXT_CODE_UNKNOWN, f"Cột {letter(index)}: {column}.")
        elif not is_unicode(texts):
            undecided.append(index)
    if len(codes := set(found.values())) == 1:  # what says too little alone is written like the rest
        found |= dict.fromkeys(undecided, codes.pop())
    return found
