"""The post's list as people fill it in."""

import io
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.payout.hand_typed import typed_amount, typed_date, typed_id
from services.payout.reading_statement import read_statement
from services.payout.reason_codes import ISO, WORDS, PaymentReason, iso_code, reason_of
from services.payout.statement_line import Fault, LineKind, NotAStatement, Statement, StatementLine, StatementRefusal
from shared.ids import END_TO_END_LENGTH
from shared.topics import Provider
from tests.unit.payout.statement_files import a_post_list, an_id

HEADER = ["STT", "Họ và tên", "Mã chi trả", "Số tiền (đồng)", "Ngày nhận", "Kết quả", "Ghi chú"]


def a_book(*rows: list[object], merged: tuple[str, ...] = ()) -> bytes:
    """A workbook with these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for area in merged:
        book.active.merge_cells(area)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def read(content: bytes) -> Statement:
    return read_statement(content, Provider.POST, sha256="0" * 64)


def said(content: bytes) -> list[tuple[LineKind, str | None, int | None, date | None]]:
    return [(line.kind, line.end_to_end_id, line.vnd, line.booked_on) for line in read(content).lines]


def only(content: bytes) -> StatementLine:
    (line,) = read(content).lines
    return line


def refusal(content: bytes) -> StatementRefusal | None:
    try:
        read(content)
    except NotAStatement as refused:
        return refused.reason
    return None


# --- cells ---------------------------------------------------------------------------------------------------------------------


AMOUNTS = [
    1_500_000, 1_500_000.0, "1500000", "1.500.000", "1.500.000 đ", "1,500,000đ", "1 500 000 đồng", " 1.500.000  VNĐ ", "1500000,00",
    "1.500.000,00", "1500000.0",
]  # fmt: skip
DAYS = [
    date(2024, 2, 5), datetime(2024, 2, 5, 9, 30), 45327, 45327.0, "45327", "5/2/2024", "05-02-2024", "5.2.24", "2024-02-05",  # noqa: DTZ001
    "2024-02-05 00:00:00", "ngày 5 tháng 2 năm 2024", "5/2/2024 09:15",
]  # fmt: skip


@pytest.mark.parametrize("cell", AMOUNTS)
def test_amount_however_it_is_typed(cell: object) -> None:
    assert typed_amount(cell) == 1_500_000


@pytest.mark.parametrize(
    "cell",
    ["", None, True, "một triệu", "1.5", 1.5, "-360000", -1, "360k", "1.500.00", "9" * 30, "36O000", "١٢٣", date(2024, 1, 1)],
)
def test_amount_that_is_none(cell: object) -> None:
    assert typed_amount(cell) is None


@pytest.mark.parametrize("cell", DAYS)
def test_day_however_it_is_typed(cell: object) -> None:
    assert typed_date(cell) == date(2024, 2, 5)


@pytest.mark.parametrize("cell", ["", None, True, "hôm qua", "31/2/2024", "5/2", 5, 10**9, "13/13/2024", "5/2/202"])
def test_day_that_is_none(cell: object) -> None:
    assert typed_date(cell) is None


def test_id_however_it_is_typed() -> None:
    key = an_id(7)
    assert [typed_id(text) for text in (key, key.lower(), " ".join(key), key[:8] + "-" + key[8:], f"  {key}.")] == [key] * 5


def test_zero_for_o_is_put_back_only_where_the_check_character_proves_it() -> None:
    number = next(n for n in range(1, 2_000) if "O" in an_id(n))
    key = an_id(number)
    assert typed_id(key.replace("O", "0")) == key
    other = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert typed_id(other) is None
    assert typed_id(other.replace("O", "0")) is None


def test_reasons_in_every_spelling_are_one_list() -> None:
    assert reason_of("AC04") is reason_of("ACC_CLOSED") is reason_of("Tài khoản đã đóng") is PaymentReason.ACC_CLOSED
    assert reason_of("người hưởng đã mất ngày 3/2") is PaymentReason.HOLDER_DEAD
    assert reason_of("gì đó khác") is PaymentReason.OTHER
    assert reason_of("ZZ99") is PaymentReason.OTHER
    assert reason_of("  ") is reason_of(None) is None
    assert iso_code("ZZ99") == "ZZ99"
    assert iso_code("đã mất") == "MD07"
    assert iso_code("lý do lạ") == "NARR"
    assert {*ISO.values(), *(reason for _words, reason in WORDS)} >= set(PaymentReason) - {PaymentReason.CANNOT_VERIFY}


# --- lists ---------------------------------------------------------------------------------------------------------------------


def test_list_of_ours_filled_in_by_a_clerk() -> None:
    content = a_book(
        ["BƯU ĐIỆN HUYỆN (dữ liệu giả lập)"],
        [],
        ["Danh sách chi trả kỳ 02/2024", None, None, None],
        HEADER,
        ["Xóm 3"],
        [1, "A", an_id(1).lower(), "360.000 đ", "5/2/2024", None, None],
        [2, "B", " ".join(an_id(2)), 1_500_000, datetime(2024, 2, 5), "đã nhận", None],  # noqa: DTZ001
        [],
        [3, "C", an_id(3), "360,000", None, "Trả lại", "Đã mất"],
        [4, "D", an_id(4), 360_000, None, None, "vắng nhà"],
        [5, "E", an_id(5), 360_000, None, None, None],
        [None, "Tổng cộng", None, "2.940.000"],
        [None, "Người lập biểu", None, None, None, "ký tên"],
    )
    assert said(content) == [
        (LineKind.PAID, an_id(1), 360_000, date(2024, 2, 5)),
        (LineKind.PAID, an_id(2), 1_500_000, date(2024, 2, 5)),
        (LineKind.RETURNED, an_id(3), 360_000, None),
        (LineKind.RETURNED, an_id(4), 360_000, None),
        (LineKind.UNKNOWN, an_id(5), 360_000, None),
    ]
    assert [reason_of(line.code) for line in read(content).lines[2:4]] == [PaymentReason.HOLDER_DEAD, PaymentReason.NOT_COLLECTED]


@pytest.mark.parametrize("name", ["MÃ CHI TRẢ", "ma chi tra", "Mã  khoản chi", "Mã giao dịch (do Sở cấp)"])
@pytest.mark.parametrize("mark", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_header_in_any_spelling_and_text_in_any_shape(name: str, mark: str, encoding: str) -> None:
    rows = [["x"], ["STT", name, "Số tiền", "Ngày"], ["1", an_id(1), "360.000", "5/2/2024"]]
    text = "\r\n".join(mark.join(row) for row in rows)
    assert said(text.encode(encoding)) == [(LineKind.PAID, an_id(1), 360_000, date(2024, 2, 5))]


def test_day_merged_over_rows_is_said_of_each() -> None:
    content = a_book(
        HEADER, [1, "A", an_id(1), 1, "5/2/2024"], [2, "B", an_id(2), 2, None], [3, "C", an_id(3), 3, None], merged=("E2:E3",)
    )
    assert [kind for kind, *_ in said(content)] == [LineKind.PAID, LineKind.PAID, LineKind.UNKNOWN]


def test_list_of_what_is_sent_back_says_so_in_its_title() -> None:
    content = a_book(["DANH SÁCH CHUYỂN HOÀN"], ["Mã chi trả", "Số tiền", "Ghi chú"], [an_id(1), 360_000, None])
    assert only(content).kind is LineKind.RETURNED


def test_what_cannot_be_read_is_a_line_with_a_fault_and_keeps_no_text() -> None:
    content = a_book(
        HEADER,
        [1, "A", "038203000000", 360_000, "5/2/2024"],
        [2, "B", an_id(2), "ba trăm nghìn", "5/2/2024"],
        [3, "C", an_id(3), 360_000, "hôm kia"],
    )
    lines = read(content).lines
    assert [(line.end_to_end_id, line.fault) for line in lines] == [
        (None, Fault.ID),
        (an_id(2), Fault.AMOUNT),
        (an_id(3), Fault.DATE),
    ]
    assert "038203000000" not in repr(lines)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (a_book(["Tên", "Tuổi"], ["A", 3]), StatementRefusal.NO_HEADER),
        (a_book(HEADER), StatementRefusal.NO_LINES),
        (
            a_book(HEADER, [1, "A", an_id(1), 360_000, "5/2/2024"], [None, "Tổng cộng", None, 360_001]),
            StatementRefusal.TOTALS_WRONG,
        ),
        (b"PK\x03\x04 broken", StatementRefusal.FILE_DAMAGED),
        (b"\x00\x01\x02", StatementRefusal.FORMAT_UNKNOWN),
        (b"no columns at all", StatementRefusal.FORMAT_UNKNOWN),
    ],
)
def test_list_that_is_refused(content: bytes, reason: StatementRefusal) -> None:
    assert refusal(content) is reason


def test_sandbox_and_reader_agree() -> None:
    assert [kind for kind, *_ in said(a_post_list())] == [LineKind.PAID, LineKind.PAID, LineKind.RETURNED, LineKind.RETURNED]


# --- any input -----------------------------------------------------------------------------------------------------------------

cells = st.one_of(
    st.none(), st.text(max_size=30), st.integers(-10, 10**12), st.floats(), st.booleans(), st.dates(), st.datetimes()
)


@given(cell=cells)
def test_any_cell_is_read_or_not(cell: object) -> None:
    assert typed_amount(cell) is None or typed_amount(cell) >= 0
    assert typed_id(cell) is None or len(typed_id(cell)) == END_TO_END_LENGTH
    typed_date(cell)


@given(vnd=st.integers(0, 10**12), mark=st.sampled_from([".", ",", " "]), ending=st.sampled_from(["", " đ", "đồng", " VND"]))
def test_amount_written_with_groups_is_itself(vnd: int, mark: str, ending: str) -> None:
    assert typed_amount(f"{vnd:,}".replace(",", mark) + ending) == vnd


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.lists(
            st.one_of(
                st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12),
                st.integers(0, 10**9),
            ),
            max_size=7,
        ),
        max_size=8,
    )
)
def test_any_sheet_under_a_header_is_read_or_refused(rows: list[list[object]]) -> None:
    refusal(a_book(HEADER, *rows))


@settings(deadline=None, max_examples=100)
@given(text=st.text(max_size=300))
def test_any_text_under_a_header_is_read_or_refused(text: str) -> None:
    refusal((";".join(HEADER) + "\n" + text).encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_damaged_workbook_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(a_post_list())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(4, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=10))
    refusal(bytes(content))
