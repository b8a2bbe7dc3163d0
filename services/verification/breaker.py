"""A circuit breaker: after several silences in a row nobody is asked for a while, then one question tries. Pure; lives in one process."""

from __future__ import annotations

from datetime import datetime, timedelta


class Breaker:
    """Closed: questions go out. Open: none until a moment. Then half open: one, whose answer closes it and whose silence opens it again,
    each time for twice as long up to a limit."""

    def __init__(self, failures_max: int, pause: timedelta, pause_max: timedelta) -> None:
        """Closed. `failures_max`: so many silences in a row open it."""
        self._failures_max = failures_max
        self._first_pause = self._pause = pause
        self._pause_max = pause_max
        self._failures = 0
        self._until: datetime | None = None

    def room(self, now: datetime, wanted: int) -> int:
        """How many questions may go out: all, none, or one to try."""
        if self._until is None:
            return wanted
        return min(wanted, 1) if now >= self._until else 0

    def answered(self) -> None:
        """Somebody answered: closed."""
        self._failures, self._until, self._pause = 0, None, self._first_pause

    def silent(self, now: datetime, retry_after: timedelta = timedelta()) -> None:
        """No answer. `retry_after`: the service asked to be left alone for so long, which opens at once. Several that went out together
        and came to nothing count as one once it is open."""
        self._failures += 1
        if retry_after:
            self._until = now + min(max(retry_after, self._first_pause), self._pause_max)
        elif now >= self._until if self._until is not None else self._failures >= self._failures_max:
            self._until = now + self._pause
            self._pause = min(self._pause * 2, self._pause_max)
