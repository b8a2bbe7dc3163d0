"""Read everything the oracle compares: each topic in full past any proxy, each database in one snapshot, each truth file."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiosql
import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.topics import TOPICS, Service
from tests.faults.oracle_model import Books, Log, Out, Place, Rec, Row

READ_SECONDS = 60.0
COMMON = ("consumed", "dead_letters", "people")
# service -> name in the books -> query
QUERIES: dict[Service, dict[str, str]] = {
    Service.REGISTRY: {
        "source_events": "source_events", "waiting": "waiting", "closings": "registry_closings", "lines": "registry_lines",
        "verified": "verified", "payments": "registry_payments", "texts": "texts",
    },
    Service.VERIFICATION: {"verdicts": "verification_verdicts"},
    Service.PAYOUT: {
        "verdicts": "payout_verdicts", "closings": "payout_closings", "lines": "payout_lines", "batches": "batches",
        "instructions": "instructions", "shares": "shares", "held": "held", "files": "files", "results": "results",
    },
    Service.NOTIFY: {"verdicts": "notify_verdicts", "account_payments": "account_payments", "messages": "messages"},
}  # fmt: skip

_statements = aiosql.from_path(Path(__file__).with_name("oracle.sql"), "asyncpg", mandatory_parameters=False)


async def read_log(kafka: str) -> Log:
    """Every committed record of every topic. `kafka` is the broker's own address. Raises TimeoutError when a log cannot be read whole."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="none", isolation_level="read_committed"
    )
    await consumer.start()
    try:
        places = [TopicPartition(topic.name, n) for topic in TOPICS for n in range(topic.partitions)]
        consumer.assign(places)
        begin, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, begin[place])
        records = await asyncio.wait_for(_until(consumer, end), READ_SECONDS)
    finally:
        await consumer.stop()
    return Log(records, _plain(begin), _plain(end))


async def _until(consumer: AIOKafkaConsumer, end: Mapping[TopicPartition, int]) -> dict[Place, list[Rec]]:
    """A position passes markers of foreign transactions too; records alone would never reach the end of such a log."""
    found: dict[Place, list[Rec]] = defaultdict(list)
    left = {place for place, offset in end.items() if await consumer.position(place) < offset}
    while left:
        for place, records in (await consumer.getmany(*left, timeout_ms=200)).items():
            found[place.topic, place.partition] += [_rec(record) for record in records if record.offset < end[place]]
        left = {place for place in left if await consumer.position(place) < end[place]}
    return found


def _rec(record: ConsumerRecord) -> Rec:
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    return Rec(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=(record.key or b"").decode("utf-8", "replace"),
        event_id=headers.get("ce_id", ""),
        type=headers.get("ce_type", ""),
        source=headers.get("ce_source", ""),
        value=record.value or b"",
    )


def _plain(offsets: Mapping[TopicPartition, int]) -> dict[Place, int]:
    return {(place.topic, place.partition): offset for place, offset in offsets.items()}


async def read_books(service: Service, dsn: str) -> Books:
    """One service's database, in one read-only snapshot."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            names = {name: name for name in COMMON} | QUERIES[service]
            rows = {name: await _rows(connection, query) for name, query in names.items()}
            outbox = [Out(**{**row, "payload": bytes(row["payload"])}) for row in await _rows(connection, "outbox")]
            cursor = (await _rows(connection, "acknowledged"))[0]
    finally:
        await connection.close()
    return Books(service, outbox, (cursor["xid"], cursor["id"]), rows)


async def _rows(connection: asyncpg.Connection, query: str) -> list[Row]:
    return [dict(row) async for row in getattr(_statements, query)(connection)]


def read_truth(folder: Path) -> dict[str, Sequence[Row]]:
    """Truth files by name; a last line without its end is still being written and left out."""
    return {path.stem: [json.loads(line) for line in _whole_lines(path)] for path in sorted(folder.glob("*.jsonl"))}


def _whole_lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
