"""Which ages of the rules somebody has reached: exact by months, by every answer to the open questions, and no more than that."""

from hypothesis import given
from hypothesis import strategies as st

from services.payout.ages import counts_from
from services.payout.policy import Policy
from shared.ages import RULE_AGES, reached

YEARS, MONTHS = st.integers(1900, 2026), st.integers(1, 12)
periods = st.builds(lambda year, month: f"{year}-{month:02d}", st.integers(2020, 2027), MONTHS)


def highest(born: str, period: str, **policy: str) -> int:
    """By the code that judges birth dates."""
    return max((age for age in RULE_AGES if period >= counts_from(born, age, Policy(**policy))), default=0)


@given(YEARS, MONTHS, st.integers(1, 28), periods)
def test_ages_are_those_that_the_rules_would_find(year: int, month: int, day: int, period: str) -> None:
    born = f"{year}-{month:02d}-{day:02d}"
    expected = tuple(highest(born, period, age_takes_effect=when) for when in ("this_month", "next_month"))
    assert reached(born, period) == reached(born[:7], period) == expected


@given(YEARS, periods)
def test_a_bare_year_has_an_answer_for_every_setting(year: int, period: str) -> None:
    expected = tuple(
        highest(str(year), period, birth_year_only=month, age_takes_effect=when)
        for month in ("january", "july", "december")
        for when in ("this_month", "next_month")
    )
    assert reached(str(year), period) == expected


def test_a_birthday_counts_from_its_month_or_the_next() -> None:
    assert reached("1949-02-28", "2024-02") == (75, 70)
    assert reached("1949-02-28", "2024-03") == (75, 75)
    assert reached("2024-05-01", "2024-02") == (0, 0), "born after the list: no age is reached"
    assert reached(None, "2024-02") == ()
