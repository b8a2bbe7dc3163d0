"""Our processes and the sandbox partners: started in order, restarted when they fail, stopped by id."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import httpx

ROOT = Path(__file__).parents[1]
STOP_SECONDS = 20.0
READY_SECONDS = 180.0
# A child that ends so often in a row, each time within so many seconds of its start, is given up.
FAILURES_MAX = 20
LIVED_SECONDS = 30.0
# A pipe on which nothing is ever written: children hold its reading end, and it ends when this process does.
_LIFELINE = os.pipe()


class NotReady(Exception):
    """A process did not come up. The text names it and its log file."""


@dataclass
class Child:
    """One process of ours: its command, its log, and how often it had to be started again. `held`: nobody starts it again for now.

    `without`: variables of our environment that it must not see.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    without: frozenset[str] = frozenset()
    restarts: int = 0
    held: bool = False
    process: subprocess.Popen[bytes] | None = None
    _failures: int = 0
    _started: float = 0.0

    def start(self, once: Mapping[str, str] | None = None) -> None:
        """Start it in a session of its own, so that a terminal's Ctrl-C reaches only the supervisor; it ends when the supervisor is gone.

        `once`: environment of this start only.
        """
        self._started = monotonic()
        inherited = {name: value for name, value in os.environ.items() if name not in self.without}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "ansinh.tied", str(_LIFELINE[0]), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                pass_fds=(_LIFELINE[0],),
                start_new_session=True,
                env={**inherited, **self.environment, **(once or {})},
            )

    @property
    def failed(self) -> bool:
        """Whether it ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def restart(self) -> bool:
        """Start it again after it ended by itself; False when it is given up."""
        self._failures = 1 if monotonic() - self._started > LIVED_SECONDS else self._failures + 1
        if self._failures > FAILURES_MAX:
            return False
        self.restarts += 1
        self.start()
        return True

    def end(self) -> None:
        """Ask it to stop; killed when it does not in time. What it had not committed is read again by the next one."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    async def ready(self) -> bool:
        """Whether it reads every partition; a process without a port is ready once it runs."""
        if self.port is None:
            return True
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{self.port}/ready", timeout=2)).status_code == 200
        except httpx.HTTPError:
            return False


class Supervisor:
    """Keeps children running and ends what it started."""

    def __init__(self) -> None:
        """No children yet."""
        self.children: list[Child] = []
        self._watching = False

    def add(self, child: Child) -> None:
        """Start a child and look after it from now on."""
        child.start()
        self.children.append(child)

    def child(self, name: str) -> Child:
        """The child of that name. Raises StopIteration."""
        return next(child for child in self.children if child.name == name)

    async def until_ready(self) -> None:
        """Wait for every child. Raises NotReady with the log to read: too late, or one that ended and nobody watches."""
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        for child in self.children:
            while not await child.ready():
                if (child.failed and not self._watching) or asyncio.get_running_loop().time() > deadline:
                    raise NotReady(f"{child.name} did not become ready; see {child.log}")
                await asyncio.sleep(0.1)

    async def watch(self) -> None:
        """Start failed children again, for ever, with a pause; gives one up that fails at once every time. Cancel to end."""
        given_up: set[str] = set()
        self._watching = True
        while True:
            await asyncio.sleep(0.5)
            for child in self.children:
                if child.failed and not child.held and child.name not in given_up and not child.restart():
                    given_up.add(child.name)

    def end(self) -> None:
        """End all, services first told, in the order they were started."""
        for child in self.children:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        for child in self.children:
            child.end()
