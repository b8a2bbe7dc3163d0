"""Ages at which a benefit changes, and which of them somebody has reached in a month: all that leaves registry of a birth date. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import Field

RULE_AGES = (3, 4, 16, 22, 23, 60, 70, 75, 80)
"""Every age that a rule of ours knows (domain 1.2); payout refuses a table that names another."""
Age = Annotated[int, Field(ge=0, le=130)]
BORN_IN = ("01", "07", "12")
"""The months in which somebody may be taken to be born of whom only the year is known: January, July, December."""


def reached(birth_date: str | None, period: str) -> tuple[int, ...]:
    """The highest of `RULE_AGES` reached in a month, 0 for none: where a birthday counts from its own month, and where from the next.

    Of a bare year three such pairs, one per month of `BORN_IN`; of nothing known, nothing. `birth_date`: `YYYY`, `YYYY-MM`, `YYYY-MM-DD`.
    """
    return _reached(birth_date[:7], period) if birth_date else ()


@lru_cache(maxsize=16_384)
def _reached(born: str, period: str) -> tuple[int, ...]:
    """By the month alone: people are many, and months are few."""
    months = [born] if len(born) == len("2024-02") else [f"{born}-{month}" for month in BORN_IN]
    return tuple(_highest(_count(period) - _count(month) - late) for month in months for late in (0, 1))


def _count(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7])


def _highest(months: int) -> int:
    return max((age for age in RULE_AGES if age * 12 <= months), default=0)
