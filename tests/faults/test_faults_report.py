"""The report claims no more than was tried."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.faults import report
from tests.faults.report import Trial, bound, percentile, summarize


def trial(seed: int = 1, *, fault: str = "service killed", ok: bool = True, **fields: object) -> Trial:
    return Trial(fault=fault, scenario="kill", seed=seed, ok=ok, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("trials", "failures", "expected"), [(0, 0, 1.0), (1, 0, 1.0), (30, 0, 0.1), (3_000, 0, 0.001), (100, 1, 0.0466)]
)
def test_bound(trials, failures, expected):
    assert bound(trials, failures) == pytest.approx(expected, abs=1e-4)


@given(st.integers(1, 500), st.integers(0, 20))
def test_bound_lies_above_what_was_seen_and_never_above_one(trials, failures):
    failures = min(failures, trials)
    assert failures / trials <= bound(trials, failures) <= 1.0


def test_percentile_is_a_value_that_was_measured():
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert percentile([1.0] * 99 + [9.0], 0.99) == 1.0
    assert percentile([1.0] * 98 + [9.0], 0.99) == 9.0


def test_fault_with_a_failure_or_too_slow_a_recovery_is_not_ok():
    quick = trial(1, recovery_seconds=2.0, limit_seconds=15.0, deliveries=10)
    slow = trial(2, recovery_seconds=15.1, limit_seconds=15.0)
    failed, other = trial(3, ok=False), trial(4, fault="doubled events", recovery_seconds=99.0)
    doubled, killed = summarize([quick, slow, failed, other])
    assert (killed.trials, killed.failures, killed.too_slow, killed.deliveries, killed.ok) == (3, 1, 1, 10, False)
    assert (doubled.limit, doubled.ok) == (None, True)
    assert summarize([quick])[0].ok


def test_the_report_of_a_run_counts_what_was_tried(tmp_path):
    file = tmp_path / "faults" / "report.json"
    trials = [trial(1, points=("relay.sent",)), trial(2, points=("relay.sent",)), trial(3, missed=True)]
    report.save(trials, file=file, commit="abc")
    held = json.loads(file.read_text())
    assert (held["trials_total"], held["missed_total"], held["bound_over_all"]) == (2, 1, 1.0)
    assert held["kills_per_point"] == {"relay.sent": 2}
    report.save([trial(4, missed=True, ok=False)], file=file, commit="abc")
    assert (json.loads(file.read_text())["failures_total"], json.loads(file.read_text())["ok"]) == (1, False)


def test_failure_is_shown_with_the_command_that_does_it_again():
    shown = io.StringIO()
    report.show([trial(7, ok=False, findings=("lost: somewhere: event 1",))], Console(file=shown, width=200))
    assert "make faults ONLY=kill SEED=7" in shown.getvalue()
    assert "lost: somewhere: event 1" in shown.getvalue()
