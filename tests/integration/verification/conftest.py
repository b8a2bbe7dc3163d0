"""Fixtures of verification's integration tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from services.verification.account_check import Banks
from services.verification.handlers import Handlers
from services.verification.judging import Judge
from services.verification.population_register import Replica
from services.verification.waiting import Waiting
from shared import logs
from shared.clock import HandClock
from shared.database import Database
from shared.keyfiles import make_key_files
from shared.vault import Vault
from tests.integration.verification.verification_bench import START, Bench

Migrated = Callable[[str], Awaitable[str]]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sandbox key files."""
    folder = tmp_path_factory.mktemp("keys")
    make_key_files(folder)
    return folder


@pytest.fixture
async def bench(migrated: Migrated, keys: Path) -> AsyncIterator[Bench]:
    """A fresh verification service."""
    database = await Database.open(await migrated("verification"), size=4)
    vault, clock = Vault.load(keys / "verification.json"), HandClock(START)
    judge = Judge(vault, clock, register=Replica(vault), banks=Banks.from_file())
    waiting = Waiting(database, judge, logs.configure("verification"))
    yield Bench(database, Vault.load(keys / "registry.json"), vault, clock, Handlers(vault, judge), waiting)
    await database.close()
