"""The bare limit: what these libraries, this broker and this database can do at most. Fixed: a change here makes old figures worthless.

    python -m tests.bench.bare_limit [people]        # prints people a second at 933 bytes per record; 100,000 when not said

Four processes in a row, each: `getmany` of up to 2,000 records, in one transaction an offset per partition and one `unnest` upsert of
(id, n, body), then the same bodies produced to the next topic and all acknowledgements awaited. No parsing, no decision, no cryptography,
no outbox, no fence: it may lose and double records when something fails. Broker, database and the four processes share the machine;
`fsync` and `synchronous_commit` on, `acks=all`, idempotent producers, four partitions, uvloop: all as ours. All records lie in the first
topic before the clock starts, and it stops when the last topic holds them all.

933 bytes: what a record of ours weighs on its way through four hops, measured: ministry event 730, snapshot 1,124, verification result
328, payment state 249, on average 608, and 325 of CloudEvents headers each.
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
from uuid import UUID, uuid4

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.databases import migrate
from deploy.local.stack import LocalStack
from deploy.local.topics import create_topics
from shared.topics import Topic
from tests.bench.sampling import Sampler

ROOT = Path(__file__).parents[2]
RECORD_BYTES = 933
BATCH = 2_000
PARTITIONS = 4
STAGES = ("registry", "verification", "payout", "notify")
TOPICS = [Topic(f"bare.{n}", "id", "bench", ("bench",), PARTITIONS, "bare records") for n in range(len(STAGES) + 1)]
TABLES = """
CREATE TABLE record (id uuid PRIMARY KEY, n bigint NOT NULL, body bytea NOT NULL);
CREATE TABLE place (partition integer PRIMARY KEY, next_offset bigint NOT NULL);
INSERT INTO place SELECT n, 0 FROM generate_series(0, 3) n;
"""
MOVE = """
UPDATE place SET next_offset = row.next_offset FROM unnest($1::int[], $2::bigint[]) AS row (partition, next_offset)
 WHERE place.partition = row.partition
"""
UPSERT = """
INSERT INTO record (id, n, body) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[])
ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n, body = EXCLUDED.body WHERE record.n < EXCLUDED.n
"""
TIMEOUT_SECONDS = 900


async def stage(number: int, bootstrap: str, dsn: str) -> None:
    """One process: says `ready`, begins at a line on standard input, goes on until it is ended."""
    session = await asyncpg.connect(dsn)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=262_144
    )
    async with consumer, producer:
        consumer.assign([TopicPartition(TOPICS[number].name, partition) for partition in range(PARTITIONS)])
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        while True:
            taken = await consumer.getmany(timeout_ms=100, max_records=BATCH)
            if taken:
                await _take(session, taken)
                records = [record for batch in taken.values() for record in batch]
                sent = [await producer.send(TOPICS[number + 1].name, record.value, key=record.key) for record in records]
                await asyncio.gather(*sent)


async def _take(session: Any, taken: dict[TopicPartition, list[Any]]) -> None:
    async with session.transaction():
        places = [(place.partition, batch[-1].offset + 1) for place, batch in taken.items()]
        await session.execute(MOVE, [partition for partition, _ in places], [offset for _, offset in places])
        rows = sorted((record.key, record.offset, record.value) for batch in taken.values() for record in batch)
        await session.execute(UPSERT, [UUID(bytes=row[0]) for row in rows], [row[1] for row in rows], [row[2] for row in rows])


async def run(people: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure on a stack of its own. Raises RuntimeError when records are missing."""
    stack = await asyncio.to_thread(LocalStack.start, ROOT, f"bench-bare-{os.getpid()}", fresh=True)
    try:
        return await _measure(stack, people, say)
    finally:
        stack.remove()


async def _measure(stack: LocalStack, people: int, say: Callable[[str], None]) -> dict[str, Any]:
    databases = [stack.postgres_dsn(f"bare_{service}") for service in STAGES]
    for dsn in databases:
        await asyncio.to_thread(migrate, dsn, "nothing")
        await _execute(dsn, TABLES)
    await create_topics(stack.kafka_bootstrap, TOPICS)
    say(f"bare limit: {people} records of {RECORD_BYTES} bytes into the first topic")
    await _fill(stack.kafka_bootstrap, people)
    with _stages(stack.kafka_bootstrap, databases) as processes:
        pids = {"kafka": stack.pids["kafka"], **{name: process.pid for name, process in zip(STAGES, processes, strict=True)}}
        sampler = Sampler(lambda: pids, stack.pids["postgres"])
        before, began = sampler.cpu(), monotonic()
        for process in processes:
            print("go", file=process.stdin, flush=True)
        await _until(stack.kafka_bootstrap, people)
        seconds, after = monotonic() - began, sampler.cpu()
    kept = [await _execute(dsn, "SELECT count(*) FROM record") for dsn in databases]
    if kept != [people] * len(STAGES):
        raise RuntimeError(f"{kept} rows for {people} people")
    cpu = {name: round((used - before.get(name, 0.0)) * 1e6 / people) for name, used in sorted(after.items())}
    return {
        "people": people,
        "record_bytes": RECORD_BYTES,
        "seconds": round(seconds, 2),
        "people_per_second": round(people / seconds, 1),
        "cpu_us_per_person": {**cpu, "sum": sum(cpu.values())},
    }


@contextmanager
def _stages(bootstrap: str, databases: Sequence[str]) -> Iterator[list[subprocess.Popen[str]]]:
    command = (sys.executable, "-m", "tests.bench.bare_limit", "stage")
    processes = [
        subprocess.Popen(
            [*command, str(number), bootstrap, dsn], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for number, dsn in enumerate(databases)
    ]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


async def _fill(bootstrap: str, people: int) -> None:
    body = os.urandom(RECORD_BYTES)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5, max_batch_size=262_144) as producer:
        for first in range(0, people, 5_000):
            numbers = range(first, min(first + 5_000, people))
            await asyncio.gather(*[await producer.send(TOPICS[0].name, body, key=uuid4().bytes) for _ in numbers])


async def _until(bootstrap: str, people: int) -> None:
    """Wait until the last topic holds everybody; asks the broker for its ends, so that nothing is read twice."""
    deadline = monotonic() + TIMEOUT_SECONDS
    places = [TopicPartition(TOPICS[-1].name, partition) for partition in range(PARTITIONS)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        while sum((await consumer.end_offsets(places)).values()) < people:
            if monotonic() > deadline:
                raise RuntimeError(f"not done after {TIMEOUT_SECONDS} s")
            await asyncio.sleep(0.05)


async def _execute(dsn: str, statement: str) -> Any:
    session = await asyncpg.connect(dsn)
    try:
        return await (session.fetchval(statement) if statement.startswith("SELECT") else session.execute(statement))
    finally:
        await session.close()


def main() -> None:
    """One stage when asked for by the driver; else measure and print."""
    if sys.argv[1:2] == ["stage"]:
        uvloop.run(stage(int(sys.argv[2]), *sys.argv[3:]))
    measured = asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, lambda text: print(text, file=sys.stderr)))
    print(json.dumps(measured))
    print(f"The bare limit at {RECORD_BYTES} bytes per record: {measured['people_per_second']:,.0f} people/s.")


if __name__ == "__main__":
    main()
