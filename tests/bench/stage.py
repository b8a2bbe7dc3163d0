"""Setting the stage of a run: a real installation, the register filled, lists opened, every event written; registry held at the door."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiosql
import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from joserfc import jwe
from joserfc.jwk import ECKey

from ansinh.client import Client
from ansinh.installation import Addresses, Installation
from services.verification.account_check import Banks
from services.verification.ages import Ages
from services.verification.handlers import Handlers
from services.verification.judging import Judge
from services.verification.population_feed import Entry, entries_of, read_extract
from services.verification.population_register import Replica
from shared import topics
from shared.clock import LOCAL, HandClock
from shared.database import Database
from shared.records import Received
from shared.topics import Provider, Service
from shared.vault import Vault
from tests.bench.sampling import Sampler
from tests.bench.world import PERIOD, SOURCE, Payer, headers

queries = aiosql.from_path(Path(__file__).with_name("queries.sql"), "asyncpg", mandatory_parameters=False)
# Working hours before the day from which a payroll may be built without a verdict for everybody; texts wait in quiet hours.
OPENED = datetime(2024, 1, 24, 9, 0, tzinfo=LOCAL)
RELEASED = datetime(2024, 1, 24, 23, 0, tzinfo=LOCAL)
REGISTER_CHUNK = 2_000
STALLED_SECONDS = 180.0
POLL_SECONDS = 0.15


class Stalled(Exception):
    """Nothing moved for a long time. The text says where it stood."""


class Stage:
    """One installation under measurement with a connection to each database."""

    def __init__(self, installation: Installation, sessions: Mapping[str, Any], ends: AIOKafkaConsumer) -> None:
        self.installation = installation
        self.addresses: Addresses = installation.addresses
        self.sessions = sessions
        self.client = Client(installation.addresses)
        self._http = httpx.AsyncClient(timeout=5)
        stack = installation._stack
        assert stack is not None, "the bench starts its own servers"
        self._pids = stack.pids
        self.sampler = Sampler(self.pids, self._pids.get("postgres"))
        self._ends = ends
        self.verified: list[tuple[float, int]] = []
        self._places = [TopicPartition(topic.name, n) for topic in topics.TOPICS for n in range(topic.partitions)]

    async def close(self) -> None:
        """Close its connections."""
        await self.client.close()
        await self._http.aclose()

    def pids(self) -> dict[str, int]:
        """The processes whose cost is told: services, the broker, the bench itself."""
        children = {child.name: child.process.pid for child in self.installation.supervisor.children if child.process}
        services = {str(name): pid for name, pid in children.items() if name in {str(s) for s in Service}}
        return services | {"kafka": self._pids["kafka"], "bench": os.getpid()}

    async def reached(self) -> tuple[int, int]:
        """(records that wait to be read plus one for each database with unpublished decisions, records written so far)."""
        ends = await self._ends.end_offsets(self._places)
        results = sum(end for place, end in ends.items() if place.topic == topics.VERIFICATION_RESULT)
        self.verified.append((time.monotonic(), results))
        waiting = 0
        for session in self.sessions.values():
            waiting += bool((await queries.unpublished(session))["waits"])
            async for row in queries.reached(session):
                waiting += ends[TopicPartition(row["topic"], row["partition"])] - row["next_offset"]
        return waiting, sum(ends.values())

    async def records(self, topic: str) -> int:
        """Records written to a topic."""
        places = [place for place in self._places if place.topic == topic]
        return sum((await self._ends.end_offsets(places)).values())

    async def missing(self) -> list[str]:
        """What registry does not read yet: no topic means that it takes everything."""
        answer = await self._http.get(f"{self.addresses.url('registry')}/ready")
        missing: list[str] = answer.json()["missing"]
        return missing

    async def at_rest(self) -> None:
        """Wait until everything written was read and everything decided was written, twice in a row. Raises Stalled."""
        quiet, before, moved = 0, None, time.monotonic()
        while quiet < 2:
            now = await self.reached()
            quiet = quiet + 1 if now[0] == 0 and now == before else 0
            if now != before:
                moved = time.monotonic()
            if time.monotonic() - moved > STALLED_SECONDS:
                raise Stalled(f"{now[0]} records wait and nothing moves")
            before = now
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def stage(
    name: str, *, business_time: datetime = OPENED, mixes: Mapping[Provider, Mapping[str, float]] | None = None
) -> AsyncIterator[Stage]:
    """A fresh installation, without partners unless it is told how they answer (`mixes`): else what is measured ends at their topics.
    Everything it started is stopped."""
    installation = Installation(name, business_time=business_time, fresh=True, mixes=mixes)
    addresses = await installation.start(lambda _what: None)
    sessions = {service: await asyncpg.connect(dsn) for service, dsn in addresses.databases.items()}
    ends = AIOKafkaConsumer(bootstrap_servers=addresses.kafka)
    try:
        await ends.start()
        for child in installation.supervisor.children:
            if mixes is None and child.name in {*map(str, Provider), "sms"}:
                await asyncio.to_thread(child.end)
        made = Stage(installation, sessions, ends)
        made.sampler.start()
        yield made
        made.sampler.stop()
        await made.close()
    finally:
        await ends.stop()
        for session in sessions.values():
            await session.close()
        await asyncio.to_thread(installation.end)


# --- the population register ---------------------------------------------------------------------------------------------------


async def fill_register(place: Stage, payers: Sequence[Payer]) -> None:
    """Everybody into verification's replica by verification's own code, without the topic: the register is there before lists come."""
    tasks = [(payer.extract(), place.addresses.databases["verification"], _keys(place, "verification")) for payer in payers]

    def fill() -> None:
        with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
            list(pool.map(_fill, tasks))

    await asyncio.to_thread(fill)


def _fill(task: tuple[Path, str, Path]) -> None:
    asyncio.run(_fill_from(*task))


async def _fill_from(extract: Path, dsn: str, keys: Path) -> None:
    vault, clock = Vault.load(keys), HandClock(OPENED)
    register = Replica(vault, clock, Ages())
    handlers = Handlers(vault, Judge(vault, clock, register=register, banks=Banks.from_file()), register)
    with extract.open("rb") as file:
        entries = [row for row in read_extract(file) if isinstance(row, Entry)]
    database = await Database.open(dsn, size=1)
    try:
        for start in range(0, len(entries), REGISTER_CHUNK):
            sealed = entries_of(entries[start : start + REGISTER_CHUNK], vault, clock.now())
            records = [Received(out.message, str(out.event_id), clock.now(), out.topic, 0, n) for n, out in enumerate(sealed)]
            async with database.transaction("bench_register") as tx:
                await handlers.on_population(tx, records)
    finally:
        await database.close()


def _keys(place: Stage, name: str) -> Path:
    return Path(place.addresses.folder) / "keys" / f"{name}.json"


# --- the ministry's topic ------------------------------------------------------------------------------------------------------


async def open_lists(place: Stage, payers: Sequence[Payer]) -> None:
    """The ministry opens its lists and hands over their content keys, as it does before it sends people."""
    public = ECKey.import_key(json.loads(_keys(place, "registry.public").read_text()))
    async with producer(place) as out:
        for payer in payers:
            key = json.dumps(payer.truth()["key"]).encode()
            wrapped = jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM"}, key, public)
            said = {"source": SOURCE, "record": f"list-{payer.name}", "source_sequence": 1, "period": PERIOD, "payer": payer.name}
            value = json.dumps({**said, "content_key": wrapped}).encode()
            key = f"{SOURCE}:list-{payer.name}".encode()
            await out.send(topics.MINISTRY_BENEFICIARY, value, key=key, headers=headers("list_opened", f"opened-{payer.name}"))
    await place.at_rest()


async def profile(place: Stage, service: str, file: Path) -> None:
    """Start a service anew under the profiler, which writes `file` when the service ends."""
    child = next(child for child in place.installation.supervisor.children if child.name == service)
    await asyncio.to_thread(child.end)
    child.command = ["-m", "tests.bench.profiled", f"services.{service}.app", str(file)]
    child.start()
    while not await child.ready():
        await asyncio.sleep(0.1)


async def hold_the_door(place: Stage) -> None:
    """Registry starts anew with the ministry's partitions stopped by command."""
    registry = next(child for child in place.installation.supervisor.children if child.name == Service.REGISTRY)
    await asyncio.to_thread(registry.end)
    await queries.hold_door(place.sessions["registry"], topic=topics.MINISTRY_BENEFICIARY)
    registry.start()
    while await _still_starting(place):
        await asyncio.sleep(0.1)


