"""Workbooks of every kind as rows: XLSX streamed, whatever its size; XLS and ODS held and capped by their cells.

XLS and ODS cannot be streamed by any library we know, so their cells are counted before anything is held.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetMetadata, SheetTypeEnum, SheetVisibleEnum

from services.registry.cells import Cell
from services.registry.columns import HEADER_ROWS_MAX
from services.registry.refusals import FileReason, NotAList
from shared import xlsx_rows

STREAMED_BYTES_MAX = 4 * 1024 * 1024 * 1024
OLD_BYTES_MAX = 64 * 1024 * 1024
CELLS_MAX = 1_500_000
_BLOCK = 1 << 18
_MANIFEST = "META-INF/manifest.xml"
_CAPPED = f"Tệp .xls và .ods: nhiều nhất {CELLS_MAX:,} ô (dòng x cột); danh sách dài hơn lưu dạng .xlsx hoặc CSV UTF-8.".replace(
    ",", "."
)
_PASSWORD = "EncryptedPackage".encode("utf-16-le")


Top = Sequence[Sequence[Cell]]
"""The first rows of a sheet."""


class Rows(Protocol):
    """The first visible sheet of a workbook; of the other visible ones only where a header would stand."""

    @property
    def in_place(self) -> bool:
        """Whether its file is an XLSX that marks can be put into."""

    def rows(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Every row with its number, counted from 1; nothing is left out on the left."""

    @property
    def others(self) -> Sequence[Top]:
        """The tops of the other visible sheets, in their order."""

    def width(self, header_row: int) -> int:
        """Cells that marks stand behind."""


@dataclass(frozen=True, slots=True)
class Held:
    """A sheet of an old kind in memory."""

    sheet: CalamineSheet
    others: Sequence[Top] = ()
    in_place: bool = False

    def rows(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Every row; what calamine leaves out on the left is put back."""
        return enumerate(_rows(self.sheet), start=1)

    def width(self, header_row: int) -> int:
        """All rows of a held sheet are equally wide."""
        return max((len(row) for number, row in self.rows() if number <= header_row), default=0)


@dataclass(frozen=True, slots=True)
class Streamed:
    """An XLSX sheet, read from disk as often as it is asked for; it was read to its end once. `widest`: cells of its widest row."""

    book: xlsx_rows.Book
    widest: int
    others: Sequence[Top] = ()
    in_place: bool = True

    def rows(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Every row."""
        return self.book.rows()

    def width(self, header_row: int) -> int:
        """No row is wider."""
        return self.widest


def open_archive(path: Path) -> Rows:
    """An XLSX or ODS file. Raises NotAList."""
    try:
        parts = xlsx_rows.unpacked(path)
    except xlsx_rows.BadSheet:
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None
    # A small archive can unpack into more than the machine has.
    if sum(parts.values()) > STREAMED_BYTES_MAX:
        raise NotAList(FileReason.FILE_TOO_LARGE)
    if "xl/workbook.xml" in parts:
        return _open_xlsx(path)
    if "content.xml" in parts:
        return _open_ods(path)
    raise NotAList(FileReason.FILE_NOT_EXCEL)


def open_old(path: Path) -> Rows:
    """An XLS file. Raises NotAList, by name for one with a password: an XLSX with a password lies in the same kind of file."""
    if path.stat().st_size > OLD_BYTES_MAX:
        raise NotAList(FileReason.FILE_TOO_LARGE, _CAPPED)
    if _PASSWORD in path.read_bytes():
        raise NotAList(FileReason.FILE_HAS_PASSWORD)
    return _held(path)


def _open_xlsx(path: Path) -> Rows:
    try:
        book = xlsx_rows.Book(path)
        others = [[cells for _, cells in islice(book.rows(place), HEADER_ROWS_MAX)] for place in range(1, book.sheets)]
        # Nothing of a file is taken that cannot be read to its end.
        return Streamed(book, max((len(cells) for _, cells in book.rows()), default=0), others)
    except xlsx_rows.FarCell as far:
        raise NotAList(
            FileReason.FILE_TOO_LARGE, f"Nhiều nhất {xlsx_rows.COLUMNS_MAX} cột: xóa ô ngoài cùng ở dòng {far.row}."
        ) from None
    except xlsx_rows.BadSheet:
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None


def _open_ods(path: Path) -> Rows:
    counter = _Counter()
    try:
        with xlsx_rows.sound(), zipfile.ZipFile(path) as archive:
            if _MANIFEST in archive.namelist() and b"encryption-data" in archive.read(_MANIFEST):
                raise NotAList(FileReason.FILE_HAS_PASSWORD)
            with archive.open("content.xml") as xml:
                counter.count(xml)
    except xlsx_rows.BadSheet:
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None
    return _held(path)


def _held(path: Path) -> Held:
    try:
        with _Panics():
            book = CalamineWorkbook.from_path(path)
            first, *others = (book.get_sheet_by_index(place) for place, one in enumerate(book.sheets_metadata) if _is_shown(one))
            return Held(_capped(first), [list(islice(_rows(_capped(other)), HEADER_ROWS_MAX)) for other in others])
    except CalamineError as error:
        is_locked = "password" in type(error).__name__.casefold()
        raise NotAList(FileReason.FILE_HAS_PASSWORD if is_locked else FileReason.FILE_NOT_EXCEL) from None
    except (OSError, IndexError, ValueError, TypeError):
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None


class _Panics:
    """A broken file makes the library panic, which is no `Exception` and has no name to import."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None and kind.__name__ == "PanicException":
            raise NotAList(FileReason.FILE_NOT_EXCEL) from None


def _is_shown(sheet: SheetMetadata) -> bool:
    return sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet


def _rows(sheet: CalamineSheet) -> Iterator[list[Cell]]:
    left: list[Cell] = [""] * sheet.start[1] if sheet.start else []
    return ([*left, *row] for row in sheet.iter_rows())


def _capped(sheet: CalamineSheet) -> CalamineSheet:
    if sheet.total_height * sheet.total_width > CELLS_MAX:
        raise NotAList(FileReason.FILE_TOO_LARGE, _CAPPED)
    return sheet


class _Counter:
    """Counts the cells of an ODS table as a reader will hold them: a cell or row may say that it is repeated a million times."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._column = self._width = self._row = self._height = self._repeated = 0
        self._shows = False

    def count(self, xml: Any) -> None:
        """Raises NotAList as soon as there are too many, ExpatError for what is no XML."""
        while block := xml.read(_BLOCK):
            self._parser.Parse(block, False)
            if self._width * self._height > CELLS_MAX:
                raise NotAList(FileReason.FILE_TOO_LARGE, _CAPPED)
        self._parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "table":
            self._row = 0
        elif local == "table-row":
            self._repeated = int(attributes.get("table:number-rows-repeated", "1"))
            self._column, self._shows = 0, False
        elif local in ("table-cell", "covered-table-cell"):
            self._column += int(attributes.get("table:number-columns-repeated", "1"))
            if "office:value-type" in attributes:
                self._width, self._shows = max(self._width, self._column), True

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == "table-row":
            self._row += self._repeated
            if self._shows:
                self._height = max(self._height, self._row)

    def _doctype(self, *_: object) -> None:
        raise expat.ExpatError("no document of a workbook declares a type")
