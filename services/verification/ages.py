"""How old what the register said of a person may be. Pure.

Before each closing everybody is asked about again: an answer from before `renew_day` of the month is renewed after it. An answer older than
`expires_days` counts for nothing: the person is `unavailable` until there is a new one.

What a bank said of an account is asked at any time of the year, mostly of many people at once, and would be over for all of them in one
night. So each person's ends on a moment of their own within the last `holders_spread_days` before it is that old, and is renewed
`holders_renew_days` before that: what counts when a list closes still counts on its pay days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from shared.clock import LOCAL


class ExtractNeed(StrEnum):
    """Whether somebody must fetch a newer extract of the register, in order of urgency."""

    NO_EXTRACT = "NO_EXTRACT"
    EXTRACT_EXPIRED = "EXTRACT_EXPIRED"
    EXTRACT_DUE = "EXTRACT_DUE"
    CURRENT = "CURRENT"


NEED_ADVICE = {
    ExtractNeed.NO_EXTRACT: "Chưa có bản trích dân cư nào đủ dòng: chưa xác minh được ai. Nạp bản trích.",
    ExtractNeed.EXTRACT_EXPIRED: "Bản trích dân cư đã quá hạn: không còn xác minh được ai. Nạp bản trích mới ngay.",
    ExtractNeed.EXTRACT_DUE: "Bản trích dân cư cũ hơn ngày phải làm mới của tháng: nạp bản trích mới trước khi chốt danh sách.",
    ExtractNeed.CURRENT: "Bản trích dân cư còn dùng được.",
}


@dataclass(frozen=True, slots=True)
class Ages:
    """`renew_day`: a day of the month, 1 to 28, some days before lists close (domain 2.1: before the 25th)."""

    renew_day: int = 20
    expires_days: int = 92
    holders_spread_days: int = 28
    holders_renew_days: int = 30

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

    def expires_at(self, said: datetime) -> datetime:
        """From which moment on what was said then counts for nothing."""
        return said + timedelta(days=self.expires_days)

    def holder_until(self, said: datetime, who: UUID) -> datetime:
        """Until when a bank's word about this person's account counts: always the same, and another moment for others."""
        spread = timedelta(days=self.holders_spread_days)
        earlier = timedelta(seconds=who.int % int(spread.total_seconds())) if spread else spread
        return self.expires_at(said) - earlier

    def renew_holders_before(self, now: datetime) -> datetime:
        """A bank's word that ends before this moment is to be renewed."""
        return now + timedelta(days=self.holders_renew_days)

    def extract_need(self, as_of: datetime | None, now: datetime) -> ExtractNeed:
        """Whether a newer extract is needed, by the moment of the newest whole one (None: there is none)."""
        if as_of is None:
            return ExtractNeed.NO_EXTRACT
        if as_of < self.expires_before(now):
            return ExtractNeed.EXTRACT_EXPIRED
        return ExtractNeed.EXTRACT_DUE if as_of < self.renew_before(now) else ExtractNeed.CURRENT

    def next_renewal(self, now: datetime) -> datetime:
        """The midnight in Vietnam from which on an extract of now is due to be renewed."""
        day = (self.renew_before(now).astimezone(LOCAL).date().replace(day=1) + timedelta(days=32)).replace(day=self.renew_day)
        return datetime.combine(day, time(), LOCAL)
