"""Where the brokers of a local cluster listen: one alone, or three with two of them in sync for every write."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deploy.local.ports import LOOPBACK, free_ports


@dataclass(frozen=True, slots=True)
class Door:
    """A second way to a broker: it listens on `port` and sends its clients to `advertised`, where a proxy stands."""

    name: str
    port: int
    advertised: int


@dataclass(frozen=True, slots=True)
class Node:
    """One broker's ports."""

    id: int
    client: int
    controller: int
    doors: tuple[Door, ...] = ()


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


@dataclass(frozen=True)
class Cluster:
    """All nodes of one cluster; three or more keep three copies of everything."""

    nodes: tuple[Node, ...]
    id: str = field(default_factory=_cluster_id)

    @classmethod
    def plan(cls, brokers: int = 1, doors: Mapping[str, Sequence[int]] | None = None) -> Cluster:
        """Ports for so many brokers. `doors`: name -> the port each broker's door is known by, in order of the brokers."""
        named = dict(doors or {})
        ports = iter(free_ports(brokers * (2 + len(named))))
        nodes = (
            Node(
                id=number + 1,
                client=next(ports),
                controller=next(ports),
                doors=tuple(Door(name, next(ports), advertised[number]) for name, advertised in named.items()),
            )
            for number in range(brokers)
        )
        return cls(tuple(nodes))

    @property
    def bootstrap(self) -> str:
        """The direct address of all brokers."""
        return ",".join(f"{LOOPBACK}:{node.client}" for node in self.nodes)

    @property
    def replication(self) -> int:
        """How many copies of every record there are."""
        return min(len(self.nodes), 3)

    def properties(self, node: Node) -> dict[str, str]:
        """What `server.properties` leaves open."""
        ways = [("CLIENT", node.client, node.client), *((door.name, door.port, door.advertised) for door in node.doors)]
        listeners = [f"{name}://{LOOPBACK}:{port}" for name, port, _ in ways] + [f"CONTROLLER://{LOOPBACK}:{node.controller}"]
        return {
            "node": str(node.id),
            "voters": ",".join(f"{each.id}@{LOOPBACK}:{each.controller}" for each in self.nodes),
            "listeners": ",".join(listeners),
            "advertised": ",".join(f"{name}://{LOOPBACK}:{advertised}" for name, _, advertised in ways),
            "protocols": ",".join(f"{name}:PLAINTEXT" for name in (*(way[0] for way in ways), "CONTROLLER")),
            "replication": str(self.replication),
            "in_sync": str(max(1, self.replication - 1)),
        }
