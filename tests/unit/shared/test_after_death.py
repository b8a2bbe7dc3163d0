"""What is owed of a line to who is left: the sum of a death, and months through that of the death; never a dong of a later month."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.after_death import ON_DEATH, owed_to_the_family, vnd_after
from shared.clock import period_of
from shared.events import Arrears, DeclaredLine
from shared.words import Programme

DIED = date(2024, 3, 20)
MONTHS = st.sampled_from([f"2024-{month:02d}" for month in range(1, 7)])
SUMS = st.integers(0, 10**7)
PARTS = st.none() | st.builds(Arrears, periods=st.lists(MONTHS, min_size=1, max_size=4).map(tuple), vnd=SUMS)


def a_line(code: str = "BT-5c", monthly_vnd: int = 0, **more: object) -> DeclaredLine:
    return DeclaredLine(programme=Programme.SOCIAL_ASSISTANCE, benefit_code=code, monthly_vnd=monthly_vnd, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "owed"),
    [
        (a_line("MT-BT", one_off_vnd=7_200_000), True),
        (a_line("MT-BT", one_off_vnd=7_200_000, monthly_vnd=1), False),
        (a_line("MT-BT", monthly_vnd=7_200_000), False),
        (a_line("MT-BT"), False),
        (a_line(one_off_vnd=7_200_000), False),  # under a benefit's own code nobody can tell what it is for
        (a_line(unpaid=Arrears(periods=("2024-02", "2024-03"), vnd=720_000)), True),
        (a_line(arrears=Arrears(periods=("2024-02",), vnd=360_000)), True),
        (a_line(unpaid=Arrears(periods=("2024-03", "2024-04"), vnd=720_000)), False),
        (a_line(monthly_vnd=360_000), False),
    ],
)
def test_april_of_somebody_who_died_in_march(line: DeclaredLine, owed: bool) -> None:
    assert owed_to_the_family(line, "2024-04", DIED) is owed


def test_nothing_before_the_month_and_nothing_on_an_unknown_day() -> None:
    funeral = a_line("MT-BT", one_off_vnd=7_200_000)
    assert [owed_to_the_family(funeral, period, DIED) for period in ("2024-02", "2024-03", "2025-01")] == [False, True, True]
    assert not owed_to_the_family(funeral, "2024-04", None)
    assert not owed_to_the_family(a_line(monthly_vnd=360_000), "2024-03", DIED), "the month of death is owed as any other"


@given(
    st.sampled_from(["BT-5c", *ON_DEATH]), SUMS, SUMS, SUMS, PARTS, PARTS, MONTHS, st.dates(date(2024, 1, 1), date(2024, 6, 30))
)
def test_no_dong_of_a_later_month_goes_to_the_family(
    code: str, monthly: int, carer: int, one_off: int, arrears: Arrears | None, unpaid: Arrears | None, period: str, died_on: date
) -> None:
    line = a_line(code, monthly, carer_vnd=carer, one_off_vnd=one_off, arrears=arrears, unpaid=unpaid)
    if owed_to_the_family(line, period, died_on):
        assert vnd_after(line, period, period_of(died_on)) == 0
        assert (code in ON_DEATH) == (line.one_off_vnd > 0)
