"""Months: periods as text `2024-02`, counted and compared. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from shared.clock import period_of


def plus_months(period: str, months: int) -> str:
    """So many months later, or earlier when negative."""
    count = int(period[:4]) * 12 + int(period[5:7]) - 1 + months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def months_in_words(periods: Sequence[str]) -> str:
    """Months as officers say them, in order: `tháng 4, 5/2020`; `tháng 12/2023, 1/2024`. No part of it reads as a sum or a day."""
    years = groupby(sorted(periods), key=lambda period: period[:4])
    return "tháng " + ", ".join(f"{', '.join(str(int(one[5:])) for one in months)}/{year}" for year, months in years)


def a_month_after(day: date) -> date:
    """The same day of the next month; the last one where the next month is shorter."""
    following = date.fromisoformat(f"{plus_months(period_of(day), 1)}-01")
    after = date.fromisoformat(f"{plus_months(period_of(day), 2)}-01")
    return following.replace(day=min(day.day, (after - following).days))
