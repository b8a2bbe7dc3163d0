"""The hands that hurt a world: each function is one way to fail, done once, with everything whole again when it returns.

`scene.over()` is called at the moment from which recovery counts: the kill itself, or the end of a fault that lasts.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from time import monotonic

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from shared.consuming import REBALANCE_SECONDS
from shared.topics import Service, read_by
from tests.faults.links import copies_of
from tests.faults.probe import Trickle
from tests.faults.proxy import Proxy
from tests.faults.work import Work
from tests.faults.world import World

SESSION_SECONDS = 6.0
FIRE_SECONDS = 25.0
AT_START = ("restoring.look", "sms_health.")  # the sender asks for the gateway before its first texts


@dataclass
class Scene:
    """One fault in one phase of one trial."""

    world: World
    work: Work
    rng: Random
    phase: str
    hits: int = 0
    since: float = 0.0
    points: list[str] = field(default_factory=list)
    fired_before: list[str] = field(default_factory=list)

    def hit(self, times: int = 1) -> None:
        """It really struck."""
        self.hits += times

    def over(self) -> None:
        """Recovery counts from now."""
        self.since = monotonic()

    async def soon(self, most: float = 0.6) -> None:
        """A moment of the phase that the seed chooses."""
        await asyncio.sleep(self.rng.uniform(0.0, most))


Strike = Callable[[Scene], Awaitable[None]]
Verify = Callable[[Scene], Awaitable[list[str]]]


async def nothing(_scene: Scene) -> None:
    """Nothing to prepare."""


async def content(_scene: Scene) -> list[str]:
    """Nothing more to look at."""
    return []


@dataclass(frozen=True)
class Scenario:
    """One row of the table. `fault` is its word in the report; `what` says what is done.

    `before` prepares (arms, changes a partner's mix) and `strike` hurts during one of `phases`; `verify` looks for what the general oracle
    cannot know. `limit`: seconds within which everything goes on by itself, None where nothing stands still. `own_world`: what it does
    cannot be undone, so nothing else is tried there; `tolerates` names findings that it causes on purpose. `last`: strikes when the work
    is done and examined. `alone`: never one of several in a randomised run. `in_a_row`: needs nothing of the phase it strikes in but that
    statements come, so one after the other may strike in the same phase. `service`: whose crash points it arms.
    """

    name: str
    fault: str
    what: str
    phases: tuple[str, ...]
    strike: Strike
    limit: float | None = 15.0
    before: Strike = nothing
    verify: Verify = content
    own_world: bool = False
    tolerates: frozenset[str] = frozenset()
    last: bool = False
    alone: bool = False
    brokers: int = 1
    in_a_row: bool = False
    service: str = ""


@asynccontextmanager
async def under_load(scene: Scene) -> AsyncIterator[Trickle]:
    """Statements keep coming meanwhile, so that every consumer and relay has something in its hands."""
    trickle = Trickle(scene.world, f"{scene.work.trial}-{scene.phase}")
    running = asyncio.create_task(trickle.run())
    try:
        yield trickle
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


# --- processes -----------------------------------------------------------------------------------------------------------------


def kill(service: str) -> Strike:
    """kill -9 of one copy, at times of both."""

    async def strike(scene: Scene) -> None:
        async with under_load(scene):
            await scene.soon()
            names = copies_of(service) if scene.rng.random() < 0.3 else [scene.rng.choice(copies_of(service))]
            for name in names:
                scene.world.kill(name)
            scene.hit(len(names))
            scene.over()

    return strike


def kill_one(*names: str) -> Strike:
    """kill -9 of a partner."""

    async def strike(scene: Scene) -> None:
        await scene.soon()
        scene.world.kill(scene.rng.choice(names))
        scene.hit()
        scene.over()

    return strike


def pause(service: str) -> Strike:
    """One copy stands still for longer than its session, then goes on as if nothing had happened."""

    async def strike(scene: Scene) -> None:
        async with under_load(scene):
            await scene.soon()
            name = scene.rng.choice(copies_of(service))
            scene.world.signal(name, signal.SIGSTOP)
            await asyncio.sleep(SESSION_SECONDS + 2.0)
            scene.world.signal(name, signal.SIGCONT)
            scene.hit()
            scene.over()

    return strike


def terminate(service: str) -> Strike:
    """A rolling restart under load: SIGTERM, one copy after the other."""

    async def strike(scene: Scene) -> None:
        async with under_load(scene):
            await scene.soon()
            for name in copies_of(service):
                scene.world.note("restarted", child=name)
                codes = await scene.world.restart(name)
                assert codes == [0], f"{name} did not drain and end by itself: {codes}"
                scene.hit()
            scene.over()

    return strike


def crash_at(service: str, point: str, nth: int) -> tuple[Strike, Strike]:
    """(arm both copies, wait until one of them has died at the point)."""

    async def arm(scene: Scene) -> None:
        scene.fired_before = scene.world.fired(service)
        arm_now = scene.world.arm_start if point.startswith(AT_START) else scene.world.arm
        await arm_now(service, f"{point}:{nth}")

    async def strike(scene: Scene) -> None:
        async with under_load(scene):
            await until_fired(scene, service)

    return arm, strike


async def until_fired(scene: Scene, service: str) -> None:
    """Until a copy has died at the point it was armed for since `fired_before` was noted; gives up after a while, as a miss."""
    deadline = monotonic() + FIRE_SECONDS
    while scene.world.fired(service) == scene.fired_before and monotonic() < deadline:
        await asyncio.sleep(0.05)
    scene.over()
    await asyncio.sleep(0.5)
    scene.points = added(scene.fired_before, scene.world.fired(service))
    scene.hit(len(scene.points))


def added(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """What came since; not simply the end, for the deaths of one copy stand before those of the other."""
    return list((Counter(now) - Counter(before)).elements())


# --- servers -------------------------------------------------------------------------------------------------------------------


async def postgres_restarted(scene: Scene) -> None:
    """Stopped in its immediate mode, a second away, started again."""
    async with under_load(scene):
        await scene.soon()
        await scene.world.stop_postgres()
        await asyncio.sleep(scene.rng.uniform(0.2, 2.0))
        await scene.world.start_postgres()
        scene.hit()
        scene.over()


async def broker_killed(scene: Scene) -> None:
    """kill -9 of a broker. Alone it is started again; of three it stays away while the others work."""
    async with under_load(scene):
        await scene.soon()
        brokers = scene.world.links.brokers
        number = scene.rng.randrange(brokers)
        await scene.world.kill_broker(number)
        scene.hit()
        if brokers > 1:
            scene.over()
            return
        await asyncio.sleep(scene.rng.uniform(0.2, 2.0))
        await scene.world.start_broker(number)
        scene.over()


async def brokers_away(scene: Scene) -> None:
    """All of them, for longer than any session; three are also tried with two away, where no write may be acknowledged."""
    async with under_load(scene):
        await scene.soon()
        numbers = range(scene.world.links.brokers)
        for number in numbers:
            await scene.world.kill_broker(number)
        scene.hit()
        await asyncio.sleep(scene.rng.uniform(8.0, 20.0))
        await asyncio.gather(*(scene.world.start_broker(number) for number in numbers))
        scene.over()


# --- lines ---------------------------------------------------------------------------------------------------------------------


def on_lines(choose: Callable[[World], Sequence[Proxy]], hurt: Callable[[Proxy], None], seconds: tuple[float, float]) -> Strike:
    """Hurt some lines for some seconds."""

    async def strike(scene: Scene) -> None:
        async with under_load(scene):
            await scene.soon()
            lines = choose(scene.world)
            scene.world.note("lines hurt", lines=[line.name for line in lines])
            for line in lines:
                hurt(line)
            scene.hit()
            await asyncio.sleep(scene.rng.uniform(*seconds))
            for line in lines:
                line.heal()
            scene.over()

    return strike


def commit_answer_lost(service: str) -> Strike:
    """The database has committed; the line is cut before the service hears of it."""

    async def strike(scene: Scene) -> None:
        lines = scene.world.links.to_postgres(service)
        before = sum(line.lost_answers for line in lines)
        async with under_load(scene):
            for line in lines:
                line.lose_answer("commit", times=2, after=scene.rng.randrange(3))
            deadline = monotonic() + 6.0
            while sum(line.lost_answers for line in lines) < before + 2 and monotonic() < deadline:
                await asyncio.sleep(0.05)
            for line in lines:
                line.heal()
        scene.world.note("answers of COMMIT lost", count=sum(line.lost_answers for line in lines) - before)
        scene.hit(sum(line.lost_answers for line in lines) - before)
        scene.over()

    return strike


async def sms_answer_lost(scene: Scene) -> None:
    """The SMS centre has taken the texts; its answer does not come back."""
    line = scene.world.links.sms
    before, deadline = line.lost_answers, monotonic() + 6.0
    line.lose_answer("post", times=2)
    while line.lost_answers == before and monotonic() < deadline:
        await asyncio.sleep(0.05)
    line.heal()
    scene.hit(line.lost_answers - before)
    scene.over()


# --- groups and relays ---------------------------------------------------------------------------------------------------------


async def rebalance_storm(scene: Scene) -> None:
    """Another copy, with the sessions of ours, joins and leaves a service's groups every two seconds and reads nothing of what it is given.

    One that leaves in the middle of joining cannot say so: the group waits until its session is over.
    """
    service = scene.rng.choice(list(Service))
    async with under_load(scene):
        for _ in range(4):
            members = [_member(scene.world, service, topic.name) for topic in read_by(service)]
            await asyncio.gather(*(member.start() for member in members))
            scene.hit()
            await asyncio.sleep(1.0)
            with contextlib.suppress(KafkaError):
                await asyncio.gather(*(member.stop() for member in members))
            await asyncio.sleep(1.0)
    scene.over()


def _member(world: World, service: Service, topic: str) -> AIOKafkaConsumer:
    member = AIOKafkaConsumer(
        bootstrap_servers=world.addresses.kafka, group_id=f"{service}.{topic}", enable_auto_commit=False,
        session_timeout_ms=int(SESSION_SECONDS * 1000), heartbeat_interval_ms=int(SESSION_SECONDS * 1000 / 3),
        rebalance_timeout_ms=REBALANCE_SECONDS * 1000,
    )  # fmt: skip
    member.subscribe([topic], listener=_Idle())
    return member


class _Idle(ConsumerRebalanceListener):  # type: ignore[misc]
    async def on_partitions_revoked(self, revoked: object) -> None:
        """Nothing was read."""

    async def on_partitions_assigned(self, assigned: object) -> None:
        """Nothing is read."""


async def relay_overtaken(scene: Scene) -> None:
    """The database session that holds a relay's lock is ended while its producer works: the other copy's relay takes over at once."""
    service = scene.rng.choice(list(Service))
    async with under_load(scene):
        for _ in range(5):
            await asyncio.sleep(scene.rng.uniform(0.1, 0.5))
            ended = await scene.world.rows(service, "end_relay_sessions")
            scene.hit(len(ended))
    scene.world.note("relay sessions ended", service=service, count=scene.hits)
    scene.over()
