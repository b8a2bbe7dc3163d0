"""Servers that live as long as we say: a terminal's Ctrl-C does not end them, a later run finds them."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.unavailable import StackUnavailable

STOP_WITHIN_S = 30.0
KILL_WITHIN_S = 10.0


@dataclass(frozen=True)
class Owner:
    """The system user a server runs as."""

    uid: int
    gid: int


@dataclass(kw_only=True)
class Server:
    """One server process. `marker` is an argument of its command line that no other process has."""

    name: str
    pid_file: Path
    log: Path
    marker: str
    stop_signal: signal.Signals
    process: subprocess.Popen[bytes] | None = None

    def spawn(self, command: Sequence[str], owner: Owner | None = None) -> None:
        """Start `command` in a session of its own and write its pid down."""
        assert self.marker in command, "a later run could not recognise this process"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                start_new_session=True,
                user=owner.uid if owner else None,
                group=owner.gid if owner else None,
                extra_groups=[] if owner else None,
            )
        self.pid_file.write_text(str(self.process.pid))

    @property
    def pid(self) -> int | None:
        """Process id while it runs under our hand."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def stop(self) -> None:
        """End the process we started and wait for its end; killed when it does not go in time."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(KILL_WITHIN_S)
        self.process = None
        self.pid_file.unlink(missing_ok=True)

    def kill(self, sent: signal.Signals = signal.SIGKILL) -> None:
        """End the process we started without letting it finish its work, and wait until it is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(sent)
            self.process.wait(KILL_WITHIN_S)
        self.process = None

    def stop_left_over(self) -> None:
        """End the process a crashed run left behind, if the pid it wrote down is still that process.

        Raises StackUnavailable when it does not end even when killed.
        """
        try:
            pid = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return
        for sent, within_s in ((self.stop_signal, STOP_WITHIN_S), (signal.SIGKILL, KILL_WITHIN_S)):
            if not self._send(pid, sent) or self._gone(pid, within_s):
                self.pid_file.unlink(missing_ok=True)
                return
        raise StackUnavailable(f"{self.name} of an earlier run (process {pid}) does not end. End it by hand.")

    async def until_ready(self, answers: Callable[[], Awaitable[bool]], *, within_s: float) -> None:
        """Ask `answers` until it says yes.

        Raises StackUnavailable when the process ends or the time is over, with the last lines it wrote.
        """
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self.pid is None:
                raise StackUnavailable(f"{self.name} ended while starting. {self._last_lines()}")
            if await answers():
                return
            await asyncio.sleep(0.05)
        raise StackUnavailable(f"{self.name} did not answer within {within_s:.0f} s. {self._last_lines()}")

    def _send(self, pid: int, sent: signal.Signals) -> bool:
        if self.marker not in arguments_of(pid):
            return False
        os.kill(pid, sent)
        return True

    def _gone(self, pid: int, within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while self.marker in arguments_of(pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-8:]
        return f"Its log is {self.log}; last lines:\n" + "\n".join(lines)


def arguments_of(pid: int) -> list[str]:
    """Command line of a running process; empty when there is none, or only a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
