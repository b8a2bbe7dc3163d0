"""Fixtures of verification's integration tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from services.verification.account_check import Banks
from services.verification.account_holders import AccountHolders, Declared
from services.verification.ages import Ages
from services.verification.handlers import Handlers
from services.verification.judging import Judge
from services.verification.population_register import PopulationRegister, Replica
from services.verification.waiting import Waiting
from shared import logs
from shared.clock import HandClock
from shared.database import Database
from shared.keyfiles import make_key_files
from shared.vault import Vault
from tests.integration.verification.verification_bench import START, Bench

Migrated = Callable[[str], Awaitable[str]]
Adapter = Callable[[Vault, HandClock, Ages], PopulationRegister]
MakeBench = Callable[..., Awaitable[Bench]]


def _declared(_clock: HandClock, _ages: Ages) -> AccountHolders:
    return Declared()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sandbox key files."""
    folder = tmp_path_factory.mktemp("keys")
    make_key_files(folder)
    return folder


@pytest.fixture
async def make_bench(migrated: Migrated, keys: Path) -> AsyncIterator[MakeBench]:
    """`await make_bench(adapter)` is a fresh verification service with that adapter to the register."""
    made: list[Database] = []

    async def make(adapter: Adapter, holders: Callable[[HandClock, Ages], AccountHolders] = _declared) -> Bench:
        database = await Database.open(await migrated("verification"), size=4)
        made.append(database)
        vault, clock = Vault.load(keys / "verification.json"), HandClock(START)
        register = adapter(vault, clock, Ages())
        judge = Judge(vault, clock, register=register, banks=Banks.from_file(), holders=holders(clock, Ages()))
        waiting = Waiting(database, judge, clock=clock, register=register, log=logs.configure("verification"))
        registry = Vault.load(keys / "registry.json")
        return Bench(database, registry, vault, clock, Handlers(vault, judge, register), waiting, judge)

    yield make
    for database in made:
        await database.close()


@pytest.fixture
async def bench(make_bench: MakeBench) -> Bench:
    """A fresh verification service whose register is the replica."""
    return await make_bench(Replica)
