"""Fixtures of payout's integration tests."""

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey

from services.payout.app import build
from services.payout.handlers import Handlers
from services.payout.settings import Settings
from shared import logs, topics
from shared.actors import ActorGate
from shared.clock import HandClock
from shared.database import Database
from shared.issuing import Issuer
from shared.keyfiles import make_key_files
from shared.process import Runtime
from shared.topics import Provider, Service
from shared.vault import Vault
from shared.web import make_app
from tests.integration.payout.payout_bench import START, Bench
from tests.integration.payout.sftp_server import Server, end, make

Migrated = Callable[[str], Awaitable[str]]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sandbox key files."""
    folder = tmp_path_factory.mktemp("keys")
    make_key_files(folder)
    return folder


@pytest.fixture
async def bench(migrated: Migrated, keys: Path, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A fresh payout service over its own database, without a server. An indirect parameter gives other settings."""
    async with made_bench(await migrated("payout"), keys, tmp_path / "files", **getattr(request, "param", {})) as bench:
        yield bench


@asynccontextmanager
async def made_bench(dsn: str, keys: Path, files: Path, **given: object) -> AsyncIterator[Bench]:
    """A payout service over a migrated database."""
    database = await Database.open(dsn, size=6)
    vault, clock = Vault.load(keys / "payout.json"), HandClock(START)
    gate = ActorGate(json.loads((keys / "payout.json").read_text())["issuer"], clock)
    settings = Settings(  # type: ignore[call-arg]
        postgres_dsn="unused",
        kafka_bootstrap="unused",
        port=20_001,
        keys_file=keys / "payout.json",
        files_dir=files,
        **given,
    )
    runtime = Runtime(Service.PAYOUT, settings, database, vault, clock, gate, logs.configure("payout"))
    app = build(runtime)
    assert set(app.consumes) == {topic.name for topic in topics.read_by(Service.PAYOUT)}
    web = make_app("test", list)
    assert app.router
    web.include_router(app.router)
    public = json.loads((keys / "public.json").read_text())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://test") as client:
        yield Bench(
            database=database,
            registry=Vault.load(keys / "registry.json"),
            vault=vault,
            clock=clock,
            handlers=Handlers(vault, clock),
            client=client,
            issuer=Issuer(keys / "actor-issuer.json", clock),
            provider_keys={p: ECKey.import_key(json.loads((keys / f"{p}.json").read_text())) for p in Provider},
            payout_key=ECKey.import_key(public["payout"]),
            runtime=runtime,
        )
    await database.close()


@pytest.fixture(scope="session")
def sftp_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests."""
    server = make(tmp_path_factory.mktemp("sshd"))
    yield server
    end(server.process)


@pytest.fixture
def sftp_server(sftp_home: Server) -> Server:
    """The server, empty."""
    for path in sftp_home.folder.iterdir():
        shutil.rmtree(path)
    return sftp_home
