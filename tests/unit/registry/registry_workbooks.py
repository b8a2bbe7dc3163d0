"""Small workbooks as offices write them; all SYNTHETIC."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import xlsxwriter

from services.registry.account_ranks import AccountRanks
from services.registry.areas import Areas
from services.registry.cells import folded
from services.registry.keying import Keys
from services.registry.matching import FULL
from services.registry.person import Place
from shared.events import DeclaredLine
from shared.names import plain_key
from shared.personal import Identity
from shared.words import Programme

AREAS = Areas.from_files()
RANKS = AccountRanks.from_file().on(date(2024, 1, 20))
PAYROLL = {
    "STT": 1, "Họ và tên": "Nguyễn Thị Hòa", "Ngày sinh": "02/03/1949", "Giới tính": "Nữ", "Số định danh/CCCD": "042149990001",
    "Số CMND cũ": None, "Thôn/tổ dân phố": "Thôn 3", "Xã/thị trấn": "Xã Hà Linh", "Số điện thoại": "0912000001", "Mã nhóm": "BT-5c",
    "Hệ số": 1.0, "Mức trợ cấp tháng": 360_000, "Kinh phí chăm sóc": None, "Kỳ truy lĩnh": None, "Số tiền truy lĩnh": None,
    "Trợ cấp một lần": None, "Kỳ chưa nhận": None, "Số tiền kỳ trước chưa nhận": None, "Tổng cộng": 360_000,
    "Hình thức chi trả": "Điểm bưu điện", "Ngân hàng": None, "Số tài khoản": None, "Tên chủ tài khoản": None, "Người nhận thay": None,
    "Số giấy ủy quyền": None, "Lý do bất khả kháng": None, "Ghi chú": None,
}  # fmt: skip
ACCOUNT = {
    "STT": 1, "Họ và tên": "Nguyễn Thị Hòa", "Ngày sinh": "02/03/1949", "Số định danh/CCCD": "042149990001", "Xã/thị trấn": "Xã Hà Linh",
    "Ngân hàng": "Agribank", "Mã BIN": None, "Số tài khoản": "3709000000001", "Tên chủ tài khoản": "NGUYEN THI HOA",
    "Nguyện vọng nhận qua": "Tài khoản",
}  # fmt: skip


def payroll(**cells: Any) -> dict[str, Any]:
    """One row of a payroll list; keys are header words with `_` for what Python does not allow."""
    return {**PAYROLL, **cells}


def account(**cells: Any) -> dict[str, Any]:
    """One row of an account list."""
    return {**ACCOUNT, **cells}


def workbook(
    rows: Sequence[dict[str, Any] | Sequence[Any]], header: Sequence[str] | None = None, *, header_row: int = 1
) -> bytes:
    """A workbook with its header in a row (from 1); a row is a dict by header words, or plain cells."""
    first = next((row for row in rows if isinstance(row, dict)), PAYROLL)
    words = list(header if header is not None else first)
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_string(0, 0, "DỮ LIỆU GIẢ LẬP") if header_row > 1 else None
    for number, cells in enumerate([words, *rows]):
        values = [cells.get(word) for word in words] if isinstance(cells, dict) else cells
        for column, value in enumerate(values):
            _write(sheet, header_row - 1 + number, column, value)
    book.close()
    return target.getvalue()


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, str):
        sheet.write_string(row, column, value)
    elif value is not None:
        sheet.write(row, column, value)


def an_identity(**changes: Any) -> Identity:
    """Somebody with a number."""
    same = {"full_name": "Nguyễn Thị Hòa", "birth_date": "1949-03-02", "sex": "female", "personal_number": "042149990001"}
    return Identity(**{**same, **changes})


def a_line(**changes: Any) -> DeclaredLine:
    """A month's assistance."""
    same = {"programme": Programme.SOCIAL_ASSISTANCE, "benefit_code": "BT-5c", "monthly_vnd": 360_000}
    return DeclaredLine(**{**same, **changes})


def plain_keys(identity: Identity, place: Place) -> Keys:
    """Blind indexes without a vault: the same equalities, in the clear."""

    def key(text: str | None) -> bytes | None:
        return text.encode() if text else None

    name, birth = plain_key(identity.full_name), identity.birth_date
    whole = f"{name}|{birth}" if birth and len(birth) == FULL else None
    near = f"{name}|{birth[:4]}|{place.area}|{folded(place.hamlet)}" if birth and place.hamlet else None
    commune = f"{name}|{birth[:4]}|{place.area}" if birth and place.area else None
    return Keys(key(identity.personal_number), key(identity.old_number), key(whole), key(near), key(commune))
