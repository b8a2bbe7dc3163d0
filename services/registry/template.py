"""An empty list to fill in: the header our reader knows, numbers kept as text, a second sheet that says what each column wants, a third
with the benefit codes. Pure but for the bytes it makes.
"""

from __future__ import annotations

import io

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from services.registry.benefit_codes import written_codes
from services.registry.columns import ACCOUNTS_NEED, PAYROLL_NEEDS, Column
from shared.words import Programme

_PAYROLL = (
    Column.ROW, Column.NAME, Column.BIRTH, Column.SEX, Column.NUMBER, Column.OLD_NUMBER, Column.HAMLET, Column.AREA, Column.PHONE,
    Column.CODE, Column.COEFFICIENT, Column.MONTHLY, Column.CARER, Column.ARREARS_PERIODS, Column.ARREARS, Column.ONE_OFF,
    Column.UNPAID_PERIODS, Column.UNPAID, Column.TOTAL, Column.CHANNEL, Column.BANK, Column.ACCOUNT, Column.HOLDER, Column.COLLECTOR,
    Column.PAPER, Column.PAPER_FROM, Column.PAPER_UNTIL, Column.SCOPE, Column.CANNOT, Column.NOTE,
)  # fmt: skip
_ACCOUNTS = (
    Column.ROW, Column.NAME, Column.BIRTH, Column.NUMBER, Column.AREA, Column.BANK, Column.BIN, Column.ACCOUNT, Column.HOLDER,
    Column.RELATION, Column.PAPER, Column.PAPER_FROM, Column.PAPER_UNTIL, Column.WISH, Column.REGISTERED, Column.NOTE,
)  # fmt: skip
KINDS = {"payroll": (_PAYROLL, PAYROLL_NEEDS), "accounts": (_ACCOUNTS, ACCOUNTS_NEED)}
_MONEY = {Column.MONTHLY, Column.CARER, Column.ARREARS, Column.ONE_OFF, Column.UNPAID, Column.TOTAL}
_WORDS = {
    Column.SEX: ["Nam", "Nữ"],
    Column.CHANNEL: ["Tài khoản", "Điểm bưu điện", "Tại nhà"],
    Column.WISH: ["Tài khoản", "Bưu điện"],
    Column.SCOPE: ["Tiền mặt", "Tài khoản", "Cả hai"],
}
_SAYS = {
    Column.BIRTH: "dd/mm/yyyy, mm/yyyy hoặc chỉ năm sinh.",
    Column.NUMBER: "12 chữ số; ô định dạng Văn bản để không mất số 0 ở đầu.",
    Column.OLD_NUMBER: "CMND cũ 9 chữ số, nếu có.",
    Column.AREA: "Tên hoặc mã 5 chữ số của xã, phường, thị trấn vào kỳ của danh sách.",
    Column.CODE: "Một mã của trang Mã nhóm, ví dụ BT-5c, NCC-TB-61, HT-1.",
    Column.COEFFICIENT: "Ví dụ 1,5.",
    Column.ARREARS_PERIODS: "mm/yyyy, nhiều kỳ cách nhau bằng dấu phẩy; phải có cùng số tiền.",
    Column.UNPAID_PERIODS: "mm/yyyy, nhiều kỳ cách nhau bằng dấu phẩy; phải có cùng số tiền.",
    Column.TOTAL: "Bằng tổng các khoản của dòng.",
    Column.BIN: "6 chữ số của ngân hàng; hoặc ghi tên ở cột Ngân hàng.",
    Column.PAPER: "Của giấy có xã hoặc công chứng xác nhận; tài khoản của người khác chỉ dùng được khi có giấy.",
    Column.PAPER_FROM: "dd/mm/yyyy.",
    Column.PAPER_UNTIL: "dd/mm/yyyy, kể cả ngày này; để trống nếu không có hạn.",
    Column.ACCOUNT: "Chữ và số, tối đa 30 ký tự; ô định dạng Văn bản.",
}
_PROGRAMME = {
    Programme.SOCIAL_ASSISTANCE: "Trợ cấp bảo trợ xã hội",
    Programme.MERIT: "Người có công",
    Programme.SOCIAL_PENSION: "Trợ cấp hưu trí xã hội",
}
ROWS = 5_000


def workbook_of(kind: str) -> bytes:
    """The template of a list of this kind, as XLSX."""
    columns, needs = KINDS[kind]
    needed = {column for need in needs for column in need}
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    header = book.add_format({"bold": True, "text_wrap": True, "border": 1, "valign": "top"})
    text, money = book.add_format({"num_format": "@"}), book.add_format({"num_format": "#,##0"})
    sheet, guide = book.add_worksheet("Danh sách"), book.add_worksheet("Hướng dẫn")
    for index, column in enumerate(columns):
        sheet.set_column(index, index, 18, money if column in _MONEY else text)
        sheet.write_string(0, index, str(column), header)
        if column in _WORDS:
            sheet.data_validation(1, index, ROWS, index, {"validate": "list", "source": _WORDS[column], "ignore_blank": True})
        guide.write_row(index + 1, 0, [str(column), "Bắt buộc" if column in needed else "", _said(column)])
    sheet.freeze_panes(1, 2)
    guide.write_row(0, 0, ["Cột", "", "Cách ghi"], header)
    guide.set_column(0, 2, 40)
    if Column.CODE in columns:
        _add_codes(book.add_worksheet("Mã nhóm"), header)
    book.close()
    return target.getvalue()


def _add_codes(sheet: Worksheet, header: Format) -> None:
    sheet.write_row(0, 0, ["Mã nhóm", "Loại"], header)
    for row, (code, programme) in enumerate(written_codes(), start=1):
        sheet.write_row(row, 0, [code, _PROGRAMME[programme]])
    sheet.set_column(0, 1, 40)


def _said(column: Column) -> str:
    if column in _WORDS:
        return " / ".join(_WORDS[column])
    return _SAYS.get(column, "Số đồng nguyên." if column in _MONEY else "")
