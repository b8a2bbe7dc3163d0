"""What a run of faults proves: trials per fault, failures, how much a clean bill bounds, and how long recovery took without a human.

    report.save([Trial(fault="service killed", scenario="kill", seed=7, ok=True, recovery_seconds=2.1, deliveries=5120), ...])
    report.show()

No failure in n independent trials bounds the rate of failure at 3/n with 95 % confidence (the rule of three); with f failures the bound
is the exact one of Clopper and Pearson. `.ansinh/faults/report.json` holds one run; `tests.faults.record` keeps all of them.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".ansinh" / "faults" / "report.json"
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault done once. `fault` is its word in the matrix of docs/FAULTS.md.

    `recovery_seconds`: from the moment it is over until people who come in at the door are known everywhere; `limit_seconds` is what is
    promised of that, None where nothing stands still.
    """

    fault: str
    scenario: str
    seed: int
    ok: bool
    recovery_seconds: float | None = None
    limit_seconds: float | None = None
    deliveries: int = 0
    seconds: float = 0.0
    findings: tuple[str, ...] = ()
    points: tuple[str, ...] = ()  # named crash points at which a process really died
    missed: bool = False  # it never struck: nothing was tried
    what: str = ""  # which row of the table; `scenario` is the trial's name, which does it again


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the report. `bound`: the rate of failure is below it, with 95 % confidence."""

    fault: str
    trials: int
    failures: int
    bound: float
    deliveries: int
    recovered: int
    median: float | None
    p99: float | None
    worst: float | None
    limit: float | None
    too_slow: int

    @property
    def ok(self) -> bool:
        """Nothing failed and nothing took too long."""
        return not self.failures and not self.too_slow


def bound(trials: int, failures: int = 0) -> float:
    """Upper bound of the rate of failure at 95 %: 3/n for none, else exact (Clopper-Pearson). 1 when nothing was tried."""
    if trials == 0:
        return 1.0
    if failures == 0:
        return min(1.0, 3.0 / trials)
    low, high = failures / trials, 1.0
    for _ in range(60):  # P(at most `failures` of `trials`) falls as the rate rises: halve until it is 5 %
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(failures, trials, middle) > 1 - CONFIDENCE else (low, middle)
    return high


def _at_most(failures: int, trials: int, rate: float) -> float:
    return sum(math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(failures + 1))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed (nearest rank: no figure that was never measured)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summarize(trials: Sequence[Trial]) -> list[Summary]:
    """One line per fault, by name."""
    by_fault: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        if not (trial.missed and trial.ok):
            by_fault[trial.fault].append(trial)
    return [_summary(fault, by_fault[fault]) for fault in sorted(by_fault)]


def _summary(fault: str, trials: Sequence[Trial]) -> Summary:
    times = [trial.recovery_seconds for trial in trials if trial.recovery_seconds is not None]
    failures = sum(not trial.ok for trial in trials)
    limits = {trial.limit_seconds for trial in trials if trial.limit_seconds is not None}
    return Summary(
        fault=fault,
        trials=len(trials),
        failures=failures,
        bound=bound(len(trials), failures),
        deliveries=sum(trial.deliveries for trial in trials),
        recovered=len(times),
        median=percentile(times, 0.5) if times else None,
        p99=percentile(times, 0.99) if times else None,
        worst=max(times) if times else None,
        limit=max(limits, default=None),
        too_slow=sum((t.recovery_seconds or 0.0) > (t.limit_seconds or math.inf) for t in trials),
    )


def save(trials: Sequence[Trial], *, file: Path = FILE, commit: str | None = None) -> None:
    """The report of this run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(_as_json(trials, commit or commit_now()), indent=1) + "\n", encoding="utf-8")


def _as_json(trials: Sequence[Trial], commit: str) -> dict[str, Any]:
    summaries = summarize(trials)
    tried = sum(summary.trials for summary in summaries)
    failures = sum(summary.failures for summary in summaries)
    return {
        "commit": commit,
        "ok": all(summary.ok for summary in summaries),
        "trials_total": tried,
        "failures_total": failures,
        "missed_total": len(trials) - tried,
        "bound_over_all": bound(tried, failures),
        "deliveries_total": sum(trial.deliveries for trial in trials),
        "kills_per_point": dict(sorted(Counter(point for trial in trials for point in trial.points).items())),
        "faults": [asdict(summary) for summary in summaries],
        "trials": [asdict(trial) for trial in trials],
    }


def commit_now() -> str:
    """The commit that is tried; `+` behind it when files differ from it. `unknown` without git."""
    said = [_git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")]
    if said[0] is None:
        return "unknown+"
    return said[0] + ("+" if said[1] else "")


def _git(*words: str) -> str | None:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def show(trials: Sequence[Trial], console: Console | None = None) -> None:
    """The report as people read it: a line per fault, then what failed with the command that does it again."""
    console = console or Console()
    table = Table(title="Faults: what was tried, what it bounds, how long recovery took")
    for column in ("fault", "trials", "failed", "rate below", "deliveries", "recovery median", "p99", "max", "limit"):
        table.add_column(column, justify="left" if column == "fault" else "right")
    for summary in summarize(trials):
        table.add_row(*_cells(summary), style="" if summary.ok else "bold red")
    console.print(table)
    tried = [trial for trial in trials if not (trial.missed and trial.ok)]
    failures = [trial for trial in tried if not trial.ok]
    console.print(
        f"{len(tried)} trials, {len(trials) - len(tried)} missed, {sum(trial.deliveries for trial in tried)} deliveries,"
        f" {len(failures)} failed; rate of failure over all below {bound(len(tried), len(failures)):.2%} (95 %)"
    )
    for trial in failures:
        console.print(f"[red]{trial.fault}[/]: again with `make faults ONLY={trial.scenario} SEED={trial.seed}`", highlight=False)
        for finding in trial.findings[:5]:
            console.print(f"    {finding}", markup=False, highlight=False)


def _cells(summary: Summary) -> list[str]:
    times = [f"{value:.1f} s" if value is not None else "-" for value in (summary.median, summary.p99, summary.worst)]
    limit = f"{summary.limit:.0f} s" if summary.limit else "-"
    return [
        summary.fault,
        str(summary.trials),
        str(summary.failures),
        f"{summary.bound:.2%}",
        str(summary.deliveries),
        *times,
        limit + (f" ({summary.too_slow} over)" if summary.too_slow else ""),
    ]
