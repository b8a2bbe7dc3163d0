"""Cells are read strictly: what is right comes out whole, what is not gives a code, nothing is guessed."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry import cells
from services.registry.cells import BadCell
from services.registry.refusals import RowNote, RowReason

TODAY = date(2024, 1, 20)


def reason(parse, *cell):
    with pytest.raises(BadCell) as caught:
        parse(*cell)
    return caught.value.reason


def outcome(parse, *cell):
    try:
        return parse(*cell)
    except BadCell as bad:
        return bad.reason


# --- money ---------------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**15), st.sampled_from([".", ",", " "]), st.sampled_from(["", " đ", "đ", " đồng", " VND"]))
def test_grouped_money_is_the_same_amount(vnd, separator, unit):
    assert cells.money(f"{vnd:,}".replace(",", separator) + unit) == vnd


@given(st.integers(0, 10**15))
def test_money_as_a_number_cell_is_the_same_amount(vnd):
    assert cells.money(vnd) == cells.money(float(vnd)) == cells.money(str(vnd)) == vnd


@pytest.mark.parametrize(
    "cell", ["-1", -1, 0.5, "1,5", "1.25", "12.34.567", "1.250,000", "ba trăm", "3E+5", True, date(2024, 1, 1), "٣٦٠", 10**15 + 1]
)
def test_what_is_no_whole_amount_is_refused(cell):
    assert reason(cells.money, cell) is RowReason.MONEY_BAD


@given(st.text(max_size=20) | st.floats(allow_nan=True) | st.integers())
def test_money_never_does_anything_but_an_amount_or_a_code(cell):
    assert outcome(cells.money, cell) in (RowReason.MONEY_BAD, RowReason.TEXT_BAD) or 0 <= cells.money(cell) <= 10**15


def test_an_empty_cell_is_no_money():
    assert cells.money(None) == cells.money("  ") == 0


@pytest.mark.parametrize(
    ("cell", "hundredths"), [(1.5, 150), ("1,5", 150), ("2.0", 200), (2, 200), (0.35, 35), (None, None), ("", None)]
)
def test_coefficients(cell, hundredths):
    assert cells.coefficient_hundredths(cell) == hundredths


@pytest.mark.parametrize("cell", ["1.555", -1, 101, "x", float("nan"), float("inf"), True, date(2024, 1, 1)])
def test_what_is_no_coefficient_is_refused(cell):
    assert reason(cells.coefficient_hundredths, cell) is RowReason.COEFFICIENT_BAD


# --- numbers of people -----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 96), st.sampled_from(["male", "female"]), st.integers(1900, 2023), st.integers(0, 999_999))
def test_lost_zeros_come_back_when_the_row_proves_them(province, sex, year, rest):
    digit = 2 * (year // 100 - 19) + (sex == "female")
    number = f"{province:03d}{digit}{year % 100:02d}{rest:06d}"
    found = cells.person_number(int(number), year, sex)
    assert found is not None
    assert found.value == number
    assert found.note == RowNote.NUMBER_REPAIRED


@given(st.integers(10**9, 10**11 - 1), st.integers(1900, 2023) | st.none(), st.sampled_from(["male", "female", None]))
def test_lost_zeros_never_come_back_without_proof(number, year, sex):
    found = outcome(cells.person_number, number, year, sex)
    if cells.fits(f"{number:012d}", year, sex):
        assert found == cells.PersonNumber(f"{number:012d}", RowNote.NUMBER_REPAIRED)
    else:
        assert found is RowReason.NUMBER_ZEROS_LOST


@pytest.mark.parametrize("cell", ["4.2E+10", "4,2149E+10", "4.2e10", " 4.2E+10 "])
def test_a_number_shown_as_scientific_is_told_apart(cell):
    assert reason(cells.person_number, cell, 1949, "female") is RowReason.NUMBER_SCIENTIFIC


def test_a_rounded_number_does_not_pass_as_one():
    assert reason(cells.person_number, 4.2e10, 1949, "female") is RowReason.NUMBER_ZEROS_LOST


@pytest.mark.parametrize("cell", ["12345678", "0421499900012", "04214999000A", 42.5, "٠٤٢١٤٩٩٩٠٠٠١", True, date(2024, 1, 1)])
def test_what_is_no_number_is_refused(cell):
    assert reason(cells.person_number, cell, 1949, "female") is RowReason.NUMBER_BAD


@pytest.mark.parametrize(
    ("cell", "value"),
    [("042149990001", "042149990001"), ("'042149990001", "042149990001"), ("042 149 990 001", "042149990001"), (183_900_001, "183900001"),
     ("183900001", "183900001"), ("\u200b042149990001", "042149990001")],
)  # fmt: skip
def test_numbers_as_offices_write_them(cell, value):
    found = cells.person_number(cell, None, None)
    assert found is not None
    assert found.value == value
    assert found.is_old == (len(value) == 9)


def test_no_number_is_none():
    assert cells.person_number(None, None, None) is None


# --- dates -----------------------------------------------------------------------------------------------------------------------


@given(st.dates(date(1880, 1, 1), TODAY))
def test_a_day_is_the_same_however_it_is_written(day):
    for cell in (day, f"{day:%d/%m/%Y}", f"{day.day}-{day.month}-{day.year}", f"{day:%d.%m.%Y}", day.isoformat()):
        assert cells.birth(cell, TODAY) == day.isoformat()
    assert cells.birth(datetime(day.year, day.month, day.day), TODAY) == day.isoformat()  # noqa: DTZ001 as a workbook reader gives it
    assert cells.birth(f"{day:%m/%Y}", TODAY) == f"{day:%Y-%m}"


@given(st.integers(1880, 2024))
def test_a_year_alone_is_normal(year):
    assert cells.birth(year, TODAY) == cells.birth(float(year), TODAY) == cells.birth(str(year), TODAY) == str(year)


@pytest.mark.parametrize(
    "cell", ["30/02/1949", "02/03/49", "2/13/1949", 18_264, "1879", "21/01/2024", "2025", "hai", 1949.5, True]
)
def test_what_is_no_birth_date_is_refused(cell):
    assert reason(cells.birth, cell, TODAY) is RowReason.DATE_BAD


@pytest.mark.parametrize(
    ("cell", "periods"),
    [("11/2023, 12/2023", ("2023-11", "2023-12")), ("12/2023;11/2023", ("2023-11", "2023-12")), ("Tháng 1/2024", ("2024-01",)),
     (date(2023, 11, 1), ("2023-11",)), (None, ())],
)  # fmt: skip
def test_periods(cell, periods):
    assert cells.periods(cell) == periods


@pytest.mark.parametrize("cell", ["13/2023", "11/2023, 11/2023", "2023", "từ 11 đến 12"])
def test_what_is_no_period_is_refused(cell):
    assert reason(cells.periods, cell) is RowReason.PERIOD_BAD


# --- texts -----------------------------------------------------------------------------------------------------------------------


def test_a_decomposed_name_is_composed_and_hidden_characters_go():
    found = cells.name("Nguye\u0302\u0303n\u00a0 Thi\u0323\u200b  Ho\u0300a\u202e")
    assert found.value == "Nguyễn Thị Hòa"
    assert found.cleaned


@pytest.mark.parametrize("cell", ["Nguyễn Văn 2", "=HYPERLINK(1)", "a" * 101, "Hòa\u2028<b>"])
def test_what_is_no_name_is_refused(cell):
    assert reason(cells.name, cell) is RowReason.TEXT_BAD


def test_a_name_is_needed():
    assert reason(cells.name, " ") is RowReason.MISSING


def test_folding_takes_accents_and_signs():
    assert cells.folded("  Số ĐỊNH danh/CCCD ") == "so dinh danh cccd"
