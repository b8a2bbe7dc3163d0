"""The post's list on several sheets, one for each commune: every row is read once, no sheet with payments is left out without a word."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.payout.reading_statement import read_statement
from services.payout.statement_line import SHEET_ROWS, LineKind, NotAStatement, Statement, StatementRefusal, place_of
from shared.topics import Provider
from tests.unit.payout.statement_files import an_id

HEADER = ["STT", "Họ và tên", "Mã chi trả", "Số tiền", "Ngày nhận", "Kết quả"]
PAID_ON = date(2024, 2, 5)
COVER = [["BƯU ĐIỆN HUYỆN"], ["Tổng số khoản", 12], ["Điện thoại", "02393700000"], ["Số định danh người lập", "042203000000"]]
Rows = Sequence[Sequence[object]]


def a_book(sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> bytes:
    """A workbook with these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        sheet.sheet_state = "hidden" if title in hidden else "visible"
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def a_row(number: int, vnd: int = 360_000, day: date | None = PAID_ON) -> list[object]:
    return [number, "A", an_id(number), vnd, day, None]


def read(content: bytes) -> Statement:
    return read_statement(content, Provider.POST, sha256="0" * 64)


def refused(content: bytes) -> tuple[StatementRefusal, str]:
    with pytest.raises(NotAStatement) as refusal:
        read(content)
    return refusal.value.reason, refusal.value.where


def test_every_visible_sheet_with_a_header_is_read_and_says_where_its_lines_stand() -> None:
    far = [["XÃ B"], ["Mã khoản chi", "Ngày chi", "Thành tiền"], [an_id(3), PAID_ON, 500_000]]
    lines = read(a_book({"Bìa": COVER, "Xã A": [HEADER, a_row(1), a_row(2)], "Xã B": far, "Trống": []})).lines
    assert [(place_of(line.line), line.end_to_end_id, line.vnd) for line in lines] == [
        ((2, 2), an_id(1), 360_000),
        ((2, 3), an_id(2), 360_000),
        ((3, 3), an_id(3), 500_000),
    ]


def test_title_of_what_is_sent_back_counts_for_its_own_sheet() -> None:
    back = [["DANH SÁCH CHUYỂN HOÀN"], HEADER, a_row(2, day=None)]
    lines = read(a_book({"Đã chi": [HEADER, a_row(1)], "Trả": back})).lines
    assert [line.kind for line in lines] == [LineKind.PAID, LineKind.RETURNED]


@pytest.mark.parametrize(
    "ids",
    [
        an_id(2),
        an_id(2).lower(),
        " ".join(an_id(2)),
        an_id(2)[:-1] + ("2" if an_id(2)[-1] != "2" else "3"),  # a slip: still nobody's title and no amount
    ],
)
def test_sheet_with_payments_and_no_header_is_refused_and_named(ids: str) -> None:
    content = a_book({"Xã A": [HEADER, a_row(1)], "Bìa": COVER, "Xã B": [["Trần Thị B", ids, 360_000]]})
    assert refused(content) == (StatementRefusal.NO_HEADER, "Trang tính thứ 3 trong các trang đang hiện.")


def test_book_without_any_list_is_refused_as_such() -> None:
    assert refused(a_book({"Bìa": COVER, "Phụ": COVER})) == (StatementRefusal.NO_HEADER, "")
    assert refused(a_book({"Xã A": [HEADER], "Bìa": COVER})) == (StatementRefusal.NO_LINES, "")


def test_sums_are_those_of_their_own_sheet() -> None:
    first, second = (
        [HEADER, a_row(1), ["", "Tổng cộng", "", 360_000]],
        [HEADER, a_row(2, 500_000), ["", "Tổng cộng", "", 500_000]],
    )
    assert len(read(a_book({"A": first, "B": second})).lines) == 2
    of_both = [*second[:-1], ["", "Tổng cộng", "", 860_000]]
    assert refused(a_book({"A": first, "B": of_both})) == (
        StatementRefusal.TOTALS_WRONG,
        "Trang tính thứ 2 trong các trang đang hiện.",
    )


def test_hidden_sheet_says_nothing() -> None:
    sheets = {"Xã A": [HEADER, a_row(1)], "Nguồn": [HEADER, a_row(1), a_row(2)], "Nháp": [[an_id(3)]]}
    assert [line.end_to_end_id for line in read(a_book(sheets, hidden=("Nguồn", "Nháp"))).lines] == [an_id(1)]


def test_sheet_that_cannot_be_read_refuses_the_file() -> None:
    whole = a_book({"Xã A": [HEADER, a_row(1)], "Xã B": [HEADER, a_row(2)]})
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as given, zipfile.ZipFile(made, "w") as broken:
        for part in given.namelist():
            broken.writestr(part, given.read(part)[:200] if part.endswith("sheet2.xml") else given.read(part))
    assert refused(made.getvalue())[0] is StatementRefusal.FILE_DAMAGED


def test_more_sheets_than_there_are_communes_are_too_many() -> None:
    assert refused(a_book({str(place): [HEADER] for place in range(501)}))[0] is StatementRefusal.FILE_TOO_LARGE


_rows = st.tuples(st.integers(1, 10**9), st.none() | st.integers(0, 60).map(lambda days: PAID_ON + timedelta(days)))
_sheets = st.lists(st.lists(_rows, max_size=5) | st.none(), min_size=1, max_size=6).filter(any)


@settings(deadline=None, max_examples=60)
@given(sheets=_sheets, above=st.integers(0, 5))
def test_what_was_written_on_several_sheets_is_read_back(sheets: list[list[tuple[int, date | None]] | None], above: int) -> None:
    """None is a cover; every other sheet is a list of its own, with its sum."""
    book, wanted, number = dict[str, Rows](), [], 0
    for place, rows in enumerate(sheets):
        written: list[Sequence[object]] = [["XÃ"]] * above + [HEADER]
        for vnd, day in rows or ():
            number += 1
            written.append(a_row(number, vnd, day))
            kind = LineKind.PAID if day else LineKind.UNKNOWN
            wanted.append(((place + 1, len(written)), kind, an_id(number), vnd, day))
        written.append(["", "Tổng cộng", "", sum(vnd for vnd, _day in rows or ())])
        book[str(place)] = COVER if rows is None else written
    lines = read(a_book(book)).lines
    assert [(place_of(line.line), line.kind, line.end_to_end_id, line.vnd, line.booked_on) for line in lines] == wanted
    assert len({line.line for line in lines}) == len(lines)


@given(sheet=st.integers(1, 500), row=st.integers(1, SHEET_ROWS))
def test_place_of_a_line_is_where_it_was_counted(sheet: int, row: int) -> None:
    assert place_of((sheet - 1) * SHEET_ROWS + row) == (sheet, row)
