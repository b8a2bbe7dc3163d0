"""One service process: settings, database, consumers, relay, HTTP; start, health, drain, stop within a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog
import uvicorn
import uvloop
from aiokafka.errors import KafkaError
from fastapi import APIRouter
from faststream.kafka import KafkaBroker

from shared import crashing, erasing, logs, operating, restoring, topics
from shared.actors import ActorGate
from shared.applying import Handler
from shared.clock import Clock, clock_from
from shared.collecting import collect_less_often
from shared.consuming import METADATA_MAX_AGE_MS, TopicConsumer
from shared.database import Database
from shared.errors import code_of, is_trouble
from shared.liveness import Liveness
from shared.outbox import Relay
from shared.redriving import Redriver
from shared.republishing import Pages, Republisher
from shared.restoring import Unlocking
from shared.setting_aside import SetAside
from shared.settings import ServiceSettings, UnsafeSettings, refuse_unknown
from shared.topics import Service
from shared.vault import Vault
from shared.web import make_app

STOP_SECONDS = 10.0
START_PAUSE_SECONDS = 0.5


@dataclass
class Runtime:
    """What a service is built from; every dependency is a parameter, so tests pass fakes without patching."""

    service: Service
    settings: Any
    database: Database
    vault: Vault
    clock: Clock
    gate: ActorGate
    log: structlog.stdlib.BoundLogger


@dataclass
class App:
    """What a service consists of: a handler per topic it reads, HTTP routes, loops that run until their event is set, and the present
    state of the topics it can tell again."""

    consumes: Mapping[str, Handler]
    router: APIRouter | None = None
    background: Sequence[Callable[[asyncio.Event], Awaitable[None]]] = field(default=())
    republishes: Mapping[str, Pages] = field(default_factory=dict)


Build = Callable[[Runtime], App]


def run(service: Service, build: Build, settings_type: type[ServiceSettings]) -> None:
    """Run one service until SIGTERM or SIGINT. Exit code 0 after a clean stop, 1 after a fatal fault (a supervisor restarts it)."""
    refuse_unknown(settings_type)
    settings = settings_type()
    if settings.crash_point is not None:
        _arm(settings.crash_point)
    raise SystemExit(uvloop.run(_main(service, build, settings)))


def _arm(text: str) -> None:
    try:
        crashing.arm(text)
    except ValueError as error:
        raise UnsafeSettings(f"crash_point: {error}") from None


async def _main(service: Service, build: Build, settings: ServiceSettings) -> int:
    log = logs.configure(service)
    process = Process(await _runtime(service, settings, log), build)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, process.stop.set)
    if settings.crash_file is not None:
        loop.add_signal_handler(signal.SIGUSR1, crashing.arm_from, settings.crash_file)
    return await process.run()


async def _runtime(service: Service, settings: ServiceSettings, log: structlog.stdlib.BoundLogger) -> Runtime:
    clock = clock_from(settings.clock_file)
    issuer = json.loads(settings.keys_file.read_text())["issuer"]
    database = await _patient_open(settings, log)
    return Runtime(service, settings, database, Vault.load(settings.keys_file), clock, ActorGate(issuer, clock), log)


async def _patient_open(settings: ServiceSettings, log: structlog.stdlib.BoundLogger) -> Database:
    while True:
        try:
            return await Database.open(settings.postgres_dsn.get_secret_value())
        except (OSError, asyncpg.PostgresError) as error:
            if not is_trouble(error):
                raise
            log.warning("database_away", code=code_of(error))
            await asyncio.sleep(START_PAUSE_SECONDS)


def make_broker(bootstrap: str) -> KafkaBroker:
    """What consumers attach to. `bootstrap`: addresses with commas between them; FastStream takes such a text for one address."""
    return KafkaBroker(
        bootstrap.split(","),
        apply_types=False,
        logger=None,
        allow_auto_create_topics=False,
        graceful_timeout=STOP_SECONDS,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
    )


class Process:
    """The running parts of one service. `stop` ends it; `fatal` ends it with exit code 1."""

    def __init__(self, runtime: Runtime, build: Build) -> None:
        """Wire without starting anything."""
        self.stop = asyncio.Event()
        self._runtime = runtime
        self._app = build(runtime)
        self._failed = False
        bootstrap = runtime.settings.kafka_bootstrap
        self._relay = Relay(runtime.database, bootstrap, str(runtime.service), runtime.log, look=self._look)
        expected = {topic.name for topic in topics.read_by(runtime.service)}
        assert set(self._app.consumes) == expected, "a service handles exactly the topics that the map says it reads"
        self._broker = make_broker(bootstrap)
        set_aside = SetAside(runtime.service, runtime.vault, runtime.clock)
        self.consumers = [
            TopicConsumer(name, handler, database=runtime.database, set_aside=set_aside, fatal=self.fatal, log=runtime.log)
            for name, handler in self._app.consumes.items()
        ]
        for consumer in self.consumers:
            consumer.subscribe(self._broker, str(runtime.service), session_seconds=runtime.settings.session_seconds)

    def fatal(self, code: str) -> None:
        """Stop at once: going on could skip a record. The supervisor starts a fresh process that re-reads its offsets."""
        self._runtime.log.error("fatal", code=code)
        self._failed = True
        self.stop.set()

    async def run(self) -> int:
        """Everything until `stop` is set; returns the exit code."""
        collect_less_often()
        watching: list[asyncio.Task[None]] = []
        server = self._server()
        tasks = [asyncio.create_task(server.serve())]
        try:
            await self._looked()
            tasks += [asyncio.create_task(self._guarded(loop)) for loop in (self._relay.run, *self._app.background)]
            looking_after = Liveness(self.consumers, self._runtime.settings.kafka_bootstrap, fatal=self.fatal)
            watches = [looking_after.watch, *(consumer.watch for consumer in self.consumers)]
            watching += [asyncio.create_task(self._guarded(watch)) for watch in watches]
            await self._broker.start()
            self._runtime.log.info("started", port=self._runtime.settings.port, pid=os.getpid())
            await self.stop.wait()
        finally:
            for watch in watching:  # stopping the broker takes partitions away; nobody may try to take them up again
                watch.cancel()
            await self._end(server, tasks)
        self._runtime.log.info("stopped")
        return int(self._failed)

    async def _end(self, server: uvicorn.Server, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Drain within the deadline; what is not committed then is read again by the next process."""
        self.stop.set()
        asyncio.get_running_loop().call_later(
            STOP_SECONDS * 1.5, os._exit, 1
        )  # aiokafka's stop can hang for ever (aiokafka#1101)
        server.should_exit = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._broker.stop(), STOP_SECONDS)
        _done, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in late:
            task.cancel()
        await self._runtime.database.close()

    async def _look(self) -> None:
        runtime = self._runtime
        bootstrap, at = runtime.settings.kafka_bootstrap, runtime.clock.now()
        await restoring.lock_if_restored(runtime.database, bootstrap, runtime.service, at=at, log=runtime.log)

    async def _looked(self) -> None:
        """Before anything is read or sent: what a restored database decides must not carry the epoch of its lost past."""
        looked = False
        while not (looked or self.stop.is_set()):
            try:
                await self._look()
                looked = True
            except Exception as error:
                if not (is_trouble(error) or isinstance(error, KafkaError)):
                    raise
                self._runtime.log.warning("start_waits", code=code_of(error))
                await asyncio.sleep(START_PAUSE_SECONDS)

    async def _guarded(self, loop: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        try:
            await loop(self.stop)
        except Exception as error:
            self.fatal(code_of(error))

    def _operating(self) -> APIRouter:
        runtime = self._runtime
        database, clock, log = runtime.database, runtime.clock, runtime.log
        routes = operating.router(
            runtime.gate.dependency,
            clock,
            redriver=Redriver(database, runtime.vault, self._app.consumes, clock=clock, log=log),
            republisher=Republisher(database, self._app.republishes, clock),
            unlocking=Unlocking(database, runtime.service, log),
        )
        erasing.add_route(routes, database)
        return routes

    def _missing(self) -> list[str]:
        return [consumer.topic for consumer in self.consumers if not consumer.ready]

    def _server(self) -> uvicorn.Server:
        runtime = self._runtime
        web = make_app(f"An Sinh {runtime.service}", self._missing, lambda: {"relay": self._relay.state})
        if self._app.router:
            web.include_router(self._app.router)
        web.include_router(self._operating())
        settings = runtime.settings
        config = uvicorn.Config(web, host=settings.bind, port=settings.port, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        return server
