"""Fixtures of notify's integration tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from shared.clock import HandClock
from shared.database import Database
from shared.keyfiles import make_key_files
from shared.vault import Vault
from tests.integration.notify.notify_bench import DAYTIME, Bench, MemoryGateway


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sandbox key files."""
    folder = tmp_path_factory.mktemp("keys")
    make_key_files(folder)
    return folder


@pytest.fixture
async def bench(migrated: Callable[[str], Awaitable[str]], keys: Path) -> AsyncIterator[Bench]:
    """A fresh notify service with a gateway in memory."""
    database = await Database.open(await migrated("notify"), size=6)
    vaults = Vault.load(keys / "registry.json"), Vault.load(keys / "notify.json")
    yield Bench(database, *vaults, HandClock(DAYTIME), MemoryGateway())
    await database.close()
