"""Present state told again: nobody who holds it changes a row, and a reader that begins with nothing reaches the same rows (design 3)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from aiokafka import AIOKafkaConsumer, TopicPartition
from faststream.kafka import KafkaBroker
from office import Office, Person

from ansinh import look, pipeline
from deploy.local.databases import drop, migrate
from services.notify.app import build as build_notify
from services.notify.settings import Settings as NotifySettings
from services.payout.app import build as build_payout
from services.payout.settings import Settings as PayoutSettings
from shared import logs, topics
from shared.actors import ActorGate
from shared.clock import clock_from
from shared.consuming import TopicConsumer
from shared.database import Database
from shared.process import Runtime
from shared.setting_aside import SetAside
from shared.topics import Service
from shared.vault import Vault

PERIOD, PAYER = "2024-02", "so-18505"
OWN = (
    "outbox", "outbox_default", "outbox_cursor", "consumed", "republish",  # what telling again does change
    "person_key", "looked_at", "candidate",  # registry looks for candidates whenever it is their turn
)  # fmt: skip
SERVICES = {Service.NOTIFY: (build_notify, NotifySettings), Service.PAYOUT: (build_payout, PayoutSettings)}
READ_FROM_OTHERS = {
    Service.NOTIFY: ("person", "verdict", "account_payment"),
    Service.PAYOUT: ("person", "verdict", "line", "closing"),
}


class WithPhone(Person):
    """Somebody who can be reminded."""

    def personal(self) -> dict[str, Any]:
        """With a phone."""
        return super().personal() | {"phone": "0912000077"}


async def contents(office: Office) -> dict[str, str]:
    """Every table of every service as one hash."""
    found = {}
    for service in Service:
        names = await office.rows(service, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
        for name in {row["name"] for row in names} - {*OWN}:
            sql = f"SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS is FROM {name} t"
            found[f"{service}.{name}"] = (await office.rows(service, sql))[0]["is"]
    return found


async def ends(office: Office) -> dict[TopicPartition, int]:
    """Where each topic ends now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=office.addresses.kafka)
    await consumer.start()
    try:
        places = [TopicPartition(topic.name, n) for topic in topics.TOPICS for n in range(topic.partitions)]
        return dict(await consumer.end_offsets(places))
    finally:
        await consumer.stop()


@asynccontextmanager
async def new_reader(office: Office, service: Service, places: dict[TopicPartition, int]) -> AsyncIterator[Database]:
    """The service on an empty database, reading from where the topics ended; what was told before retention has cut."""
    live = urlsplit(office.addresses.databases[service])
    dsn = urlunsplit(live._replace(path=f"{live.path}_new"))
    await asyncio.to_thread(migrate, dsn, service)
    database = await Database.open(dsn)
    keys = Path(office.addresses.folder) / "keys" / f"{service}.json"
    build, settings_type = SERVICES[service]
    settings = settings_type(postgres_dsn=dsn, kafka_bootstrap=office.addresses.kafka, port=20_001, keys_file=keys)
    clock = clock_from(Path(office.addresses.folder) / "clock.json")
    gate = ActorGate(json.loads(keys.read_text())["issuer"], clock)
    vault, log = Vault.load(keys), logs.configure(service)
    handlers = build(Runtime(service, settings, database, vault, clock, gate, log)).consumes
    fatal: list[str] = []
    broker = KafkaBroker(office.addresses.kafka, apply_types=False, logger=None)
    for topic, handler in handlers.items():
        consumer = TopicConsumer(
            topic, handler, database=database, set_aside=SetAside(service, vault, clock), fatal=fatal.append, log=log
        )
        consumer.subscribe(broker, f"new-{service}")
    async with database.transaction("test") as tx:
        rows = [(place.topic, place.partition, end) for place, end in places.items() if place.topic in handlers]
        await tx.executemany("INSERT INTO consumed (topic, partition, next_offset) VALUES ($1, $2, $3)", rows)
    await broker.start()
    try:
        yield database
        assert fatal == []
    finally:
        await broker.stop()
        await database.close()
        await drop(office.addresses.databases[service], f"{live.path[1:]}_new")


async def texts_answered(office: Office) -> bool:
    """No text waits for its gateway or its receipt."""
    rows = await office.rows("notify", "SELECT status FROM message WHERE status IN ('created', 'sending', 'unknown', 'accepted')")
    return not rows


async def rows_of(database: Database, table: str) -> list[dict[str, Any]]:
    async with database.reading() as tx:
        return [dict(row) for row in await tx.fetch(f"SELECT * FROM {table} t ORDER BY t::text")]


async def caught_up(database: Database, places: dict[TopicPartition, int]) -> bool:
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT topic, partition, next_offset FROM consumed")
    return all(row["next_offset"] == places[TopicPartition(row["topic"], row["partition"])] for row in rows)


async def test_republish_builds_new_readers(office: Office) -> None:
    people = [Person(area="18505", account="1234567890123"), WithPhone(area="18505"), Person(area="18505")]
    await office.people_are_registered(*people)
    await office.enrol(PERIOD, PAYER, *people)
    await office.close_and_build(PERIOD, PAYER)
    await office.sign(PERIOD, PAYER)
    await office.answered()
    await office.client.post("notify", "/v1/campaigns/again/rounds/1", actor="operator", payer=PAYER)
    await pipeline.until(lambda: texts_answered(office))
    await office.at_rest()

    before, places = await contents(office), await ends(office)
    told = {topic: n for service in Service for topic, n in (await look.republish(office.client, service, [], say=print)).items()}
    await office.at_rest()
    assert set(told) == {
        topics.REGISTRY_BENEFICIARY, topics.REGISTRY_ENTITLEMENT, topics.REGISTRY_LIST, topics.VERIFICATION_RESULT,
        topics.PAYOUT_PAYMENT, topics.NOTIFY_MESSAGE,
    }  # fmt: skip
    assert all(told.values())
    assert await contents(office) == before
    after = await ends(office)
    assert {topic: sum(after[p] - places[p] for p in after if p.topic == topic) for topic in told} == told

    for service, tables in READ_FROM_OTHERS.items():
        live = await Database.open(office.addresses.databases[service])
        async with new_reader(office, service, places) as database:
            for _ in range(300):
                if await caught_up(database, after):
                    break
                await asyncio.sleep(0.1)
            for table in tables:
                rows = await rows_of(live, table)
                assert await rows_of(database, table) == rows, f"{service}.{table}"
                assert rows, f"{service}.{table}"
        await live.close()
