"""Months: periods as text `2024-02`, counted and compared. Pure."""

from __future__ import annotations

from datetime import date

from shared.clock import period_of


def plus_months(period: str, months: int) -> str:
    """So many months later, or earlier when negative."""
    count = int(period[:4]) * 12 + int(period[5:7]) - 1 + months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def a_month_after(day: date) -> date:
    """The same day of the next month; the last one where the next month is shorter."""
    following = date.fromisoformat(f"{plus_months(period_of(day), 1)}-01")
    after = date.fromisoformat(f"{plus_months(period_of(day), 2)}-01")
    return following.replace(day=min(day.day, (after - following).days))
