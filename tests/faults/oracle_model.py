"""What the oracle compares, and how it says that something is wrong: plain data without connections. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shared.topics import Service

Row = Mapping[str, Any]
Place = tuple[str, int]
"""(topic, partition)."""


class Kind(StrEnum):
    """The closed list of what can be wrong. The first six are Jepsen's words for logs, the rest are ours for what records mean."""

    LOST = "lost"  # decided and acknowledged, yet not on the topic
    PHANTOM = "phantom"  # on the topic, decided by nobody
    DUPLICATE_DIFFERS = "duplicate-differs"  # one event id, two contents
    NON_MONOTONIC = "non-monotonic"  # published in another order than decided
    GAP = "gap"  # offsets of a topic of ours that hold nothing
    INCONSISTENT_OFFSETS = "inconsistent-offsets"  # a stored offset that the log contradicts
    UNPUBLISHED = "unpublished"  # decided and still not told after everything came to rest
    UNREAD = "unread"  # a record nobody read after everything came to rest
    STOPPED = "stopped"  # a partition waits for a person
    SET_ASIDE = "set-aside"  # a record went to the dead letters
    EFFECT_MISSING = "effect-missing"  # a record was read and left no trace
    EFFECT_TWICE = "effect-twice"  # one record, two effects
    READ_TWICE = "read-twice"  # a record was taken more often than it was delivered; without effect, but nobody should have
    SEQUENCE_HOLE = "sequence-hole"  # a version, result or state that was never told
    SEQUENCE_REPEATED = "sequence-repeated"  # one number, two contents
    STALE = "stale"  # a reader holds something else than the newest that was told
    MISPLACED = "misplaced"  # a frozen line that is nowhere, or in two places
    NOT_CONSERVED = "not-conserved"  # count or VND differ between two hops
    PAID_TWICE = "paid-twice"
    PAID_UNASKED = "paid-unasked"
    PAID_OTHERWISE = "paid-otherwise"  # another amount, provider or list than asked
    BELIEVED_WRONGLY = "believed-wrongly"  # our books contradict what happened
    TEXT_TWICE = "text-twice"
    TEXT_UNASKED = "text-unasked"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong. `where` names topic, table or file; `what` holds ids, words and sums, never personal data."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Rec:
    """One record as it lies on a topic."""

    topic: str
    partition: int
    offset: int
    key: str
    event_id: str
    type: str
    source: str
    value: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the value; empty where it is none."""
        try:
            parsed = json.loads(self.value)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


@dataclass(frozen=True, slots=True)
class Log:
    """Every record of every topic, by place, in order of offset, and where each log begins and ends."""

    records: Mapping[Place, Sequence[Rec]]
    begin: Mapping[Place, int]
    end: Mapping[Place, int]

    def of(self, topic: str) -> list[Rec]:
        """All records of a topic, partition by partition."""
        return [record for (name, _), records in sorted(self.records.items()) if name == topic for record in records]

    def bodies(self, topic: str) -> list[dict[str, Any]]:
        """What the records of a topic say, each event id once."""
        return [record.body for record in {record.event_id: record for record in self.of(topic)}.values()]

    @property
    def deliveries(self) -> int:
        """Records on all topics, repeats included."""
        return sum(map(len, self.records.values()))


@dataclass(frozen=True, slots=True)
class Out:
    """One outbox row with its place in the order of decisions."""

    xid: int
    id: int
    event_id: str
    topic: str
    key: str
    payload: bytes

    @property
    def order(self) -> tuple[int, int]:
        """Decisions are published in this order."""
        return self.xid, self.id


@dataclass(frozen=True, slots=True)
class Books:
    """One service's database as far as the oracle reads it: outbox, cursor, and rows by query name."""

    service: Service
    outbox: Sequence[Out]
    cursor: tuple[int, int]
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Sequence[Row]:
        return self.rows[name]


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is compared: topics, databases, the partners' truth files (name -> facts in order)."""

    log: Log
    books: Mapping[Service, Books]
    truth: Mapping[str, Sequence[Row]]
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Examination:
    """The findings, and how much was looked at: a clean bill over nothing proves nothing."""

    findings: tuple[Finding, ...]
    deliveries: int
    repeats: int  # records that stand on a topic again under the same event id: allowed, and counted
    decisions: int  # outbox rows
    events_in: int  # accepted ministry events
    paid: int  # payments that really happened
    texts: int  # texts that really went out

    def of(self, *kinds: Kind) -> list[Finding]:
        """The findings of these kinds."""
        return [finding for finding in self.findings if finding.kind in kinds]

    def without(self, *kinds: Kind) -> list[Finding]:
        """The findings of all other kinds: for a scenario that makes these on purpose."""
        return [finding for finding in self.findings if finding.kind not in kinds]
