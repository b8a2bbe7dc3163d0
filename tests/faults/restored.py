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
from shared.topics import Provider, Service, written_by
from tests.faults import oracle
from tests.faults.links import copies_of
from tests.faults.nemesis import Scene, Strike, Verify, until_fired
from tests.faults.oracle_model import Kind
from tests.faults.partners import KNOWN_PAID, statement
from tests.faults.world import World

LOCKED_SECONDS, SILENT_SECONDS = 60.0, 5.0
MONEY = ("I01", "I05", "I06", "I08", "I16", "I17", "I18")
# A list closed after the backup is closed again, by then without those who died meanwhile: payout keeps the first, and I02 says so.
CLOSED_TWICE = ("I02",)
# What the lost past told lies on the topics, and nobody here has decided it; numbers begin anew far above it (decision 0010), and
# verification's own history lacks it. What readers hold is never excused.
LOST_PAST = frozenset({Kind.PHANTOM, Kind.SEQUENCE_HOLE})
OWN_HISTORY = "verification verdict"


def take_copy(service: Service) -> Strike:
    """The backup, at the beginning of the phase."""

    async def before(scene: Scene) -> None:
        world, name = scene.world, _name(scene.world, service)
        await _stopped(world, service, lambda: _copy(world, source=name, into=f"{name}_backup"))
        await world.until_ready()
        scene.hit()

    return before


async def _copy(world: World, *, source: str, into: str) -> None:
    admin = world.installation.stack.postgres_dsn("postgres")
    await drop(admin, into)
    await clone(admin, template=source, database=into)
    world.note("database copied", source=source, into=into)


def _name(world: World, service: Service) -> str:
    return urlsplit(world.addresses.databases[service]).path[1:]


async def _stopped(
    world: World, service: Service, act: Callable[[], Awaitable[None]], once: dict[str, str] | None = None
) -> None:
    """Do something while both copies are down."""
    children = [world.child(name) for name in copies_of(service)]
    for child in children:
        child.held = True
    await asyncio.gather(*(asyncio.to_thread(child.end) for child in children))
    for line in world.links.to_postgres(service):
        line.reset()
    await world.rest.close()  # the copied database may have no session
    await act()
    for child in children:
        child.start(once)
        child.held = False


def put_back(point: str | None = None) -> Verify:
    """Payout, after the money has left: the backup is put back, an office tries to send the payroll again, two people unlock, statements
    come.

    `point`: a crash point of the unlocking at which both copies die once.
    """

    async def verify(scene: Scene) -> list[str]:
        world = scene.world
        problems = await _locked_again(scene, Service.PAYOUT, scene.work.release_again, point=point)
        await _statements(world)
        await scene.work.fallback()  # what the lost past had sent to the post is built again, under the same ids
        await _statements(world)
        return problems + await _money(scene)

    return verify


def told_again(service: Service) -> Verify:
    """Registry or verification, after the whole month: the backup is put back, the list is closed again, two people unlock, the state is
    told again. Every reader then holds what the restored database holds, and the payroll built again pays no line that was paid."""

    async def verify(scene: Scene) -> list[str]:
        world = scene.world
        problems = await _locked_again(scene, service, scene.work.close_again)
        await world.at_rest()
        await world.step("republish", lambda client: look.republish(client, service, (), say=lambda _text: None))
        await world.at_rest()
        await scene.work.fallback()
        return problems + await _money(scene, every=True) + await _unequal(scene)

    return verify


async def _locked_again(
    scene: Scene, service: Service, meanwhile: Callable[[], Awaitable[None]], *, point: str | None = None
) -> list[str]:
    """Put the backup back, see that nothing is told until two people have signed, whatever an office does meanwhile."""
    world, name = scene.world, _name(scene.world, service)
    before = await _books(world, service)
    scene.fired_before = world.fired(service)
    once = {"ANSINH_CRASH_POINT": point} if point else None
    await _stopped(world, service, lambda: _copy(world, source=f"{name}_backup", into=name), once)
    problems = await _locked(world, service)
    await meanwhile()
    await asyncio.sleep(SILENT_SECONDS)
    if await _books(world, service) != before:
        problems.append("something left while publishing was locked")
    await _unlock(scene, service, point)
    return problems


async def _statements(world: World) -> None:
    for provider in Provider:
        await statement(world, provider)
    await world.at_rest()


async def _locked(world: World, service: Service) -> list[str]:
    deadline = monotonic() + LOCKED_SECONDS
    while monotonic() < deadline:
        state = await world.ask(lambda client: look.restore_state(client, service))
        if state["locked"]:
            return []
        await asyncio.sleep(0.2)
    return ["a restored database was not noticed"]


async def _unlock(scene: Scene, service: Service, point: str | None) -> None:
    world = scene.world

    async def unlocked(client: Client) -> bool:
        return not (await look.restore_state(client, service))["locked"]

    async def both_sign(client: Client) -> None:
        await look.sign_unlock(client, service, step="propose")
        await look.sign_unlock(client, service, step="confirm")

    await world.step("unlock", both_sign, unlocked)
    if point:
        await until_fired(scene, service)


async def _books(world: World, service: Service) -> tuple[int, int]:
    """(records on the topics that only this service writes, payments really made)."""
    consumer = AIOKafkaConsumer(bootstrap_servers=world.addresses.kafka)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(
            [TopicPartition(topic.name, n) for topic in written_by(service) for n in range(topic.partitions)]
        )
    finally:
        await consumer.stop()
    return sum(ends.values()), len(payments(*_truth(world)))


def _truth(world: World) -> list[Path]:
    return [world.folder / "truth" / f"{provider}.jsonl" for provider in Provider]


async def _money(scene: Scene, *, every: bool = False) -> list[str]:
    """Nobody was paid twice, and our books say what happened. `every`: all other promises hold too."""
    world = scene.world
    paid = [key for key, _vnd in payments(*_truth(world))]
    problems = [f"id {key} was paid twice" for key in sorted({key for key in paid if paid.count(key) > 1})]
    verdicts = await check.run_checks(lambda service: world.addresses.databases[service], _truth(world))
    wrong = [v for v in verdicts if not v.ok and (v.id in MONEY or every)]
    if scene.phase == "close":
        wrong = [v for v in wrong if v.id not in CLOSED_TWICE]
    problems += [f"{v.id} {v.title}: {v.detail}" for v in wrong]
    states = {row["end_to_end_id"]: row["state"] for row in await scene.work.payments()}
    forgotten = [key for key in set(paid) & states.keys() if states[key] not in KNOWN_PAID | {"returned"}]
    return problems + [f"id {key} is {states[key]}, though paid" for key in sorted(forgotten)]


async def _unequal(scene: Scene) -> list[str]:
    """What the oracle finds, but for what the lost past leaves on the topics."""
    addresses, truth = scene.world.addresses, scene.world.folder / "truth"
    found = (await oracle.examine(kafka=addresses.kafka, databases=addresses.databases, truth=truth)).findings
    return [str(finding) for finding in found if not _of_the_lost_past(finding)]


def _of_the_lost_past(finding: oracle.Finding) -> bool:
    return finding.kind in LOST_PAST or (finding.kind is Kind.STALE and finding.where == OWN_HISTORY)
