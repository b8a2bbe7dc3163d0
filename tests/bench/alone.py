"""One service's handlers alone on a real PostgreSQL, without a broker: what each stage costs per person, Python's and PostgreSQL's CPU."""

import asyncio
import cProfile
import os
import pstats
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, process_time
from uuid import uuid4

from deploy.local.databases import migrate
from deploy.local.postgres import PostgresServer
from shared.collecting import collect_less_often
from shared.database import Database
from shared.events import Message
from shared.keyfiles import make_key_files
from shared.records import parse_all

ROOT = Path(__file__).parents[2]
BATCH = 1_000
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as the broker gives it."""

    value: bytes
    headers: Sequence[tuple[str, bytes]]
    offset: int
    topic: str
    key: bytes | None = None
    partition: int = 0
    timestamp: int = 1_706_000_000_000


def raw(message: Message, offset: int) -> Raw:
    """A message as it stands in a topic."""
    headers = {"ce_id": str(uuid4()), "ce_type": message.TYPE, "ce_time": "2024-01-20T09:00:00+07:00"}
    value = message.model_dump_json(exclude_none=True).encode()
    return Raw(value, [(name, text.encode()) for name, text in headers.items()], offset, message.TOPIC)


def raws(messages: Iterable[Message]) -> list[Raw]:
    """Messages as they stand in a topic."""
    return [raw(message, offset) for offset, message in enumerate(messages)]


@dataclass(frozen=True, slots=True)
class Alone:
    """One service's database on a PostgreSQL of its own, with everybody's key files."""

    database: Database
    keys: Path
    server: int
    dsn: str


@asynccontextmanager
async def alone(service: str) -> AsyncIterator[Alone]:
    """Made for one run and removed after it."""
    home = ROOT / ".ansinh" / f"bench-{service}-{os.getpid()}" / "postgres"
    server = PostgresServer(ROOT, home)
    try:
        dsn = (await asyncio.to_thread(server.start, fresh=True)).replace("/postgres?", f"/{service}?")
        await asyncio.to_thread(migrate, dsn, service)
        with tempfile.TemporaryDirectory() as keys:
            make_key_files(Path(keys))
            database = await Database.open(dsn, size=4)
            assert server.pid
            yield Alone(database, Path(keys), server.pid, dsn)
            await database.close()
    finally:
        server.stop()
        for folder in (server.home, home.parent):
            shutil.rmtree(folder, ignore_errors=True)


async def feed(database: Database, handler: Callable[..., Awaitable[None]], messages: Sequence[Raw]) -> None:
    """As the consumer does it: parse, one transaction per batch."""
    for start in range(0, len(messages), BATCH):
        good, bad = parse_all(messages[start : start + BATCH])
        assert not bad
        async with database.transaction("test") as tx:
            await handler(tx, good)


def cpu_of_children(pid: int) -> float:
    """CPU seconds of a process and all its live children."""
    seconds = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid or stat.parent.name == str(pid):
            seconds += int(fields[11]) + int(fields[12])
    return seconds / _TICKS


class Stages:
    """Runs stages and prints what each cost per person."""

    def __init__(self, people: int, server: int, *, profile: bool) -> None:
        """`server`: pid of the PostgreSQL server."""
        self._people, self._server = people, server
        self._profile = cProfile.Profile() if profile else None
        self.costs: dict[str, dict[str, int]] = {}

    async def stage(self, name: str, work: Awaitable[object]) -> None:
        """Await the work and measure it."""
        collect_less_often()  # as in a service's process: the collector does not look at what lies in memory before
        python, server, began = process_time(), cpu_of_children(self._server), monotonic()
        if self._profile:
            self._profile.enable()
        await work
        if self._profile:
            self._profile.disable()
        spent = (process_time() - python, cpu_of_children(self._server) - server, monotonic() - began)
        self.costs[name] = {
            word: round(seconds * 1e6 / self._people) for word, seconds in zip(("python", "postgres", "wall"), spent, strict=True)
        }
        print(f"{name:10} {self.costs[name]}", flush=True)

    def show_profile(self) -> None:
        """Where Python's time went."""
        if self._profile:
            pstats.Stats(self._profile).sort_stats("tottime").print_stats(45)
