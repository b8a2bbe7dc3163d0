"""Business time: one file moves it for everybody, and the day is Vietnam's."""

import json
import os
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from shared.clock import FileClock, HandClock, SystemClock, clock_from, period_of, write_clock_file

START = datetime(2026, 3, 31, 16, 59, 59, tzinfo=UTC)


def test_the_day_in_vietnam_begins_at_17_utc() -> None:
    clock = HandClock(START)
    assert clock.today() == date(2026, 3, 31)
    clock.move(timedelta(seconds=1))
    assert clock.today() == date(2026, 4, 1)
    assert period_of(clock.today()) == "2026-04"
    clock.move(timedelta(hours=7))
    assert clock.now() == datetime(2026, 4, 1, tzinfo=UTC)
    assert clock.today() == date(2026, 4, 1)


def test_a_hand_clock_stands_still_and_speaks_utc() -> None:
    clock = HandClock(datetime(2026, 1, 1, 7, tzinfo=timezone(timedelta(hours=7))))
    assert clock.now() == clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    assert clock.now().utcoffset() == timedelta(0)
    clock.move(timedelta(days=-1))
    assert clock.today() == date(2025, 12, 31)


def test_rewriting_the_file_moves_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    write_clock_file(path, START)
    clock = FileClock(path)
    assert timedelta(0) <= clock.now() - START < timedelta(seconds=10)
    assert clock.now().utcoffset() == timedelta(0)
    before = path.stat().st_mtime_ns
    write_clock_file(path, START + timedelta(days=30))
    os.utime(path, ns=(before + 1, before + 1))
    assert timedelta(days=30) <= clock.now() - START < timedelta(days=30, seconds=10)
    assert clock.today() >= date(2026, 4, 30)
    assert list(tmp_path.iterdir()) == [path]


def test_a_rate_multiplies_the_time_that_passed(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    real = datetime.now(UTC) - timedelta(seconds=100)
    path.write_text(json.dumps({"business": START.isoformat(), "real": real.isoformat(), "rate": 60}))
    assert timedelta(seconds=6000) <= FileClock(path).now() - START < timedelta(seconds=6600)


def test_a_clock_without_its_file_does_not_fall_back_to_real_time(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileClock(tmp_path / "absent").now()


def test_the_real_clock_is_used_only_without_a_file(tmp_path: Path) -> None:
    assert isinstance(clock_from(tmp_path / "clock.json"), FileClock)
    clock = clock_from(None)
    assert isinstance(clock, SystemClock)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=10)
