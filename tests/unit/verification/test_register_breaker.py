"""The circuit breaker and the ages of answers: what opens, what closes, which moment counts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.verification.ages import NEED_ADVICE, Ages, ExtractNeed
from services.verification.asking import Quota
from services.verification.breaker import Breaker
from shared.clock import LOCAL

NOW = datetime(2024, 1, 20, 2, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def a_breaker() -> Breaker:
    return Breaker(3, 10 * SECOND, 40 * SECOND)


def test_opens_after_so_many_silences_in_a_row() -> None:
    breaker = a_breaker()
    breaker.silent(NOW)
    breaker.silent(NOW)
    breaker.answered()
    breaker.silent(NOW)
    breaker.silent(NOW)
    assert breaker.room(NOW, 50) == 50
    breaker.silent(NOW)
    assert breaker.room(NOW, 50) == 0


def test_half_open_tries_one_and_pauses_longer_each_time() -> None:
    breaker = a_breaker()
    for _ in range(3):
        breaker.silent(NOW)
    later = NOW
    for pause in (10, 20, 40, 40):
        assert breaker.room(later + (pause - 1) * SECOND, 50) == 0
        later += pause * SECOND
        assert breaker.room(later, 50) == 1
        breaker.silent(later)
    breaker.answered()
    assert breaker.room(later, 50) == 50
    for _ in range(3):
        breaker.silent(later)
    assert breaker.room(later + 10 * SECOND, 50) == 1


def test_busy_service_is_left_alone_as_long_as_it_asked() -> None:
    breaker = a_breaker()
    breaker.silent(NOW, 30 * SECOND)
    assert breaker.room(NOW + 29 * SECOND, 50) == 0
    assert breaker.room(NOW + 30 * SECOND, 50) == 1


@given(st.lists(st.sampled_from(["answered", "silent", "busy"]), max_size=30), st.integers(0, 50))
def test_never_lets_more_out_than_wanted(steps: list[str], wanted: int) -> None:
    breaker = a_breaker()
    for step in steps:
        breaker.answered() if step == "answered" else breaker.silent(NOW, SECOND * (step == "busy"))
        assert 0 <= breaker.room(NOW, wanted) <= wanted
    assert breaker.room(NOW + timedelta(days=1), wanted) >= min(wanted, 1)


@pytest.mark.parametrize(
    ("today", "from_day"), [((2024, 1, 20), (2024, 1, 20)), ((2024, 1, 19), (2023, 12, 20)), ((2024, 3, 1), (2024, 2, 20))]
)
def test_answers_are_renewed_once_after_a_day_of_each_month(today: tuple[int, int, int], from_day: tuple[int, int, int]) -> None:
    at = datetime(*today, 9, 0, tzinfo=LOCAL)
    assert Ages(renew_day=20).renew_before(at) == datetime.combine(date(*from_day), datetime.min.time(), LOCAL)


@pytest.mark.parametrize(
    ("as_of", "need"),
    [
        (None, ExtractNeed.NO_EXTRACT),
        ((2023, 10, 21), ExtractNeed.EXTRACT_EXPIRED),
        ((2023, 12, 20), ExtractNeed.EXTRACT_DUE),
        ((2024, 1, 20), ExtractNeed.CURRENT),
    ],
)
def test_a_newer_extract_is_asked_for_before_the_old_one_counts_for_nothing(
    as_of: tuple[int, int, int] | None, need: ExtractNeed
) -> None:
    now, ages = datetime(2024, 1, 22, 9, tzinfo=LOCAL), Ages(renew_day=20, expires_days=92)
    made = datetime(*as_of, 9, tzinfo=LOCAL) if as_of else None
    assert ages.extract_need(made, now) is need
    assert set(NEED_ADVICE) == set(ExtractNeed)


@given(st.integers(0, 2_000), st.integers(1, 28), st.integers(1, 366))
def test_an_extract_is_current_until_the_day_it_is_told_to_be_due(days: int, day: int, expires: int) -> None:
    made, ages = NOW + timedelta(days=days), Ages(day, expires)
    until = min(ages.next_renewal(made), ages.expires_at(made))
    assert made < until
    assert ages.extract_need(made, until - timedelta(microseconds=1)) is ExtractNeed.CURRENT
    assert ages.extract_need(made, until + timedelta(microseconds=1)) is not ExtractNeed.CURRENT


@given(st.integers(0, 2_000), st.integers(0, 23), st.integers(1, 28), st.integers(1, 366))
def test_renewal_is_never_ahead_and_at_most_a_month_ago(days: int, hours: int, day: int, expires: int) -> None:
    now, ages = NOW + timedelta(days=days, hours=hours), Ages(day, expires)
    assert timedelta() <= now - ages.renew_before(now) < timedelta(days=32)
    assert now - ages.expires_before(now) == timedelta(days=expires)


def test_quota_is_small_by_day_and_pauses_grow() -> None:
    quota = Quota(by_day=2, at_night=90, night_from=20, night_until=6, again=60 * SECOND)
    hours = {hour: quota.a_minute(datetime(2024, 1, 20, hour, 0, tzinfo=LOCAL)) for hour in (5, 6, 19, 20)}
    assert hours == {5: 90, 6: 2, 19: 2, 20: 90}
    assert [quota.due_again(NOW, tries) - NOW for tries in (0, 1, 2)] == [60 * SECOND, 120 * SECOND, 240 * SECOND]
    assert quota.due_again(NOW, 8) == quota.due_again(NOW, 50)
