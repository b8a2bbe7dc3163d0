"""Kafka and PostgreSQL for the demo, the tests and `ansinh up`; addresses in the environment come first."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Self
from urllib.parse import urlsplit

from deploy.local.kafka.broker import KafkaBroker
from deploy.local.kafka.cluster import Cluster
from deploy.local.postgres import PostgresServer
from deploy.local.unavailable import StackUnavailable

KAFKA_ADDRESS = "ANSINH_KAFKA_BOOTSTRAP"
POSTGRES_ADDRESS = "ANSINH_POSTGRES_DSN"


class LocalStack:
    """A running Kafka and PostgreSQL. Made by `start`; ended by `stop`, or as a context manager."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], cluster: Cluster | None = None, *, in_memory: bool = False
    ) -> None:
        root = folder.parent.parent
        self.folder = folder
        self.kafka_bootstrap = environment.get(KAFKA_ADDRESS, "")
        self._dsn = environment.get(POSTGRES_ADDRESS, "")
        self._cluster = None if self.kafka_bootstrap else cluster or Cluster.plan()
        self.brokers = [
            KafkaBroker(
                root, folder / ("kafka" if n == 0 else f"kafka-{n + 1}"), cluster=self._cluster, number=n, in_memory=in_memory
            )
            for n in range(len(self._cluster.nodes) if self._cluster else 0)
        ]
        self.postgres = None if self._dsn else PostgresServer(root, folder / "postgres", in_memory=in_memory)
        self._lock = _take(folder)

    @classmethod
    def start(
        cls,
        root: Path,
        name: str,
        *,
        fresh: bool = False,
        environment: Mapping[str, str] = os.environ,
        cluster: Cluster | None = None,
        in_memory: bool = False,
    ) -> Self:
        """Start what the environment does not name, side by side, with data in `<root>/.ansinh/<name>`.

        `fresh` throws the data of an earlier run away; `cluster`: more than the one broker, or other ways to it; `in_memory`: data in the
        machine's memory where it has room, for a run that throws them away. What a crashed run left running is stopped first.
        Raises StackUnavailable, with what to do about it, and leaves nothing running then.
        """
        stack = cls(root.resolve() / ".ansinh" / name, environment, cluster, in_memory=in_memory)
        try:
            stack._start(fresh=fresh)
        except BaseException:  # a Ctrl-C while starting must not leave a server behind either
            stack.stop()
            raise
        return stack

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the servers that run under our hand, by name."""
        names = ("kafka", *(f"kafka-{n}" for n in range(2, len(self.brokers) + 1)))
        parts = {**dict(zip(names, self.brokers, strict=False)), "postgres": self.postgres}
        return {name: part.pid for name, part in parts.items() if part and part.pid}

    @property
    def replication(self) -> int:
        """How many copies of a record our brokers keep."""
        return self._cluster.replication if self._cluster else 1

    @property
    def postgres_folder(self) -> Path | None:
        """Where PostgreSQL keeps its data; None when it is not ours."""
        return self.postgres.home if self.postgres else None

    def postgres_dsn(self, database: str) -> str:
        """Address of one database on the server, whatever database the configured address names."""
        return urlsplit(self._dsn)._replace(path=f"/{database}").geturl()

    def stop(self) -> None:
        """End what was started, wait for it, let another run have the folder. May be called twice."""
        parts = self._parts()
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
        for part in self._parts():
            part.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, *, fresh: bool) -> None:
        with ThreadPoolExecutor() as side_by_side:
            brokers = [side_by_side.submit(broker.start, fresh=fresh) for broker in self.brokers]
            postgres = side_by_side.submit(self.postgres.start, fresh=fresh) if self.postgres else None
            self.kafka_bootstrap = ",".join(broker.result() for broker in brokers) or self.kafka_bootstrap
            self._dsn = postgres.result() if postgres else self._dsn

    def _parts(self) -> Sequence[KafkaBroker | PostgresServer]:
        return [*self.brokers, *([self.postgres] if self.postgres else [])]


def remove_abandoned(root: Path, prefix: str) -> None:
    """Stop and delete stacks named `prefix...` whose run is gone; a stack somebody holds is left alone."""
    for lock in (root.resolve() / ".ansinh").glob(f"{prefix}*/lock"):
        with contextlib.suppress(StackUnavailable):
            brokers = max(1, len(list(lock.parent.glob("kafka*"))))
            stack = LocalStack(lock.parent, {}, Cluster.plan(brokers))
            for part in stack._parts():
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