async def _still_starting(place: Stage) -> bool:
    """Whether registry reads less than everything but the ministry's topic."""
    try:
        return await place.missing() != [topics.MINISTRY_BENEFICIARY]
    except httpx.HTTPError:
        return True


async def write_events(place: Stage, payers: Sequence[Payer]) -> int:
    """Every event of every payer into the ministry's topic, acknowledged; returns how many."""
    written = 0
    async with producer(place) as out:
        for payer in payers:
            futures = [
                await out.send(topics.MINISTRY_BENEFICIARY, event.value, key=event.key, headers=event.headers)
                for event in payer.events()
            ]
            await asyncio.gather(*futures)
            written += len(futures)
    return written


async def open_the_door(place: Stage) -> float:
    """Let registry take; returns the moment it owns its first partition."""
    await queries.open_door(place.sessions["registry"], topic=topics.MINISTRY_BENEFICIARY)
    while await place.missing():
        await asyncio.sleep(0.01)
    return time.monotonic()


@asynccontextmanager
async def producer(place: Stage) -> AsyncIterator[AIOKafkaProducer]:
    """A foreign producer with everything acknowledged at its end."""
    out = AIOKafkaProducer(
        bootstrap_servers=place.addresses.kafka, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=262_144
    )
    await out.start()
    try:
        yield out
    finally:
        await out.stop()
