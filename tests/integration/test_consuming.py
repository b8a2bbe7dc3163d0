"""The exactly-once rule on a real broker and a real database (docs/INVARIANTS.md 1 to 4)."""

import asyncio
import json
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from shared.consuming import WATCH_SECONDS, queries
from shared.database import Tx
from shared.errors import BadRecord
from shared.records import Received


async def test_each_record_takes_effect_once_over_restarts(world):
    await world.publish("a", "b")
    async with world.consumer():
        assert await world.until_effects(2) == ["a", "b"]
    await world.publish("c")
    async with world.consumer():
        assert await world.until_effects(3) == ["a", "b", "c"]
    assert (await world.row()).next_offset == 3
    assert world.fatal == []


async def test_of_several_brokers_any_that_answers_is_enough(world):
    await world.publish("a")
    world.bootstrap = f"127.0.0.1:1,{world.bootstrap}"
    async with world.consumer():
        assert await world.until_effects(1) == ["a"]


async def test_consumer_killed_mid_batch_leaves_no_trace_and_goes_on(world):
    await world.publish("a", "b", "c")
    struck = asyncio.Event()

    async def dies(tx: Tx, records: Sequence[Received]) -> None:
        await world.effect(tx, records)
        struck.set()
        await asyncio.Event().wait()  # cut off between the effects and the commit

    async with world.consumer(dies):
        await asyncio.wait_for(struck.wait(), 20)
    assert await world.effects() == []
    async with world.consumer():
        assert await world.until_effects(3) == ["a", "b", "c"]


async def test_stale_owner_is_fenced(world):
    await world.publish("a")
    async with world.consumer() as stale:
        await world.until_effects(1)
        # Another owner takes offset 1 while this one was paused; the stale one then reads it.
        async with world.database.transaction("test") as tx:
            await queries.take(tx, topic=world.topic, partition=0, before=1, next_offset=2, last_event_id=None, records=1)
        await world.publish("b", "c")
        assert await world.until_effects(2) == ["a", "c"]
        assert stale.owned[0] == 3


async def test_poison_record_does_not_stop_the_rest(world):
    await world.publish("a", b"{not json", "b")
    async with world.consumer():
        assert await world.until_effects(2) == ["a", "b"]
    async with world.database.reading() as tx:
        letters = [dict(row) async for row in queries.dead_letters(tx, most=10)]
        waiting = await tx.fetchval("SELECT count(*) FROM outbox WHERE topic = 'notify.deadletter.v1'")
    assert [(letter["offset"], letter["disposition"], letter["reason"]) for letter in letters] == [(1, "dead", "JSON_INVALID")]
    assert waiting == 1


async def test_unknown_culprit_is_found_by_halving(world):
    async def refuses_x(tx: Tx, records: Sequence[Received]) -> None:
        await world.effect(tx, records)
        if any(record.message.record == "x" for record in records):
            raise ValueError("somewhere in here")

    await world.publish("a", "b", "x", "c", "d")
    async with world.consumer(refuses_x):
        assert await world.until_effects(4) == ["a", "b", "c", "d"]


async def test_a_handlers_complaint_names_the_record(world):
    async def complains(tx: Tx, records: Sequence[Received]) -> None:
        for record in records:
            if record.message.record == "x":
                raise BadRecord(record.offset, "NO_SUCH_PLACE")
        await world.effect(tx, records)

    await world.publish("x", "a", "x")
    async with world.consumer(complains):
        assert await world.until_effects(1) == ["a"]


async def test_unknown_word_is_parked_not_dead(world):
    future = json.dumps({"source": "test", "record": "r", "source_sequence": 1, "wish": "wallet"}).encode()
    await world.publish("a", future, "b")
    async with world.consumer():
        await world.until_effects(2)
    async with world.database.reading() as tx:
        letters = [row["disposition"] async for row in queries.dead_letters(tx, most=10)]
    assert letters == ["parked"]
    assert (await world.row()).dead_in_a_row == 0


async def test_twenty_dead_letters_in_a_row_stop_the_partition_until_cleared(world):
    await world.publish("a", *[b"{"] * 25, "b")
    async with world.consumer():
        assert await world.until_stopped() == "DEAD_IN_A_ROW"
        assert (await world.row()).next_offset == 21
        assert await world.effects() == ["a"]
        async with world.database.transaction("test") as tx:
            await queries.resume_partition(tx, topic=world.topic, partition=0)
        assert await world.until_effects(2) == ["a", "b"]


async def test_over_one_per_cent_dead_stops_the_partition_until_cleared(world):
    await world.publish("a", *[b"{", "b"] * 11, *["c"] * 1_000)
    async with world.consumer():
        assert await world.until_stopped() == "DEAD_OVER_ONE_PERCENT"
        row = await world.row()
        assert (row.next_offset, row.read_since_resume, len(row.recent_dead)) == (1_000, 1_000, 11)
        async with world.database.transaction("test") as tx:
            await queries.resume_partition(tx, topic=world.topic, partition=0)
        assert len(await world.until_effects(1_012)) == 1_012
        row = await world.row()
        assert (row.stopped_reason, row.read_since_resume, row.recent_dead) == (None, 23, [])


