"""The documented way, measured: four FastStream services that take one record at a time, on the same models, tables and pool as ours.

    python -m tests.bench.documented_way [people]        # prints people a second; 10,000 when not said

Everything runs on this machine: broker, database, four service processes, and this driver, which puts all ministry events into the topic
at once and waits until the last topic holds a decision for everybody. Durability is ours: `fsync` and `synchronous_commit` on, `acks=all`,
idempotent producers, at-least-once acknowledgement after the transaction.

Sensible settings, not a straw man: one worker per partition (what `max_workers` means with manual acknowledgement), raw decoding and one
parse per record, no logging per record, upserts instead of select and insert, uvloop, an outbox relay with 8 workers, 200 rows a fetch and
batched deletes instead of the defaults (1, 10, 1), woken by NOTIFY. It does less than ours per person: no cryptography, no matching, no
payroll, and every topic has one reader where ours have up to three.

The relay is faststream-outbox 0.19 (MIT): the only outbox on PyPI made for FastStream and still kept up, on SQLAlchemy and PostgreSQL with
LISTEN/NOTIFY. It runs as its documentation shows, its subscriber decorated with a Kafka publisher. Others looked at fit less: event-outbox
is MongoDB's, outbox-streaming is without a release since 2022, outbox-worker leaves the table and its locking to the user.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.databases import migrate
from deploy.local.stack import LocalStack
from deploy.local.topics import create_topics
from shared import topics
from shared.events import TextState
from tests.bench.documented_way_data import CAMPAIGN, NOW, enrolled
from tests.bench.sampling import Sampler

ROOT = Path(__file__).parents[2]
SERVICES = ("registry", "verification", "payout", "notify")
WARM_UP = 200
TIMEOUT_SECONDS = 1_800


async def run(people: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure on a stack of its own. Raises RuntimeError when a decision is missing or a process ended."""
    stack = await asyncio.to_thread(LocalStack.start, ROOT, f"bench-documented-{os.getpid()}", fresh=True)
    try:
        databases = {service: stack.postgres_dsn(f"documented_{service}") for service in SERVICES}
        for service, dsn in databases.items():
            await asyncio.to_thread(migrate, dsn, service)
        say(f"documented way: {people} people, one record at a time")
        return await _measure(stack, databases, people)
    finally:
        stack.remove()


async def _measure(stack: LocalStack, databases: dict[str, str], people: int) -> dict[str, Any]:
    used = [topics.BY_NAME[name] for name in (topics.MINISTRY_BENEFICIARY, topics.REGISTRY_BENEFICIARY)]
    used += [topics.BY_NAME[name] for name in (topics.VERIFICATION_RESULT, topics.PAYOUT_PAYMENT, topics.NOTIFY_MESSAGE)]
    await create_topics(stack.kafka_bootstrap, used)
    await _draw_round(databases["notify"])
    with _stages(stack.kafka_bootstrap, databases) as processes:
        end = Decisions(stack.kafka_bootstrap)
        await end.start()
        await _produce(stack.kafka_bootstrap, range(WARM_UP))
        await end.until(WARM_UP, processes)
        pids = {"kafka": stack.pids["kafka"], **{name: process.pid for name, process in processes.items()}}
        sampler = Sampler(lambda: pids, stack.pids["postgres"])
        before, began = sampler.cpu(), monotonic()
        await _produce(stack.kafka_bootstrap, range(WARM_UP, WARM_UP + people))
        await end.until(WARM_UP + people, processes)
        seconds, after = monotonic() - began, sampler.cpu()
        await end.stop()
    if len(end.people) != WARM_UP + people:
        raise RuntimeError(f"{len(end.people) - WARM_UP} decisions for {people} people")
    cpu = {name: round((used - before.get(name, 0.0)) * 1e6 / people) for name, used in sorted(after.items())}
    return {
        "people": people,
        "seconds": round(seconds, 2),
        "people_per_second": round(people / seconds, 1),
        "cpu_us_per_person": {**cpu, "sum": sum(cpu.values())},
    }


class Decisions:
    """Reads the last topic and counts whom a text was decided for."""

    def __init__(self, bootstrap: str) -> None:
        """Nothing is opened before `start`."""
        self.people: set[str] = set()
        self._consumer = AIOKafkaConsumer(topics.NOTIFY_MESSAGE, bootstrap_servers=bootstrap, auto_offset_reset="earliest")

    async def start(self) -> None:
        """Connect."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def until(self, people: int, processes: dict[str, subprocess.Popen[bytes]]) -> None:
        """Wait for so many people. Raises RuntimeError when a process ended or it takes too long."""
        deadline = monotonic() + TIMEOUT_SECONDS
        while len(self.people) < people:
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    self.people.update(map(str, TextState.model_validate_json(record.value).beneficiary_ids))
            ended = [name for name, process in processes.items() if process.poll() is not None]
            if ended or monotonic() > deadline:
                raise RuntimeError(f"{len(self.people)} of {people} after {TIMEOUT_SECONDS} s, or these ended: {ended}")


@contextmanager
def _stages(bootstrap: str, databases: dict[str, str]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    command = (sys.executable, "-m", "tests.bench.documented_way_stages")
    processes = {service: subprocess.Popen([*command, service, bootstrap, dsn], cwd=ROOT) for service, dsn in databases.items()}
    try:
        yield processes
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


async def _produce(bootstrap: str, numbers: Sequence[int]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5)
    async with producer:
        keys = [f"sandbox/ministry:r{number}".encode() for number in numbers]
        sent = [
            await producer.send(topics.MINISTRY_BENEFICIARY, enrolled(number), key=key)
            for number, key in zip(numbers, keys, strict=True)
        ]
        await asyncio.gather(*sent)


async def _draw_round(dsn: str) -> None:
    session = await asyncpg.connect(dsn)
    columns = ["campaign", "round", "people", "texts", "left_out", "actor", "at"]
    row = (CAMPAIGN, 1, 0, 0, "{}", "bench", NOW)
    await session.copy_records_to_table("campaign_round", records=[row], columns=columns)
    await session.close()


def main() -> None:
    """Measure and print."""
    measured = asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, lambda text: print(text, file=sys.stderr)))
    print(json.dumps(measured))
    print(f"The documented way: {measured['people_per_second']:,.0f} people/s ({measured['people']:,} people).")


if __name__ == "__main__":
    main()
