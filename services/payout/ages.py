"""Which code an age gives: a month in which somebody turns 3, 4, 16, 22, 60, 70, 75 or 80 changes what they are owed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.payout.months import plus_months
from services.payout.policy import Policy
from services.payout.rate_book import Band

_MONTH_OF_YEAR_ONLY = {"january": "01", "july": "07", "december": "12"}


def birth_month(born: str, policy: Policy) -> str:
    """The month of a birth date of any precision; of a bare year the month that policy says."""
    return born[:7] if len(born) >= 7 else f"{born}-{_MONTH_OF_YEAR_ONLY[policy.birth_year_only]}"


def counts_from(born: str, age: int, policy: Policy) -> str:
    """The first month in which somebody counts as that old. Months are enough: a birthday on 29 February stays in February."""
    reached = plus_months(birth_month(born, policy), 12 * age)
    return reached if policy.age_takes_effect == "this_month" else plus_months(reached, 1)


def band_of(bands: Sequence[Band], born: str, period: str, *, policy: Policy) -> Band | None:
    """The band somebody is in in a month; None where they are too young, too old, or between two bands."""
    return next((band for band in bands if _is_in(band, born, period, policy=policy)), None)


def _is_in(band: Band, born: str, period: str, *, policy: Policy) -> bool:
    # Nobody is too young for a benefit from birth, not even in the month of it.
    if band.age_from and period < counts_from(born, band.age_from, policy):
        return False
    until = band.age_until
    if band.setting == "study_age" and until is not None and policy.study_age == "through_22":
        until += 1
    return until is None or period < counts_from(born, until, policy)
