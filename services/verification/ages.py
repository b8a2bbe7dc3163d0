"""How old what the register said of a person may be. Pure.

Before each closing everybody is asked about again: an answer from before `renew_day` of the month is renewed after it. An answer older than
`expires_days` counts for nothing: the person is `unavailable` until there is a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from shared.clock import LOCAL


@dataclass(frozen=True, slots=True)
class Ages:
    """`renew_day`: a day of the month, 1 to 28, some days before lists close (domain 2.1: before the 25th)."""

    renew_day: int = 20
    expires_days: int = 92

    def renew_before(self, now: datetime) -> datetime:
        """What was said before this moment is to be renewed: the last midnight in Vietnam that began a `renew_day`."""
        today = now.astimezone(LOCAL).date()
        day = today.replace(day=self.renew_day)
        if day > today:
            day = (today.replace(day=1) - timedelta(days=1)).replace(day=self.renew_day)
        return datetime.combine(day, time(), LOCAL)

    def expires_before(self, now: datetime) -> datetime:
        """What was said before this moment counts for nothing."""
        return now - timedelta(days=self.expires_days)
