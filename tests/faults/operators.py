"""Faults that people cause: everything replayed, offsets spoiled, topics made anew, lists handed in twice, two brokers of three down."""

from __future__ import annotations

import asyncio
import csv
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata
from python_calamine import CalamineWorkbook

from ansinh import look, pipeline
from ansinh.processes import ROOT
from deploy.local.java import find_java
from deploy.local.kafka.jars import ensure_jars
from deploy.local.topics import create_topics
from sandbox import district, ministry
from shared import topics
from shared.topics import TOPICS, Service, read_by
from tests.faults import recalls, statements
from tests.faults.links import copies_of
from tests.faults.nemesis import Scene, Strike, under_load, until_fired
from tests.faults.world import World

REFUSED_SECONDS, SET_ASIDE_SECONDS = 40.0, 60.0
PAYER, SMALLEST_DISTRICT = "huyen-444", 300


async def two_of_three_away(scene: Scene) -> None:
    """No write may be acknowledged; outboxes grow; then both come back."""
    async with under_load(scene):
        await scene.soon()
        away = scene.rng.sample(range(3), 2)
        for number in away:
            await scene.world.kill_broker(number)
        scene.hit()
        await asyncio.sleep(scene.rng.uniform(5.0, 10.0))
        for number in away:
            await scene.world.start_broker(number)
        scene.over()


# --- offsets ---------------------------------------------------------------------------------------------------------------------


async def group_offsets_spoiled(scene: Scene) -> None:
    """Kafka's own idea of where a service reads is deleted, or set to 0 or to the end; only our database's counts."""
    service = scene.rng.choice(list(Service))
    names = copies_of(service)
    for name in names:
        scene.world.child(name).held = True
        await asyncio.to_thread(scene.world.child(name).end)
    try:
        for number, topic in enumerate(read_by(service)):
            group = f"{service}.{topic.name}"
            if number == 0:
                await asyncio.to_thread(_delete_group, scene.world, group)
            else:
                await _commit_nonsense(scene, group, topic)
            scene.hit()
        scene.world.note("group offsets spoiled", service=service)
    finally:
        for name in names:
            scene.world.child(name).start()
            scene.world.child(name).held = False
    scene.over()


async def _commit_nonsense(scene: Scene, group: str, topic: Any) -> None:
    places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=scene.world.addresses.kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        to_end = scene.rng.random() < 0.5
        await consumer.commit({place: OffsetAndMetadata(ends[place] if to_end else 0, "") for place in places})
    finally:
        await consumer.stop()


def _delete_group(world: World, group: str) -> None:
    tool = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
    command = [find_java(), "-XX:TieredStopAtLevel=1", "-cp", f"{ensure_jars(ROOT)}/*", tool]
    command += ["--bootstrap-server", world.addresses.kafka.partition(",")[0], "--delete", "--group", group]
    subprocess.run(command, check=False, capture_output=True, timeout=60)


async def offsets_to_zero(scene: Scene) -> None:
    """One service reads everything again into its live database."""
    service = scene.rng.choice(list(Service))
    for query in ("offsets_may_move_back", "offsets_to_zero", "offsets_only_forward"):
        await scene.world.execute(service, query)
    scene.world.note("offsets to zero", service=service)
    await scene.world.restart(*copies_of(service))
    scene.hit()
    scene.over()


async def everything_again(scene: Scene) -> None:
    """What lies on every topic is published again to the same partitions, ours as well, oldest first."""
    places = [TopicPartition(topic.name, n) for topic in TOPICS for n in range(topic.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=scene.world.addresses.kafka, isolation_level="read_committed")
    await consumer.start()
    try:
        consumer.assign(places)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(places)
        left = {place for place in places if ends[place]}
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=500)).items():
                again = [(r.key, r.value, list(r.headers), place.partition) for r in records if r.offset < ends[place]]
                await scene.world.publish(place.topic, again)
                scene.hit(len(again))
            left = {place for place in left if await consumer.position(place) < ends[place]}
    finally:
        await consumer.stop()
    scene.over()


