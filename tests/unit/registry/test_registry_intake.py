"""Lists as they come: each bad one gives a message with row and column, good ones are read whatever their order and spelling."""

import tempfile
import zipfile
from datetime import date
from pathlib import Path

import pytest
from registry_workbooks import account, payroll, workbook

from services.registry.areas import Areas
from services.registry.banks import BankNames
from services.registry.columns import Column
from services.registry.intake import Totals
from services.registry.intake_accounts import AccountsReader
from services.registry.intake_payroll import PayrollReader
from services.registry.refusals import ADVICE, FileReason, NotAList, RowNote, RowReason
from services.registry.sheets import lines_of, open_list
from services.registry.statements import Enrol, RegisterAccount
from shared.words import Wish

TODAY = date(2024, 1, 20)
AREAS, BANKS = Areas.from_files(), BankNames.from_file()


def read(body):
    return taken(PayrollReader(AREAS, BANKS, period="2024-02", payer="huyen-444", today=TODAY), body)


def read_accounts(body):
    return taken(AccountsReader(AREAS, BANKS, payer="huyen-444", today=TODAY), body)


def taken(reader, body):
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        return reader.part(list(lines_of(open_list(Path(file.name), reader.needs))))


def only(body):
    rows = read(body).rows
    assert len(rows) == 1
    return rows[0]


def problems(**cells):
    return [(p.column, p.reason) for p in only(workbook([payroll(**cells)])).problems]


def refused(body):
    with pytest.raises(NotAList) as caught:
        read(body)
    return caught.value


# --- files that are no list --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", FileReason.FILE_EMPTY), (b" \n", FileReason.FILE_EMPTY), (b"%PDF-1.7\n...", FileReason.FILE_IS_PDF),
     (b"\xef\xbb\xbf%PDF-1.4"[3:], FileReason.FILE_IS_PDF), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileReason.FILE_NOT_EXCEL),
     (b"STT,Ho ten\n1,A", FileReason.HEADER_NOT_FOUND), (b"MZ\x00\x01", FileReason.FILE_NOT_EXCEL),
     (b"PK\x03\x04broken", FileReason.FILE_NOT_EXCEL)],
)  # fmt: skip
def test_a_file_is_known_by_its_bytes(body, reason):
    found = refused(body)
    assert found.reason is reason
    assert found.advice.startswith(ADVICE[reason])


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    assert refused(path.read_bytes()).reason is FileReason.FILE_NOT_EXCEL


def test_wrong_header_names_what_is_missing():
    found = refused(workbook([{"STT": 1, "Họ và tên": "A", "Xã/thị trấn": "Xã Hà Linh", "Mức trợ cấp tháng": 1}]))
    assert found.reason is FileReason.HEADER_INCOMPLETE
    assert "Dòng 1" in found.where
    assert "Mã nhóm" in found.where


def test_no_header_at_all_says_which_columns_are_needed():
    found = refused(workbook([["Nguyễn Thị Hòa", 1949, 360_000]], header=["A", "B", "C"]))
    assert found.reason is FileReason.HEADER_NOT_FOUND
    assert "Họ và tên" in found.where
    assert "Hòa" not in found.advice


def test_one_content_in_two_columns_is_refused():
    header = [*payroll(), "Số CCCD"]
    assert refused(workbook([payroll()], header=header)).reason is FileReason.HEADER_TWICE


@pytest.mark.parametrize("row", [1, 3, 20])
def test_the_header_may_stand_lower(row):
    intake = read(workbook([payroll()], header_row=row))
    assert intake.rows[0].row_no == row + 1
    assert intake.rows[0].row_no == row + 1
    assert intake.rows[0].act is not None


def test_a_header_below_row_20_is_not_found():
    assert refused(workbook([payroll()], header_row=21)).reason is FileReason.HEADER_NOT_FOUND


def test_a_header_alone_has_no_rows():
    assert refused(workbook([])).reason is FileReason.NO_ROWS


def test_columns_may_stand_in_any_order_and_spelling():
    words = {"Họ tên": "Lê Văn Á", "SỐ CCCD": "042049990002", "Năm sinh": 1949, "xã phường": "Ha Linh", "MÃ ĐỐI TƯỢNG": "bt-5C",
             "Mức  hưởng": "360.000 đ"}  # fmt: skip
    act = only(workbook([dict(reversed(words.items()))])).act
    assert isinstance(act, Enrol)
    assert (act.area, act.line.benefit_code, act.line.monthly_vnd) == ("18502", "BT-5c", 360_000)


