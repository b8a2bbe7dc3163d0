"""What integration and acceptance tests share: one Kafka and PostgreSQL per session, a database per test."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from deploy.local.databases import clone, drop, migrate
from deploy.local.stack import LocalStack, remove_abandoned
from tests.containers import servers

ROOT = Path(__file__).parents[1]
# Folders of concurrent sessions lie side by side; those of crashed sessions are cleared away by the next one.
STACKS = "test-"
# A machine at work takes longer: no test here says how long anything may take.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
Migrated = Callable[[str], Awaitable[str]]

_numbers = itertools.count()


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """A fresh Kafka and PostgreSQL for this session, or the ones the environment names, or containers (tests/containers.py)."""
    remove_abandoned(ROOT, STACKS)
    with servers() as environment:
        stack = LocalStack.start(ROOT, f"{STACKS}{os.getpid()}", fresh=True, environment=environment, in_memory=True)
        try:
            yield stack
        finally:
            stack.remove()


@pytest.fixture(scope="session")
async def template(stack: LocalStack) -> AsyncIterator[Migrated]:
    """`await template(service)` names the migrated database the tests of a service are cloned from."""
    made: dict[str, str] = {}
    one_at_a_time = asyncio.Lock()

    async def make(service: str) -> str:
        async with one_at_a_time:
            if service not in made:
                name = f"template_{service}_{os.getpid()}"
                await asyncio.to_thread(migrate, stack.postgres_dsn(name), service)
                made[service] = name
        return made[service]

    yield make
    for name in made.values():
        await drop(stack.postgres_dsn("postgres"), name)


@pytest.fixture
async def migrated(stack: LocalStack, template: Migrated) -> AsyncIterator[Migrated]:
    """`await migrated(service)` makes an empty, migrated database for this test and returns its dsn."""
    admin = stack.postgres_dsn("postgres")
    made: list[str] = []

    async def make(service: str) -> str:
        name = f"test_{service}_{os.getpid()}_{next(_numbers)}"
        await clone(admin, template=await template(service), database=name)
        made.append(name)
        return stack.postgres_dsn(name)

    yield make
    for name in made:
        await drop(admin, name)
