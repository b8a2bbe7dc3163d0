"""The lists open in another program, carry an officer's words, and agree with the district's truth."""

import csv
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import openpyxl
import pytest

from sandbox.areas import COMMUNES
from sandbox.district import make_district, truth
from sandbox.ministry import (
    ACCOUNT_HEADER,
    ACCOUNT_HEADER_ROW,
    PAYROLL_HEADER,
    PAYROLL_HEADER_ROW,
    TOTAL_WORD,
    write_account_list,
    write_payroll_list,
)
from sandbox.model import AccountMess, District
from sandbox.population import COLUMNS, write_population_extract
from sandbox.strangers import ACCOUNTS_NOT_ON_LIST
from sandbox.workbooks import SYNTHETIC

Row = tuple[str | int | float | datetime | None, ...]


@pytest.fixture(scope="module")
def district() -> District:
    return make_district(7)


@pytest.fixture(scope="module")
def payroll(district: District, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    path = tmp_path_factory.mktemp("lists") / "payroll.xlsx"
    assert write_payroll_list(district, path) == truth(district)["rows_in_list"]
    return _rows(path)


@pytest.fixture(scope="module")
def accounts(district: District, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    path = tmp_path_factory.mktemp("lists") / "accounts.xlsx"
    write_account_list(district, path)
    return _rows(path)


def _rows(path: Path) -> list[Row]:
    return list(openpyxl.load_workbook(path, read_only=True).active.iter_rows(values_only=True))


def _column(rows: list[Row], word: str) -> list[object]:
    return [row[PAYROLL_HEADER.index(word)] for row in rows]


def test_payroll_list_has_titles_header_and_label(payroll: list[Row]) -> None:
    titles = [row[0] for row in payroll[:3]]
    assert SYNTHETIC in titles
    assert "Hương Khê" in str(titles[0])
    assert "02/2024" in str(titles[1])
    assert payroll[PAYROLL_HEADER_ROW - 1] == PAYROLL_HEADER


def test_payroll_list_has_one_empty_row_and_ends_with_totals(payroll: list[Row], district: District) -> None:
    body = payroll[PAYROLL_HEADER_ROW:]
    assert sum(all(cell is None for cell in row) for row in body) == 1
    assert body[-1][1] == TOTAL_WORD
    assert _column(body, "Tổng cộng")[-1] == truth(district)["list_vnd"]


def test_money_cells_are_whole_numbers_and_add_up(payroll: list[Row]) -> None:
    words = ("Mức trợ cấp tháng", "Kinh phí chăm sóc", "Số tiền truy lĩnh", "Trợ cấp một lần")
    money = [PAYROLL_HEADER.index(word) for word in (*words, "Số tiền kỳ trước chưa nhận")]
    for row in payroll[PAYROLL_HEADER_ROW:]:
        amounts = [row[column] or 0 for column in money]
        assert all(type(amount) is int for amount in amounts)
        assert sum(amounts) == (row[PAYROLL_HEADER.index("Tổng cộng")] or 0)


def test_owed_money_shows_its_periods(payroll: list[Row]) -> None:
    for periods, amount in (
        ("Kỳ truy lĩnh", "Số tiền truy lĩnh"),
        ("Kỳ chưa nhận", "Số tiền kỳ trước chưa nhận"),
    ):
        body = payroll[PAYROLL_HEADER_ROW:-1]
        pairs = list(zip(_column(body, periods), _column(body, amount), strict=True))
        assert all((period is None) == (vnd is None) for period, vnd in pairs)
        assert any(vnd for _, vnd in pairs)


def test_communes_stand_together(payroll: list[Row]) -> None:
    names = [name for name in _column(payroll[PAYROLL_HEADER_ROW:-1], "Xã/thị trấn") if name]
    changes = 1 + sum(a != b for a, b in pairwise(names))
    assert changes == len(COMMUNES)


def test_cells_keep_the_kinds_real_lists_have(payroll: list[Row]) -> None:
    body = payroll[PAYROLL_HEADER_ROW:-1]
    assert {type(cell) for cell in _column(body, "Số định danh/CCCD")} == {str, int, type(None)}
    assert {type(cell) for cell in _column(body, "Ngày sinh")} == {str, int, datetime, type(None)}


def test_account_list_has_850_people_some_twice_and_some_strangers(accounts: list[Row], district: District) -> None:
    assert accounts[ACCOUNT_HEADER_ROW - 1] == ACCOUNT_HEADER
    assert SYNTHETIC in [row[0] for row in accounts[:3]]
    holders = [p.account for p in district.account_file_people if p.account]
    doubled = sum(account.mess is AccountMess.ROW_DOUBLED for account in holders)
    assert len(accounts) - ACCOUNT_HEADER_ROW == 850 + doubled + ACCOUNTS_NOT_ON_LIST
    assert doubled > 0


def test_account_list_spoils_numbers_and_names_banks_in_two_ways(accounts: list[Row]) -> None:
    body = accounts[ACCOUNT_HEADER_ROW:]
    number, identity = ACCOUNT_HEADER.index("Số tài khoản"), ACCOUNT_HEADER.index("Số định danh/CCCD")
    bank, bank_bin = ACCOUNT_HEADER.index("Ngân hàng"), ACCOUNT_HEADER.index("Mã BIN")
    assert {type(row[number]) for row in body} == {str, int}
    assert {len(str(row[identity])) for row in body} == {9, 12}
    assert {(row[bank] is None, row[bank_bin] is None) for row in body} == {
        (False, False),
        (True, False),
        (False, True),
    }


def test_door_accounts_are_in_neither_list(payroll: list[Row], accounts: list[Row], district: District) -> None:
    written = {row[ACCOUNT_HEADER.index("Số tài khoản")] for row in accounts} | set(_column(payroll, "Số tài khoản"))
    assert not written & {district.person(r).account.number for r in district.door_records}


def test_same_district_writes_the_same_bytes(tmp_path: Path) -> None:
    district = make_district(5, people=400)
    for name in ("first.xlsx", "second.xlsx"):
        write_payroll_list(district, tmp_path / name)
    assert (tmp_path / "first.xlsx").read_bytes() == (tmp_path / "second.xlsx").read_bytes()
    # Two that were written in one second would be alike anyhow.
    assert str(openpyxl.load_workbook(tmp_path / "first.xlsx").properties.created) == "2024-01-24 00:00:00"


def test_population_extract_holds_everybody_but_those_planted_as_missing(district: District, tmp_path: Path) -> None:
    path = tmp_path / "population.csv"
    count = write_population_extract(district, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == count
    numbers = {row["personal_number"] for row in rows}
    assert len(numbers) == count
    assert {p.personal_number for p in district.people if p.register} <= numbers
    assert not {p.personal_number for p in district.people if not p.register} & numbers
    assert {row["status"] for row in rows} == {"alive", "dead", "moved"}


def test_twins_share_name_and_year_but_not_the_number(district: District) -> None:
    twins = [s for s in district.strangers if s.twin_of]
    assert len(twins) > 100
    for twin in twins:
        person = district.person(str(twin.twin_of))
        assert (twin.name, twin.birth_date.year) == (person.name, person.birth_date.year)
        assert twin.personal_number != person.personal_number
        assert twin.birth_date != person.birth_date