# --- rows --------------------------------------------------------------------------------------------------------------------------


def test_a_whole_row_becomes_an_enrolment():
    taken = only(workbook([payroll(**{
        "Kinh phí chăm sóc": 360_000, "Kỳ truy lĩnh": "12/2023, 01/2024", "Số tiền truy lĩnh": 720_000, "Tổng cộng": 1_440_000,
        "Hình thức chi trả": "Tài khoản", "Ngân hàng": "Agribank", "Số tài khoản": "3709000000001", "Tên chủ tài khoản": "NGUYEN THI HOA",
        "Người nhận thay": "Lê Thị Bé", "Số giấy ủy quyền": "UQ-001/2023", "Lý do bất khả kháng": "Già yếu, không tự đi lại được",
    })]))  # fmt: skip
    act = taken.act
    assert isinstance(act, Enrol)
    assert act.line.declared_vnd == 1_440_000
    assert act.line.arrears is not None
    assert act.line.arrears.periods == ("2023-12", "2024-01")
    assert act.personal.account is not None
    assert act.personal.account.bank_bin == "970405"
    assert act.personal.collector is not None
    assert act.personal.collector.paper_number == "UQ-001/2023"
    assert act.personal.cannot_reason == "R_WEAK"
    assert act.personal.phone == "+84912000001"
    assert taken.notes == ()


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [({"Số định danh/CCCD": "4.2E+10"}, Column.NUMBER, RowReason.NUMBER_SCIENTIFIC),
     ({"Số định danh/CCCD": 4.2e10}, Column.NUMBER, RowReason.NUMBER_ZEROS_LOST),
     ({"Số định danh/CCCD": "12345"}, Column.NUMBER, RowReason.NUMBER_BAD),
     ({"Ngày sinh": "31/02/1949"}, Column.BIRTH, RowReason.DATE_BAD),
     ({"Mức trợ cấp tháng": "ba trăm"}, Column.MONTHLY, RowReason.MONEY_BAD),
     ({"Mức trợ cấp tháng": None, "Tổng cộng": None}, Column.MONTHLY, RowReason.MISSING),
     ({"Mã nhóm": "BT-99"}, Column.CODE, RowReason.CODE_UNKNOWN),
     ({"Xã/thị trấn": "Xã Không Có"}, Column.AREA, RowReason.AREA_UNKNOWN),
     ({"Tổng cộng": 360_001}, Column.TOTAL, RowReason.SUM_DIFFERS),
     ({"Số tiền truy lĩnh": 360_000, "Tổng cộng": 720_000}, Column.ARREARS_PERIODS, RowReason.OWED_INCOMPLETE),
     ({"Kỳ chưa nhận": "12/2023"}, Column.UNPAID, RowReason.OWED_INCOMPLETE),
     ({"Họ và tên": None}, Column.NAME, RowReason.MISSING),
     ({"Hình thức chi trả": "Chim bồ câu"}, Column.CHANNEL, RowReason.WORD_UNKNOWN),
     ({"Số định danh/CCCD": None, "Ngày sinh": None}, Column.NUMBER, RowReason.IDENTITY_TOO_THIN)],
)  # fmt: skip
def test_a_bad_cell_is_told_by_column_and_rule(cells, column, reason):
    assert (column, reason) in problems(**cells)


def test_a_refused_row_never_quotes_its_values():
    intake = read(workbook([payroll(**{"Số định danh/CCCD": "4.2E+10", "Mã nhóm": "BÍ MẬT"})]))
    told = " ".join(f"{p.column} {ADVICE[p.reason]}" for p in intake.rows[0].problems)
    assert "Số định danh/CCCD" in told
    assert "BÍ MẬT" not in told


def test_a_bad_phone_costs_the_phone_alone():
    taken = only(workbook([payroll(**{"Số điện thoại": "123"})]))
    assert isinstance(taken.act, Enrol)
    assert taken.act.personal.phone is None
    assert taken.notes == (RowNote.PHONE_DROPPED,)


def test_a_bad_account_costs_the_account_alone():
    taken = only(
        workbook([payroll(**{"Hình thức chi trả": "Tài khoản", "Ngân hàng": "Ngân hàng Trên Mây", "Số tài khoản": "1"})])
    )
    assert isinstance(taken.act, Enrol)
    assert taken.act.personal.account is None
    assert taken.notes == (RowNote.ACCOUNT_DROPPED,)


