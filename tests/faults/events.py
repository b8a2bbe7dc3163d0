"""Faults of what comes in at the Kafka door: doubled, said again, out of order, poisoned, in foreign transactions; and of business time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from aiokafka import AIOKafkaProducer

from shared import topics
from shared.clock import LOCAL
from shared.topics import Provider, Service, result_topic
from tests.faults import people
from tests.faults.nemesis import Scene, Strike
from tests.faults.work import BEGIN, PERIOD
from tests.faults.world import Record

Arrange = Callable[[Random, list[list[Record]]], list[Record]]
MONTH_END = datetime(2024, 1, 31, 23, 59, 58, tzinfo=LOCAL)
A_MONTH_ON = datetime(2024, 3, 5, 9, 0, tzinfo=LOCAL)


def doubled(rng: Random, said: list[list[Record]]) -> list[Record]:
    """Every record two to five times, the same bytes, in and between."""
    every = [record for records in said for record in records for _ in range(rng.randrange(2, 6))]
    return _keys_in_order(rng, every)


def said_again(rng: Random, said: list[list[Record]]) -> list[Record]:
    """Every statement a second time under another event id, as a ministry's retry does."""
    again = [[*records, *(_renamed(rng, record) for record in records)] for records in said]
    return [record for records in rng.sample(again, len(again)) for record in records]


def reordered(rng: Random, said: list[list[Record]]) -> list[Record]:
    """Any order at all: a change before its enrolment, an account before its person."""
    every = [record for records in said for record in records]
    rng.shuffle(every)
    return every


ARRANGEMENTS: tuple[tuple[str, str, Arrange], ...] = (
    ("doubled", "every record two to five times, the same bytes, interleaved", doubled),
    ("said-again", "every statement again under another event id", said_again),
    ("reordered", "order lost inside keys and across them", reordered),
)


def _keys_in_order(rng: Random, every: list[Record]) -> list[Record]:
    order = list(range(len(every)))
    rng.shuffle(order)
    return [every[place] for place in order]


def _renamed(rng: Random, record: Record) -> Record:
    key, value, headers, partition = record
    event_id = f"again-{rng.getrandbits(64):016x}".encode()
    return key, value, [(name, event_id if name == "ce_id" else text) for name, text in headers], partition


def arranged(arrange: Arrange) -> Strike:
    """The trial's statements go out in another way."""

    async def before(scene: Scene) -> None:
        scene.work.arrange = lambda said: arrange(scene.rng, said)

    return before


async def hit(scene: Scene) -> None:
    """What is done lies in what is published."""
    scene.hit()


# --- foreign transactions --------------------------------------------------------------------------------------------------------


async def foreign_transactions(scene: Scene) -> None:
    """Ghosts in transactions that abort, people in one that commits, plain records around them on the same partitions."""
    world, trial = scene.world, f"g-{scene.work.trial}"
    producer = AIOKafkaProducer(bootstrap_servers=world.addresses.kafka, transactional_id=trial)
    await producer.start()
    try:
        for number in range(4):
            aborts = number != 2
            drawn = people.draw(scene.rng, f"{'ghost' if aborts else 'guest'}-{scene.work.trial}-{number}", 6, kinds={"post": 1})
            await producer.begin_transaction()
            for place, person in enumerate(drawn):
                key, value, headers, _ = scene.work.ministry.enrolment(PERIOD, "trickle", person)[0][0]
                await producer.send_and_wait(topics.MINISTRY_BENEFICIARY, value, key=key, headers=headers, partition=place % 4)
            await (producer.abort_transaction() if aborts else producer.commit_transaction())
            scene.hit()
    finally:
        await producer.stop()
    scene.over()


async def ghosts_unknown(scene: Scene) -> list[str]:
    """Nobody of an aborted transaction exists; everybody of the committed one does."""
    groups = ("ghost-{}-0", "ghost-{}-1", "guest-{}-2", "ghost-{}-3")
    names = {f"{group.format(scene.work.trial)}-{n}.0" for group in groups for n in range(6)}
    known = set(await scene.work.beneficiaries(sorted(names)))
    wrong = [f"aborted and yet taken: {name}" for name in sorted(known) if name.startswith("ghost")]
    return wrong + [f"committed and not taken: {name}" for name in sorted(names - known) if name.startswith("guest")]


# --- poison ----------------------------------------------------------------------------------------------------------------------

GOOD_HEADERS = [("ce_id", b"poison"), ("ce_type", b"vn.ansinh.ministry.enrolled.v1")]
POISON: tuple[tuple[str, bytes | None, list[tuple[str, bytes]], str], ...] = (
    ("not JSON", b"\xff\xfe{", GOOD_HEADERS, "dead"),
    ("half JSON", b'{"source": "x"', GOOD_HEADERS, "dead"),
    ("wrong type", b'{"source": 7, "record": [], "source_sequence": "one"}', GOOD_HEADERS, "dead"),
    ("nothing", None, GOOD_HEADERS, "dead"),
    ("deep", b"[" * 5_000 + b"]" * 5_000, GOOD_HEADERS, "dead"),
    ("no headers", b"{}", [], "dead"),
    ("broken headers", b"{}", [("ce_id", b"\xff\x00"), ("ce_type", b"\xff\xff")], "parked"),
    ("unknown type", b"{}", [("ce_id", b"poison"), ("ce_type", b"vn.ansinh.ministry.future.v9")], "parked"),
)


async def poison(scene: Scene) -> None:
    """Records nobody can read, a few on every partition of both public doors, while good ones come."""
    doors = [(topics.MINISTRY_BENEFICIARY, n) for n in range(4)] + [(result_topic(provider), 0) for provider in Provider]
    producer = AIOKafkaProducer(bootstrap_servers=scene.world.addresses.kafka, acks="all")
    await producer.start()
    try:
        for topic, partition in doors:
            for _name, value, headers, disposition in scene.rng.sample(POISON, len(POISON)):
                told = await producer.send_and_wait(topic, value, key=b"poison", headers=headers, partition=partition)
                scene.points.append(f"{topic} {partition} {told.offset} {disposition}")
                scene.hit()
    finally:
        await producer.stop()
    scene.over()


async def poison_set_aside(scene: Scene) -> list[str]:
    """Exactly these records are set aside, each as what it is."""
    found = []
    for service in (Service.REGISTRY, Service.PAYOUT):
        rows = await scene.world.rows(service, "dead_letters")
        found += [f"{row['topic']} {row['partition']} {row['offset']} {row['disposition']}" for row in rows]
    missing, extra = set(scene.points) - set(found), set(found) - set(scene.points)
    scene.points = []
    return [f"not set aside: {place}" for place in sorted(missing)] + [f"set aside: {place}" for place in sorted(extra)]


# --- time ------------------------------------------------------------------------------------------------------------------------


async def clock_moved(scene: Scene) -> None:
    """Business time passes the month's end, leaps a month on, and comes back."""
    for moment, stays in ((MONTH_END, 3.0), (A_MONTH_ON, 1.0), (BEGIN + timedelta(days=1), 0.0)):
        scene.world.set_clock(moment)
        await asyncio.sleep(stays)
        scene.hit()
    scene.over()
