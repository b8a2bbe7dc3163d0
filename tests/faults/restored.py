"""A service's database is put back to an earlier moment while Kafka and the partners know what came after it: the one fault that people
must end, and the one where money would leave twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from aiokafka import AIOKafkaConsumer, TopicPartition

from ansinh import check, look
from ansinh.client import Client
from deploy.local.databases import clone, drop
from sandbox.truth import payments
from shared.topics import Provider, Service, batch_topic
from tests.faults.links import copies_of
from tests.faults.nemesis import Scene, Verify, until_fired
from tests.faults.partners import KNOWN_PAID, statement
from tests.faults.world import World

LOCKED_SECONDS, SILENT_SECONDS = 60.0, 5.0
SERVICE = Service.PAYOUT
MONEY = ("I01", "I05", "I06", "I08", "I16", "I17", "I18")


async def take_copy(scene: Scene) -> None:
    """The backup: everybody has signed, nothing has left."""
    await _stopped(scene.world, lambda: _copy(scene.world, source=_name(scene.world), into=_name(scene.world) + "_backup"))
    await scene.world.until_ready()
    scene.hit()


async def _copy(world: World, *, source: str, into: str) -> None:
    admin = world.installation.stack.postgres_dsn("postgres")
    await drop(admin, into)
    await clone(admin, template=source, database=into)
    world.note("database copied", source=source, into=into)


def _name(world: World) -> str:
    return urlsplit(world.addresses.databases[SERVICE]).path[1:]


async def _stopped(world: World, act: Callable[[], Awaitable[None]], once: dict[str, str] | None = None) -> None:
    """Do something while both copies are down."""
    children = [world.child(name) for name in copies_of(SERVICE)]
    for child in children:
        child.held = True
    await asyncio.gather(*(asyncio.to_thread(child.end) for child in children))
    for line in world.links.to_postgres(SERVICE):
        line.reset()
    await world.rest.close()  # the copied database may have no session
    await act()
    for child in children:
        child.start(once)
        child.held = False


def put_back(point: str | None = None) -> Verify:
    """After the money has left: the backup is put back, an office tries to send the payroll again, two people unlock, statements come.

    `point`: a crash point of the unlocking at which both copies die once.
    """

    async def verify(scene: Scene) -> list[str]:
        world, name = scene.world, _name(scene.world)
        before = await _books(world)
        scene.fired_before = len(world.fired(SERVICE))
        once = {"ANSINH_CRASH_POINT": point} if point else None
        await _stopped(world, lambda: _copy(world, source=name + "_backup", into=name), once)
        problems = await _locked(world)
        await scene.work.release_again()
        await asyncio.sleep(SILENT_SECONDS)
        if await _books(world) != before:
            problems.append("something left while publishing was locked")
        await _unlock(scene, point)
        await _statements(world)
        await scene.work.fallback()  # what the lost past had sent to the post is built again, under the same ids
        await _statements(world)
        return problems + await _money(scene)

    return verify


async def _statements(world: World) -> None:
    for provider in Provider:
        await statement(world, provider)
    await world.at_rest()


async def _locked(world: World) -> list[str]:
    deadline = monotonic() + LOCKED_SECONDS
    while monotonic() < deadline:
        state = await world.ask(lambda client: look.restore_state(client, SERVICE))
        if state["locked"]:
            return []
        await asyncio.sleep(0.2)
    return ["a restored database was not noticed"]


async def _unlock(scene: Scene, point: str | None) -> None:
    world = scene.world

    async def unlocked(client: Client) -> bool:
        return not (await look.restore_state(client, SERVICE))["locked"]

    async def both_sign(client: Client) -> None:
        await look.sign_unlock(client, SERVICE, step="propose")
        await look.sign_unlock(client, SERVICE, step="confirm")

    await world.step("unlock", both_sign, unlocked)
    if point:
        await until_fired(scene, SERVICE)


async def _books(world: World) -> tuple[int, int]:
    """(lines on the topics to the partners, payments they really made)."""
    consumer = AIOKafkaConsumer(bootstrap_servers=world.addresses.kafka)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(batch_topic(provider), 0) for provider in Provider])
    finally:
        await consumer.stop()
    return sum(ends.values()), len(payments(*_truth(world)))


def _truth(world: World) -> list[Path]:
    return [world.folder / "truth" / f"{provider}.jsonl" for provider in Provider]


async def _money(scene: Scene) -> list[str]:
    """Nobody was paid twice, and after the statements our books say what happened."""
    world = scene.world
    paid = [key for key, _vnd in payments(*_truth(world))]
    problems = [f"id {key} was paid twice" for key in sorted({key for key in paid if paid.count(key) > 1})]
    verdicts = await check.run_checks(lambda service: world.addresses.databases[service], _truth(world))
    problems += [f"{v.id} {v.title}: {v.detail}" for v in verdicts if not v.ok and v.id in MONEY]
    states = {row["end_to_end_id"]: row["state"] for row in await scene.work.payments()}
    forgotten = [key for key in set(paid) & states.keys() if states[key] not in KNOWN_PAID | {"returned"}]
    return problems + [f"id {key} is {states[key]}, though paid" for key in sorted(forgotten)]
