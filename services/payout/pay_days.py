"""When money may reach people: the bank and post calendar of Việt Nam, pay days per pay point, and the cut-off of a payment file. Pure.

The instant rail runs on holidays, counters and the post do not (domain 4.2): whether a day is shifted, and which way, is a setting
(`execution_shift`, `counter_shift`). A post point pays on a fixed local day (domain 2.1); rows are effective-dated.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import holidays

from shared.clock import LOCAL

PAY_POINTS_FILE = Path(__file__).with_name("pay_points.csv")
_DAY = timedelta(days=1)


class Shift(StrEnum):
    """What becomes of a pay day on which counters are closed."""

    NONE = "none"
    NEXT = "next"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class PayPoint:
    """The day of the month on which the post pays in a commune. The first day counts, the last does not."""

    area: str
    day: int
    valid_from: date
    valid_until: date


@lru_cache(maxsize=16)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("VN", years=year))


def working_day(day: date) -> bool:
    """Whether counters are open: Monday to Friday, no holiday nor a day off given for one."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def shifted(day: date, shift: Shift) -> date:
    """The day itself when counters are open, else the next or the last one on which they are. `none` leaves every day alone."""
    step = {Shift.NONE: timedelta(), Shift.NEXT: _DAY, Shift.PREVIOUS: -_DAY}[shift]
    while step and not working_day(day):
        day += step
    return day


def in_month(period: str, day: int) -> date:
    """A day of a period's month; the last one where the month is shorter."""
    first = date.fromisoformat(f"{period}-01")
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return min(first + timedelta(days=day - 1), following - _DAY)


class PayDays:
    """When a pay point pays."""

    def __init__(self, points: Iterable[PayPoint], *, usual_day: int, shift: Shift) -> None:
        """`usual_day`: of areas without a row."""
        self._points: dict[str, list[PayPoint]] = {}
        for point in points:
            self._points.setdefault(point.area, []).append(point)
        self._usual_day, self._shift = usual_day, shift

    def of(self, area: str, period: str) -> date:
        """The day on which the post pays a period in a commune."""
        first = date.fromisoformat(f"{period}-01")
        valid = [point.day for point in self._points.get(area, ()) if point.valid_from <= first < point.valid_until]
        return shifted(in_month(period, valid[0] if valid else self._usual_day), self._shift)


def read_pay_points(path: Path = PAY_POINTS_FILE) -> list[PayPoint]:
    """The table. Raises KeyError or ValueError for a file of another shape, or for two rows of one area that overlap."""
    with path.open(encoding="utf-8", newline="") as file:
        points = [_pay_point(row) for row in csv.DictReader(file)]
    for one in points:
        others = [other for other in points if other is not one and other.area == one.area]
        if not 1 <= one.day <= 31 or any(one.valid_from < o.valid_until and o.valid_from < one.valid_until for o in others):
            raise ValueError(one.area)
    return points


def executable(day: date, released_at: datetime, *, cut_off: time, shift: Shift) -> date:
    """The execution date a bank can still keep: not before the release, and not that day when the cut-off (local time) is past.
    `previous` goes forward where the last open day is already too early."""
    now = released_at.astimezone(LOCAL)
    earliest = now.date() if now.time() < cut_off else now.date() + _DAY
    wanted = max(day, earliest)
    moved = shifted(wanted, shift)
    return moved if moved >= earliest else shifted(wanted, Shift.NEXT)


def _pay_point(row: dict[str, str]) -> PayPoint:
    first = date.fromisoformat(row["valid_from"]) if row["valid_from"] else date.min
    last = date.fromisoformat(row["valid_until"]) if row["valid_until"] else date.max
    return PayPoint(row["area"], int(row["day"]), first, last)
