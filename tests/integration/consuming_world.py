"""One topic, one database with a table of effects, and as many consumers as a test wants."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.clock import HandClock
from shared.consuming import TopicConsumer, queries
from shared.database import Database, Tx
from shared.events import WishRecorded
from shared.process import make_broker
from shared.records import Received
from shared.setting_aside import SetAside
from shared.topics import Service
from shared.vault import Vault
from shared.words import Wish

NOW = datetime(2024, 1, 20, 1, 0, tzinfo=UTC)


class World:
    """What the tests of consuming stand on; use the fixture `world`."""

    def __init__(self, bootstrap: str, database: Database, vault: Vault) -> None:
        self.bootstrap = bootstrap
        self.database = database
        self.vault = vault
        self.clock = HandClock(NOW)
        self.topic = f"test.{uuid.uuid4().hex}.v1"
        self.fatal: list[str] = []
        self.set_aside = SetAside(Service.NOTIFY, vault, self.clock)

    async def publish(self, *records: str | bytes, partition: int = 0, transactional: str | None = None) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", transactional_id=transactional)
        await producer.start()
        try:
            if transactional:
                await producer.begin_transaction()
            for record in records:
                value = record if isinstance(record, bytes) else wish(record)
                await producer.send_and_wait(self.topic, value, partition=partition, headers=headers())
            if transactional:
                await producer.commit_transaction()
        finally:
            await producer.stop()

    async def publish_with(self, given: list[tuple[str, bytes | None]], value: bytes) -> None:
        """One record with these headers."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            await producer.send_and_wait(self.topic, value, partition=0, headers=given)

    async def recreate_topic(self) -> None:
        """Deleted and made again under the same name."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics([self.topic])
            while self.topic in await admin.list_topics():
                await asyncio.sleep(0.05)
            await admin.create_topics([NewTopic(self.topic, 2, 1)])
        finally:
            await admin.close()

    @asynccontextmanager
    async def consumer(self, handler: Callable[[Tx, Sequence[Received]], Awaitable[None]] | None = None):
        broker = make_broker(self.bootstrap)
        consumer = TopicConsumer(
            self.topic, handler or self.effect, database=self.database, set_aside=self.set_aside,
            fatal=self.fatal.append, log=structlog.get_logger(),
        )  # fmt: skip
        consumer.subscribe(broker, "test")
        await broker.start()
        stop = asyncio.Event()
        watching = asyncio.create_task(consumer.watch(stop))
        try:
            yield consumer
        finally:
            stop.set()
            watching.cancel()
            await broker.stop()

    async def effect(self, tx: Tx, records: Sequence[Received]) -> None:
        await tx.executemany("INSERT INTO effect VALUES ($1)", [(record.message.record,) for record in records])

    async def effects(self) -> list[str]:
        async with self.database.reading() as tx:
            return [row["what"] for row in await tx.fetch("SELECT what FROM effect ORDER BY n")]

    async def until_effects(self, count: int) -> list[str]:
        for _ in range(200):
            if len(found := await self.effects()) >= count:
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(f"only {len(await self.effects())} of {count} effects; fatal: {self.fatal}")

    async def row(self, partition: int = 0) -> SimpleNamespace:
        async with self.database.reading() as tx:
            rows = [dict(row) async for row in queries.next_offsets(tx, topic=self.topic, partitions=[partition])]
        return SimpleNamespace(**rows[0])

    async def until_stopped(self) -> str:
        for _ in range(400):
            if reason := (await self.row()).stopped_reason:
                return reason
            await asyncio.sleep(0.1)
        raise AssertionError("the partition was not stopped")


def wish(record: str) -> bytes:
    return WishRecorded(source="test", record=record, source_sequence=1, wish=Wish.POST).model_dump_json().encode()


def headers(kind: str = WishRecorded.TYPE) -> list[tuple[str, bytes]]:
    return [("ce_id", uuid.uuid4().hex.encode()), ("ce_type", kind.encode()), ("ce_time", NOW.isoformat().encode())]
