"""`python -m tests.bench end-to-end --people 10000`: measure one thing. `all` measures everything and writes the documents."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from tests.bench import end_to_end, hand_over, latency
from tests.bench.world import ROOT

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def say(text: str) -> None:
    """Progress goes to the error stream."""
    print(f"  {text}", file=sys.stderr, flush=True)


@app.callback()
def _commands() -> None:
    """Measure An Sinh on this machine with synthetic people."""


def measured(work: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end, or until the first INT or TERM: then everything that was started is stopped, and nothing is written.

    A shell gives its background jobs an ignored INT, and a KeyboardInterrupt raised anywhere can be taken for a part that failed.
    """

    async def run() -> Any:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await work

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        say("stopped; nothing was written")
        raise typer.Exit(130) from None


@app.command("end-to-end")
def end_to_end_command(
    people: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many synthetic people")] = 10_000,
    out: Annotated[Path | None, typer.Option(help="Append the figures to this file too")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file")] = None,
    profiled: Annotated[str | None, typer.Option("--profile", help="Run this service under the profiler")] = None,
) -> None:
    """From a ministry's events to the last decision."""
    result = measured(end_to_end.run(people, say, profiled=profiled))
    text = summary(result)
    print(text)
    if as_json:
        as_json.write_text(json.dumps(result, indent=1, default=str))
    if out:
        with out.open("a") as file:
            file.write(text + "\n")
    if not result["valid"]:
        raise typer.Exit(1)


@app.command("hand-over")
def hand_over_command(
    people: Annotated[int, typer.Option(min=225, max=900_000, help="How many synthetic people; the province has 107,085")] = 450,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file")] = None,
) -> None:
    """June 2025 by the districts, July by the communes: nobody missed, nobody paid twice."""
    result = measured(hand_over.run(people, say))
    text = json.dumps(result, indent=1, default=str)
    print(text)
    if as_json:
        as_json.write_text(text)
    if not result["valid"]:
        raise typer.Exit(1)


@app.command("latency")
def latency_command(
    seconds: Annotated[int, typer.Option(min=2, max=600, help="How long at each rate")] = latency.SECONDS,
) -> None:
    """From a ministry's event to its verification result, at fixed rates."""
    print(json.dumps(measured(latency.run(say, seconds=seconds)), indent=1))


@app.command("all")
def all_command(
    size: Annotated[str, typer.Option(help="full, province or quick")] = "full",
    folder: Annotated[Path | None, typer.Option(help="Where the documents go; docs/ for a full run, else .ansinh/bench")] = None,
    again: Annotated[str, typer.Option(help="Only these parts, by comma; the rest stays as an earlier run has it")] = "",
    kept: Annotated[Path | None, typer.Option(help="That run's JSON; without it the one in the folder")] = None,
) -> None:
    """Everything, into docs/benchmarks.md and docs/benchmarks.json."""
    from tests.bench import whole

    where = folder or (ROOT / "docs" if size == "full" else ROOT / ".ansinh" / "bench")
    parts = {part.strip() for part in again.split(",") if part.strip()}
    earlier = json.loads((kept or where / "benchmarks.json").read_text()) if parts else None
    found = measured(whole.run(whole.SIZES[size], say, kept=earlier, again=parts))
    where.mkdir(parents=True, exist_ok=True)
    whole.write(found, where)
    print((where / "benchmarks.md").read_text())
    if not whole.is_good(found):
        print(f"failed: {found['failed']}", file=sys.stderr)
        raise typer.Exit(1)


def summary(result: dict[str, Any]) -> str:
    """One run as a person reads it in a terminal."""
    gate = result["gate"]
    lines = [
        f"{result['people']} people, {result['events']} events: {result['people_per_second']} people/s, "
        f"{result['total_seconds']} s{'' if result['valid'] else ' - VOID, the gate is not passed'}",
        "  phases (s): " + ", ".join(f"{name} {seconds}" for name, seconds in result["seconds"].items()),
        "  CPU microseconds per person:",
    ]
    phases = result["cpu_us_per_person_by_phase"]
    busy = result["cpu_us_per_person_without_idling"]
    lines.append(f"    {'':<22}{'all':>7}{'-idling':>8}" + "".join(f"{name[:12]:>14}" for name in phases))
    for group, used in sorted(result["cpu_us_per_person"].items(), key=lambda pair: -pair[1]):
        lines.append(f"    {group:<22}{used:>7}{busy[group]:>8}" + "".join(f"{by.get(group, 0):>14}" for by in phases.values()))
    lines.append(f"    {'sum':<22}{sum(result['cpu_us_per_person'].values()):>7}{sum(busy.values()):>8}")
    lines.append("  peak MB (PSS): " + ", ".join(f"{group} {mb}" for group, mb in result["peak_mb"].items()))
    lines.append(f"  last quarter over second quarter: {result['flatness']}")
    lines.append(f"  ansinh check {gate['check_seconds']} s; disk MB {result['disk_mb']}")
    if not result["valid"]:
        lines.append("  differs: " + json.dumps(gate["differ"], default=str, ensure_ascii=False))
        lines.append(
            f"  not ok: {[name for name, ok in gate['ok'].items() if not ok]}; "
            f"invariants {[name for name, ok in gate['invariants'].items() if not ok]}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    app()
