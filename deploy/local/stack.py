"""Kafka and PostgreSQL for the demo, the tests and `ansinh up`; addresses in the environment come first."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Self
from urllib.parse import urlsplit

from deploy.local.kafka.broker import KafkaBroker
from deploy.local.postgres import PostgresServer
from deploy.local.unavailable import StackUnavailable

KAFKA_ADDRESS = "ANSINH_KAFKA_BOOTSTRAP"
POSTGRES_ADDRESS = "ANSINH_POSTGRES_DSN"


class LocalStack:
    """A running Kafka and PostgreSQL. Made by `start`; ended by `stop`, or as a context manager."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        root = folder.parent.parent
        self.folder = folder
        self.kafka_bootstrap = environment.get(KAFKA_ADDRESS, "")
        self._dsn = environment.get(POSTGRES_ADDRESS, "")
        self._kafka = None if self.kafka_bootstrap else KafkaBroker(root, folder / "kafka")
        self._postgres = None if self._dsn else PostgresServer(root, folder / "postgres")
        self._lock = _take(folder)

    @classmethod
    def start(cls, root: Path, name: str, *, fresh: bool = False, environment: Mapping[str, str] = os.environ) -> Self:
        """Start what the environment does not name, side by side, with data in `<root>/.ansinh/<name>`.

        `fresh` throws the data of an earlier run away. What a crashed run left running is stopped first.
        Raises StackUnavailable, with what to do about it, and leaves nothing running then.
        """
        stack = cls(root.resolve() / ".ansinh" / name, environment)
        try:
            stack._start(fresh=fresh)
        except BaseException:  # a Ctrl-C while starting must not leave a server behind either
            stack.stop()
            raise
        return stack

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the servers that run under our hand, by name."""
        parts = {"kafka": self._kafka, "postgres": self._postgres}
        return {name: part.pid for name, part in parts.items() if part and part.pid}

    @property
    def postgres_folder(self) -> Path | None:
        """Where PostgreSQL keeps its data; None when it is not ours."""
        return self._postgres.home if self._postgres else None

    def postgres_dsn(self, database: str) -> str:
        """Address of one database on the server, whatever database the configured address names."""
        return urlsplit(self._dsn)._replace(path=f"/{database}").geturl()

    def stop(self) -> None:
        """End what was started, wait for it, let another run have the folder. May be called twice."""
        parts = [part for part in (self._kafka, self._postgres) if part]
        try:
            with ThreadPoolExecutor() as side_by_side:
                stopping = [side_by_side.submit(part.stop) for part in parts]
            for stopped in stopping:
                stopped.result()
        finally:
            self._lock.close()

    def remove(self) -> None:
        """Stop, then delete the folder and every datum in it."""
        self.stop()
        for folder in (self.folder, self.postgres_folder):
            if folder:
                shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, *, fresh: bool) -> None:
        with ThreadPoolExecutor() as side_by_side:
            kafka = side_by_side.submit(self._kafka.start, fresh=fresh) if self._kafka else None
            postgres = side_by_side.submit(self._postgres.start, fresh=fresh) if self._postgres else None
            self.kafka_bootstrap = kafka.result() if kafka else self.kafka_bootstrap
            self._dsn = postgres.result() if postgres else self._dsn


def remove_abandoned(root: Path, prefix: str) -> None:
    """Stop and delete stacks named `prefix...` whose run is gone; a stack somebody holds is left alone."""
    for lock in (root.resolve() / ".ansinh").glob(f"{prefix}*/lock"):
        with contextlib.suppress(StackUnavailable):
            stack = LocalStack(lock.parent, {})
            for part in (stack._kafka, stack._postgres):
                assert part is not None, "an empty environment names no address"
                part.stop_left_over()
            stack.remove()


def _take(folder: Path) -> IO[str]:
    """Hold the folder until the returned file is closed; the system lets go when the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StackUnavailable(f"Another run holds {folder}. End it first (Ctrl-C where it runs).") from None
    return lock
