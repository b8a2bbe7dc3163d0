"""What both lists of the sandbox ministry have in common: title rows, a header row, cells that keep
their kind.
"""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import xlsxwriter

SYNTHETIC = "DỮ LIỆU GIẢ LẬP - SYNTHETIC DATA"
# Fixed, so that the same district gives the same bytes. A date alone is not taken: the workbook would say when it was written.
_CREATED = datetime(2024, 1, 24)  # noqa: DTZ001

Cell = str | int | float | date | None


class ListSheet:
    """One sheet written top down: titles, one header, rows. A text stays a text, so leading zeros live
    and no text runs as a formula; an int is a numeric cell, a date an Excel date.
    """

    def __init__(self, path: Path, *, titles: Sequence[str], header: Sequence[str], header_row: int) -> None:
        """`header_row` counts from 1, as spreadsheets do, and lies below the titles."""
        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
        self._book.set_properties({"title": SYNTHETIC, "created": _CREATED})
        self._sheet = self._book.add_worksheet("Danh sách")
        self._date = self._book.add_format({"num_format": "dd/mm/yyyy"})
        self._long_number = self._book.add_format({"num_format": "000000000000"})
        self._amount = self._book.add_format({"num_format": "#,##0"})
        bold = self._book.add_format({"bold": True, "text_wrap": True})
        for number, title in enumerate(titles):
            self._sheet.write_string(number, 0, title, bold)
        for column, word in enumerate(header):
            self._sheet.write_string(header_row - 1, column, word, bold)
        self._next = header_row

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._book.close()

    def add(self, cells: Sequence[Cell]) -> None:
        """Write the next row; no cells gives an empty row."""
        for column, cell in enumerate(cells):
            self._write(column, cell)
        self._next += 1

    def _write(self, column: int, cell: Cell) -> None:
        if isinstance(cell, str):
            self._sheet.write_string(self._next, column, cell)
        elif isinstance(cell, date):
            self._sheet.write_datetime(self._next, column, cell, self._date)
        elif isinstance(cell, float):
            self._sheet.write_number(self._next, column, cell)
        elif cell is not None:
            self._sheet.write_number(self._next, column, cell, self._number_format(cell))

    def _number_format(self, cell: int) -> object:
        """A lost identity number still looks right on screen; amounts have thousands separators; years
        and rows nothing.
        """
        if cell >= 10**10:
            return self._long_number
        return self._amount if cell >= 10_000 else None
