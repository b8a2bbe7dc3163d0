"""Runs a module under a sampling profiler of its own: `python -m tests.bench.profiled <module> <file>`.

Every 2 ms of CPU time the stack of the main thread is looked at; when the process ends, packages and functions are written with the share
of samples that were in them, and functions with that below them. Time in C is told as that of the Python function that called it.
"""

from __future__ import annotations

import atexit
import os
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_SECONDS = 0.002
SHOWN = 60


class Profile:
    """Counts of samples by function: on top of the stack, and anywhere on it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._packages: Counter[str] = Counter()
        self._inside: Counter[str] = Counter()
        self._lines: Counter[str] = Counter()
        self._below: Counter[str] = Counter()
        self._samples = 0

    def sample(self, _signal: int, frame: FrameType | None) -> None:
        """One look at the stack."""
        self._samples += 1
        if frame:
            self._packages[_package(frame)] += 1
            self._inside[_name(frame)] += 1
            self._lines[f"{_name(frame)}:{frame.f_lineno}"] += 1
        seen = set()
        while frame:
            seen.add(_name(frame))
            frame = frame.f_back
        self._below.update(seen)

    def write(self) -> None:
        """Write what was seen."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        total = max(self._samples, 1)
        lines = [f"{self._samples} samples of {EVERY_SECONDS * 1000:.0f} ms"]
        for title, counts in (
            ("packages", self._packages),
            ("inside", self._inside),
            ("lines", self._lines),
            ("with what it calls", self._below),
        ):
            lines.append(f"--- {title}")
            lines += [f"{count / total:7.1%}  {name}" for name, count in counts.most_common(SHOWN)]
        self._file.write_text("\n".join(lines) + "\n")


def _name(frame: FrameType) -> str:
    path = frame.f_code.co_filename.rsplit("site-packages/", 1)[-1].replace(os.getcwd() + "/", "")
    return f"{path}:{frame.f_code.co_qualname}"


def _package(frame: FrameType) -> str:
    """A library, Python's own, or a file of ours under `shared` and a folder of ours elsewhere."""
    path = _name(frame).split(":")[0]
    if path.startswith("/") or path.startswith("<"):
        return "python"
    parts = path.split("/")
    return path if parts[0] == "shared" else "/".join(parts[:-1][:2]) if parts[0] in ("services", "tests") else parts[0]


if __name__ == "__main__":
    module, file = sys.argv[1], Path(sys.argv[2])
    profile = Profile(file)
    atexit.register(profile.write)
    signal.signal(signal.SIGPROF, profile.sample)
    signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
