"""A whole installation that can be hurt: two copies of every service, real Kafka and PostgreSQL, partners, and a proxy on every line.

Everything it starts it ends, by id. Nobody helps a hurt process but the supervisor that starts it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import aiosql
import asyncpg
import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ansinh.client import Client, Refusal
from ansinh.installation import Addresses, Installation
from ansinh.look import connection
from ansinh.processes import Child
from deploy.local.stack import remove_abandoned
from shared.clock import LOCAL
from shared.topics import Provider, Service
from tests.conftest import ROOT
from tests.faults.links import Links, copies_of, crash_file
from tests.faults.rest import Rest

T = TypeVar("T")
STACKS = "faulted-"
START = datetime(2024, 1, 25, 9, 0, tzinfo=LOCAL)
HTTP_SECONDS = 6.0
ARM_SECONDS, ARMED_SECONDS = 0.2, 90.0
PATIENCE_SECONDS = 120.0
# Enough oddity to meet every branch in a few dozen payments; no answer is lost unless a scenario asks for it.
MIX: Mapping[str, float] = {
    "rejected_per_10000": 1_500, "late_per_10000": 500, "returned_per_10000": 300, "expired_per_10000": 300,
    "lost": 0, "twice": 0, "pay_after_seconds": 0.2, "late_after_seconds": 0.4,
}  # fmt: skip

queries = aiosql.from_path(Path(__file__).with_name("world.sql"), "asyncpg", mandatory_parameters=False)
TROUBLE = (OSError, TimeoutError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError, httpx.HTTPError, AssertionError)


class World:
    """One running world. `start`, hurt it, `heal` it, `end` it."""

    def __init__(self, name: str, *, brokers: int = 1) -> None:
        """`name`: its folder under `.ansinh`."""
        self.links = Links(brokers)
        self.installation = Installation(
            STACKS + name, business_time=START, fresh=True, mixes=dict.fromkeys(Provider, MIX), copies=2, routes=self.links
        )
        self.addresses: Addresses
        self.clients: list[Client] = []
        self.rest: Rest
        self.timeline: list[dict[str, Any]] = []
        self.registered = 0  # trials whose people the population register has learnt of
        self._started = monotonic()
        self._watching: asyncio.Task[None] | None = None
        self._away: set[int] = set()

    async def start(self) -> None:
        """Everything runs and reads. On failure nothing is left running."""
        remove_abandoned(ROOT, STACKS)
        await self.links.open()
        self._watching = asyncio.create_task(self.installation.supervisor.watch())
        try:
            self.addresses = await self.installation.start(lambda _what: None)
        except BaseException:
            self._watching.cancel()
            await self.links.close()
            raise
        ports = self.addresses.ports
        second = {str(service): ports[copies_of(service)[1]] for service in Service}
        doors = (self.addresses, replace(self.addresses, ports={**ports, **second}))
        self.clients = [Client(door, timeout_seconds=HTTP_SECONDS) for door in doors]
        self.rest = Rest(self.addresses)

    async def end(self, *, keep: bool = False) -> None:
        """Stop everything; the data goes too unless it is kept."""
        if self._watching:
            self._watching.cancel()
        for child in self.installation.supervisor.children:
            child.held = True
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGCONT)
        for client in self.clients:
            await client.close()
        if self.clients:
            await self.rest.close()
        await asyncio.to_thread(self.installation.end)
        await self.links.close()
        if not keep and self.installation._stack is not None:
            await asyncio.to_thread(self.installation.stack.remove)

    @property
    def folder(self) -> Path:
        """Where logs, truth files and keys are."""
        return self.installation.folder

    def note(self, what: str, **more: object) -> None:
        """One line of the timeline."""
        self.timeline.append({"at": round(monotonic() - self._started, 3), "what": what, **more})

    def set_clock(self, moment: datetime) -> None:
        """Move everybody's business time."""
        self.note("clock", to=moment.isoformat())
        self.installation.set_clock(moment)

    # --- processes -------------------------------------------------------------------------------------------------------

    def child(self, name: str) -> Child:
        """A process by its name: `registry`, `registry-2`, `bank-a`, `sms`."""
        return self.installation.supervisor.child(name)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal; a process that is just down gets none."""
        process = self.child(name).process
        assert process is not None
        if process.poll() is None:
            self.note(number.name, child=name)
            process.send_signal(number)

    def kill(self, name: str) -> None:
        """kill -9; the supervisor starts it again."""
        self.signal(name, signal.SIGKILL)

    async def restart(self, *names: str, once: Mapping[str, str] | None = None) -> list[int | None]:
        """Stop processes as an operator would and start them again, with `once` in the environment of that start; their exit codes."""
        children = [self.child(name) for name in names]
        for child in children:
            child.held = True
        try:
            await asyncio.gather(*(asyncio.to_thread(child.end) for child in children))
            return [child.process.returncode if child.process else None for child in children]
        finally:
            for child in children:
                child.start(once)
                child.held = False

    async def arm(self, service: str, *points: str) -> None:
        """Both copies of a service die at these points (`name` or `name:n`), once: started again, they are not armed."""
        left = {name: self._said(name, "crash_armed") for name in copies_of(service)}
        async with asyncio.timeout(ARMED_SECONDS):
            while left:
                await self.until_ready()  # one that only starts would die of the signal
                for name in left:
                    crash_file(self.folder, name).write_text(",".join(points))
                    self.signal(name, signal.SIGUSR1)
                await asyncio.sleep(ARM_SECONDS)
                left = {name: before for name, before in left.items() if self._said(name, "crash_armed") == before}
        self.note("armed", service=service, points=points)

    async def arm_start(self, service: str, *points: str) -> None:
        """The same for points that only a start passes."""
        self.note("armed", service=service, points=points)
        await self.restart(*copies_of(service), once={"ANSINH_CRASH_POINT": ",".join(points)})
        await self.until_ready()

    def _said(self, name: str, event: str) -> int:
        return self.child(name).log.read_text(errors="replace").count(f'{{"event": "{event}"')

    def fired(self, service: str) -> list[str]:
        """Crash points at which copies of a service died since the world began, copy by copy."""
        found: list[str] = []
        for name in copies_of(service):
            lines = self.child(name).log.read_text(errors="replace").splitlines()
            found += [json.loads(line)["code"] for line in lines if line.startswith('{"event": "crash_point"')]
        return found

    async def until_ready(self) -> None:
        """Every process reads every partition of its topics again, or its other copy does."""
        await self.installation.supervisor.until_ready()

    # --- servers ---------------------------------------------------------------------------------------------------------

    async def stop_postgres(self) -> None:
        """Immediate: sessions are cut, nothing is written out."""
        assert self.installation.stack.postgres is not None
        self.note("postgres stopped hard")
        await asyncio.to_thread(self.installation.stack.postgres.stop_at_once)

    async def start_postgres(self) -> None:
        """It recovers by itself."""
        assert self.installation.stack.postgres is not None
        await asyncio.to_thread(self.installation.stack.postgres.start, fresh=False)
        self.note("postgres started")

    async def kill_broker(self, number: int = 0) -> None:
        """kill -9."""
        self.note("broker killed", number=number + 1)
        self._away.add(number)
        await asyncio.to_thread(self.installation.stack.brokers[number].kill)

    async def start_broker(self, number: int = 0) -> None:
        """On its old data and ports."""
        await asyncio.to_thread(self.installation.stack.brokers[number].start, fresh=False)
        self._away.discard(number)
        self.note("broker started", number=number + 1)

    async def brokers_back(self) -> None:
        """Those that stayed away come back before the next trial, which would else begin with fewer."""
        for number in sorted(self._away):
            await self.start_broker(number)

    async def set_mix(self, provider: Provider, **mix: float) -> None:
        """Start a partner again with another mix of answers."""
        child = self.child(provider)
        command = list(child.command)
        command[command.index("--mix") + 1] = json.dumps({**MIX, **mix})
        child.command = command
        self.note("mix", provider=provider, **mix)
        await self.restart(provider)

    def heal(self) -> None:
        """Lines pass, stopped processes go on."""
        self.links.heal()
        for child in self.installation.supervisor.children:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGCONT)
        self.note("healed")

    # --- asking ----------------------------------------------------------------------------------------------------------

    async def step(
        self, what: str, command: Callable[[Client], Awaitable[Any]], done: Callable[[Client], Awaitable[bool]] | None = None
    ) -> None:
        """Give a command at one copy's door, then the other's, until it is done: as an office does that got no answer.

        Without `done` the first answer ends it. Raises TimeoutError with the last refusal.
        """
        deadline, last = monotonic() + PATIENCE_SECONDS, ""
        while monotonic() < deadline:
            for client in self.clients:
                try:
                    if done is not None and await _is(done, client):
                        return
                    await command(client)
                    if done is None:
                        return
                except (httpx.HTTPError, Refusal) as error:
                    last = f"{type(error).__name__} {error}"
            await asyncio.sleep(0.1)
        raise TimeoutError(f"{what} was not done: {last}")

    async def ask(self, question: Callable[[Client], Awaitable[T]]) -> T:
        """The first answer either copy gives. Raises TimeoutError."""
        deadline, last = monotonic() + PATIENCE_SECONDS, ""
        while monotonic() < deadline:
            for client in self.clients:
                try:
                    return await question(client)
                except (httpx.HTTPError, Refusal) as error:
                    last = f"{type(error).__name__} {error}"
            await asyncio.sleep(0.2)
        raise TimeoutError(f"no answer: {last}")

    async def rows(self, service: str, query: str, **parameters: Any) -> list[Any]:
        """Look into a database, past the proxies; waits while the server is away."""
        return await self.patiently(lambda: self._rows(service, query, parameters))

    async def execute(self, service: str, query: str) -> None:
        """A superuser's hand in a database."""
        async with connection(self.addresses.databases[service]) as tx:
            await getattr(queries, query)(tx)

    async def _rows(self, service: str, query: str, parameters: Mapping[str, Any]) -> list[Any]:
        async with connection(self.addresses.databases[service]) as tx:
            return [row async for row in getattr(queries, query)(tx, **parameters)]

    async def patiently(self, question: Callable[[], Awaitable[T]], within_seconds: float = PATIENCE_SECONDS) -> T:
        """Ask again while servers are away. Raises what the last try raised."""
        deadline = monotonic() + within_seconds
        while True:
            try:
                return await question()
            except TROUBLE:
                if monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)

    async def at_rest(self, within_seconds: float = PATIENCE_SECONDS) -> None:
        """Everything was read and published. Raises TimeoutError that says what waits."""
        await self.rest.wait(within_seconds)

    async def receipts_out(self) -> None:
        """The SMS centre has told what became of every text it will ever tell of."""
        quiet = 0
        async with httpx.AsyncClient(timeout=HTTP_SECONDS) as client:
            while quiet < 2:
                state = await self.patiently(lambda: client.get(f"{self.addresses.url('sms')}/v1/state"))
                quiet = quiet + 1 if state.json()["receipts_waiting"] == 0 else 0
                await asyncio.sleep(0.6)

    async def publish(self, topic: str, records: Sequence[Record], **producer: Any) -> None:
        """Send records past the proxies as a foreign system would; waits while the broker is away."""

        async def send() -> None:
            opened = AIOKafkaProducer(bootstrap_servers=self.addresses.kafka, acks="all", **producer)
            try:
                await opened.start()
                for key, value, headers, partition in records:
                    await opened.send_and_wait(topic, value, key=key, headers=headers, partition=partition)
            finally:
                with contextlib.suppress(KafkaError):
                    await opened.stop()

        await self.patiently(send)


async def _is(done: Callable[[Client], Awaitable[bool]], client: Client) -> bool:
    """A refusal to show something is a no."""
    try:
        return await done(client)
    except Refusal:
        return False


Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes]], int | None]
"""(key, value, headers, partition or None)."""
