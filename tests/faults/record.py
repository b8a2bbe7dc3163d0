"""What was ever tried: a line per fault of a trial, red and missed ones too, over runs and commits, and the table of docs/FAULTS.md.

`.ansinh/faults-so-far.csv` grows by a trial as soon as it has ended. `python -m tests.faults --tell` adds its lines to
`docs/faults-tried.csv` and writes the table anew; a test compares the two. Trials of files that no commit holds are not kept.
"""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.report import ROOT, Trial, bound, percentile

SO_FAR = ROOT / ".ansinh" / "faults-so-far.csv"
TRIED = ROOT / "docs" / "faults-tried.csv"
PAGE = ROOT / "docs" / "FAULTS.md"
BETWEEN = re.compile(r"(?<=<!-- tried -->\n).*?(?=<!-- /tried -->)", re.DOTALL)
OK, RED, MISS = "ok", "red", "miss"
FINDING_MAX = 160


@dataclass(frozen=True, slots=True)
class Line:
    """One fault of one trial. `at`: UTC, when it had ended; `load`: of the machine then, over a minute; figures as text, "" for none.

    `result`: ok, red (anything was wrong), or miss: it never struck, so nothing was tried. `points`: where a process killed itself.
    """

    at: str
    commit: str
    brokers: str
    trial: str
    scenario: str
    seed: str
    fault: str
    result: str
    recovery_seconds: str
    limit_seconds: str
    load: str
    seconds: str
    deliveries: str
    points: str
    finding: str


COLUMNS = tuple(field.name for field in fields(Line))


def lines_of(trials: Iterable[Trial], commit: str, brokers: int) -> list[Line]:
    """As they are kept."""
    at, load = datetime.now(UTC).isoformat(timespec="seconds"), f"{os.getloadavg()[0]:.1f}"
    return [
        Line(
            at=at, commit=commit, brokers=str(brokers), trial=trial.scenario, scenario=trial.what, seed=str(trial.seed), fault=trial.fault,
            result=RED if not trial.ok else MISS if trial.missed else OK,
            recovery_seconds=_text(trial.recovery_seconds), limit_seconds=_text(trial.limit_seconds), load=load,
            seconds=_text(trial.seconds), deliveries=str(trial.deliveries), points=" ".join(trial.points),
            finding=(trial.findings[0][:FINDING_MAX] if trial.findings else ""),
        )
        for trial in trials
    ]  # fmt: skip


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def keep(lines: Sequence[Line], file: Path = SO_FAR) -> None:
    """Add lines, but for those of a tree that differs from its commit."""
    clean = [line for line in lines if not line.commit.endswith("+")]
    if clean:
        write(file, [*read(file), *clean])


def read(file: Path) -> list[Line]:
    """What a file holds, oldest first."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as text:
        return [Line(**row) for row in csv.DictReader(text)]


def write(file: Path, lines: Iterable[Line]) -> None:
    """Each line once, oldest first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(set(lines), key=lambda line: (line.at, line.scenario, line.fault))
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([[getattr(line, name) for name in COLUMNS] for line in ordered])


def tell(so_far: Path = SO_FAR, tried: Path = TRIED, page: Path = PAGE) -> str:
    """Add what was tried here to what the repository knows, and write the page's table; returns it."""
    write(tried, [*read(tried), *read(so_far)])
    told = table(read(tried))
    page.write_text(BETWEEN.sub(lambda _found: told, page.read_text("utf-8")), "utf-8")
    return told


def table(lines: Sequence[Line]) -> str:
    """The table and what it adds up to, as Markdown."""
    by_fault: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_fault[line.fault].append(line)
    head = ("fault", "trials", "red", "missed", "clean since", "rate below", "recovery median", "max", "limit", "over it")
    rows = [head, ("---", *["---:"] * (len(head) - 1)), *(_row(fault, by_fault[fault]) for fault in sorted(by_fault))]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", _overall(lines), ""])


def _row(fault: str, lines: Sequence[Line]) -> tuple[str, ...]:
    tried = _tried(lines)
    clean = _clean_since_red(tried)
    times = [float(line.recovery_seconds) for line in tried if line.recovery_seconds]
    limits = [float(line.limit_seconds) for line in lines if line.limit_seconds]
    over = sum(_over(line) for line in tried)
    return (
        fault,
        str(len(tried)),
        str(sum(line.result == RED for line in tried)),
        str(len(lines) - len(tried)),
        str(clean),
        f"{bound(clean):.1%}",
        f"{percentile(times, 0.5):.1f} s" if times else "-",
        f"{max(times):.1f} s" if times else "-",
        f"{max(limits):.0f} s" if limits else "-",
        str(over) if limits else "-",
    )


def _tried(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.result != MISS]


def _clean_since_red(tried: Sequence[Line]) -> int:
    """What was red was mended, or is not: either way only what came after it counts."""
    last = max((number for number, line in enumerate(tried) if line.result == RED), default=-1)
    return len(tried) - last - 1


def _over(line: Line) -> bool:
    return bool(line.recovery_seconds and line.limit_seconds) and float(line.recovery_seconds) > float(line.limit_seconds)


def _overall(lines: Sequence[Line]) -> str:
    tried = _tried(lines)
    clean, red = _clean_since_red(tried), sum(line.result == RED for line in tried)
    days = sorted({line.at[:10] for line in lines}) or ["never"]
    points = {point for line in tried for point in line.points.split()}
    return (
        f"{days[0]} to {days[-1]}, {len({line.commit for line in lines})} commits: {len(tried)} trials of a fault, {red} red,"
        f" {len(lines) - len(tried)} missed; {clean} clean ones since the last red one of any fault, so a rate of failure over all"
        f" below {bound(clean):.1%} (95 %). {len({line.scenario for line in tried})} scenarios, processes died at"
        f" {len(points)} crash points, {sum(int(line.deliveries or 0) for line in tried)} deliveries."
    )
