"""A list that came as XLS or ODS goes back as XLSX: the same cells in the same rows, with what became of each row in two more columns.

No library we know puts cells into those files and leaves the rest as it is, so values come back and looks do not. Files in and out.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter

from services.registry.cells import Cell
from services.registry.sheets import Workbook
from services.registry.workbook import Marks
from shared.crashing import point

_FIRST_YEAR = 1900  # spreadsheets know no day before
_KEEPS_TEXT = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def rewritten(source: Workbook, marks: Marks, target: Path, *, headings: tuple[str, str]) -> None:
    """Write every row of the first sheet, in constant memory; what looks like a formula stays text."""
    width = source.sheet.width(source.header_row)
    point("list_rewritten.before_write")
    book = xlsxwriter.Workbook(str(target), {**_KEEPS_TEXT, "nan_inf_to_errors": True})
    sheet = book.add_worksheet()
    days = book.add_format({"num_format": "dd/mm/yyyy"})
    for number, row in source.rows():
        told = headings if number == source.header_row else marks.get(number)
        for column, cell in enumerate((*row, *([""] * (width - len(row))), *(told or ()))):
            _write(sheet, (number - 1, column), cell, days=days)
    book.close()
    point("list_rewritten.after_write")


def _write(sheet: Any, place: tuple[int, int], cell: Cell, *, days: Any) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, str):
        sheet.write_string(*place, cell[:32_767])
    elif isinstance(cell, bool):
        sheet.write_boolean(*place, cell)
    elif isinstance(cell, date) and cell.year >= _FIRST_YEAR:
        sheet.write_datetime(*place, cell, days)
    elif isinstance(cell, int | float):
        sheet.write_number(*place, cell)
    else:
        sheet.write_string(*place, str(cell))
