"""What really leaves on the wire: every write asks for every copy, every read for committed records only.

Settings can be read in the code; what the client makes of them is read off a proxy before a broker of this test's own.
"""

import asyncio
import shutil
from types import SimpleNamespace

import pytest
import structlog

from deploy.local.kafka.broker import KafkaBroker
from deploy.local.kafka.cluster import Cluster
from deploy.local.ports import LOOPBACK
from deploy.local.topics import create_topics
from shared.consuming import queries
from shared.database import Database
from shared.events import WishRecorded
from shared.keyfiles import make_key_files
from shared.outbox import OutEvent, Relay, put_events
from shared.topics import RETENTION_MS
from shared.vault import Vault
from shared.words import Wish
from tests.conftest import ROOT
from tests.faults.proxy import Proxy
from tests.faults.wire import KafkaReader
from tests.integration.consuming_world import NOW, World

ALL_COPIES, COMMITTED_ONLY = -1, 1


@pytest.fixture
async def reading_along(stack):
    """(proxy, direct address, proxied address) of a broker whose door is a proxy that reads along."""
    proxy = Proxy("kafka", KafkaReader)
    cluster = Cluster.plan(1, {"READ": [await proxy.open()]})
    folder = stack.folder / "kafka-2"  # where the next session looks for what a crashed one left
    broker = KafkaBroker(ROOT, folder, cluster=cluster)
    direct = await asyncio.to_thread(broker.start, fresh=True)
    proxy.target = cluster.nodes[0].doors[0].port
    yield proxy, direct, f"{LOOPBACK}:{proxy.port}"
    await proxy.close()
    await asyncio.to_thread(broker.stop)
    shutil.rmtree(folder, ignore_errors=True)


async def test_every_write_asks_for_all_copies_and_every_read_for_committed_records(reading_along, migrated, tmp_path):
    proxy, direct, proxied = reading_along
    database = await Database.open(await migrated("notify"))
    make_key_files(tmp_path / "keys")
    world = World(proxied, database, Vault.load(tmp_path / "keys" / "notify.json"))
    await create_topics(direct, [SimpleNamespace(name=world.topic, partitions=2, retention_ms=RETENTION_MS)])
    async with database.transaction("test") as tx:
        await tx.execute("CREATE TABLE effect (what text NOT NULL, n bigserial PRIMARY KEY)")
        await queries.expect_partitions(tx, [{"topic": world.topic, "partition": n} for n in (0, 1)])
        wish = WishRecorded(source="test", record="a", source_sequence=1, wish=Wish.POST)
        await put_events(tx, [OutEvent(world.topic, "k", wish)], NOW)
    stop = asyncio.Event()
    relaying = asyncio.create_task(Relay(database, proxied, "test", structlog.get_logger()).run(stop))
    async with world.consumer():
        assert await world.until_effects(1) == ["a"]
    stop.set()
    await relaying
    await database.close()
    assert {seen.value for seen in proxy.seen if seen.what == "produce"} == {ALL_COPIES}
    assert {seen.value for seen in proxy.seen if seen.what == "fetch"} == {COMMITTED_ONLY}
