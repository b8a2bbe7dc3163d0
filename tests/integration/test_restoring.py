"""A database older than its own topics publishes nothing until two people have signed, and then under a new epoch."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.databases import clone, drop
from deploy.local.stack import LocalStack
from deploy.local.topics import create_topics
from shared import restoring
from shared.actors import Actor
from shared.database import Database
from shared.events import TextState
from shared.outbox import OutEvent, Relay, put_events, queries
from shared.publishing import position_of
from shared.restoring import Refused, Unlocking
from shared.topics import AUDIT, BY_NAME, NOTIFY_MESSAGE, Service, written_by
from shared.words import MessageStatus, Role
from tests.integration.consuming_world import NOW

LOG = structlog.get_logger()


class Lives:
    """One service's topics, and its database at several moments."""

    def __init__(self, stack: LocalStack, dsn: str) -> None:
        self.bootstrap = stack.kafka_bootstrap
        self.admin = stack.postgres_dsn("postgres")
        self._dsn_of = stack.postgres_dsn
        self.first = dsn
        self._made: list[str] = []

    async def backup(self) -> str:
        """A copy of the database as it stands."""
        name = f"backup_{uuid4().hex[:12]}"
        await clone(self.admin, template=self.first.rsplit("/", 1)[1].split("?")[0], database=name)
        self._made.append(name)
        return self._dsn_of(name)

    @contextlib.asynccontextmanager
    async def open(self, dsn: str) -> AsyncIterator[Database]:
        database = await Database.open(dsn, size=4)
        try:
            yield database
        finally:
            await database.close()

    async def end(self) -> None:
        for name in self._made:
            await drop(self.admin, name)

    async def decide(self, dsn: str, count: int = 3) -> None:
        """So many texts change, without being published yet."""
        states = [
            TextState(
                message_id=uuid4(),
                campaign="c",
                round=1,
                beneficiary_ids=(uuid4(),),
                status=MessageStatus.CREATED,
                parts=1,
                at=NOW,
            )
            for _ in range(count)
        ]
        async with self.open(dsn) as database, database.transaction("test") as tx:
            await put_events(tx, [OutEvent(state.TOPIC, str(state.message_id), state) for state in states], NOW)

    async def relay(self, dsn: str, seconds: float = 20.0) -> str:
        """Run a relay until nothing waits, or so long; returns its last state."""
        stop = asyncio.Event()
        async with self.open(dsn) as database:
            relay = Relay(database, self.bootstrap, "notify", LOG, look=lambda: self._look(database))
            running = asyncio.create_task(relay.run(stop))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while await self._waiting(database):
                        await asyncio.sleep(0.05)
            state = relay.state
            stop.set()
            await running
        return state

    async def look(self, dsn: str) -> bool:
        async with self.open(dsn) as database:
            return await self._look(database)

    async def _look(self, database: Database) -> bool:
        return await restoring.lock_if_restored(database, self.bootstrap, Service.NOTIFY, at=NOW, log=LOG)

    async def _waiting(self, database: Database) -> int:
        async with database.reading() as tx:
            waiting: int = (await queries.outbox_behind(tx))["waiting"]
        return waiting

    async def records(self) -> list[ConsumerRecord]:
        """Everything on the topic."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        places = [TopicPartition(NOTIFY_MESSAGE, n) for n in range(4)]
        ends = await consumer.end_offsets(places)
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        found: list[ConsumerRecord] = []
        while len(found) < sum(ends.values()):
            found += [record for batch in (await consumer.getmany(timeout_ms=200)).values() for record in batch]
        await consumer.stop()
        return found

    async def run(self, dsn: str, sql: str) -> None:
        async with self.open(dsn) as database, database.transaction("test") as tx:
            await tx.execute(sql)

    async def timeline(self, dsn: str) -> tuple[int, str | None]:
        """(epoch, why it is locked)."""
        async with self.open(dsn) as database, database.reading() as tx:
            row = await queries.timeline(tx)
        return row["epoch"], row["locked_reason"]


@pytest.fixture
async def lives(stack: LocalStack, migrated: Callable[[str], Awaitable[str]]) -> AsyncIterator[Lives]:
    """Empty topics of notify, and a database of it."""
    lives = Lives(stack, await migrated("notify"))
    admin = AIOKafkaAdminClient(bootstrap_servers=lives.bootstrap)
    await admin.start()
    await admin.delete_topics([topic.name for topic in written_by(Service.NOTIFY)])
    await admin.close()
    await asyncio.sleep(1)
    await create_topics(lives.bootstrap, [*written_by(Service.NOTIFY), BY_NAME[AUDIT]])
    yield lives
    await lives.end()


def actor(name: str, sha256: str | None) -> Actor:
    return Actor(name, frozenset({Role.OPERATOR, Role.APPROVER}), ("*",), sha256, f"token-of-{name}")


async def unlock(lives: Lives, dsn: str) -> None:
    async with lives.open(dsn) as database:
        unlocking = Unlocking(database, Service.NOTIFY, LOG)
        lock = await unlocking.lock()
        assert lock is not None
        await unlocking.propose(actor("one", lock.sha256), NOW)
        await unlocking.confirm(actor("two", lock.sha256), NOW)


async def test_a_database_that_goes_on_is_not_locked(lives: Lives) -> None:
    assert not await lives.look(lives.first)
    await lives.decide(lives.first)
    assert await lives.relay(lives.first) == "publishes"
    assert not await lives.look(lives.first)
    assert {position_of(record.headers, "notify").epoch for record in await lives.records()} == {1}  # type: ignore[union-attr]


async def test_published_and_not_yet_written_down_is_no_restore(lives: Lives) -> None:
    await lives.decide(lives.first)
    await lives.relay(lives.first)
    await lives.run(lives.first, "UPDATE outbox_cursor SET xid = '0', id = 0")  # as after a crash before the cursor moved
    assert not await lives.look(lives.first)


async def test_foreign_records_on_our_topic_are_looked_past(lives: Lives) -> None:
    await lives.decide(lives.first)
    await lives.relay(lives.first)
    async with AIOKafkaProducer(bootstrap_servers=lives.bootstrap) as producer:
        for partition in range(4):
            await producer.send_and_wait(NOTIFY_MESSAGE, b"?", partition=partition)
            headers = [("ce_source", b"/ansinh/notify"), ("ce_outbox", b"1.x.9"), ("ce_id", b"?")]
            await producer.send_and_wait(NOTIFY_MESSAGE, b"?", partition=partition, headers=headers)
    assert not await lives.look(lives.first)


async def test_a_restored_database_publishes_nothing_until_two_have_signed(lives: Lives) -> None:
    await lives.decide(lives.first)
    await lives.relay(lives.first)
    restored = await lives.backup()
    await lives.decide(lives.first)
    await lives.relay(lives.first)

    await lives.decide(restored)  # what it makes of the records it reads again
    assert await lives.relay(restored, seconds=3) == "DATABASE_RESTORED"
    assert len(await lives.records()) == 6
    assert await lives.timeline(restored) == (2, "DATABASE_RESTORED")
    assert await lives.look(restored)
    assert await lives.timeline(restored) == (2, "DATABASE_RESTORED")

    await unlock(lives, restored)
    assert await lives.relay(restored) == "publishes"
    told = [position_of(record.headers, "notify") for record in await lives.records()]
    assert sorted(position.epoch for position in told if position) == [1] * 6 + [2] * 3
    assert not await lives.look(restored)


async def test_restored_again_to_before_the_first_restore(lives: Lives) -> None:
    """The epoch is taken from the topics too: the database has forgotten that it was ever raised."""
    await lives.decide(lives.first)
    await lives.relay(lives.first)
    restored, again = await lives.backup(), await lives.backup()
    await lives.decide(lives.first)
    await lives.relay(lives.first)
    assert await lives.look(restored)
    await unlock(lives, restored)
    await lives.decide(restored, 20)
    await lives.relay(restored)
    assert await lives.look(again)
    assert await lives.timeline(again) == (3, "DATABASE_RESTORED")


async def test_an_empty_database_beside_full_topics_is_locked(lives: Lives, migrated: Callable[[str], Awaitable[str]]) -> None:
    await lives.decide(lives.first)
    await lives.relay(lives.first)
    assert await lives.look(await migrated("notify"))


async def test_a_database_copied_to_another_cluster_is_not_unlocked(lives: Lives) -> None:
    await lives.run(lives.first, "UPDATE outbox_cursor SET xid = '999999999999'")
    assert await lives.look(lives.first)
    assert await lives.timeline(lives.first) == (2, "OTHER_CLUSTER")
    with pytest.raises(Refused, match="OTHER_CLUSTER"):
        await unlock(lives, lives.first)


async def test_two_different_people_sign_what_stands_there(lives: Lives) -> None:
    await lives.decide(lives.first)
    await lives.relay(lives.first)
    restored = await lives.backup()
    await lives.decide(lives.first)
    await lives.relay(lives.first)
    async with lives.open(restored) as database:
        unlocking = Unlocking(database, Service.NOTIFY, LOG)
        with pytest.raises(Refused, match="NOT_LOCKED"):
            await unlocking.propose(actor("one", None), NOW)
        assert await lives.look(restored)
        lock = await unlocking.lock()
        assert lock is not None
        with pytest.raises(Refused, match="SIGNATURE_DIFFERS"):
            await unlocking.propose(actor("one", "0" * 64), NOW)
        with pytest.raises(Refused, match="UNLOCK_NOT_PROPOSED"):
            await unlocking.confirm(actor("one", lock.sha256), NOW)
        await unlocking.propose(actor("one", lock.sha256), NOW)
        with pytest.raises(Refused, match="SAME_PERSON"):
            await unlocking.confirm(actor("one", lock.sha256), NOW)
        with pytest.raises(Exception, match="two people must sign"):
            async with database.transaction("test") as tx:
                await queries.unlock_timeline(tx)
        await unlocking.confirm(actor("two", lock.sha256), NOW)
        assert await unlocking.lock() is None
        with pytest.raises(Exception, match="never falls"):
            async with database.transaction("test") as tx:
                await tx.execute("UPDATE timeline SET epoch = 1")
