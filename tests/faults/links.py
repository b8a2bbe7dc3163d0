"""Every way between our processes and their servers leads through a proxy of its own; the oracle goes past them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ansinh.installation import Routes
from ansinh.processes import ROOT
from deploy.local.kafka.cluster import Cluster
from deploy.local.ports import LOOPBACK
from deploy.local.stack import LocalStack
from shared.topics import Provider, Service
from tests.faults.proxy import Proxy
from tests.faults.wire import HttpReader, KafkaReader, PostgresReader

PARTNERS = "partners"
COPIES = 2


def service_of(child: str) -> str:
    """`registry-2` is a copy of registry; banks and post share one door."""
    if child in set(Provider):
        return PARTNERS
    return child.removesuffix(f"-{COPIES}")


def copies_of(service: str) -> list[str]:
    """The names of a service's processes."""
    return [service, f"{service}-{COPIES}"]


class Links(Routes):
    """All proxies of one world, by what stands on both sides."""

    def __init__(self, brokers: int) -> None:
        """`brokers`: each has a door, and a proxy before it, for every service and one for the partners."""
        self.brokers = brokers
        doors = (*map(str, Service), PARTNERS)
        self.kafka_of = {door: [Proxy(f"kafka-{n + 1}:{door}", KafkaReader) for n in range(brokers)] for door in doors}
        self.postgres_of = {name: Proxy(f"postgres:{name}", PostgresReader) for s in Service for name in copies_of(s)}
        self.sms = Proxy("sms", HttpReader)

    def all(self) -> Iterator[Proxy]:
        """Every proxy."""
        for proxies in self.kafka_of.values():
            yield from proxies
        yield from self.postgres_of.values()
        yield self.sms

    def to_kafka(self, service: str | None = None) -> list[Proxy]:
        """The lines to the brokers, of one service or of all services; partners keep theirs."""
        return [proxy for door in (service,) if door for proxy in self.kafka_of[door]] or [
            proxy for door in Service for proxy in self.kafka_of[door]
        ]

    def to_postgres(self, service: str | None = None) -> list[Proxy]:
        """The lines to the database server, of both copies of one service or of all."""
        return [self.postgres_of[name] for s in ([service] if service else Service) for name in copies_of(s)]

    async def open(self) -> None:
        """Listen everywhere."""
        await asyncio.gather(*(proxy.open() for proxy in self.all()))

    async def close(self) -> None:
        """End every connection."""
        await asyncio.gather(*(proxy.close() for proxy in self.all()))

    def heal(self) -> None:
        """Everything passes."""
        for proxy in self.all():
            proxy.heal()

    # --- what an installation asks ---------------------------------------------------------------------------------------

    def start_stack(self, name: str, *, fresh: bool) -> LocalStack:
        """Brokers that send their clients to the proxies."""
        doors = {door.upper(): [proxy.port for proxy in proxies] for door, proxies in self.kafka_of.items()}
        cluster = Cluster.plan(self.brokers, doors)
        for number, node in enumerate(cluster.nodes):
            for door in node.doors:
                self.kafka_of[door.name.lower()][number].target = door.port
        return LocalStack.start(ROOT, name, fresh=fresh, cluster=cluster)

    def kafka(self, child: str, bootstrap: str) -> str:
        """The child's own door."""
        return ",".join(f"{LOOPBACK}:{proxy.port}" for proxy in self.kafka_of[service_of(child)])

    def postgres(self, child: str, dsn: str) -> str:
        """The child's own line."""
        parts = urlsplit(dsn)
        assert parts.port is not None
        self.postgres_of[child].target = parts.port
        who = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{who}@{LOOPBACK}:{self.postgres_of[child].port}"))

    def http(self, child: str, url: str) -> str:
        """The line to the SMS centre."""
        self.sms.target = int(url.rpartition(":")[2])
        return f"http://{LOOPBACK}:{self.sms.port}"

    def more(self, child: str, folder: Path) -> dict[str, str]:
        """Where its crash points are armed from."""
        return {"ANSINH_CRASH_FILE": str(crash_file(folder, child))}


def crash_file(folder: Path, child: str) -> Path:
    """Beside its log."""
    return folder / "logs" / f"{child}.crash"
