"""What every process costs, read from /proc once a second: CPU seconds (user and system) and memory (PSS, so that shared pages count once).

PostgreSQL's sessions are added up by database, because each service has its own; what serves all (checkpointer, writers) stands apart.
"""

from __future__ import annotations

import os
import re
import statistics
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

_TICKS = os.sysconf("SC_CLK_TCK")
_TITLE = re.compile(r"^postgres: (?:autovacuum worker |\w+ )\w*?_(registry|verification|payout|notify)\b")
PSS_EVERY = 2
Pids = Callable[[], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment: seconds since the sampler began, CPU seconds used so far and MB held, both by group."""

    at: float
    cpu: Mapping[str, float]
    mb: Mapping[str, float]


@dataclass
class Sampler:
    """Samples in a thread of its own between `start` and `stop`. `pids` names the processes to watch; `postgres` is the server's."""

    pids: Pids
    postgres: int | None
    seconds: float = 1.0
    samples: list[Sample] = field(default_factory=list)
    _used: dict[int, tuple[str, float]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None
    began: float = 0.0

    def start(self) -> None:
        """Begin."""
        self.began = monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def between(self, began: float, ended: float) -> list[Sample]:
        """Samples of a time, told by `time.monotonic`."""
        return [sample for sample in self.samples if began <= self.began + sample.at <= ended]

    def cpu(self) -> dict[str, float]:
        """CPU seconds by group up to now, sessions that are over included."""
        with self._lock:
            self._read_cpu()
            totals: dict[str, float] = defaultdict(float)
            for group, used in self._used.values():
                totals[group] += used
            return dict(totals)

    def _run(self) -> None:
        turn, mb = 0, dict[str, float]()
        while not self._stop.wait(self.seconds):
            cpu = self.cpu()
            if turn % PSS_EVERY == 0:
                mb = self._read_mb()
            turn += 1
            self.samples.append(Sample(monotonic() - self.began, cpu, mb))

    def _printing(self) -> float | None:
        """CPU seconds of the printing processes that are over: they live too short to be watched one by one."""
        pid = self.pids().get("payout")
        return _cpu_seconds(pid, buried=True) if pid else None

    def _groups(self) -> dict[int, str]:
        found = {pid: name for name, pid in self.pids().items()}
        if self.postgres:
            found[self.postgres] = "postgres"
            found |= {pid: _group_of(pid) for pid in _children(self.postgres)}
        return found

    def _read_cpu(self) -> None:
        for pid, group in self._groups().items():
            used = _cpu_seconds(pid)
            if used is not None:
                known = self._used.get(pid)
                # A session is named after its database only once it has logged in.
                self._used[pid] = (known[0] if known and known[0] != "postgres" else group, used)
        if (used := self._printing()) is not None:
            self._used[0] = ("printing", used)

    def _read_mb(self) -> dict[str, float]:
        totals: dict[str, float] = defaultdict(float)
        for pid, group in self._groups().items():
            totals[group] += _pss_mb(pid)
        if pid := self.pids().get("payout"):
            totals["printing"] = sum(map(_pss_mb, _children(pid)))
        return dict(totals)


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def _group_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            title = file.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "postgres"
    named = _TITLE.match(title)
    return f"postgres {named[1]}" if named else "postgres"


def _cpu_seconds(pid: int, *, buried: bool = False) -> float | None:
    """Of a process, or of the children it has waited for."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    first = 13 if buried else 11
    return (int(fields[first]) + int(fields[first + 1])) / _TICKS


def _pss_mb(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next((int(line.split()[1]) / 1024 for line in file if line.startswith("Pss:")), 0.0)
    except OSError:
        return 0.0


def peak_mb(samples: Sequence[Sample]) -> dict[str, float]:
    """The most each group held."""
    groups = {group for sample in samples for group in sample.mb}
    return {group: round(max(sample.mb.get(group, 0.0) for sample in samples), 1) for group in sorted(groups)}


def flatness(samples: Sequence[Sample]) -> dict[str, float]:
    """Median of the last quarter over that of the second: 1.0 does not grow. Empty below 16 samples."""
    if len(samples) < 16:
        return {}
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    groups = {group for sample in early for group in sample.mb}
    return {group: round(_median(late, group) / max(_median(early, group), 0.1), 3) for group in sorted(groups)}


def _median(samples: Sequence[Sample], group: str) -> float:
    return statistics.median(sample.mb.get(group, 0.0) for sample in samples)
