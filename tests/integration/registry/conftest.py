"""Fixtures of registry's integration tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from shared.clock import HandClock
from shared.database import Database
from shared.keyfiles import make_key_files
from tests.integration.registry.registry_bench import START, Bench

Migrated = Callable[[str], Awaitable[str]]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sandbox key files."""
    folder = tmp_path_factory.mktemp("keys")
    make_key_files(folder)
    return folder


@pytest.fixture
async def bench(migrated: Migrated, keys: Path) -> AsyncIterator[Bench]:
    """A fresh registry service."""
    database = await Database.open(await migrated("registry"), size=4)
    yield Bench(database, keys, HandClock(START))
    await database.close()
