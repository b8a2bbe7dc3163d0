"""A consumer that stands still while the broker answers ends its process; one that has nothing to do, or no broker, does not."""

import asyncio
from contextlib import asynccontextmanager

import structlog
from faststream.kafka import KafkaBroker

from shared.consuming import TopicConsumer
from shared.liveness import NEVER_JOINED, STANDS_STILL, Liveness
from tests.integration.consuming_world import World

PATIENCE = 1.5


@asynccontextmanager
async def looked_after(consumer: TopicConsumer, bootstrap: str, patience: float = PATIENCE):
    """What was fatal, while it is looked after."""
    fatal: list[str] = []
    stop = asyncio.Event()
    watching = asyncio.create_task(Liveness([consumer], bootstrap, fatal=fatal.append, patience=patience).watch(stop))
    yield fatal
    stop.set()
    await watching


async def until(fatal: list[str]) -> str:
    async with asyncio.timeout(30):
        while not fatal:
            await asyncio.sleep(0.1)
    return fatal[0]


async def test_records_that_nobody_polls_are_fatal(world: World) -> None:
    async with world.consumer() as consumer:
        await world.publish("a")
        await world.until_effects(1)
        consumer._consumer().pause(*consumer._consumer().assignment())  # as if the loop that polls were gone
        async with looked_after(consumer, world.bootstrap) as fatal:
            await asyncio.sleep(3 * PATIENCE)
            assert fatal == []
            await world.publish("b")
            assert await until(fatal) == STANDS_STILL


async def test_a_consumer_in_no_group_is_fatal_only_while_the_broker_answers(world: World) -> None:
    consumer = TopicConsumer(
        world.topic,
        world.effect,
        database=world.database,
        set_aside=world.set_aside,
        fatal=world.fatal.append,
        log=structlog.get_logger(),
    )
    consumer.subscribe(KafkaBroker(world.bootstrap, logger=None), "never-started")
    async with looked_after(consumer, "127.0.0.1:1") as fatal:
        await asyncio.sleep(4 * PATIENCE)
        assert fatal == []
    async with looked_after(consumer, world.bootstrap) as fatal:
        assert await until(fatal) == NEVER_JOINED


async def test_quiet_topics_and_foreign_markers_are_no_standstill(world: World) -> None:
    async with world.consumer() as consumer:
        await world.publish("a", transactional=f"t-{world.topic}")
        await world.until_effects(1)
        async with looked_after(consumer, world.bootstrap) as fatal:
            await asyncio.sleep(5 * PATIENCE)
            await world.publish("b", transactional=f"t-{world.topic}")
            await world.until_effects(2)
            await asyncio.sleep(3 * PATIENCE)
        assert fatal == []


async def test_trouble_that_is_waited_out_is_no_standstill(world: World) -> None:
    async def away(tx, records) -> None:
        raise TimeoutError

    await world.publish("a")
    async with world.consumer(away) as consumer, looked_after(consumer, world.bootstrap, 6.0) as fatal:
        await asyncio.sleep(15)  # it tries at least every five seconds
        assert fatal == []
