"""Everything in one run on one machine and one set of data, into docs/benchmarks.json, docs/benchmarks.md and two pictures."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
import traceback
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import (
    bare_limit,
    documented_way,
    end_to_end,
    latency,
    list_import,
    machine,
    matching,
    page,
    payroll_bench,
    plot,
    replica,
)
from tests.bench.world import ROOT

Say = Callable[[str], None]
PROVINCE = 107_085
PARTS = (
    "documented_way",
    "bare_limit",
    "end_to_end",
    "latency",
    "payroll",
    "list_import",
    "workbook_import",
    "matching",
    "replica",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    name: str
    end_to_end: tuple[int, ...]
    documented_way: int
    bare_limit: int
    payroll: tuple[int, int]
    list_rows: int
    replica: tuple[int, int]
    rates: tuple[int, ...]
    seconds: int


FULL = Size(
    "full", (10_000, PROVINCE, 1_000_000), 10_000, 100_000, (1_000_000, 100), 1_000_000, (replica.HELD, replica.CHECKED),
    latency.RATES, latency.SECONDS,
)  # fmt: skip
PROVINCE_ONLY = Size(
    "province", (10_000, PROVINCE), 10_000, 100_000, (100_000, 10), 100_000, (PROVINCE, 20_000), latency.RATES, latency.SECONDS,
)  # fmt: skip
QUICK = Size("quick", (1_000,), 200, 5_000, (2_000, 1), 2_000, (3_000, 1_000), (50,), 3)
SIZES = {size.name: size for size in (FULL, PROVINCE_ONLY, QUICK)}


async def run(size: Size, say: Say, *, kept: dict[str, Any] | None = None, again: Collection[str] = ()) -> dict[str, Any]:
    """All results. A part that fails is told as failed, and the others go on.

    `again`: measure only these parts, the others stay as they stand in `kept`, with the commit they were measured at.
    """
    began = time.monotonic()
    found: dict[str, Any] = (kept or {}) | {"measured": _measured(kept or {})} | {
        "synthetic": True, "size": size.name, "day": datetime.now(UTC).date().isoformat(), "commit": _commit(),
        "load_before": machine.busy_with_others(), "machine": machine.facts(), "failed": {},
    }  # fmt: skip
    *smaller, largest = size.end_to_end
    plan: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
        ("documented_way", lambda: documented_way.run(size.documented_way, say)),
        ("bare_limit", lambda: bare_limit.run(size.bare_limit, say)),
        *(("end_to_end", partial(end_to_end.run, people, say)) for people in smaller),
        ("latency", lambda: latency.run(say, size.rates, size.seconds)),
        ("payroll", lambda: payroll_bench.run(*size.payroll)),
        ("list_import", lambda: list_import.run(size.list_rows, say)),
        ("workbook_import", lambda: list_import.run(size.list_rows, say, workbook=True)),
        ("matching", lambda: asyncio.to_thread(matching.run)),
        ("replica", lambda: replica.run(*size.replica, say)),
        ("end_to_end", lambda: end_to_end.run(largest, say)),  # last: it leaves the fullest disk and takes longest
    ]
    parts = _Parts(found, say)
    for name, part in plan:
        if not again or name in again:
            await parts.run(name, part)
    found["ratios"] = page.ratios(found)
    found["aims"] = page.aims(found)
    found["minutes"] = round((time.monotonic() - began) / 60, 1)
    return found


@dataclass
class _Parts:
    """Runs parts one after the other and keeps what they found."""

    found: dict[str, Any]
    say: Say
    seen: set[str] = field(default_factory=set)

    async def run(self, name: str, part: Callable[[], Awaitable[Any]]) -> None:
        """One part."""
        self.say(f"--- {name.replace('_', ' ')}")
        if name not in self.seen:
            self.found.pop(name, None)
            self.seen.add(name)
        try:
            result = await part()
        except Exception as error:  # a figure less is better than no figures
            traceback.print_exc()
            self.found["failed"][name] = f"{type(error).__name__}: {error}"[:300]
            return
        if name == "end_to_end":
            self.found.setdefault(name, []).append(result)
        else:
            self.found[name] = result
        self.found["measured"][name] = _this_run(self.found)
        (ROOT / ".ansinh" / "bench-so-far.json").write_text(json.dumps(self.found, default=str))


def _measured(kept: dict[str, Any]) -> dict[str, dict[str, str]]:
    """When, at which commit and on what each part of an earlier run was measured."""
    return {name: _this_run(kept) for name in PARTS if name in kept} | kept.get("measured", {})


def _this_run(found: dict[str, Any]) -> dict[str, str]:
    processor = found.get("machine", {}).get("processor", "")
    return {"day": found.get("day", ""), "commit": found.get("commit", ""), "processor": processor}


def write(found: dict[str, Any], folder: Path) -> None:
    """The JSON, the page and the pictures."""
    (folder / "benchmarks.json").write_text(json.dumps(_small(found), indent=1, ensure_ascii=False, default=str) + "\n")
    (folder / "benchmarks.md").write_text(page.render(found))
    plot.draw(found, folder)


def _small(found: dict[str, Any]) -> dict[str, Any]:
    """Without the samples of memory over time but a hundred of each run: they are in the picture."""
    runs = [{**run, "memory": run["memory"][:: max(1, len(run["memory"]) // 100)]} for run in found.get("end_to_end", [])]
    return {**found, "end_to_end": runs}


def is_good(found: dict[str, Any]) -> bool:
    """Whether every part ran and passed its gate. An aim that is missed is a finding, not a failure."""
    alone = [found.get(name, {}) for name in ("list_import", "workbook_import", "matching", "replica")]
    parts = [*found.get("end_to_end", []), *found.get("latency", []), *alone]
    return not found["failed"] and all(part.get("valid", True) for part in parts)


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
