"""Lists as CSV: any spelling an office writes is read back, and an ugly one is refused by row, column and rule before anything is taken."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_workbooks import PAYROLL, account, payroll

from services.registry.areas import Areas
from services.registry.banks import BankNames
from services.registry.columns import PAYROLL_NEEDS, Column
from services.registry.delimited import escaped, open_delimited, unescaped, write_returned
from services.registry.import_report import HEADINGS
from services.registry.intake import Totals
from services.registry.intake_accounts import AccountsReader
from services.registry.intake_payroll import PayrollReader
from services.registry.refusals import ADVICE, FileReason, NotAList, RowReason
from services.registry.sheets import lines_of, open_list
from services.registry.statements import Enrol

TODAY = date(2024, 1, 20)
HEADER = list(PAYROLL)
FORMULAS = ("=1+1", "+84912", "-5", "@x", "\tx", "'=1", "''+")
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12) | st.sampled_from(FORMULAS)


def written(rows, *, separator=",", encoding="utf-8", header=HEADER, ends="\r\n"):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=ends)
    writer.writerow(header)
    writer.writerows([row.get(word) for word in header] if isinstance(row, dict) else row for row in rows)
    return text.getvalue().encode(encoding)


@pytest.fixture
def at(tmp_path):
    def put(body):
        path = tmp_path / "list"
        path.write_bytes(body)
        return path

    return put


def taken(path, reader=None):
    reader = reader or PayrollReader(Areas.from_files(), BankNames.from_file(), period="2024-02", payer="huyen-444", today=TODAY)
    return reader.part(list(lines_of(open_list(path, reader.needs))))


def refusal(path):
    with pytest.raises(NotAList) as caught:
        taken(path)
    assert caught.value.advice.startswith(ADVICE[caught.value.reason])
    return caught.value.reason, caught.value.where


def problems(path):
    return [(row.row_no, problem.column, problem.reason) for row in taken(path).rows for problem in row.problems]


# --- what offices write -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_every_separator_mark_and_line_end_reads_the_same(at, separator, encoding, ends):
    part = taken(at(written([payroll()], separator=separator, encoding=encoding, ends=ends)))
    assert [row.problems for row in part.rows] == [()]
    act = part.rows[0].act
    assert isinstance(act, Enrol)
    assert (act.personal.identity.personal_number, act.line.declared_vnd) == ("042149990001", 360_000)


def test_titles_above_the_header_and_a_line_that_names_the_separator(at):
    body = b"sep=;\r\nDANH SACH;CHI TRA\r\n\r\n" + written([payroll(), payroll(STT=2)], separator=";")
    assert [row.row_no for row in taken(at(body)).rows] == [5, 6]


def test_a_cell_with_separator_quotes_and_a_line_break(at):
    (row,) = taken(at(written([payroll(**{"Thôn/tổ dân phố": 'Thôn "3",\nxóm 2'})]))).rows
    assert row.act.personal.delivery.hamlet == 'Thôn "3", xóm 2'


def test_numbers_as_offices_print_them(at):
    cells = {"Mức trợ cấp tháng": "360.000", "Hệ số": "1,0", "Tổng cộng": "360.000 đ", "Số định danh/CCCD": "'042149990001"}
    (row,) = taken(at(written([payroll(**cells)], separator=";"))).rows
    assert (row.problems, row.act.line.declared_vnd, row.act.line.coefficient_hundredths) == ((), 360_000, 100)


def test_an_account_list(at):
    reader = AccountsReader(Areas.from_files(), BankNames.from_file(), payer="huyen-444", today=TODAY)
    (row,) = taken(at(written([account()], header=list(account()))), reader).rows
    assert row.act.personal.account.number == "3709000000001"


def test_totals_of_communes_and_of_all(at):
    total = dict.fromkeys(PAYROLL) | {"Họ và tên": "Cộng"}
    one, both = total | {"Tổng cộng": 360_000}, total | {"Tổng cộng": 720_000}
    part = taken(at(written([payroll(), one, payroll(STT=2), one, both, both | {"Tổng cộng": 1}])))
    assert part.totals == (Totals(3, ()), Totals(5, ()), Totals(6, ()), Totals(7, (Column.TOTAL,)))


# --- what comes back --------------------------------------------------------------------------------------------------------------


@given(st.lists(st.lists(texts, min_size=4, max_size=4), max_size=6), st.sampled_from([",", ";", "\t"]))
def test_any_of_our_rows_reads_back_from_the_returned_list(tmp_path_factory, rows, separator):
    folder = tmp_path_factory.mktemp("returned")
    header = ["Họ và tên", "Xã/thị trấn", "Mã nhóm", "Mức trợ cấp tháng"]
    (folder / "in").write_bytes(written([[escaped(cell) for cell in row] for row in rows], separator=separator, header=header))
    source = open_delimited(folder / "in", PAYROLL_NEEDS)
    assert [row for _, row in source.rows()][1:] == rows
    write_returned(
        source, iter([(number, "Đã nhận", "=x") for number in range(2, len(rows) + 2)]), folder / "out", headings=HEADINGS
    )
    again = open_delimited(folder / "out", PAYROLL_NEEDS)
    assert [row for _, row in again.rows()] == [[*header, *HEADINGS], *([*row, "Đã nhận", "=x"] for row in rows)]


@given(texts)
def test_what_would_run_as_a_formula_is_escaped_and_taken_back(cell):
    assert unescaped(escaped(cell)) == cell
    assert not escaped(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_only_a_cell_that_was_escaped_is_taken_back(tmp_path):
    (tmp_path / "in").write_bytes(written([["'=1", "=2", "it's", *HEADER[3:]]]))
    rows = [row for _, row in open_delimited(tmp_path / "in", PAYROLL_NEEDS).rows()]
    assert rows[1][:3] == ["=1", "=2", "it's"]


# --- ugly ones --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "named"), [("utf-16", "UTF-16"), ("cp1258", "Windows-1258")])
def test_an_encoding_that_is_sure_is_converted(at, encoding, named):
    header = ["Ho va ten", "Xa", "Ma nhom", "Muc huong"]
    body = written([["Đàm Vân", "Hà Linh", "BT-5c", 1]], header=header).decode()
    opened = open_delimited(at(body.encode(encoding)), PAYROLL_NEEDS)
    assert opened.written_in == named
    assert next(row for number, row in opened.rows() if number == 2)[:2] == ["Đàm Vân", "Hà Linh"]


def test_an_encoding_nobody_is_sure_of_is_refused_by_its_name(at):
    header = ["Ho va ten", "Xa", "Ma nhom", "Muc huong"]
    body = written([["Jos\xe9 \xc5ngstr\xf6m \xdfen", "Ha Linh", "BT-5c", 1]], header=header).decode()
    assert refusal(at(body.encode("cp1252"))) == (FileReason.FILE_NOT_UTF8, "Dòng 2; tệp có vẻ ghi bằng CP1258.")
    assert refusal(at(body.encode("utf-16-le")))[0] is FileReason.FILE_NOT_EXCEL


def test_a_broken_byte_is_named_by_its_line(at):
    body = written([payroll(STT=n) for n in range(1, 9)])
    lines = body.split(b"\r\n")
    lines[6] = lines[6].replace("Hòa".encode(), b"H\xf2a")
    assert refusal(at(b"\r\n".join(lines))) == (FileReason.FILE_NOT_UTF8, "Dòng 7.")
    assert refusal(at(body + b"\xc4"))[0] is FileReason.FILE_NOT_UTF8


@pytest.mark.parametrize(("broken", "line"), [('"Thôn 3', 3), ('"Thôn 3"x', 3)])
def test_quotes_that_do_not_close(at, broken, line):
    body = written([payroll()]) + f"2,{broken},1949".encode() + b",\r\n3,x,y\r\n"
    assert refusal(at(body)) == (FileReason.FILE_QUOTES, f"Dòng {line}.")


def test_a_row_with_too_many_cells_is_refused_and_the_others_are_taken(at):
    shifted = [payroll()[word] for word in HEADER]
    shifted[6:7] = ["Thôn 3", "xóm 2"]
    shifted[-1] = "x"
    path = at(written([payroll(), shifted, payroll(STT=3)]))
    assert problems(path) == [(3, Column.ROW, RowReason.CELLS_TOO_MANY)]
    assert [bool(row.act) for row in taken(path).rows] == [True, False, True]


def test_a_row_cut_short_misses_its_cells(at):
    assert (3, Column.AREA, RowReason.MISSING) in problems(at(written([payroll(), ["2", "Lê Văn Tám", "1950", "Nam"]])))


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"a,b,c\r\n1,2,3\r\n", FileReason.HEADER_NOT_FOUND), (written([]), FileReason.NO_ROWS),
     (written([payroll()], header=HEADER[:9]), FileReason.HEADER_INCOMPLETE),
     (written([payroll()], header=[*HEADER, "Họ tên"]), FileReason.HEADER_TWICE),
     (written([payroll()], separator="|"), FileReason.HEADER_NOT_FOUND)],
)  # fmt: skip
def test_a_file_without_a_list(at, body, reason):
    assert refusal(at(body))[0] is reason


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [({"Số định danh/CCCD": "4.2E+10"}, Column.NUMBER, RowReason.NUMBER_SCIENTIFIC),
     ({"Mức trợ cấp tháng": "360,5"}, Column.MONTHLY, RowReason.MONEY_BAD), ({"Ngày sinh": "31/02/1949"}, Column.BIRTH, RowReason.DATE_BAD),
     ({"Xã/thị trấn": "Atlantis"}, Column.AREA, RowReason.AREA_UNKNOWN), ({"Họ và tên": "=1+1"}, Column.NAME, RowReason.TEXT_BAD)],
)  # fmt: skip
def test_a_bad_cell_is_named_by_row_column_and_rule(at, cells, column, reason):
    assert (3, column, reason) in problems(at(written([payroll(), payroll(STT=2, **cells)])))
