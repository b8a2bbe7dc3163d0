"""Workbooks for people: what the post pays in a commune, and who is held there and why. Pure; the same input gives the same bytes.

A payee list may be posted up at a pay point, so it holds no identity number.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from python_calamine import CalamineWorkbook

from services.payout.collation import key, name_key
from services.payout.hand_typed import typed_amount
from services.payout.workbook import FIRST_ROW, workbook
from shared.personal import Collector
from shared.words import HeldReason

MONEY = "Số tiền (đồng)"
AT_HOME, AT_THE_COUNTER = "Tại nhà", "Tại quầy"
POSTAL_COLUMNS = (
    ("STT", 5), ("Họ và tên", 28), ("Thôn/xóm", 20), ("Địa chỉ", 30), ("Hình thức", 12), ("Người nhận thay", 26),
    (MONEY, 16), ("Mã chi trả", 20), ("Ngày nhận", 12), ("Ký nhận", 18),
)  # fmt: skip
MONTHS = ("Kỳ chi trả", 22)
"""A further column, only where a payroll is of several months: what each payment is for."""
NOTE = ("Lưu ý", 34)
"""A last column, only where a payment has one. No word of it is a reason or a result: the post sends the list back with what it knows."""
HELD_COLUMNS = (("STT", 5), ("Họ và tên", 28), ("Thôn/xóm", 20), (MONEY, 16), ("Lý do", 44), ("Việc cần làm", 60))

REASONS: Mapping[HeldReason, tuple[str, str]] = {
    HeldReason.WITHDRAWN: (
        "Đã rút khỏi bảng chi theo danh sách có hai người ký",
        "Xem danh sách rút; chi lại bằng quyết định mới",
    ),
    HeldReason.DEAD: ("Đã mất trước tháng chi trả", "Kiểm tra giấy chứng tử; lập hồ sơ thôi hưởng và mai táng phí"),
    HeldReason.MOVED: ("Đã chuyển nơi cư trú", "Xác minh nơi ở mới; chuyển hồ sơ hoặc khôi phục"),
    HeldReason.DUPLICATE: ("Hai hồ sơ là cùng một người", "Đối chiếu hai hồ sơ; giữ lại một"),
    HeldReason.VERIFICATION_PENDING: ("Chưa có kết quả xác thực với dữ liệu dân cư", "Chờ kết quả xác thực cho dữ liệu hiện tại"),
    HeldReason.UNAVAILABLE: ("Dữ liệu dân cư chưa trả lời", "Chờ hệ thống dân cư; không cần người dân làm gì"),
    HeldReason.NOT_FOUND: ("Không tìm thấy trong dữ liệu dân cư", "Kiểm tra số định danh, họ tên, ngày sinh với công an xã"),
    HeldReason.IDENTITY_MISMATCH: ("Số định danh không khớp họ tên hoặc ngày sinh", "Đối chiếu giấy tờ; sửa danh sách"),
    HeldReason.NOT_OWED: (
        "Thông tin về đối tượng không cho hưởng tháng này",
        "Xem lý do trong bảng chênh lệch; sửa danh sách hoặc ra quyết định",
    ),
    HeldReason.NOT_COLLECTED: (
        "Nhiều tháng liền không đến nhận",
        'Xác minh đối tượng; ghi biến động "đến nhận lại" khi đối tượng có mặt',
    ),
    HeldReason.PAID_ELSEWHERE: (
        "Đơn vị khác chi cùng khoản này trong tháng",
        "Hai đơn vị thống nhất nơi chi; đưa ra khỏi một danh sách",
    ),
    HeldReason.AMOUNT_DIFFERS: ("Mức hưởng khai khác mức theo quy định", "Kiểm tra mã đối tượng, hệ số và mức hưởng"),
    HeldReason.NO_DELIVERY: ("Nhận tại nhà nhưng chưa có địa chỉ", "Bổ sung địa chỉ nhận tiền"),
    HeldReason.NEXT_BUILD: ("Khoản chi gộp đã rút vì tháng khác; tháng này vẫn được hưởng", "Lập đợt chi tiếp theo của kỳ này"),
}

_IDENTITY = re.compile(r"(?<![0-9])[0-9]{9}(?:[0-9]{3})?(?![0-9])")


@dataclass(frozen=True, slots=True)
class PostalRow:
    """One payment at the counter or at home. The amount is in VND. `months`: what it is for, in words, where the payroll is of several;
    `note`: what the post must know of it, `family_collects`."""

    end_to_end_id: str
    full_name: str
    hamlet: str
    address: str
    collector: str
    home: bool
    vnd: int
    months: str = ""
    note: str = ""

    def __repr__(self) -> str:
        """Without the person."""
        return f"PostalRow({self.end_to_end_id})"


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One held line. The amount is in VND."""

    full_name: str
    hamlet: str
    reason: HeldReason
    vnd: int

    def __repr__(self) -> str:
        """Without the person."""
        return f"HeldRow({self.reason})"