# --- topics made anew ------------------------------------------------------------------------------------------------------------


async def topic_recreated(scene: Scene) -> None:
    """Deleted and made again with the same name while its readers run; new records follow at once."""
    await _recreate(scene, restart=False)


async def topic_recreated_and_restarted(scene: Scene) -> None:
    """The same while its readers are down."""
    await _recreate(scene, restart=True)


async def _recreate(scene: Scene, *, restart: bool) -> None:
    spec = topics.BY_NAME[topics.MINISTRY_BENEFICIARY]
    names = copies_of(Service.REGISTRY)
    if restart:
        for name in names:
            scene.world.child(name).held = True
            await asyncio.to_thread(scene.world.child(name).end)
    admin = AIOKafkaAdminClient(bootstrap_servers=scene.world.addresses.kafka)
    await admin.start()
    try:
        await admin.delete_topics([spec.name])
        while spec.name in await admin.list_topics():
            await asyncio.sleep(0.1)
    finally:
        await admin.close()
    await create_topics(scene.world.addresses.kafka, [spec], replication=scene.world.installation.stack.replication)
    records = [(*record[:3], n) for n in range(spec.partitions) for record in scene.work.records[:5]]
    await scene.world.publish(spec.name, records)
    scene.world.note("topic recreated", topic=spec.name)
    for name in names if restart else ():
        scene.world.child(name).start()
        scene.world.child(name).held = False
    scene.hit()
    scene.over()


async def refused(scene: Scene) -> list[str]:
    """Every partition that was read of before stands still, says why, and did not move."""
    deadline, wrong = monotonic() + REFUSED_SECONDS, ["not looked at"]
    while wrong and monotonic() < deadline:
        rows = await scene.world.rows(Service.REGISTRY, "partitions")
        mine = [row for row in rows if row["topic"] == topics.MINISTRY_BENEFICIARY and row["next_offset"]]
        wrong = [
            f"{row['topic']} {row['partition']} goes on at {row['next_offset']}" for row in mine if not row["stopped_reason"]
        ]
        await asyncio.sleep(0.5)
    return wrong


# --- lists and other doors -------------------------------------------------------------------------------------------------------


async def _hand_in(scene: Scene) -> None:
    await hand_in_file(scene, await workbook(scene))


async def _hand_in_text(scene: Scene) -> None:
    """A list with commas."""
    book = await workbook(scene)
    rows = CalamineWorkbook.from_path(book).get_sheet_by_index(0).to_python(skip_empty_area=False)
    with book.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[as_text(cell) for cell in row] for row in rows])
    await hand_in_file(scene, book.with_suffix(".csv"))


