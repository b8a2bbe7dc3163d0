"""Pay days and holidays."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lunar_vn import convert_lunar_to_solar

from services.payout.pay_days import PayDays, PayPoint, Shift, executable, in_month, read_pay_points, shifted, working_day
from shared.clock import LOCAL

ALWAYS = (date.min, date.max)
FEW_YEARS = st.dates(date(2021, 1, 1), date(2034, 12, 31))


@pytest.mark.parametrize("year", range(2022, 2033))
def test_tet_by_two_sources(year: int) -> None:
    """`holidays` and `lunar-vn` agree on the first days of the year; Chinese calendars differ in some years."""
    first = convert_lunar_to_solar(1, 1, year)
    new_year = date(first.year, first.month, first.day)
    for days in range(3):
        assert not working_day(new_year + timedelta(days=days))


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2024, 2, 1), True), (date(2024, 2, 3), False), (date(2024, 2, 9), False), (date(2024, 2, 13), False),
        (date(2024, 4, 18), False), (date(2024, 4, 30), False), (date(2024, 9, 2), False), (date(2024, 9, 4), True),
        (date(2025, 1, 1), False),
    ],
)  # fmt: skip
def test_working_days(day: date, is_open: bool) -> None:
    assert working_day(day) is is_open


def test_tet_week_is_shifted_over_both_ways() -> None:
    """Tết 2024 was 8 to 14 February."""
    assert shifted(date(2024, 2, 10), Shift.NEXT) == date(2024, 2, 15)
    assert shifted(date(2024, 2, 10), Shift.PREVIOUS) == date(2024, 2, 7)
    assert shifted(date(2024, 2, 10), Shift.NONE) == date(2024, 2, 10)


@given(FEW_YEARS, st.sampled_from(Shift))
def test_shifting_again_changes_nothing_and_ends_on_an_open_day(day: date, shift: Shift) -> None:
    made = shifted(day, shift)
    assert shifted(made, shift) == made
    assert shift is Shift.NONE or working_day(made)
    assert abs((made - day).days) <= 12
    assert (made >= day) if shift is Shift.NEXT else (made <= day)


@given(FEW_YEARS, st.integers(1, 31))
def test_day_stays_in_its_month(day: date, number: int) -> None:
    made = in_month(f"{day:%Y-%m}", number)
    assert (made.year, made.month) == (day.year, day.month)
    assert made.day == number or (made + timedelta(days=1)).month != made.month


def test_pay_point_has_its_own_day_and_it_is_dated() -> None:
    points = [PayPoint("18496", 7, date.min, date(2024, 2, 1)), PayPoint("18496", 11, date(2024, 2, 1), date.max)]
    days = PayDays(points, usual_day=5, shift=Shift.NEXT)
    assert days.of("18496", "2024-01") == date(2024, 1, 8), "the 7th is a Sunday"
    assert days.of("18496", "2024-02") == date(2024, 2, 15), "the 11th is in Tết"
    assert days.of("18499", "2024-03") == date(2024, 3, 5)
    assert PayDays(points, usual_day=5, shift=Shift.NONE).of("18496", "2024-02") == date(2024, 2, 11)


@pytest.mark.parametrize("rows", ["18496,7,,\n18496,8,2024-01-01,\n", "18496,0,,\n", "18496,x,,\n"])
def test_table_that_contradicts_itself_is_refused(rows: str, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(f"area,day,valid_from,valid_until\n{rows}")
    with pytest.raises(ValueError, match=r"."):
        read_pay_points(path)


def test_table_of_the_house_is_read() -> None:
    assert read_pay_points() == []


@pytest.mark.parametrize(
    ("released", "day"),
    [
        (datetime(2024, 1, 25, 9, tzinfo=LOCAL), date(2024, 2, 1)),
        (datetime(2024, 2, 1, 14, 59, tzinfo=LOCAL), date(2024, 2, 1)),
        (datetime(2024, 2, 1, 15, 0, tzinfo=LOCAL), date(2024, 2, 2)),
        (datetime(2024, 2, 2, 16, 0, tzinfo=LOCAL), date(2024, 2, 5)),
        (datetime(2024, 2, 7, 16, 0, tzinfo=LOCAL), date(2024, 2, 15)),
    ],
)
def test_execution_date_a_bank_can_keep(released: datetime, day: date) -> None:
    assert executable(date(2024, 2, 1), released, cut_off=time(15), shift=Shift.NEXT) == day


def test_instant_rail_pays_on_a_holiday_too() -> None:
    released = datetime(2024, 2, 10, 9, tzinfo=LOCAL)
    assert executable(date(2024, 2, 1), released, cut_off=time(15), shift=Shift.NONE) == date(2024, 2, 10)


@pytest.mark.parametrize(
    ("released", "day"),
    [
        (datetime(2024, 2, 10, 9, tzinfo=LOCAL), date(2024, 2, 15)),
        (datetime(2024, 2, 7, 9, tzinfo=LOCAL), date(2024, 2, 7)),
        (datetime(2024, 2, 7, 16, tzinfo=LOCAL), date(2024, 2, 15)),
        (datetime(2024, 2, 2, 9, tzinfo=LOCAL), date(2024, 2, 7)),
    ],
)
def test_previous_open_day_is_taken_unless_it_is_too_early(released: datetime, day: date) -> None:
    assert executable(date(2024, 2, 10), released, cut_off=time(15), shift=Shift.PREVIOUS) == day


@given(FEW_YEARS, FEW_YEARS, st.times(), st.sampled_from(Shift))
def test_no_bank_is_told_a_day_before_the_release(wanted: date, day: date, at: time, shift: Shift) -> None:
    released = datetime.combine(day, at, LOCAL)
    earliest = day if at < time(15) else day + timedelta(days=1)
    told = executable(wanted, released, cut_off=time(15), shift=shift)
    assert told >= earliest
    assert shift is Shift.NONE or working_day(told)
