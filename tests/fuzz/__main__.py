"""`make fuzz`: changed bytes into every reader, by atheris (coverage-guided), some seconds each. Ends red when one raised what it must not.

python -m tests.fuzz --seconds 60                     every target, a minute each
python -m tests.fuzz list-csv statement-mt940         some
A finding is kept under `.ansinh/fuzz/<target>/findings`. Mended, it goes to `tests/fuzz/found/<target>` and `make test` tries it
ever after.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from tests.fuzz.targets import TARGETS

PLACE = Path(".ansinh/fuzz")
INPUT_BYTES_MAX, INPUT_SECONDS_MAX, MEMORY_MB_MAX = 65_536, 20, 2_048
SLACK_SECONDS = 60
RUNS = re.compile(r"Done ([0-9]+) runs")
ENDS = ("SUMMARY", "Error", "Exception")


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one target. `runs`: inputs tried, 0 when it was ended by a finding."""

    name: str
    runs: int
    findings: tuple[Path, ...]
    said: str


def main(names: list[str] = typer.Argument(None), *, seconds: int = 30) -> None:
    """Fuzz the readers of what comes from outside."""
    if unknown := set(names or ()) - TARGETS.keys():
        raise typer.BadParameter(f"no such target: {', '.join(sorted(unknown))}")
    tried = []
    for name in names or TARGETS:
        tried.append(one := fuzz(name, seconds))
        print(
            f"{name:<24} {one.runs:>9} inputs  {'; '.join(map(str, one.findings)) or 'nothing found'}  {one.said}".rstrip(),
            flush=True,
        )
    sys.exit(any(one.findings or not one.runs for one in tried))


def fuzz(name: str, seconds: int) -> Tried:
    """Run one target in a process of its own, so that one that breaks breaks only that."""
    corpus, findings = PLACE / name / "corpus", PLACE / name / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    options = (
        f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_SECONDS_MAX}", f"-rss_limit_mb={MEMORY_MB_MAX}",
    )  # fmt: skip
    command = [sys.executable, "-m", "tests.fuzz.one", name, str(corpus), str(findings), *options]
    done = subprocess.run(command, capture_output=True, check=False, timeout=seconds + SLACK_SECONDS, errors="replace", text=True)
    told = done.stdout + done.stderr
    runs = RUNS.search(told)
    said = (
        "" if done.returncode == 0 else next((line for line in told.splitlines() if line.strip().startswith(ENDS)), told[-200:])
    )
    return Tried(name, int(runs[1]) if runs else 0, tuple(sorted(set(findings.iterdir()) - before)), said[:200])


typer.run(main)
