"""A workbook with one long table: XlsxWriter makes everything around the table, the rows themselves are written as text, ten times as fast.

All text is written as text: what begins with `=`, `+`, `-` or `@` never becomes a formula. The same input gives the same bytes. Pure.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from string import ascii_uppercase
from xml.sax.saxutils import escape

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

Cell = str | int
Column = tuple[str, int]
"""(heading, width in characters)."""
FIRST_ROW = 4
"""Row of the first entry, counted from 1: a title, an empty row and the headings come before."""
SHEET = "xl/worksheets/sheet1.xml"
_PATTERN_ROW = re.compile(rf'<row r="{FIRST_ROW}".*?</row>')
_STYLE = re.compile(r' s="([0-9]+)"')


def workbook(
    title: str,
    columns: Sequence[Column],
    table: Sequence[tuple[Cell, ...]],
    *,
    sums: Sequence[tuple[str, int]],
    sums_column: str,
    made_at: datetime,
) -> bytes:
    """A table with a title, and sums of money below it. At least one row; an int is money or a number, a str is text."""
    assert table
    shell = _shell(
        title, columns, sums, at=[name for name, _width in columns].index(sums_column), rows=len(table), made_at=made_at
    )
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(shell)) as given, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as whole:
        for part in given.infolist():
            content = given.read(part)
            if part.filename == SHEET:
                content = _with_rows(content.decode(), table).encode()
            part.compress_type = zipfile.ZIP_DEFLATED
            whole.writestr(part, content)
    return made.getvalue()


def _with_rows(sheet: str, table: Iterable[tuple[Cell, ...]]) -> str:
    """The sheet with the table's rows in place of the pattern row, in its styles."""
    pattern = _PATTERN_ROW.search(sheet)
    assert pattern
    number, text = _STYLE.findall(pattern[0])[:2]
    return "".join((sheet[: pattern.start()], *_rows(table, number=number, text=text), sheet[pattern.end() :]))


def _rows(table: Iterable[tuple[Cell, ...]], *, number: str, text: str) -> Iterator[str]:
    for place, row in enumerate(table, FIRST_ROW):
        cells = [
            f'<c r="{letter}{place}" s="{number}"><v>{value}</v></c>'
            if isinstance(value, int)
            else f'<c r="{letter}{place}" s="{text}" t="inlineStr"><is><t>{_text(value)}</t></is></c>'
            if value
            else f'<c r="{letter}{place}" s="{text}"/>'
            for letter, value in zip(ascii_uppercase, row, strict=False)
        ]
        yield f'<row r="{place}">{"".join(cells)}</row>'


def _text(value: str) -> str:
    """Text as XML content: what XML 1.0 forbids is dropped, white space is single, the rest escaped."""
    if not value.isprintable():
        value = "".join(char if char.isprintable() else " " for char in value)
    return escape(" ".join(value.split()))


def _shell(
    title: str, columns: Sequence[Column], sums: Sequence[tuple[str, int]], *, at: int, rows: int, made_at: datetime
) -> bytes:
    buffer = io.BytesIO()
    options = {"in_memory": True, "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": title, "created": made_at.replace(tzinfo=None)})
        bold = book.add_format({"bold": True, "text_wrap": True, "border": 1})
        framed = {"border": 1, "valign": "vcenter"}
        money, cell = book.add_format({"num_format": "#,##0", **framed}), book.add_format({"text_wrap": True, **framed})
        sheet = book.add_worksheet("Danh sách")
        _frame(sheet, columns)
        sheet.write_string(0, 0, title, book.add_format({"bold": True}))
        for place, (name, _width) in enumerate(columns):
            sheet.write_string(FIRST_ROW - 2, place, name, bold)
        sheet.write_number(FIRST_ROW - 1, 0, 1, money)  # the pattern row: a number, a text
        sheet.write_string(FIRST_ROW - 1, 1, "-", cell)
        for place, (label, vnd) in enumerate(sums, FIRST_ROW - 1 + rows):
            sheet.write_string(place, 1, label)
            sheet.write_number(place, at, vnd, money)
    return buffer.getvalue()


def _frame(sheet: Worksheet, columns: Sequence[Column]) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    for place, (_name, width) in enumerate(columns):
        sheet.set_column(place, place, width)
