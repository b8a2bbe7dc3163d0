"""The exactly-once rule where something fails at the worst moment; what goes well is in test_consuming."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from structlog.testing import capture_logs

from shared.consuming import WATCH_SECONDS, queries
from shared.database import Tx
from shared.records import Received
from tests.integration.consuming_world import World, headers, wish

FAILS_ONCE = """
CREATE SEQUENCE tried;
CREATE FUNCTION fails_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('tried') <= {times} THEN
        RAISE EXCEPTION 'not this time' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
"""
# A sequence keeps its count over the rollback. The offset's own write fails, or the commit does (a deferred trigger runs in it).
OFFSET_FAILS = "CREATE TRIGGER fails AFTER UPDATE OF next_offset ON consumed FOR EACH ROW EXECUTE FUNCTION fails_once()"
COMMIT_FAILS = """
CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON effect DEFERRABLE INITIALLY DEFERRED
   FOR EACH ROW EXECUTE FUNCTION fails_once()
"""


async def prepare(world: World, *statements: str) -> None:
    async with world.database.transaction("test") as tx:
        for statement in statements:
            await tx.execute(statement)


async def test_effects_do_not_outlive_an_offset_that_was_not_written(world):
    await prepare(world, FAILS_ONCE.format(times=2), OFFSET_FAILS)
    await world.publish("a", "b")
    async with world.consumer():
        assert await world.until_effects(2) == ["a", "b"]
        await asyncio.sleep(0.5)
        assert await world.effects() == ["a", "b"]
    assert (await world.row()).next_offset == 2


async def test_commit_that_fails_is_tried_again(world):
    await prepare(world, FAILS_ONCE.format(times=1), COMMIT_FAILS)
    await world.publish("a")
    with capture_logs() as said:
        async with world.consumer():
            assert await world.until_effects(1) == ["a"]
    assert (await world.row()).next_offset == 1
    assert world.fatal == []
    assert any(line["event"] == "batch_waits" and "40001" in line["code"] for line in said)


async def test_stale_owner_never_takes_good_records_for_bad_ones(world):
    """Its effects are there already: without the fence first, a unique violation would look like a bad record and raise an alarm."""
    await prepare(world, "CREATE UNIQUE INDEX effect_once ON effect (what)")
    await world.publish("a")
    async with world.consumer() as stale:
        await world.until_effects(1)
        async with world.database.transaction("test") as tx:  # another owner took the next record
            await queries.take(tx, topic=world.topic, partition=0, before=1, next_offset=2, last_event_id=None, records=1)
            await tx.execute("INSERT INTO effect VALUES ('b')")
        with capture_logs() as said:
            await world.publish("b", "c")
            assert await world.until_effects(3) == ["a", "b", "c"]
        assert stale.owned[0] == 3
    assert await set_aside(world) == []
    assert [line for line in said if line["event"] == "record_failed"] == []


async def test_record_stepped_over_is_fetched_again(world):
    """aiokafka's position may run ahead of us (reliability.md 2.3): the first offset above ours is a gap until the broker says so twice."""
    await world.publish("a")
    async with world.consumer() as consumer:
        await world.until_effects(1)
        client, place = consumer._subscriber.consumer, TopicPartition(world.topic, 0)
        client.pause(place)
        await world.publish("b", "c", "d")
        client.seek(place, 3)
        client.resume(place)
        assert await world.until_effects(4) == ["a", "b", "c", "d"]


async def test_position_out_of_range_goes_back_to_the_start_not_to_the_end(world):
    await world.publish("a")
    async with world.consumer() as consumer:
        await world.until_effects(1)
        client, place = consumer._subscriber.consumer, TopicPartition(world.topic, 0)
        client.pause(place)
        await world.publish("b", "c")
        client.seek(place, 1_000)
        client.resume(place)
        assert await world.until_effects(3) == ["a", "b", "c"]


async def test_records_of_an_aborted_transaction_take_no_effect(world):
    producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap, acks="all", transactional_id=f"t-{world.topic}")
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(world.topic, wish("aborted"), partition=0, headers=headers())
        await producer.abort_transaction()
    finally:
        await producer.stop()
    await world.publish("a")
    async with world.consumer():
        assert await world.until_effects(1) == ["a"]
    assert world.fatal == []


async def test_what_kafka_remembers_of_our_place_counts_for_nothing(world):
    """The group's offset in Kafka is for displays: one that runs ahead of the database skips nothing."""
    await world.publish("a", "b", "c")
    async with world.consumer():
        await world.until_effects(3)
    await prepare(world, "ALTER TABLE consumed DISABLE TRIGGER ALL", "DELETE FROM effect",
                  f"UPDATE consumed SET next_offset = 1, last_event_id = NULL WHERE topic = '{world.topic}' AND partition = 0")  # fmt: skip
    async with world.consumer():
        assert await world.until_effects(2) == ["b", "c"]


async def test_stopped_partition_waits_for_a_person_however_long(world):
    """A running owner is stopped by the fence, one that looks for partitions to take up again by what it reads."""
    await world.publish("a")
    async with world.consumer():
        await world.until_effects(1)
        async with world.database.transaction("test") as tx:
            await queries.stop_partition(tx, topic=world.topic, partition=0, before=1, reason="LOOK")
        await world.publish("b")
        await asyncio.sleep(2 * WATCH_SECONDS + 1)
        assert await world.effects() == ["a"]
        async with world.database.transaction("test") as tx:
            await queries.resume_partition(tx, topic=world.topic, partition=0)
        assert await world.until_effects(2) == ["a", "b"]


async def test_trouble_in_a_handler_is_never_a_bad_record(world):
    left = {"times": 3}

    async def troubled(tx: Tx, records: Sequence[Received]) -> None:
        if left["times"]:
            left["times"] -= 1
            raise TimeoutError
        await world.effect(tx, records)

    await world.publish("a", "b")
    async with world.consumer(troubled):
        assert await world.until_effects(2) == ["a", "b"]
    assert await set_aside(world) == []


async def test_failure_nobody_foresaw_ends_the_process_before_the_record(world):
    """FastStream swallows what a handler raises and goes on behind the record; a new process reads it again."""
    await prepare(world, "ALTER TABLE dead_letter RENAME TO elsewhere")
    await world.publish("a", b"{")
    async with world.consumer():
        async with asyncio.timeout(20):
            while not world.fatal:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
    assert world.fatal[0].startswith("UndefinedTableError")
    assert (await world.row()).next_offset == 0
    assert await world.effects() == []


async def set_aside(world: World) -> list[str]:
    async with world.database.reading() as tx:
        return [row["reason"] async for row in queries.dead_letters(tx, most=10)]
