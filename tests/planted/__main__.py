"""`python -m tests.planted [name ...]`: plant the bugs, or some of them; ends red unless every one is caught."""

from __future__ import annotations

import json
import signal
import sys
from time import monotonic

import typer
from rich.console import Console
from rich.table import Table

from tests.planted.catalogue import everything
from tests.planted.runner import Judged, Verdict, run_all, stop
from tests.planted.tree import PLACE


def main(names: list[str] = typer.Argument(None), *, jobs: int = 2) -> None:
    """Plant bugs in copies of the tree and see whether the tests notice."""
    bugs = everything()
    unknown = set(names or ()) - {bug.name for bug in bugs}
    if unknown:
        raise typer.BadParameter(f"no such bug: {', '.join(sorted(unknown))}")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    started = monotonic()
    judged = run_all([bug for bug in bugs if not names or bug.name in names], jobs=jobs)
    _show(judged, monotonic() - started)
    sys.exit(any(one.verdict is not Verdict.CAUGHT for one in judged))


def _show(judged: list[Judged], seconds: float) -> None:
    table = Table(title="Planted bugs")
    for column in ("bug", "promise it breaks", "verdict", "seconds", "caught by"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for one in judged:
        style = "" if one.verdict is Verdict.CAUGHT else "bold red"
        table.add_row(one.bug.name, one.bug.promise, one.verdict, f"{one.seconds:.0f}", one.bug.caught_by, style=style)
    Console().print(table)
    caught = sum(one.verdict is Verdict.CAUGHT for one in judged)
    print(f"{caught} of {len(judged)} caught in {seconds:.0f} s")
    rows = [
        {
            "name": one.bug.name,
            "verdict": one.verdict,
            "seconds": round(one.seconds, 1),
            "caught_by": one.bug.caught_by,
            "line": one.line,
        }
        for one in judged
    ]
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / "report.json").write_text(
        json.dumps({"seconds": round(seconds, 1), "bugs": rows}, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    typer.run(main)
