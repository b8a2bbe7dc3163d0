"""When somebody may be erased: nothing is owed and nothing runs, and the papers need not be kept any more."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.erasing import ERASURE_ADVICE, UNLISTED_MONTHS, Affairs, ErasureReason, why_not

TODAY = date(2024, 5, 20)
months = st.builds(lambda year, month: f"{year}-{month:02}", st.integers(2000, 2024), st.integers(1, 12))
affairs = st.builds(
    Affairs,
    *[st.booleans()] * 6,
    last_period=st.none() | months,
    last_paid_at=st.none()
    | st.integers(0, 290).map(lambda months: datetime(2000 + months // 12, months % 12 + 1, 15, tzinfo=UTC)),
    unpublished=st.booleans(),
)


@pytest.mark.parametrize(
    ("stands", "reason"),
    [
        ({}, None),
        ({"is_erased": True, "on_open_list": True}, ErasureReason.ALREADY_ERASED),
        ({"is_merged_away": True, "owed": True}, ErasureReason.MERGED_INTO_ANOTHER),
        ({"on_open_list": True, "runs": True}, ErasureReason.ON_OPEN_LIST),
        ({"runs": True, "last_period": "2024-04"}, ErasureReason.STILL_ENTITLED),
        ({"runs": True, "last_period": "2023-06"}, ErasureReason.STILL_ENTITLED),
        ({"runs": True, "last_period": "2023-05"}, None),
        ({"unsettled": True, "owed": True}, ErasureReason.PAYMENT_NOT_SETTLED),
        ({"owed": True, "unpublished": True}, ErasureReason.MONEY_OWED),
        ({"unpublished": True}, ErasureReason.NOT_PUBLISHED_YET),
    ],
)
def test_the_first_reason_against_it_is_told(stands: dict[str, Any], reason: ErasureReason | None) -> None:
    assert why_not(Affairs(**stands), TODAY, after_months=0) is reason


@pytest.mark.parametrize(("last", "open_on"), [("2014-05", date(2024, 5, 1)), ("2013-12", date(2023, 12, 1))])
def test_papers_are_kept_for_ten_years_after_the_last_month(last: str, open_on: date) -> None:
    stands = Affairs(last_period=last)
    assert why_not(stands, open_on, after_months=120) is None
    before = date(open_on.year - (open_on.month == 1), (open_on.month - 2) % 12 + 1, 28)
    assert why_not(stands, before, after_months=120) is ErasureReason.RETENTION_NOT_OVER
    assert why_not(stands, before, after_months=0) is None


def test_a_payment_that_moved_later_counts_and_is_of_the_month_it_was_here() -> None:
    moved = datetime(2024, 4, 30, 20, 0, tzinfo=UTC)  # the first of May in Vietnam
    assert why_not(Affairs(last_period="2023-01", last_paid_at=moved), TODAY, after_months=1) is ErasureReason.RETENTION_NOT_OVER
    assert why_not(Affairs(last_period="2023-01", last_paid_at=moved), date(2024, 6, 1), after_months=1) is None


def test_a_list_of_a_month_to_come_is_of_now() -> None:
    assert why_not(Affairs(last_period="2024-06"), TODAY, after_months=0) is None
    assert why_not(Affairs(last_period="2024-06"), TODAY, after_months=1) is ErasureReason.RETENTION_NOT_OVER


@given(affairs, st.integers(0, 240), st.integers(0, 240))
def test_a_longer_term_never_lets_anybody_go_sooner(stands: Affairs, one: int, other: int) -> None:
    longer, shorter = (why_not(stands, TODAY, after_months=months) for months in (max(one, other), min(one, other)))
    assert longer is not None or shorter is None
    assert shorter in (longer, None) or longer is ErasureReason.RETENTION_NOT_OVER


@given(affairs, st.integers(0, 240))
def test_nobody_goes_to_whom_something_is_owed_or_who_goes_on(stands: Affairs, after_months: int) -> None:
    reason = why_not(stands, TODAY, after_months=after_months)
    if reason is None:
        in_the_way = (
            stands.is_erased,
            stands.is_merged_away,
            stands.on_open_list,
            stands.unsettled,
            stands.owed,
            stands.unpublished,
        )
        assert not any(in_the_way)
        assert not stands.runs or ((stands.last_period or stands.last_paid_at) and _idle(stands) >= UNLISTED_MONTHS)


def _idle(stands: Affairs) -> int:
    later = why_not(stands._replace(runs=False), TODAY, after_months=UNLISTED_MONTHS)
    return 0 if later is ErasureReason.RETENTION_NOT_OVER else UNLISTED_MONTHS


def test_every_reason_has_its_advice() -> None:
    assert set(ERASURE_ADVICE) == set(ErasureReason)
