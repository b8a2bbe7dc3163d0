"""How old an answer may grow: banks' words end spread over a window, the same moment for the same person, and never later than allowed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.verification.ages import Ages
from services.verification.settings import Settings
from shared.settings import UnsafeSettings

SAID = datetime(2024, 1, 20, 2, tzinfo=UTC)


@given(st.uuids(), st.integers(0, 61))
def test_word_of_a_bank_ends_within_the_window_and_always_then(who: UUID, spread: int) -> None:
    ages = Ages(holders_spread_days=spread)
    ends = ages.holder_until(SAID, who)
    assert ages.expires_at(SAID) - timedelta(days=spread) <= ends <= ages.expires_at(SAID)
    assert ends == ages.holder_until(SAID, who)


def test_many_that_were_asked_in_one_night_do_not_end_in_one_night() -> None:
    days = [(Ages().holder_until(SAID, uuid4()) - SAID).days for _ in range(2_800)]
    assert max(days.count(day) for day in set(days)) < 200
    assert len(set(days)) == 28
    assert len({(Ages(holders_spread_days=0).holder_until(SAID, uuid4())) for _ in range(10)}) == 1


def test_windows_that_leave_nothing_are_refused(tmp_path: Path) -> None:
    def made(**changes: int) -> Settings:
        return Settings(postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=tmp_path / "keys.json", **changes)  # type: ignore[arg-type]

    assert made(holders_spread_days=60, holders_renew_days=31).ages.holders_spread_days == 60
    with pytest.raises(UnsafeSettings, match="holders_renew_days"):
        made(holders_spread_days=60, holders_renew_days=32)
