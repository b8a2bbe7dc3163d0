"""Set-aside records handled again: once, in one transaction with their mark, never through their topic."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
import structlog

from shared.applying import Handler
from shared.consuming import queries
from shared.database import Tx
from shared.errors import BadRecord, Trouble
from shared.records import Received
from shared.redriving import NO_HANDLER, UNREADABLE, Chosen, Redriven, Redriver
from tests.integration.consuming_world import World

Redrive = Callable[..., Awaitable[list[Redriven]]]
ALL = Chosen()


async def refuses(tx: Tx, records: Sequence[Received[Any]]) -> None:
    """A release with a fault: it cannot take `x`."""
    for record in records:
        if record.message.record == "x":
            raise BadRecord(record.offset, "NO_SUCH_PLACE")


def redriver(world: World, handler: Handler | None = None) -> Redriver:
    """The next release: it takes everything unless another handler is given."""
    handlers = {world.topic: handler or world.effect}
    return Redriver(world.database, world.vault, handlers, clock=world.clock, log=structlog.get_logger())


async def letters(world: World) -> list[dict[str, Any]]:
    """Set-aside records in the order they were read."""
    async with world.database.reading() as tx:
        return sorted([dict(row) async for row in queries.dead_letters(tx, most=100)], key=lambda row: row["offset"])


async def set_aside(world: World, *records: str | bytes) -> list[dict[str, Any]]:
    """Have the faulty release read these."""
    await world.publish(*records)
    async with world.consumer(refuses):
        for _ in range(200):
            if (await world.row()).next_offset == len(records):
                return await letters(world)
            await asyncio.sleep(0.05)
    raise AssertionError("not read")


async def test_a_record_is_taken_once_under_its_offset(world: World) -> None:
    await set_aside(world, "x", "x")
    seen: list[Received[Any]] = []

    async def takes(tx: Tx, records: Sequence[Received[Any]]) -> None:
        seen.extend(records)
        await world.effect(tx, records)

    done = await redriver(world, takes).redrive(ALL, actor="an-operator", dry_run=False)
    assert [(one.topic, one.offset, one.outcome, one.reason) for one in done] == [
        (world.topic, 0, "taken", None),
        (world.topic, 1, "taken", None),
    ]
    assert [(one.offset, one.message.record) for one in seen] == [(0, "x"), (1, "x")]
    assert await world.effects() == ["x", "x"]
    assert await redriver(world).redrive(ALL, actor="another", dry_run=False) == []
    kept = await letters(world)
    assert [(row["outcome"], row["redriven_by"], row["redriven_at"], row["reason"]) for row in kept] == [
        ("taken", "an-operator", world.clock.now(), "NO_SUCH_PLACE")
    ] * 2
    assert (await world.row()).next_offset == 2


async def test_nothing_goes_to_the_source_topic_and_the_act_is_told(world: World) -> None:
    await set_aside(world, "x")
    await redriver(world).redrive(ALL, actor="an-operator", dry_run=False)
    async with world.database.reading() as tx:
        told = [(row["topic"], row["key"]) for row in await tx.fetch("SELECT topic, key FROM outbox ORDER BY id")]
    assert told[1:] == [("audit.v1", "an-operator")]
    assert told[0][0] == "notify.deadletter.v1"


async def test_a_dry_run_tells_what_would_happen_and_changes_nothing(world: World) -> None:
    before = await set_aside(world, "x", b"{not json")
    done = await redriver(world).redrive(ALL, actor="an-operator", dry_run=True)
    assert [(one.offset, one.outcome, one.reason) for one in done] == [(0, "taken", None), (1, "dead", "JSON_INVALID")]
    assert await world.effects() == []
    assert await letters(world) == before


async def test_a_second_complaint_leaves_it_set_aside_with_the_new_reason(world: World) -> None:
    async def refuses_otherwise(tx: Tx, records: Sequence[Received[Any]]) -> None:
        await world.effect(tx, records)
        raise BadRecord(records[0].offset, "STILL_NOT")

    async def breaks(tx: Tx, records: Sequence[Received[Any]]) -> None:
        await world.effect(tx, records)
        raise ValueError("x")

    await set_aside(world, "x")
    done = await redriver(world, refuses_otherwise).redrive(ALL, actor="an-operator", dry_run=False)
    assert [(one.outcome, one.reason) for one in done] == [("dead", "STILL_NOT")]
    assert [(row["disposition"], row["reason"], row["outcome"]) for row in await letters(world)] == [
        ("dead", "STILL_NOT", "dead")
    ]
    await redriver(world, breaks).redrive(ALL, actor="an-operator", dry_run=False)
    assert [(row["reason"], row["outcome"]) for row in await letters(world)] == [("ValueError", "dead")]
    assert await world.effects() == []
    assert len(await redriver(world).redrive(ALL, actor="an-operator", dry_run=False)) == 1
    assert await world.effects() == ["x"]


async def test_trouble_goes_up_and_marks_nothing(world: World) -> None:
    async def away(tx: Tx, records: Sequence[Received[Any]]) -> None:
        raise Trouble

    before = await set_aside(world, "x")
    with pytest.raises(Trouble):
        await redriver(world, away).redrive(ALL, actor="an-operator", dry_run=False)
    assert await letters(world) == before


async def test_records_are_chosen_by_id_topic_and_reason(world: World) -> None:
    kept = await set_aside(world, "x", b"{not json", "x")
    redrive = redriver(world).redrive
    assert await redrive(Chosen(topic="another.v1"), actor="a", dry_run=True) == []
    assert [one.offset for one in await redrive(Chosen(topic=world.topic, reason="JSON_INVALID"), actor="a", dry_run=True)] == [1]
    assert [one.offset for one in await redrive(Chosen([kept[2]["dead_letter_id"]]), actor="a", dry_run=False)] == [2]
    assert [one.offset for one in await redrive(Chosen(reason="NO_SUCH_PLACE"), actor="a", dry_run=False)] == [0]


async def test_taken_by_two_at_the_same_moment_it_has_its_effect_once(world: World) -> None:
    await set_aside(world, "x")
    done = await asyncio.gather(*(redriver(world).redrive(ALL, actor=f"operator-{n}", dry_run=False) for n in range(5)))
    assert sum(map(len, done)) == 1
    assert await world.effects() == ["x"]


async def test_what_cannot_be_opened_or_read_stays(world: World) -> None:
    await set_aside(world, "x")
    nobody = Redriver(world.database, world.vault, {}, clock=world.clock, log=structlog.get_logger())
    assert [one.reason for one in await nobody.redrive(ALL, actor="a", dry_run=True)] == [NO_HANDLER]
    async with world.database.transaction("test") as tx:
        await tx.execute(
            'INSERT INTO dead_letter (dead_letter_id, topic, partition, "offset", disposition, reason, original, at)'
            " SELECT gen_random_uuid(), topic, partition, 99, disposition, reason, original, at FROM dead_letter"
        )
    done = await redriver(world).redrive(ALL, actor="a", dry_run=True)
    assert [(one.offset, one.reason) for one in done] == [(0, None), (99, UNREADABLE)]


@pytest.mark.parametrize(
    "change",
    ["UPDATE dead_letter SET outcome = NULL, redriven_at = NULL, redriven_by = NULL", "DELETE FROM dead_letter"],
)
async def test_the_database_keeps_what_was_taken(world: World, change: str) -> None:
    await set_aside(world, "x")
    await redriver(world).redrive(ALL, actor="a", dry_run=False)
    with pytest.raises(Exception, match="taken once"):
        async with world.database.transaction("test") as tx:
            await tx.execute(change)


async def test_the_database_keeps_what_was_set_aside(world: World) -> None:
    await set_aside(world, "x")
    with pytest.raises(Exception, match="never changes"):
        async with world.database.transaction("test") as tx:
            await tx.execute("UPDATE dead_letter SET original = 'other'")


async def test_regression_a_header_that_is_no_text_is_set_aside_and_holds_back_nobody(world: World) -> None:
    """FastStream dropped the whole batch over such a header, and its partition stood still without an alarm."""
    await world.publish("a")
    await world.publish_with([("ce_id", None), ("ce_type", b"new")], b"{}")
    await world.publish_with([("ce_id", b"\xff"), ("ce_type", b"new")], b"{}")
    await world.publish("b")
    async with world.consumer():
        await world.until_effects(2)
    assert [row["reason"] for row in await letters(world)] == ["HEADER_MISSING", "TYPE_UNKNOWN"]
    done = await redriver(world).redrive(ALL, actor="a", dry_run=True)
    assert [(one.outcome, one.reason) for one in done] == [("dead", "HEADER_MISSING"), ("parked", "TYPE_UNKNOWN")]
