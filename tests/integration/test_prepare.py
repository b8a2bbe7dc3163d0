"""The set-up of containers, on the local stack: everything a service needs to start is there, and a second time changes nothing."""

import shutil
from uuid import uuid4

import asyncpg
import pytest

from ansinh.installation import Addresses, home
from ansinh.prepare import Settings, prepare
from deploy.local.databases import drop
from shared import topics
from shared.topics import Service


async def test_set_up_makes_what_services_need_and_may_be_repeated(stack):
    name = f"prepared-{uuid4().hex[:8]}"
    dsn = stack.postgres_dsn(f"{name.replace('-', '_')}_{{service}}")
    settings = Settings(name=name, kafka_bootstrap=stack.kafka_bootstrap, postgres_dsn=dsn, port=8080)
    try:
        first = await prepare(settings)
        key = (home(name) / "keys" / "payout.json").read_text()
        assert await prepare(settings) == first == Addresses.read(name)
        assert (home(name) / "keys" / "payout.json").read_text() == key
        assert first.url("payout") == "http://payout:8080"
        for service in Service:
            session = await asyncpg.connect(first.databases[service])
            expected = await session.fetchval("SELECT count(*) FROM consumed")
            await session.close()
            assert expected == sum(topic.partitions for topic in topics.read_by(service))
    finally:
        shutil.rmtree(home(name), ignore_errors=True)
        for service in Service:
            await drop(stack.postgres_dsn("postgres"), f"{name.replace('-', '_')}_{service}")


def test_a_missing_variable_is_named_without_values():
    with pytest.raises(ValueError, match="kafka_bootstrap"):
        Settings(name="x", postgres_dsn="secret", port=1)  # type: ignore[call-arg]
