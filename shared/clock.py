"""Business time, from one source for every process: the real clock, or a file with a start and a rate for demo and tests.

No SQL computes business time. Kafka's and PostgreSQL's own time stay real.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


class Clock(Protocol):
    """Where business time comes from."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...

    def today(self) -> date:
        """The present day in Vietnam."""
        ...


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The present day in Vietnam."""
        return self.now().astimezone(LOCAL).date()


class FileClock:
    """Time that starts at a moment written in a file and runs at a rate; rewriting the file moves every process's clock.

    The file: `{"business": ISO time, "real": ISO time, "rate": number}`: at real time `real` it was `business`.
    """

    def __init__(self, path: Path) -> None:
        """Read lazily; a missing file raises FileNotFoundError at the first question."""
        self._path = path
        self._stamp = -1
        self._business = self._real = datetime.now(UTC)
        self._rate = 1.0

    def now(self) -> datetime:
        """The present business moment, aware, UTC."""
        self._reload()
        return self._business + (datetime.now(UTC) - self._real) * self._rate

    def today(self) -> date:
        """The present business day in Vietnam."""
        return self.now().astimezone(LOCAL).date()

    def _reload(self) -> None:
        stamp = self._path.stat().st_mtime_ns
        if stamp == self._stamp:
            return
        values = json.loads(self._path.read_text())
        self._business = datetime.fromisoformat(values["business"]).astimezone(UTC)
        self._real = datetime.fromisoformat(values["real"]).astimezone(UTC)
        self._rate = float(values["rate"])
        self._stamp = stamp


class HandClock:
    """A clock that only moves when told to; for tests."""

    def __init__(self, start: datetime) -> None:
        """Start at an aware moment."""
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The moment it was last set to, aware, UTC."""
        return self._now

    def today(self) -> date:
        """That moment's day in Vietnam."""
        return self._now.astimezone(LOCAL).date()

    def move(self, step: timedelta) -> None:
        """Go forward (or back) by a step."""
        self._now += step


def write_clock_file(path: Path, business: datetime, rate: float = 1.0) -> None:
    """Set the business time of every process that reads `path`. Replaces the file in one step."""
    part = path.with_suffix(".part")
    values = {"business": business.astimezone(UTC).isoformat(), "real": datetime.now(UTC).isoformat(), "rate": rate}
    part.write_text(json.dumps(values))
    part.replace(path)


def clock_from(path: Path | None) -> Clock:
    """The file's clock where a path is given, else real time."""
    return FileClock(path) if path else SystemClock()


def period_of(day: date) -> str:
    """The payroll period a day lies in, `YYYY-MM`."""
    return f"{day:%Y-%m}"
