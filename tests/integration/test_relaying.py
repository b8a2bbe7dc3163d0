"""The relay on a real broker and a real database: nothing is told that was not decided, nothing decided is left out, order is kept."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.database import Database
from shared.events import AuditRecord
from shared.outbox import REFUSED, OutEvent, Relay, put_events, queries

AT = datetime(2024, 1, 20, 1, 0, tzinfo=UTC)


class Outbox:
    """One service's database and one topic; several relays may stand before them."""

    def __init__(self, bootstrap: str, database: Database) -> None:
        self.bootstrap = bootstrap
        self.database = database
        self.topic = f"test.{uuid4().hex}.v1"

    async def make_topic(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            answer = await admin.create_topics([NewTopic(self.topic, 2, 1)])
        finally:
            await admin.close()
        assert [error[1] for error in answer.topic_errors] == [0]

    async def limit(self, size: int) -> None:
        """The largest batch of records the broker takes for the topic."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, self.topic, {"max.message.bytes": str(size)})])
        finally:
            await admin.close()

    def event(self, what: str, key: str = "k") -> OutEvent:
        return OutEvent(self.topic, key, AuditRecord(actor="a", act=what, subject="s", at=AT))

    async def decide(self, *what: str) -> None:
        async with self.database.transaction("test") as tx:
            await put_events(tx, [self.event(word) for word in what], AT)

    @asynccontextmanager
    async def relay(self, count: int = 1):
        stop = asyncio.Event()
        relays = [Relay(self.database, self.bootstrap, "test", structlog.get_logger()) for _ in range(count)]
        running = [asyncio.create_task(relay.run(stop)) for relay in relays]
        try:
            yield relays
        finally:
            stop.set()
            await asyncio.gather(*running)

    async def waiting(self) -> int:
        async with self.database.reading() as tx:
            return (await queries.outbox_behind(tx))["waiting"]

    async def until_told(self) -> None:
        async with asyncio.timeout(30):
            while await self.waiting():
                await asyncio.sleep(0.05)

    async def told(self) -> list[str]:
        """Everything on the topic, in order."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            places = [TopicPartition(self.topic, n) for n in (0, 1)]
            consumer.assign(places)
            await consumer.seek_to_beginning()
            ends, found = await consumer.end_offsets(places), []
            while any([await consumer.position(place) < ends[place] for place in places]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [AuditRecord.model_validate_json(record.value).act for record in records]
            return found
        finally:
            await consumer.stop()


@pytest.fixture
async def outbox(stack, migrated):
    database = await Database.open(await migrated("notify"))
    yield Outbox(stack.kafka_bootstrap, database)
    await database.close()


async def test_every_decision_is_told_once_and_in_order(outbox):
    await outbox.make_topic()
    await outbox.decide("1", "2", "3")
    async with outbox.relay():
        await outbox.until_told()
        await outbox.decide("4")
        await outbox.until_told()
    assert await outbox.told() == ["1", "2", "3", "4"]


async def decide_and_fail(outbox):
    async with outbox.database.transaction("test") as tx:
        await put_events(tx, [outbox.event("never")], AT)
        raise ZeroDivisionError


async def test_what_was_rolled_back_is_never_told(outbox):
    await outbox.make_topic()
    with pytest.raises(ZeroDivisionError):
        await decide_and_fail(outbox)
    async with outbox.relay():
        await outbox.decide("1")
        await outbox.until_told()
    assert await outbox.told() == ["1"]


async def test_decision_that_commits_late_is_not_stepped_over(outbox):
    """Rows of one transaction get their place when it begins to write, and can be seen only when it commits."""
    await outbox.make_topic()
    async with outbox.relay():
        async with outbox.database.transaction("test") as slow:
            await put_events(slow, [outbox.event("slow")], AT)
            await outbox.decide("quick")
            await asyncio.sleep(2)  # the relay has looked at least once meanwhile
        await outbox.until_told()
    assert sorted(await outbox.told()) == ["quick", "slow"]


async def test_transactions_are_told_in_the_order_of_numbers_not_of_texts(outbox):
    """Written as text, transaction 100 comes before 99: a relay that believed it moved its cursor past 99 and never told it."""
    await outbox.make_topic()
    async with outbox.database.transaction("test") as tx:
        for xid in (100, 99, 101, 9):
            event = outbox.event(str(xid))
            await tx.execute(
                "INSERT INTO outbox (xid, day, event_id, topic, key, type, at, payload)"
                " VALUES ($1::text::xid8, $2, $3, $4, $5, $6, $7, $8)",
                str(xid), AT.date(), event.event_id, event.topic, event.key, event.message.TYPE, AT,
                event.message.model_dump_json().encode(),
            )  # fmt: skip
    async with outbox.relay():
        await outbox.until_told()
    assert await outbox.told() == ["9", "99", "100", "101"]


async def test_what_the_broker_did_not_acknowledge_stays(outbox):
    """A decision for a topic that is not there cannot be acknowledged: it waits, and what stands behind it waits too."""
    await outbox.decide("1", "2")
    async with outbox.relay():
        await asyncio.sleep(3)
        assert await outbox.waiting() == 2
        await outbox.make_topic()
        await outbox.until_told()
    assert await outbox.told() == ["1", "2"]


async def test_what_the_broker_refuses_stops_the_relay_loudly_and_only_there(outbox):
    """What stands before is told once it is found; a person raises the limit, and the rest follows."""
    await outbox.make_topic()
    await outbox.limit(5_000)
    await outbox.decide("1", "2", "x" * 20_000, "3")
    async with outbox.relay() as relays:
        async with asyncio.timeout(30):
            while relays[0].state != REFUSED:
                await asyncio.sleep(0.05)
        assert await outbox.waiting() == 2
        assert set(await outbox.told()) == {"1", "2"}
        await outbox.limit(1_000_000)
        await outbox.until_told()
        assert relays[0].state == "publishes"
    told = await outbox.told()
    assert [word for n, word in enumerate(told) if word not in told[:n]] == ["1", "2", "x" * 20_000, "3"]


async def test_two_relays_tell_everything_once(outbox):
    await outbox.make_topic()
    async with outbox.relay(count=2):
        for n in range(40):
            await outbox.decide(*(f"{n}.{m}" for m in range(5)))
            await asyncio.sleep(0.02)
        await outbox.until_told()
        await asyncio.sleep(0.5)
    assert await outbox.told() == [f"{n}.{m}" for n in range(40) for m in range(5)]


async def test_next_relay_goes_on_where_the_last_one_stopped(outbox):
    await outbox.make_topic()
    for n in range(3):
        await outbox.decide(str(n))
        async with outbox.relay():
            await outbox.until_told()
    assert await outbox.told() == ["0", "1", "2"]


async def test_relay_whose_session_is_cut_goes_on(outbox):
    await outbox.make_topic()
    async with outbox.relay():
        await outbox.decide("1")
        await outbox.until_told()
        async with outbox.database.session() as session:
            await session.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        await outbox.decide("2")
        await outbox.until_told()
    assert await outbox.told() == ["1", "2"]