async def test_foreign_transaction_markers_are_no_gap(world):
    await world.publish("a", transactional=f"t-{world.topic}")
    await world.publish("b", transactional=f"t-{world.topic}")
    async with world.consumer():
        await world.until_effects(2)
    await world.publish("c", transactional=f"t-{world.topic}")
    async with world.consumer():
        assert await world.until_effects(3) == ["a", "b", "c"]
    assert world.fatal == []


async def test_recreated_topic_is_refused(world):
    await world.publish("a", "b")
    async with world.consumer():
        await world.until_effects(2)
    async with world.database.transaction("test") as tx:  # as if another topic stood under the old name
        await tx.execute("UPDATE consumed SET last_event_id = 'another' WHERE topic = $1", world.topic)
    await world.publish("c")
    async with world.consumer():
        assert await world.until_stopped() == "TOPIC_RECREATED"
    assert await world.effects() == ["a", "b"]


async def test_a_batch_fetched_before_the_seek_is_no_recreated_topic(world):
    """A slow listener lets it through; taken for proof, it stopped healthy partitions whenever a copy died under load."""
    await world.publish("a", "b", "c")
    async with world.consumer() as consumer:
        await world.until_effects(3)
        place = TopicPartition(world.topic, 0)
        consumer._owned[place].unproven = True
        early = SimpleNamespace(topic=world.topic, partition=0, offset=3, headers=[("ce_id", b"x")])
        await consumer._take_partition(place, [early])
        await world.publish("d")
        assert await world.until_effects(4) == ["a", "b", "c", "d"]


async def test_nothing_is_owned_between_two_assignments(world):
    """There positions are Kafka's: owned then, a partition was read twice from behind the seek, and stopped as a topic made anew."""
    await world.publish("a", "b", "c")
    async with world.consumer() as consumer:
        await world.until_effects(3)
        place = TopicPartition(world.topic, 0)
        owning = asyncio.create_task(consumer._own(place))
        await asyncio.sleep(0)  # it waits for the database
        await consumer.on_partitions_revoked([place])
        await owning
        await asyncio.sleep(2 * WATCH_SECONDS)  # nor does the one that takes stopped partitions up again own it
        assert consumer.owned == {}
        await consumer.on_partitions_assigned([place])
        assert consumer.owned == {0: 3}
        await world.publish("d")
        assert await world.until_effects(4) == ["a", "b", "c", "d"]


async def test_who_stands_elsewhere_stops_nothing(world):
    await world.publish("a", "b")
    async with world.consumer() as consumer:
        await world.until_effects(2)
        place = TopicPartition(world.topic, 0)
        await consumer._stop(place, 1, "TOPIC_RECREATED")
        assert (await world.row()).stopped_reason is None
        await world.publish("c")
        assert await world.until_effects(3) == ["a", "b", "c"]


async def test_topic_made_anew_under_a_running_reader_is_refused(world):
    """Its first records have offsets that were read before: they are not passed over as known."""
    await world.publish("a", "b")
    async with world.consumer() as consumer:
        await world.until_effects(2)
        await world.recreate_topic()
        await world.publish("c")
        assert await world.until_stopped() == "TOPIC_RECREATED"
        assert consumer.owned.get(0) is None
    assert await world.effects() == ["a", "b"]


async def test_topic_shorter_than_read_is_refused(world):
    async with world.database.transaction("test") as tx:
        await tx.execute("UPDATE consumed SET next_offset = 7 WHERE topic = $1 AND partition = 0", world.topic)
    async with world.consumer():
        assert await world.until_stopped() == "TOPIC_RECREATED"


async def test_no_consumed_row_no_start(world):
    async with world.database.transaction("test") as tx:
        await tx.execute("DELETE FROM consumed WHERE topic = $1", world.topic)
    async with world.consumer():
        for _ in range(100):
            if world.fatal:
                break
            await asyncio.sleep(0.1)
    assert world.fatal[0] == "LookupError"
    assert await world.effects() == []


async def test_database_that_cuts_the_connection_is_waited_out(world):
    cut = {"left": 2}

    async def cut_off(tx: Tx, records: Sequence[Received]) -> None:
        await world.effect(tx, records)
        if cut["left"]:
            cut["left"] -= 1
            await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    await world.publish("a", "b")
    async with world.consumer(cut_off):
        assert await world.until_effects(2) == ["a", "b"]
    assert cut["left"] == 0


async def test_an_offset_never_moves_back(world):
    async with world.database.transaction("test") as tx:
        await tx.execute("UPDATE consumed SET next_offset = 7 WHERE topic = $1", world.topic)
    with pytest.raises(Exception, match="never moves back"):
        async with world.database.transaction("test") as tx:
            await tx.execute("UPDATE consumed SET next_offset = 6 WHERE topic = $1", world.topic)


@pytest.mark.parametrize("partition", [0, 1])
async def test_partitions_are_independent(world, partition):
    await world.publish("a", partition=partition)
    async with world.consumer() as consumer:
        await world.until_effects(1)
        for _ in range(100):
            if len(consumer.owned) == 2:
                break
            await asyncio.sleep(0.05)
        assert consumer.owned == {partition: 1, 1 - partition: 0}
