"""Fixtures of the runtime's integration tests."""

from types import SimpleNamespace

import pytest

from deploy.local.topics import create_topics
from shared.consuming import queries
from shared.database import Database
from shared.keyfiles import make_key_files
from shared.topics import RETENTION_MS
from shared.vault import Vault
from tests.integration.consuming_world import World


@pytest.fixture
async def world(stack, migrated, tmp_path):
    make_key_files(tmp_path / "keys")
    database = await Database.open(await migrated("notify"))
    async with database.transaction("test") as tx:
        await tx.execute("CREATE TABLE effect (what text NOT NULL, n bigserial PRIMARY KEY)")
    world = World(stack.kafka_bootstrap, database, Vault.load(tmp_path / "keys" / "notify.json"))
    await create_topics(world.bootstrap, [SimpleNamespace(name=world.topic, partitions=2, retention_ms=RETENTION_MS)])
    async with database.transaction("test") as tx:
        await queries.expect_partitions(tx, [{"topic": world.topic, "partition": n} for n in (0, 1)])
    yield world
    await database.close()
