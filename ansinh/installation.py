"""A local installation: Kafka, PostgreSQL, keys, clock, databases, topics, the four services and the sandbox partners.

Everything lives under `.ansinh/<name>`; addresses are written to `run.json` there, which every other command reads.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import asyncpg

from ansinh.asked import HOLDERS, REGISTER, asked_settings, sandbox_child, settings_of_others
from ansinh.processes import ROOT, Child, Supervisor
from deploy.local.databases import migrate
from deploy.local.ports import free_ports
from deploy.local.stack import LocalStack
from deploy.local.topics import create_topics
from shared import topics
from shared.clock import write_clock_file
from shared.database import load_queries
from shared.keyfiles import make_key_files
from shared.topics import Provider, Service

shared_queries = queries = load_queries(topics.__file__)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Addresses:
    """Where everything answers: what `run.json` holds."""

    folder: str
    kafka: str
    databases: dict[str, str]
    ports: dict[str, int]
    hosts: dict[str, str] = field(default_factory=dict)  # where it is not loopback: inside containers

    def url(self, name: str) -> str:
        """The base address of a service or partner."""
        return f"http://{self.hosts.get(name, '127.0.0.1')}:{self.ports[name]}"

    def write(self, name: str) -> None:
        """Let other commands find this installation; the file holds passwords."""
        path = home(name) / "run.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, name: str) -> Addresses:
        """The running installation of that name. Raises FileNotFoundError when none runs."""
        return cls(**json.loads((home(name) / "run.json").read_text()))


def home(name: str) -> Path:
    """Where an installation keeps its files."""
    return ROOT / ".ansinh" / name


class Routes:
    """How children reach servers and each other: straight. A fault run puts itself in between."""

    def start_stack(self, name: str, *, fresh: bool) -> LocalStack:
        """Kafka and PostgreSQL of an installation, running. Raises StackUnavailable."""
        return LocalStack.start(ROOT, name, fresh=fresh)

    def kafka(self, child: str, bootstrap: str) -> str:
        """The brokers' address for a child."""
        return bootstrap

    def postgres(self, child: str, dsn: str) -> str:
        """The database's address for a child."""
        return dsn

    def http(self, child: str, url: str) -> str:
        """The address of another process for a child."""
        return url

    def more(self, child: str, folder: Path) -> dict[str, str]:
        """What else a service is told, by the installation's folder."""
        return {}