def test_an_empty_row_a_heading_and_a_signature_are_no_rows():
    intake = read(workbook([["I. Xã Hà Linh"], payroll(), [], payroll(STT=2), ["", "Người lập biểu"]], header=list(payroll())))
    assert [row.row_no for row in intake.rows] == [3, 5]
    assert intake.remarks == (2, 6)


def test_a_numbered_row_with_a_name_alone_is_a_refused_row_not_a_heading():
    intake = read(workbook([payroll(), [2, "Lê Thị Quên"]], header=list(payroll())))
    assert len(intake.rows) == 2
    assert intake.rows[1].problems


def test_the_totals_row_is_compared_and_not_paid():
    totals = dict.fromkeys(payroll()) | {"Họ và tên": "TỔNG CỘNG", "Mức trợ cấp tháng": 720_000, "Tổng cộng": 720_001}
    intake = read(workbook([payroll(), payroll(STT=2), totals]))
    assert len(intake.rows) == 2
    assert intake.totals == (Totals(4, (Column.TOTAL,)),)


# --- account lists -------------------------------------------------------------------------------------------------------------------


def test_an_account_row_becomes_a_registration():
    taken = read_accounts(workbook([account(**{"Nguyện vọng nhận qua": "Bưu điện"})])).rows[0]
    assert isinstance(taken.act, RegisterAccount)
    assert taken.act.wish is Wish.POST
    assert taken.act.personal.account is not None
    assert taken.act.personal.account.number == "3709000000001"


@pytest.mark.parametrize(
    ("cells", "number", "note"),
    [({"Ngân hàng": "LPBank", "Số tài khoản": "99000000001"}, "099000000001", RowNote.ACCOUNT_REPAIRED),
     ({"Ngân hàng": "Vietcombank", "Số tài khoản": 99_000_000_001}, "0099000000001", RowNote.ACCOUNT_REPAIRED),
     ({"Ngân hàng": "MB", "Số tài khoản": 999_000_001}, "999000001", RowNote.ACCOUNT_AS_NUMBER),
     ({"Ngân hàng": None, "Mã BIN": "970405", "Số tài khoản": 3_709_000_000_001}, "3709000000001", None)],
)  # fmt: skip
def test_zeros_of_an_account_come_back_only_where_the_bank_has_one_length(cells, number, note):
    taken = read_accounts(workbook([account(**cells)])).rows[0]
    assert isinstance(taken.act, RegisterAccount)
    assert taken.act.personal.account is not None
    assert taken.act.personal.account.number == number
    assert taken.notes == ((note,) if note else ())


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [({"Ngân hàng": "Ngân hàng Trên Mây"}, Column.BANK, RowReason.BANK_UNKNOWN), ({"Mã BIN": "97"}, Column.BIN, RowReason.BANK_UNKNOWN),
     ({"Số tài khoản": "37/09"}, Column.ACCOUNT, RowReason.ACCOUNT_BAD), ({"Số tài khoản": None}, Column.ACCOUNT, RowReason.ACCOUNT_BAD),
     ({"Tên chủ tài khoản": " "}, Column.HOLDER, RowReason.MISSING), ({"Nguyện vọng nhận qua": "?"}, Column.WISH, RowReason.WORD_UNKNOWN)],
)  # fmt: skip
def test_a_bad_account_row_is_told_by_column_and_rule(cells, column, reason):
    taken = read_accounts(workbook([account(**cells)])).rows[0]
    assert (column, reason) in [(p.column, p.reason) for p in taken.problems]


@pytest.mark.parametrize(
    ("cells", "area", "reason"),
    [({}, None, None), ({"Số định danh/CCCD": None}, "18502", None), ({"Số định danh/CCCD": None, "Xã/thị trấn": None}, None, None),
     ({"Số định danh/CCCD": None, "Xã/thị trấn": "Xã Không Có"}, None, RowReason.AREA_UNKNOWN),
     ({"Số định danh/CCCD": None, "Xã/thị trấn": "18754"}, None, RowReason.AREA_NOT_OF_PAYER),
     ({"Xã/thị trấn": "Xã Không Có"}, None, None)],
)  # fmt: skip
def test_an_account_row_without_a_number_says_in_which_commune(cells, area, reason):
    row = read_accounts(workbook([account(**cells)])).rows[0]
    assert [(problem.column, problem.reason) for problem in row.problems] == ([(Column.AREA, reason)] if reason else [])
    assert reason or (isinstance(row.act, RegisterAccount) and (row.act.payer, row.act.area) == ("huyen-444", area))
