"""The sandbox ministry writes its lists as real offices do: XLSX, Vietnamese headers, title rows, and
real-life mess.

The columns follow domain note 2.3 (the official form was not found), with the phone and the reason of the
cannot class added because no other paper of the demo carries them. Every file says SYNTHETIC DATA.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from sandbox.areas import COMMUNE_BY_CODE, DISTRICT_NAME, PROVINCE_NAME
from sandbox.model import Account, AccountMess, Benefit, District, Person, Sex, Stranger, Wish
from sandbox.workbooks import SYNTHETIC, Cell, ListSheet

PAYROLL_HEADER = (
    "STT", "Họ và tên", "Ngày sinh", "Giới tính", "Số định danh/CCCD", "Số CMND cũ", "Thôn/tổ dân phố",
    "Xã/thị trấn", "Số điện thoại", "Mã nhóm", "Hệ số", "Mức trợ cấp tháng", "Kinh phí chăm sóc",
    "Kỳ truy lĩnh",
    "Số tiền truy lĩnh", "Trợ cấp một lần", "Kỳ chưa nhận", "Số tiền kỳ trước chưa nhận", "Tổng cộng",
    "Hình thức chi trả", "Ngân hàng", "Số tài khoản", "Tên chủ tài khoản", "Người nhận thay",
    "Số định danh người nhận thay", "Số giấy ủy quyền", "Lý do bất khả kháng", "Ký nhận", "Ghi chú",
)  # fmt: skip
ACCOUNT_HEADER = (
    "STT", "Họ và tên", "Ngày sinh", "Số định danh/CCCD", "Xã/thị trấn", "Ngân hàng", "Mã BIN",
    "Số tài khoản",
    "Tên chủ tài khoản", "Quan hệ với người hưởng", "Số giấy ủy quyền", "Nguyện vọng nhận qua",
    "Ngày đăng ký", "Ghi chú",
)  # fmt: skip
PAYROLL_HEADER_ROW, ACCOUNT_HEADER_ROW = 5, 4
TOTAL_WORD = "TỔNG CỘNG"
_MONEY = slice(11, 19)  # amounts of the payroll list, the two period columns among them
_BY_ACCOUNT, _AT_HOME, _AT_COUNTER = "Tài khoản", "Tại nhà", "Điểm bưu điện"


def write_payroll_list(district: District, path: Path) -> int:
    """Write the district's payroll list of the period; returns the number of data rows (doubled rows
    counted).

    Grouped by commune; one empty row in the middle; the last row holds the totals of all rows above it.
    """
    month = f"{district.period[5:]}/{district.period[:4]}"
    titles = (
        f"{PROVINCE_NAME} - {DISTRICT_NAME}", f"DANH SÁCH CHI TRẢ TRỢ CẤP HÀNG THÁNG - THÁNG {month}",
        SYNTHETIC,
    )  # fmt: skip
    rows = list(_payroll_rows(district))
    with ListSheet(path, titles=titles, header=PAYROLL_HEADER, header_row=PAYROLL_HEADER_ROW) as sheet:
        for number, row in enumerate(rows, start=1):
            sheet.add((number, *row))
            if number == len(rows) // 2:
                sheet.add(())
        sheet.add(_totals_row(rows))
    return len(rows)


def _payroll_rows(district: District) -> Iterator[tuple[Cell, ...]]:
    """All rows without their number; the copies of doubled rows stand at the end of their commune."""
    commune, copies = district.people[0].commune_code, list[tuple[Cell, ...]]()
    for person in district.people:
        if person.commune_code != commune:
            yield from copies
            commune, copies = person.commune_code, []
        rows = [_payroll_row(person, benefit) for benefit in person.benefits]
        yield from rows
        copies += rows * (person.written.times - 1)
    yield from copies


def _payroll_row(person: Person, benefit: Benefit) -> tuple[Cell, ...]:
    written = person.written
    collector = person.collector
    return (
        written.full_name, written.birth, "Nữ" if person.sex is Sex.FEMALE else "Nam", written.number,
        written.old_number, person.hamlet, COMMUNE_BY_CODE[person.commune_code].name, written.phone,
        *_money_cells(benefit), *_channel_cells(person),
        collector.name if collector else None, collector.personal_number if collector else None,
        collector.paper if collector else None, person.cannot.reason if person.cannot else None, None,
        benefit.note or None,
    )  # fmt: skip


def _money_cells(benefit: Benefit) -> tuple[Cell, ...]:
    """Group code to total; the coefficient is a number cell, amounts are whole VND, absent amounts
    empty cells.
    """
    coefficient = float(benefit.coefficient) if benefit.coefficient is not None else None
    return (
        benefit.code, coefficient, benefit.monthly_vnd, benefit.carer_vnd or None,
        _months(benefit.arrears_periods), benefit.arrears_vnd or None, benefit.one_off_vnd or None,
        _months(benefit.unpaid_periods), benefit.unpaid_vnd or None, benefit.total_vnd,
    )  # fmt: skip


def _months(periods: tuple[str, ...]) -> str | None:
    return ", ".join(f"{period[5:]}/{period[:4]}" for period in periods) or None


def _channel_cells(person: Person) -> tuple[Cell, ...]:
    """Way of payment and, for those paid on an account before, that account."""
    account = person.account
    if account and account.already_paid_on_it:
        return _BY_ACCOUNT, account.bank_name, account.number, account.holder_name
    return _AT_HOME if person.home_delivery else _AT_COUNTER, None, None, None


def _totals_row(rows: list[tuple[Cell, ...]]) -> tuple[Cell, ...]:
    columns = list(zip(*rows, strict=True))
    totals: list[Cell] = [None] * len(PAYROLL_HEADER)
    totals[1] = TOTAL_WORD
    for column in range(*_MONEY.indices(len(PAYROLL_HEADER))):
        if not PAYROLL_HEADER[column].startswith("Kỳ"):
            totals[column] = sum(cell for cell in columns[column - 1] if isinstance(cell, int))
    return tuple(totals)


def write_account_list(district: District, path: Path) -> int:
    """Write the account list of the commune police; returns the number of data rows.

    One row per account holder who does not come through the door, copies of the doubled ones, and a few
    people who are on no payroll list. About a third of the rows name the bank by BIN alone, a third by
    name alone.
    """
    titles = (f"CÔNG AN CẤP XÃ - {DISTRICT_NAME}", "DANH SÁCH TÀI KHOẢN AN SINH XÃ HỘI ĐÃ ĐĂNG KÝ", SYNTHETIC)
    rows = _account_rows(district)
    with ListSheet(path, titles=titles, header=ACCOUNT_HEADER, header_row=ACCOUNT_HEADER_ROW) as sheet:
        for number, row in enumerate(rows, start=1):
            sheet.add((number, *row))
    return len(rows)


def _account_rows(district: District) -> list[tuple[Cell, ...]]:
    rng = Random(district.seed + 2)
    rows: list[tuple[Cell, ...]] = []
    for person in district.account_file_people:
        account = person.account
        assert account is not None
        row = _account_row(rng, person, account=account, wish=person.wish)
        rows += [row] * (2 if account.mess is AccountMess.ROW_DOUBLED else 1)
    for stranger in district.strangers:
        if stranger.account:
            rows.append(_account_row(rng, stranger, account=stranger.account, wish=Wish.ACCOUNT))
    return rows


def _account_row(rng: Random, owner: Person | Stranger, *, account: Account, wish: Wish) -> tuple[Cell, ...]:
    old9 = account.mess is AccountMess.OLD9_ID
    by_bin, by_name = _BANK_COLUMNS[0 if account.bank_bin in _BIN_NEEDED else rng.randrange(3)]
    return (
        owner.name.full, f"{owner.birth_date:%d/%m/%Y}", owner.old_number if old9 else owner.personal_number,
        COMMUNE_BY_CODE[owner.commune_code].name, account.bank_name if by_name else None,
        account.bank_bin if by_bin else None, _account_cell(account), account.holder_name, account.relation,
        account.authorisation_paper, "Tài khoản" if wish is Wish.ACCOUNT else "Bưu điện",
        account.registered_on, None,
    )  # fmt: skip


_BANK_COLUMNS = ((True, True), (True, False), (False, True))
_BIN_NEEDED = frozenset({"970499"})  # a bank nobody knows has no name to be found by


def _account_cell(account: Account) -> str | int:
    if account.mess is AccountMess.NUMBER_CELL:
        return int(account.number)
    return account.number.lstrip("0") if account.mess is AccountMess.LOST_ZERO else account.number