class Installation:
    """One installation while it runs. `start`, then `end`."""

    def __init__(
        self,
        name: str,
        *,
        business_time: datetime | None,
        fresh: bool,
        mixes: Mapping[Provider, Mapping[str, float]] | None = None,
        copies: int = 1,
        routes: Routes | None = None,
        asking: bool = False,
    ) -> None:
        """`business_time`: where the clock file starts; None goes on with the clock of the start before, if that had one, else on real
        time. `fresh` throws earlier data and clock away.

        `mixes`: how often the sandbox partners reject, lose or repeat answers (see `sandbox/provider_mix.py`). `copies` of every
        service: the first has the service's name, the next `registry-2` and so on. `asking`: the sandbox's register and banks are started
        too, and verification asks them instead of keeping a replica.
        """
        self.name = name
        self.folder = home(name)
        self._business_time = business_time
        self._fresh = fresh
        self._mixes = mixes or {}
        self._copies = copies
        self._routes = routes or Routes()
        self._asked = (REGISTER, HOLDERS) if asking else ()
        self._stack: LocalStack | None = None
        self.supervisor = Supervisor()
        self.addresses: Addresses

    async def start(self, say: Say) -> Addresses:
        """Start everything and wait until it reads and answers. On any failure nothing is left running."""
        try:
            return await self._start(say)
        except BaseException:
            await asyncio.to_thread(
                self.end
            )  # a route through this process must still lead somewhere, else nobody can stop in order
            raise

    @property
    def stack(self) -> LocalStack:
        """The running Kafka and PostgreSQL."""
        assert self._stack is not None, "not started"
        return self._stack

    @property
    def clock_file(self) -> Path:
        """The business time of every process, where it is not the real one. Data that were written by it go on by it."""
        return self.folder / "clock.json"

    def end(self) -> None:
        """Stop what was started, by id: processes first, then the broker and the database."""
        self.supervisor.end()
        if self._stack:
            self._stack.stop()
        (self.folder / "run.json").unlink(missing_ok=True)

    def set_clock(self, moment: datetime) -> None:
        """Move the business time of every process."""
        write_clock_file(self.clock_file, moment)

    async def _start(self, say: Say) -> Addresses:
        say("Kafka and PostgreSQL")
        self._stack = await asyncio.to_thread(self._routes.start_stack, self.name, fresh=self._fresh)
        self._folders()
        self.addresses = self._addresses(self._stack)
        say("databases and topics")
        await prepare_stores(self.addresses.databases, self.addresses.kafka, replication=self._stack.replication)
        say("services and partners")
        self._start_children()
        await self.supervisor.until_ready()
        self.addresses.write(self.name)
        return self.addresses

    def _folders(self) -> None:
        if self._fresh:
            for name in ("logs", "truth", "files", "keys", "lists"):
                shutil.rmtree(self.folder / name, ignore_errors=True)
            self.clock_file.unlink(missing_ok=True)
        for name in ("logs", "truth", "files", "lists"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        make_key_files(self.folder / "keys")
        if self._business_time:
            self.set_clock(self._business_time)

    def _addresses(self, stack: LocalStack) -> Addresses:
        names = (*(name for service in Service for name in self._names(service)), "sms", *self._asked)
        ports = dict(zip(map(str, names), free_ports(len(names)), strict=True))
        databases = {str(service): stack.postgres_dsn(f"ansinh_{self.name.replace('-', '_')}_{service}") for service in Service}
        return Addresses(str(self.folder), stack.kafka_bootstrap, databases, ports)

    def _start_children(self) -> None:
        self.supervisor.add(self._sms_centre())
        for name in self._asked:
            self.supervisor.add(sandbox_child(name, self.addresses.ports[name], self.folder / "logs"))
        for service in Service:
            for name in self._names(service):
                self.supervisor.add(self._service(service, name))
        for provider in Provider:
            self.supervisor.add(self._provider(provider))

    def _names(self, service: Service) -> list[str]:
        return [str(service), *(f"{service}-{copy}" for copy in range(2, self._copies + 1))]

    def _service(self, service: Service, name: str) -> Child:
        environment = {
            "ANSINH_POSTGRES_DSN": self._routes.postgres(name, self.addresses.databases[service]),
            "ANSINH_KAFKA_BOOTSTRAP": self._routes.kafka(name, self.addresses.kafka),
            "ANSINH_PORT": str(self.addresses.ports[name]),
            "ANSINH_KEYS_FILE": str(self.folder / "keys" / f"{service}.json"),
            "ANSINH_FILES_DIR": str(self.folder / "files"),
            # Threads take turns at the interpreter anyway, and every arena of its own keeps what was freed in it: 24 MB of payout's.
            "MALLOC_ARENA_MAX": "1",
        }
        if self.clock_file.exists():
            environment["ANSINH_CLOCK_FILE"] = str(self.clock_file)
        if service is Service.REGISTRY:
            environment["ANSINH_ERASURE_AFTER_MONTHS"] = "0"  # nobody keeps papers of synthetic people
        if service is Service.NOTIFY:
            environment["ANSINH_SMS_GATEWAY_URL"] = self._routes.http(name, self.addresses.url("sms"))
            environment["ANSINH_SMS_ASK_AGAIN_SECONDS"] = "2"
        if service is Service.VERIFICATION and self._asked:
            environment |= asked_settings(self.addresses.url)
        environment |= self._routes.more(name, self.folder)
        command, log = ["-m", f"services.{service}.app"], self.folder / "logs" / f"{name}.log"
        return Child(name, command, log, environment, self.addresses.ports[name], settings_of_others(service))

    def _provider(self, provider: Provider) -> Child:
        keys = self.folder / "keys"
        bootstrap = self._routes.kafka(provider, self.addresses.kafka)
        command = ["-m", "sandbox.provider", "--provider", provider, "--bootstrap", bootstrap]
        command += ["--key", str(keys / f"{provider}.json"), "--payout-key", str(keys / "payout.public.json")]
        command += ["--truth", str(self.folder / "truth" / f"{provider}.jsonl")]
        if provider in self._mixes:
            command += ["--mix", json.dumps(self._mixes[provider])]
        return Child(provider, command, self.folder / "logs" / f"{provider}.log")

    def _sms_centre(self) -> Child:
        command = ["-m", "sandbox.sms_centre", "--port", str(self.addresses.ports["sms"]), "--seed", "2024"]
        command += ["--truth", str(self.folder / "truth" / "sms.jsonl")]
        command += ["--receipts", f"{self.addresses.url('notify')}/v1/receipts"]
        return Child("sms", command, self.folder / "logs" / "sms.log")


async def prepare_stores(databases: Mapping[str, str], kafka: str, *, replication: int) -> None:
    """Databases at their newest migration, topics as the table says, every partition known to its reader. Again, it changes nothing."""
    await asyncio.gather(*(asyncio.to_thread(migrate, dsn, name) for name, dsn in databases.items()))
    await create_topics(kafka, topics.TOPICS, replication=replication)
    await asyncio.gather(*(expect_partitions(dsn, Service(name)) for name, dsn in databases.items()))


async def expect_partitions(dsn: str, service: Service) -> None:
    """Tell a service's database which partitions it reads: no row, no start. Known ones stay where they are."""
    rows = [{"topic": topic.name, "partition": n} for topic in topics.read_by(service) for n in range(topic.partitions)]
    connection = await asyncpg.connect(dsn)
    try:
        await queries.expect_partitions(connection, rows)
    finally:
        await connection.close()
