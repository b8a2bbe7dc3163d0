"""The post's list as people fill it in: a workbook or CSV with its header anywhere, merged cells, notes, totals, a sheet per commune. Pure.

Ours comes back with two columns filled (day, signature), or a list of what is sent back with reasons. A row says something only where it
says it: an empty row is unknown, never collected. What cannot be read is a line with a fault, which somebody must look at.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

from services.payout.hand_typed import Cell, folded, shown, typed_amount, typed_date, typed_id
from services.payout.reason_codes import WORDS
from services.payout.statement_line import (
    BYTES_MAX,
    LINES_MAX,
    SHEET_ROWS,
    Fault,
    FileKind,
    LineKind,
    NotAStatement,
    Statement,
    StatementLine,
    StatementRefusal,
    reference,
)
from shared.ids import END_TO_END_LENGTH
from shared.xlsx_rows import BadSheet, Book, Range, unpacked

HEADER_ROWS_MAX = 40
UNPACKED_BYTES_MAX = 200 * 1024 * 1024
CELLS_MAX = 5_000_000
SHEETS_MAX = 500  # a commune each, of the largest province
ZIP = b"PK\x03\x04"
# The words a heading holds, folded; the first that fits counts.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "id": (
        "ma chi tra",
        "ma khoan chi",
        "ma giao dich",
        "ma so chi",
        "ma tham chieu",
        "ma phieu",
        "ma ct",
        "ma chi",
        "end to end",
    ),
    "vnd": ("so tien", "thanh tien", "muc huong", "tien nhan"),
    "result": ("ket qua", "tinh trang", "trang thai"),
    "day": ("ngay nhan", "ngay chi", "ngay linh", "ngay tra", "ngay phat", "ngay"),
    "note": ("ly do", "ghi chu", "dien giai"),
}
_RETURN_TITLES = ("tra lai", "chuyen hoan", "hoan tra", "chua linh", "khong linh", "chua nhan", "khong phat duoc")
_BACK = (
    "tra lai",
    "chuyen hoan",
    "hoan",
    "chua nhan",
    "chua linh",
    "khong nhan",
    "khong linh",
    "khong den",
    "chua chi",
    "tra ve",
)
_DONE = ("da nhan", "da linh", "da chi", "da phat", "da tra tien", "da ky nhan", "x", "v", "co", "roi", "1")
_SUMS = ("tong", "cong", "tai nha", "tai quay")
_WHOLE_SUMS = ("tong cong", "tong", "cong", "tong so", "tong so tien")
Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class _Sheet:
    rows: Sequence[Row]
    header: int
    columns: Mapping[str, int]
    all_returned: bool

    def cell(self, row: Row, column: str) -> Cell:
        place = self.columns.get(column)
        return row[place] if place is not None and place < len(row) else None


def read_post_list(content: bytes) -> Statement:
    """What the post says of each payment, sheet after sheet. Raises NotAStatement."""
    sheets: Iterable[Sequence[Row]] = _workbook(content) if content.startswith(ZIP) else [_delimited(content)]
    lines, headless, wrong, lists = list[StatementLine](), list[int](), list[int](), 0
    for place, rows in enumerate(sheets):
        sheet = _with_header(rows)
        if sheet is None:
            headless += [place] if any(map(_is_of_payments, chain.from_iterable(rows))) else []
            continue
        lists += 1
        found, totals_agree = _read(sheet, place * SHEET_ROWS)
        lines += found
        wrong += [] if totals_agree else [place]
        if len(lines) > LINES_MAX or len(rows) > SHEET_ROWS:
            raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
    if headless or not lists:
        raise NotAStatement(StatementRefusal.NO_HEADER, _where(headless))
    if not lines:
        raise NotAStatement(StatementRefusal.NO_LINES)
    if wrong:
        raise NotAStatement(StatementRefusal.TOTALS_WRONG, _where(wrong))
    return Statement(FileKind.POST_LIST, "", lines)


def _read(sheet: _Sheet, before: int) -> tuple[list[StatementLine], bool]:
    """The lines of a sheet, numbered from `before` on, and whether the sums that it names are theirs."""
    lines, sums, whole = list[StatementLine](), 0, list[int]()
    for number, row in enumerate(sheet.rows[sheet.header + 1 :], before + sheet.header + 2):
        total = _total(sheet, row)
        if total is not None:
            whole += [total] if total >= 0 else []
        elif line := _line(sheet, row, number):
            lines.append(line)
            sums += line.vnd or 0
    return lines, all(total == sums for total in whole)


def _where(sheets: Sequence[int]) -> str:
    numbers = ", ".join(str(place + 1) for place in sheets)
    return f"Trang tính thứ {numbers} trong các trang đang hiện." if numbers else ""


def _is_of_payments(cell: Cell) -> bool:
    """Whether a cell of a sheet without a header is an id of a payment, or one with a slip: rows nobody may leave out without a word."""
    text = shown(cell)
    slipped = len(text) == END_TO_END_LENGTH and text.isascii() and text.isalnum() and not text.isalpha() and not text.isdigit()
    return slipped or typed_id(text) is not None


def _workbook(content: bytes) -> Iterator[Sequence[Row]]:
    """The rows of each visible sheet; what is merged over rows is said in each of them, as people read it. What is hidden is a clerk's
    working copy: nobody who signs the list sees it."""
    try:
        if sum(unpacked(io.BytesIO(content)).values()) > UNPACKED_BYTES_MAX:
            raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
        book, left = Book(io.BytesIO(content)), CELLS_MAX
        if book.sheets > SHEETS_MAX:
            raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
        for sheet in range(book.sheets):
            rows = list(_capped(book.rows(sheet), left))
            # Merged places may be said to lie over one another, each over the whole sheet.
            left -= sum(1 + len(row) for row in rows) + sum(min(bottom, len(rows)) - top for top, _, bottom, _ in book.merged)
            if left < 0:
                raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
            _say_of_each(rows, book.merged)
            yield rows
    except BadSheet:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED) from None


def _say_of_each(rows: Sequence[list[Cell]], merged: Iterable[Range]) -> None:
    for top, column, bottom, _right in merged:
        said = rows[top - 1][column] if top <= len(rows) and column < len(rows[top - 1]) else None
        for row in rows[top:bottom] if shown(said) else ():
            if any(map(shown, row)):
                row.extend([None] * (column + 1 - len(row)))
                row[column] = row[column] if shown(row[column]) else said


def _capped(rows: Iterable[tuple[int, Sequence[Cell]]], left: int) -> Iterator[list[Cell]]:
    for _number, cells in rows:
        left -= 1 + len(cells)
        if left < 0:
            raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
        yield list(cells)


def _delimited(content: bytes) -> list[Row]:
    if b"\x00" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotAStatement(StatementRefusal.FORMAT_UNKNOWN)
    text = _decoded(content)
    top = text[:20_000]
    mark = max(";,\t|", key=top.count)
    if not top.count(mark):
        raise NotAStatement(StatementRefusal.FORMAT_UNKNOWN)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=False))
    except csv.Error:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED) from None


def _decoded(content: bytes) -> str:
    for name in ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1258"):
        try:
            return content.decode(name)
        except UnicodeDecodeError:
            continue
    raise NotAStatement(StatementRefusal.FORMAT_UNKNOWN)


def _with_header(rows: Sequence[Row]) -> _Sheet | None:
    """From the first row with a column of ids and one that says something of them; None where none is."""
    for number, row in enumerate(rows[:HEADER_ROWS_MAX]):
        columns = _columns(row)
        if "id" in columns and columns.keys() & {"vnd", "result", "day", "note"}:
            title = " ".join(folded(shown(cell)) for above in rows[:number] for cell in above)
            return _Sheet(rows, number, columns, any(words in title for words in _RETURN_TITLES))
    return None


def _columns(row: Row) -> dict[str, int]:
    headings = [folded(shown(cell)) for cell in row]
    found = dict[str, int]()
    for column, spellings in HEADINGS.items():
        places = (place for words in spellings for place, heading in enumerate(headings) if words in heading)
        place = next((place for place in places if place not in found.values()), None)
        if place is not None:
            found[column] = place
    return found


def _total(sheet: _Sheet, row: Row) -> int | None:
    """What a row that adds up rows says: its sum; -1 for a part or a sum nobody can read; None for any other row."""
    first = next((folded(shown(cell)) for cell in row if shown(cell)), "")
    if not first.startswith(_SUMS) or shown(sheet.cell(row, "id")):
        return None
    vnd = typed_amount(sheet.cell(row, "vnd"))
    return vnd if vnd is not None and first in _WHOLE_SUMS else -1


def _line(sheet: _Sheet, row: Row, number: int) -> StatementLine | None:
    """One payment; None for an empty row, a heading of a hamlet, a remark, a signature."""
    raw_id, raw_vnd = sheet.cell(row, "id"), sheet.cell(row, "vnd")
    vnd, found = typed_amount(raw_vnd), typed_id(raw_id)
    if found is None and (not shown(raw_vnd) or vnd is None):
        return None if not _is_like_an_id(raw_id) else StatementLine(number, LineKind.UNKNOWN, vnd=vnd, fault=Fault.ID)
    kind, booked_on, fault = _said(sheet, row)
    note = shown(sheet.cell(row, "note")) or shown(sheet.cell(row, "result"))
    if found is None:
        fault = Fault.ID
    elif vnd is None and shown(raw_vnd):
        fault = Fault.AMOUNT
    code = reference(_reason(note)) if kind is LineKind.RETURNED else None
    return StatementLine(number, kind, found, vnd, booked_on, code=code, fault=fault)


def _is_like_an_id(cell: Cell) -> bool:
    text = "".join(shown(cell).split())
    return len(text) >= 12 and text.isalnum()


def _said(sheet: _Sheet, row: Row) -> tuple[LineKind, date | None, Fault | None]:
    """What the row says of the payment: its result in words, else its day, else its reason."""
    words, note = folded(shown(sheet.cell(row, "result"))), folded(shown(sheet.cell(row, "note")))
    raw_day = sheet.cell(row, "day")
    day = typed_date(raw_day)
    fault = Fault.DATE if shown(raw_day) and day is None else None
    if _starts(words, _BACK) or _starts(note, _BACK) or any(f" {part} " in f" {words} {note} " for part in _REASON_WORDS):
        return LineKind.RETURNED, day, fault
    if _starts(words, _DONE):
        return LineKind.PAID, day, fault
    if sheet.all_returned:
        return LineKind.RETURNED, day, fault
    if day or fault:
        return LineKind.PAID, day, fault
    return LineKind.UNKNOWN, None, None


_REASON_WORDS = tuple(words for words, _reason in WORDS)


def _starts(text: str, spellings: Iterable[str]) -> bool:
    return any(text == words or text.startswith(f"{words} ") for words in spellings)


def _reason(note: str) -> str | None:
    """The part of a remark that is a reason: the remark itself may name people, so only words that we know are kept."""
    said = f" {folded(note)} "
    return next((words for words in _REASON_WORDS if f" {words} " in said), None)


def rows_of(content: bytes) -> Iterator[Row]:
    """The rows of a workbook of ours, for comparing what we told the post. Raises NotAStatement."""
    if len(content) > BYTES_MAX:
        raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
    yield from chain.from_iterable(_workbook(content))
