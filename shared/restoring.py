"""Whether this database is older than what its own topics hold: then it was restored, and nothing is published until two people agree.

Every message carries the place of its outbox row (`ce_outbox`: epoch, transaction, row). A record of ours on one of our topics whose
row is neither in the outbox nor below the relay's cursor was published by a database that knew more than this one. Found at start,
before anything is read, and whenever a relay takes its lock. From that moment on everything decided carries a higher epoch, so that no
reader takes it for what it heard from the lost past (docs/decisions/0010-restored-database.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared import metrics
from shared.actors import Actor
from shared.database import Database, Tx, load_queries
from shared.events import AuditRecord
from shared.outbox import OutEvent, put_events
from shared.publishing import Position, position_of
from shared.topics import Service, written_by

queries = load_queries(__file__)
RECORDS_BACK = 50  # how far back we look in a partition for a record of ours: foreign ones may lie behind it
READ_SECONDS = 20.0
RESTORED = "DATABASE_RESTORED"
OTHER_CLUSTER = "OTHER_CLUSTER"


class Refused(Exception):
    """An unlocking that is not taken. The text is a code."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Why nothing is published. `statement` is what two people sign, by its SHA-256."""

    reason: str
    epoch: int
    at: datetime
    proposed_by: str | None
    statement: str

    @property
    def sha256(self) -> str:
        """What their tokens carry."""
        return hashlib.sha256(self.statement.encode()).hexdigest()


async def lock_if_restored(database: Database, bootstrap: str, service: Service, *, at: datetime, log: Any) -> bool:
    """Compare topics with the outbox; whether publishing is locked, now or since earlier. Trouble goes up."""
    positions = await last_positions(bootstrap, service)
    async with database.transaction("restoring.look") as tx:
        row = await queries.timeline(tx)
        if row["locked_at"] is None:
            reason = await _reason(tx, positions)
            if reason:
                seen = max((position.epoch for position in positions), default=0)
                row = await queries.lock_timeline(tx, reason=reason, at=at, seen_epoch=seen)
                log.error("publishing_locked", reason=reason)
    metrics.PUBLISHING_LOCKED.set(row["locked_at"] is not None)
    return row["locked_at"] is not None


async def _reason(tx: Tx, positions: Sequence[Position]) -> str | None:
    if (await queries.cursor_of_another_cluster(tx))["ahead"]:
        return OTHER_CLUSTER
    unknown = await queries.positions_unknown(
        tx,
        epochs=[position.epoch for position in positions],
        xids=[str(position.xid) for position in positions],
        ids=[position.id for position in positions],
        event_ids=[position.event_id for position in positions],
    )
    return RESTORED if unknown["count"] else None


async def last_positions(bootstrap: str, service: Service) -> list[Position]:
    """The place of the last record of ours in each partition of the topics that only this service writes."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed", fetch_max_wait_ms=50
    )
    places = [TopicPartition(topic.name, n) for topic in written_by(service) for n in range(topic.partitions)]
    consumer.assign(places)  # before the start, else aiokafka takes a second to learn of the topics
    try:
        await asyncio.wait_for(consumer.start(), READ_SECONDS)
        begin, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        filled = [place for place in places if end[place] > begin[place]]
        for place in filled:
            consumer.seek(place, max(begin[place], end[place] - RECORDS_BACK))
        return await asyncio.wait_for(_read_to(consumer, {place: end[place] for place in filled}, service), READ_SECONDS)
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(consumer.stop(), READ_SECONDS)


async def _read_to(consumer: AIOKafkaConsumer, end: dict[TopicPartition, int], service: Service) -> list[Position]:
    last: dict[TopicPartition, Position] = {}
    waiting = set(end)
    while waiting:
        for place, records in (await consumer.getmany(timeout_ms=200)).items():
            own = [found for record in records if (found := position_of(record.headers, service))]
            last |= {place: own[-1]} if own else {}
        waiting = {place for place in waiting if await consumer.position(place) < end[place]}
    return list(last.values())


async def is_locked(tx: Tx) -> bool:
    """For whoever reaches outside by another way than the outbox: nothing may leave now."""
    return (await queries.timeline(tx))["locked_at"] is not None


async def epoch_of(tx: Tx) -> int:
    """The first part of every version published from now on; it rises when a restore is found."""
    epoch: int = (await queries.timeline(tx))["epoch"]
    return epoch


class Unlocking:
    """Two people let a service publish again: one proposes, another confirms, each with a token that signs the same statement."""

    def __init__(self, database: Database, service: Service, log: structlog.stdlib.BoundLogger) -> None:
        """For one service."""
        self._database = database
        self._service = service
        self._log = log

    async def lock(self) -> Lock | None:
        """The lock, if there is one."""
        async with self._database.reading() as tx:
            return self._lock(await queries.timeline(tx))

    async def propose(self, actor: Actor, at: datetime) -> Lock:
        """The first signature; a later proposal takes its place. Raises Refused."""
        async with self._database.transaction("restoring.propose") as tx:
            lock = self._signed(await queries.timeline_locked(tx), actor)
            await queries.propose_unlock(tx, actor=actor.id, token=actor.token, at=at)
            await self._tell(tx, actor, "propose_unlock", at=at)
        return lock

    async def confirm(self, actor: Actor, at: datetime) -> Lock:
        """The second signature, by another person: publishing goes on. Raises Refused."""
        async with self._database.transaction("restoring.confirm") as tx:
            lock = self._signed(await queries.timeline_locked(tx), actor)
            if lock.proposed_by is None:
                raise Refused("UNLOCK_NOT_PROPOSED")
            if lock.proposed_by == actor.id:
                raise Refused("SAME_PERSON")
            await queries.record_unlock(tx, sha256=lock.sha256, actor=actor.id, token=actor.token, at=at)
            await queries.unlock_timeline(tx)
            await self._tell(tx, actor, "confirm_unlock", at=at)
        self._log.warning("publishing_unlocked", actor=actor.id)
        return lock

    def _signed(self, row: Any, actor: Actor) -> Lock:
        lock = self._lock(row)
        if lock is None:
            raise Refused("NOT_LOCKED")
        if lock.reason == OTHER_CLUSTER:
            raise Refused(OTHER_CLUSTER)
        if actor.sha256 != lock.sha256:
            raise Refused("SIGNATURE_DIFFERS")
        return lock

    def _lock(self, row: Any) -> Lock | None:
        if row["locked_at"] is None:
            return None
        statement = f"{self._service}: {row['locked_reason']}, epoch {row['epoch']}, locked {row['locked_at'].isoformat()}"
        return Lock(row["locked_reason"], row["epoch"], row["locked_at"], row["proposed_by"], statement)

    async def _tell(self, tx: Tx, actor: Actor, act: str, *, at: datetime) -> None:
        record = AuditRecord(actor=actor.id, act=act, subject=self._service, at=at)
        await put_events(tx, [OutEvent(record.TOPIC, actor.id, record)], at)
