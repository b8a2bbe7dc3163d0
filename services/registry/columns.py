"""The columns of both lists: what officers call them, and how a header row is found. Pure.

No official form was found (domain 2.3): columns are recognised by words, without accents, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from services.registry.cells import Cell, folded
from services.registry.refusals import FileReason, NotAList

HEADER_ROWS_MAX = 20
HEADER_LENGTH_MAX = 80
_ENOUGH = 3  # a row with fewer known words is no header


class Column(StrEnum):
    """One column; the value is the name we print."""

    ROW = "STT"
    NAME = "Họ và tên"
    BIRTH = "Ngày sinh"
    SEX = "Giới tính"
    NUMBER = "Số định danh/CCCD"
    OLD_NUMBER = "Số CMND cũ"
    HAMLET = "Thôn/tổ dân phố"
    AREA = "Xã/thị trấn"
    PHONE = "Số điện thoại"
    CODE = "Mã nhóm"
    COEFFICIENT = "Hệ số"
    MONTHLY = "Mức trợ cấp tháng"
    CARER = "Kinh phí chăm sóc"
    ARREARS_PERIODS = "Kỳ truy lĩnh"
    ARREARS = "Số tiền truy lĩnh"
    ONE_OFF = "Trợ cấp một lần"
    UNPAID_PERIODS = "Kỳ chưa nhận"
    UNPAID = "Số tiền kỳ trước chưa nhận"
    TOTAL = "Tổng cộng"
    CHANNEL = "Hình thức chi trả"
    BANK = "Ngân hàng"
    BIN = "Mã BIN"
    ACCOUNT = "Số tài khoản"
    HOLDER = "Tên chủ tài khoản"
    COLLECTOR = "Người nhận thay"
    COLLECTOR_NUMBER = "Số định danh người nhận thay"
    PAPER = "Số giấy ủy quyền"
    PAPER_FROM = "Ủy quyền từ ngày"
    PAPER_UNTIL = "Ủy quyền đến ngày"
    SCOPE = "Phạm vi ủy quyền"
    CANNOT = "Lý do bất khả kháng"
    RELATION = "Quan hệ với người hưởng"
    WISH = "Nguyện vọng nhận qua"
    REGISTERED = "Ngày đăng ký"
    POVERTY = "Diện hộ"
    REQUEST = "Đơn đề nghị"
    STUDYING = "Đang đi học"
    OTHER_PENSION = "Lương hưu, trợ cấp BHXH"
    EVENT = "Biến động"
    EVENT_FROM = "Biến động từ ngày"
    EVENT_UNTIL = "Biến động đến ngày"
    SIGNATURE = "Ký nhận"
    NOTE = "Ghi chú"


_OTHER_WORDS: Mapping[Column, tuple[str, ...]] = {
    Column.ROW: ("so tt", "tt", "so thu tu"),
    Column.NAME: ("ho ten", "ho va ten nguoi huong", "ho ten nguoi huong", "ten nguoi huong", "ho va ten doi tuong", "ho ten doi tuong"),
    Column.BIRTH: ("nam sinh", "ngay thang nam sinh", "ngay sinh nam sinh", "ngay sinh hoac nam sinh"),
    Column.SEX: ("nam nu", "gioi"),
    Column.NUMBER: (
        "so dinh danh", "cccd", "so cccd", "so can cuoc", "so can cuoc cong dan", "so dinh danh ca nhan", "ma dinh danh", "can cuoc",
        "so cccd so dinh danh", "so dinh danh cccd cmnd", "so cccd cmnd", "cccd cmnd",
    ),
    Column.OLD_NUMBER: ("so cmnd", "cmnd", "cmnd cu", "so chung minh nhan dan", "cmnd 9 so"),
    Column.HAMLET: ("thon", "thon to", "thon xom", "to dan pho", "thon to dan pho khoi", "xom"),
    Column.AREA: ("xa", "xa phuong", "xa phuong thi tran", "xa thi tran phuong", "don vi xa"),
    Column.PHONE: ("dien thoai", "sdt", "so dt", "dt"),
    Column.CODE: ("ma doi tuong", "nhom doi tuong", "ma nhom doi tuong", "ma tro cap", "loai tro cap"),
    Column.MONTHLY: ("muc tro cap", "muc huong", "tro cap thang", "so tien thang", "muc tro cap hang thang", "tro cap hang thang"),
    Column.CARER: ("kinh phi cham soc nuoi duong", "tien cham soc", "ho tro cham soc"),
    Column.ARREARS_PERIODS: ("thang truy linh", "ky truy linh thang"),
    Column.ARREARS: ("truy linh", "tien truy linh"),
    Column.ONE_OFF: ("mot lan", "mai tang phi", "mai tang phi mot lan"),
    Column.UNPAID_PERIODS: ("thang chua nhan", "ky truoc chua nhan"),
    Column.UNPAID: ("chua nhan ky truoc", "so tien chua nhan", "tien chua nhan"),
    Column.TOTAL: ("tong so tien", "tong tien", "cong", "tong", "thuc linh", "so tien duoc nhan"),
    Column.CHANNEL: ("hinh thuc nhan", "hinh thuc", "phuong thuc chi tra"),
    Column.BANK: ("ten ngan hang", "ngan hang mo tai khoan", "nh"),
    Column.BIN: ("bin", "ma ngan hang"),
    Column.ACCOUNT: ("so tk", "stk", "tai khoan", "so tai khoan ngan hang"),
    Column.HOLDER: ("chu tai khoan", "ten tai khoan", "ten chu tk", "chu tk"),
    Column.COLLECTOR: ("nguoi nhan ho", "nguoi duoc uy quyen", "ho ten nguoi nhan thay"),
    Column.COLLECTOR_NUMBER: ("cccd nguoi nhan thay", "so cccd nguoi nhan thay"),
    Column.PAPER: ("giay uy quyen", "so giay to uy quyen"),
    Column.PAPER_FROM: ("hieu luc uy quyen tu ngay", "uy quyen tu"),
    Column.PAPER_UNTIL: ("hieu luc uy quyen den ngay", "uy quyen den"),
    Column.SCOPE: ("noi dung uy quyen", "uy quyen nhan qua"),
    Column.CANNOT: ("bat kha khang", "ly do khong mo duoc tai khoan"),
    Column.RELATION: ("quan he",),
    Column.WISH: ("nguyen vong", "nguyen vong nhan", "hinh thuc nhan mong muon"),
    Column.POVERTY: ("ho ngheo can ngheo", "dien ho ngheo"),
    Column.REQUEST: ("don de nghi huong",),
    Column.STUDYING: ("dang hoc", "di hoc"),
    Column.OTHER_PENSION: ("luong huu", "tro cap bhxh"),
    Column.EVENT: ("bien dong doi tuong",),
    Column.EVENT_FROM: ("tu ngay",),
    Column.EVENT_UNTIL: ("den ngay",),
    Column.SIGNATURE: ("ky ten", "chu ky"),
}  # fmt: skip

_BY_WORD = {folded(column): column for column in Column} | {
    folded(word): column for column, words in _OTHER_WORDS.items() for word in words
}

Said = Mapping[str, Column | None]
"""By the folded word of a header: the column it means, None for one that is left aside."""
NOTHING_SAID: Said = {}

PAYROLL_NEEDS = ((Column.NAME,), (Column.AREA,), (Column.CODE,), (Column.MONTHLY,))
ACCOUNTS_NEED = ((Column.NAME,), (Column.NUMBER, Column.BIRTH), (Column.ACCOUNT,), (Column.HOLDER,), (Column.BANK, Column.BIN))
"""Columns a list cannot do without; of alternatives one is enough."""


def find_header(
    rows: Sequence[Sequence[Cell]], needs: Sequence[tuple[Column, ...]], said: Said = NOTHING_SAID
) -> tuple[int, dict[Column, int]]:
    """(row number from 1, column -> index): the row among the first 20 that names most columns. Raises NotAList.

    `said`: what an office calls its columns, saved once; it comes before the words everybody uses.
    """
    best_row, best = 0, dict[Column, int]()
    for number, row in enumerate(rows[:HEADER_ROWS_MAX], start=1):
        named = _named(row, said)
        if len(named) > len(best):
            best_row, best = number, named
    if len(best) < _ENOUGH:
        raise NotAList(FileReason.HEADER_NOT_FOUND, _template(needs))
    missing = [" / ".join(need) for need in needs if not set(need) & best.keys()]
    if missing:
        raise NotAList(FileReason.HEADER_INCOMPLETE, f"Dòng {best_row}: thiếu cột {'; '.join(missing)}.")
    _refuse_twins(rows[best_row - 1], best_row, said)
    return best_row, best


def meant(word: str) -> Column | None:
    """The column that a word in a header means to everybody; None for no such word."""
    return _BY_WORD.get(folded(word))


def means(cell: Cell, column: Column) -> bool:
    """Whether a cell is a word for a column."""
    return _column(cell, NOTHING_SAID) is column


def _named(row: Sequence[Cell], said: Said) -> dict[Column, int]:
    found: dict[Column, int] = {}
    for index, cell in enumerate(row):
        column = _column(cell, said)
        if column is not None:
            found.setdefault(column, index)
    return found


def _column(cell: Cell, said: Said) -> Column | None:
    if not isinstance(cell, str) or len(cell) > HEADER_LENGTH_MAX:
        return None
    word = folded(cell)
    return said[word] if word in said else _BY_WORD.get(word)


def _refuse_twins(row: Sequence[Cell], number: int, said: Said) -> None:
    named = [_column(cell, said) for cell in row]
    twins = sorted({column for column in named if column is not None and named.count(column) > 1})
    if twins:
        raise NotAList(FileReason.HEADER_TWICE, f"Dòng {number}: {'; '.join(twins)}.")


def _template(needs: Sequence[tuple[Column, ...]]) -> str:
    return f"Cần ít nhất các cột: {'; '.join(' / '.join(need) for need in needs)}."
