"""When a person may be erased, and why not: nothing is owed, nothing is on its way, and the papers need not be kept any more. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from shared.clock import LOCAL, period_of

UNLISTED_MONTHS = 12
"""Whom no list has named for so many months is entitled to nothing, also where nobody said that it ended."""


class ErasureCause(StrEnum):
    """Why somebody is to be erased. The last one: a restored database has forgotten that they were."""

    PERSON_ASKED = "PERSON_ASKED"
    PURPOSE_OVER = "PURPOSE_OVER"
    COURT_DECISION = "COURT_DECISION"
    WRONGLY_KEPT = "WRONGLY_KEPT"
    ERASED_BEFORE_RESTORE = "ERASED_BEFORE_RESTORE"


class Requester(StrEnum):
    """Who asks an office for it."""

    PERSON = "PERSON"
    GUARDIAN = "GUARDIAN"
    HEIR = "HEIR"
    COURT = "COURT"
    OFFICE = "OFFICE"


class ErasureReason(StrEnum):
    """Why nobody is erased, in order of precedence. Nothing was changed."""

    ERASURE_UNKNOWN = "ERASURE_UNKNOWN"
    ALREADY_CONFIRMED = "ALREADY_CONFIRMED"
    SECOND_PERSON_NEEDED = "SECOND_PERSON_NEEDED"
    ALREADY_ERASED = "ALREADY_ERASED"
    ALREADY_ASKED = "ALREADY_ASKED"
    MERGED_INTO_ANOTHER = "MERGED_INTO_ANOTHER"
    ON_OPEN_LIST = "ON_OPEN_LIST"
    STILL_ENTITLED = "STILL_ENTITLED"
    PAYMENT_NOT_SETTLED = "PAYMENT_NOT_SETTLED"
    MONEY_OWED = "MONEY_OWED"
    RETENTION_NOT_OVER = "RETENTION_NOT_OVER"
    NOT_PUBLISHED_YET = "NOT_PUBLISHED_YET"


ERASURE_ADVICE: Mapping[ErasureReason, str] = {
    ErasureReason.ERASURE_UNKNOWN: "Không có yêu cầu xoá này.",
    ErasureReason.ALREADY_CONFIRMED: "Yêu cầu xoá này đã được xác nhận.",
    ErasureReason.SECOND_PERSON_NEEDED: "Người xác nhận phải khác người yêu cầu.",
    ErasureReason.ALREADY_ERASED: "Dữ liệu cá nhân của người này đã được xoá.",
    ErasureReason.ALREADY_ASKED: "Đã có yêu cầu xoá người này đang chờ xác nhận.",
    ErasureReason.MERGED_INTO_ANOTHER: "Hồ sơ này đã gộp vào hồ sơ khác: yêu cầu xoá hồ sơ giữ lại.",
    ErasureReason.ON_OPEN_LIST: "Người này còn trong danh sách chưa chốt.",
    ErasureReason.STILL_ENTITLED: "Người này còn được hưởng: phải có thông báo thôi hưởng trước.",
    ErasureReason.PAYMENT_NOT_SETTLED: "Còn khoản chi đang thực hiện hoặc chưa rõ kết quả.",
    ErasureReason.MONEY_OWED: "Còn tiền chưa chi được hoặc bị trả lại.",
    ErasureReason.RETENTION_NOT_OVER: "Chưa hết thời hạn lưu trữ chứng từ.",
    ErasureReason.NOT_PUBLISHED_YET: "Thông tin vừa thay đổi đang được gửi đi; thử lại sau ít phút.",
}


class Affairs(NamedTuple):
    """How things stand with a person and whoever was merged into them. `last_period`: of their last row on a list; `last_paid_at`: when a
    payment of theirs moved last; `runs`: an enrolment that nobody has ended, of somebody who lives here."""

    is_erased: bool = False
    is_merged_away: bool = False
    on_open_list: bool = False
    runs: bool = False
    unsettled: bool = False
    owed: bool = False
    last_period: str | None = None
    last_paid_at: datetime | None = None
    unpublished: bool = False


def why_not(affairs: Affairs, today: date, *, after_months: int) -> ErasureReason | None:
    """The first reason against erasing somebody today; None when there is none. `after_months`: how long papers are kept after the last
    month that moved anything."""
    idle = _idle_months(affairs, today)
    reasons = (
        (ErasureReason.ALREADY_ERASED, affairs.is_erased),
        (ErasureReason.MERGED_INTO_ANOTHER, affairs.is_merged_away),
        (ErasureReason.ON_OPEN_LIST, affairs.on_open_list),
        (ErasureReason.STILL_ENTITLED, affairs.runs and (idle is None or idle < UNLISTED_MONTHS)),
        (ErasureReason.PAYMENT_NOT_SETTLED, affairs.unsettled),
        (ErasureReason.MONEY_OWED, affairs.owed),
        (ErasureReason.RETENTION_NOT_OVER, idle is not None and idle < after_months),
        (ErasureReason.NOT_PUBLISHED_YET, affairs.unpublished),
    )
    return next((reason for reason, applies in reasons if applies), None)


def _idle_months(affairs: Affairs, today: date) -> int | None:
    """Months since anything moved; None when nothing ever did. A list of a month to come counts as of this month."""
    months = [affairs.last_period, period_of(affairs.last_paid_at.astimezone(LOCAL).date()) if affairs.last_paid_at else None]
    last = max((_ordinal(month) for month in months if month), default=None)
    return None if last is None else max(_ordinal(period_of(today)) - last, 0)


def _ordinal(period: str) -> int:
    return int(period[:4]) * 12 + int(period[5:])