def postal_list(rows: Sequence[PostalRow], *, area: str, period: str, made_at: datetime) -> bytes:
    """One commune's payees: home deliveries first, then by hamlet, then by given name in Vietnamese order. `area`: its name."""
    ordered = sorted(rows, key=lambda r: (not r.home, key(r.hamlet), name_key(r.full_name), r.end_to_end_id))
    several, noted = any(r.months for r in rows), any(r.note for r in rows)
    table = [
        (n, r.full_name, r.hamlet, r.address, AT_HOME if r.home else AT_THE_COUNTER, r.collector, r.vnd, r.end_to_end_id, "", "")
        + ((r.months,) if several else ())
        + ((r.note,) if noted else ())
        for n, r in enumerate(ordered, 1)
    ]
    home = [row.vnd for row in rows if row.home]
    counter = [row.vnd for row in rows if not row.home]
    sums = [(f"{AT_HOME}: {len(home)} khoản", sum(home)), (f"{AT_THE_COUNTER}: {len(counter)} khoản", sum(counter))]
    title = f"DANH SÁCH CHI TRẢ QUA BƯU ĐIỆN KỲ {period} - {area.upper()}"
    return workbook(
        title,
        (*POSTAL_COLUMNS, *([MONTHS] if several else ()), *([NOTE] if noted else ())),
        table,
        sums=[*sums, ("Tổng cộng", sum(home) + sum(counter))],
        sums_column=MONEY,
        made_at=made_at,
    )


def family_collects(collector: Collector | None) -> str:
    """What the post is told of money of somebody who died: who is left collects it, and by which paper where one is known. A paper named by
    an identity number is not: lists are posted up."""
    paper = collector.paper_number if collector else None
    numbered = paper is not None and not _IDENTITY.search(paper)
    return f"Gia đình nhận, giấy số {paper}" if numbered else "Gia đình nhận"


def listed(content: bytes) -> list[PostalRow]:
    """The payees in a workbook that `postal_list` made, in its order."""
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    heads = sheet[FIRST_ROW - 2]
    further = [heads.index(name) if name in heads else None for name, _width in (MONTHS, NOTE)]
    rows = []
    for row in sheet[FIRST_ROW - 1 :]:
        _n, name, hamlet, address, way, collector, _money, end_to_end_id = map(str, row[:8])
        if end_to_end_id:  # sums have none
            vnd = typed_amount(row[6])
            assert vnd is not None, "a list of ours holds whole dong"
            months, note = ("" if place is None else str(row[place]) for place in further)
            rows.append(PostalRow(end_to_end_id, name, hamlet, address, collector, way == AT_HOME, vnd, months, note))
    return rows


def held_list(rows: Sequence[HeldRow], *, area: str, period: str, made_at: datetime) -> bytes:
    """One commune's held lines with the reason and what to do, by hamlet and given name. `area`: its name."""
    ordered = sorted(rows, key=lambda r: (key(r.hamlet), name_key(r.full_name), r.reason, r.vnd))
    table = [(n, r.full_name, r.hamlet, r.vnd, *REASONS[r.reason]) for n, r in enumerate(ordered, 1)]
    title = f"DANH SÁCH TẠM GIỮ CHƯA CHI KỲ {period} - {area.upper()}"
    return workbook(
        title, HELD_COLUMNS, table, sums=[("Tổng cộng", sum(row.vnd for row in rows))], sums_column=MONEY, made_at=made_at
    )
