"""Two pictures of a run: people a second beside the documented way and the bare limit, and the memory of every process over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "ansinh"
from matplotlib import pyplot  # noqa: E402

OURS, DOCUMENTED, LIMIT = "#1b6ca8", "#b9b9b9", "#e0a030"
SHOWN = ("registry", "verification", "payout", "notify", "kafka")


def draw(found: dict[str, Any], folder: Path) -> None:
    """Write `benchmarks-speed.svg` and `benchmarks-memory.svg`."""
    _speed(found, folder / "benchmarks-speed.svg")
    if found.get("end_to_end"):
        _memory(found["end_to_end"][-1], folder / "benchmarks-memory.svg")


def _speed(found: dict[str, Any], path: Path) -> None:
    bars: list[tuple[str, float, str]] = []
    if one := found.get("documented_way"):
        bars.append(("the documented way", one["people_per_second"], DOCUMENTED))
    bars += [(f"An Sinh, {run['people']:,} people", run["people_per_second"], OURS) for run in found.get("end_to_end", [])]
    if one := found.get("bare_limit"):
        bars.append(("bare limit: no logic", one["people_per_second"], LIMIT))
    figure, axes = pyplot.subplots(figsize=(8, 0.6 + 0.5 * len(bars)), layout="constrained")
    names, values, colours = zip(*bars, strict=True)
    drawn = axes.barh(names, values, color=colours)
    axes.bar_label(drawn, labels=[f"{value:,.0f}" for value in values], padding=4)
    axes.invert_yaxis()
    axes.set_xlabel(f"people a second, {found['machine']['cores']} cores with everything on them")
    axes.margins(x=0.15)
    _plain(axes)
    _save(figure, path)


def _memory(run: dict[str, Any], path: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    samples: Sequence[dict[str, float]] = run["memory"]
    if samples:
        start = samples[0]["at"]
        at = [sample["at"] - start for sample in samples]
        for name in SHOWN:
            axes.plot(at, [sample.get(name, 0.0) for sample in samples], label=name, linewidth=1.5)
        postgres = [sum(mb for name, mb in sample.items() if name.startswith("postgres")) for sample in samples]
        axes.plot(at, postgres, label="postgres, all sessions", linewidth=1.5, linestyle="--")
    axes.axhline(250, color="black", linewidth=0.8, linestyle=":")
    axes.annotate("aim: every service under 250 MB", (0.01, 252), xycoords=("axes fraction", "data"), fontsize=8)
    axes.set_xlabel(f"seconds of the run of {run['people']:,} people")
    axes.set_ylabel("MB (PSS)")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    _plain(axes)
    _save(figure, path)


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