def as_text(cell: Any) -> str:
    """A cell as CSV has it."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


async def workbook(scene: Scene) -> Path:
    """A new one: of a list that was taken before, no part would be taken again."""
    seed = scene.rng.randrange(1_000_000)
    path = scene.world.folder / "lists" / f"{scene.work.trial}-{seed}.xlsx"
    made = await asyncio.to_thread(district.make_district, seed, SMALLEST_DISTRICT)
    await asyncio.to_thread(ministry.write_payroll_list, made, path)
    return path


async def hand_in_file(scene: Scene, path: Path, **more: str) -> None:
    """Until it is answered."""
    query = {"source": f"faults/list-{path.stem}", "payer": PAYER, "period": "2024-02", **more}
    await scene.world.step("import", lambda client: pipeline.import_list(client, "payroll", path, dry_run=False, **query))


async def list_twice(scene: Scene) -> None:
    """Two officers hand the same workbook in at the same moment, and a third does afterwards."""
    book = await workbook(scene)
    await hand_in_file(scene, book)
    await asyncio.gather(hand_in_file(scene, book), hand_in_file(scene, book))
    scene.hit(3)
    scene.over()


async def _opt_out(scene: Scene) -> None:
    people = await scene.work.beneficiaries([f"{person.record}.0" for person in scene.work.people])
    chosen = str(scene.rng.choice(sorted(people.values())))
    await scene.world.step("opt-out", lambda client: client.post("notify", f"/v1/people/{chosen}/opt-out", actor="operator"))


def crash_while(service: str, point: str, passing: Strike) -> Strike:
    """Arm both copies and do what passes the point, again until it is answered."""

    async def strike(scene: Scene) -> None:
        scene.fired_before = scene.world.fired(service)
        await scene.world.arm(service, point)
        async with under_load(scene):
            await passing(scene)
            await until_fired(scene, service)

    return strike


async def _redrive(scene: Scene) -> None:
    bad = (b"poison", b"not JSON", [("ce_id", b"poison"), ("ce_type", b"vn.ansinh.ministry.enrolled.v1")], 0)
    await scene.world.publish(topics.MINISTRY_BENEFICIARY, [bad])
    await pipeline.until(lambda: _set_aside(scene.world), within_seconds=SET_ASIDE_SECONDS)
    await scene.world.step(
        "redrive", lambda client: client.post("registry", "/v1/deadletters/redrive", actor="operator", body={})
    )


async def _set_aside(world: World) -> bool:
    return bool(await world.rows(Service.REGISTRY, "dead_letters"))


async def _republish(scene: Scene) -> None:
    await scene.world.step("republish", lambda client: look.republish(client, Service.REGISTRY, (), say=lambda _text: None))


async def republished(scene: Scene) -> None:
    """Every service tells its present state again, while statements come."""
    async with under_load(scene):
        for service in Service:
            await scene.world.step("republish", lambda client, s=service: look.republish(client, s, (), say=lambda _text: None))
            scene.hit()
    scene.over()


@dataclass(frozen=True)
class ByHand:
    """Crash points that a payer's month does not pass, and what does."""

    service: Service
    phases: tuple[str, ...]
    passing: Strike
    more: Mapping[str, Any] = field(default_factory=dict)


_OF_A_LIST = (
    "registry.begin_import",
    "registry.import_part",
    "registry.end_import",
    "list_received.",
    "list_marks.",
    "list_workbook.",
)
ARMED_BY_HAND: Mapping[str, ByHand] = {
    **dict.fromkeys(_OF_A_LIST, ByHand(Service.REGISTRY, ("enrol",), _hand_in)),
    "list_returned.": ByHand(Service.REGISTRY, ("enrol",), _hand_in_text),
    **dict.fromkeys(("payout.statement_kept", "payout.statement_booked"), ByHand(Service.PAYOUT, ("answers",), statements.hand_in)),
    "payout.break_step": ByHand(Service.PAYOUT, ("answers",), statements.take_break),
    "payout.idempotency": ByHand(Service.PAYOUT, ("answers",), statements.take_break_under_a_key),
    "payout.reconciled": ByHand(Service.PAYOUT, ("answers",), statements.reconcile),
    "payout.recovery.": ByHand(Service.PAYOUT, ("answers",), recalls.death_told_late, {"own_world": True}),
    "payout.recovery_step": ByHand(Service.PAYOUT, ("answers",), recalls.case_is_ended, {"own_world": True}),
    "notify.opt_out": ByHand(Service.NOTIFY, ("texts",), _opt_out),
    "redriving.": ByHand(
        Service.REGISTRY, ("texts",), _redrive, {"own_world": True, "tolerates": frozenset({"set-aside", "I11"})}
    ),
    "republishing.": ByHand(Service.REGISTRY, ("texts",), _republish),
    "consuming.stop": ByHand(
        Service.REGISTRY, ("texts",), topic_recreated,
        {"own_world": True, "last": True, "limit": None, "verify": refused},
    ),
}  # fmt: skip
