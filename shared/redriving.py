"""Set-aside records handled again, inside the service, by the same handler: the sealed original, never a second copy on its topic.

One transaction per record: effects, the mark on its row and the audit record, or nothing. Offsets stay where they are. A record that is
complained about again stays set aside under the new reason. A dry run is the same ended by a rollback.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import structlog

from shared import metrics
from shared.applying import Handler, apply
from shared.clock import Clock
from shared.database import Database, Tx, load_queries
from shared.errors import BadRecord, Parked
from shared.events import AuditRecord
from shared.outbox import OutEvent, put_events
from shared.records import parse
from shared.vault import Vault, VaultError

queries = load_queries(__file__)
NO_HANDLER = "TOPIC_NOT_READ"
UNREADABLE = "ORIGINAL_UNREADABLE"
REDRIVEN_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which set-aside records: by id, or all that match what is given. Those taken before are never chosen."""

    ids: Sequence[UUID] = ()
    topic: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one record: `taken`, or still `dead` or `parked` with the reason it has now."""

    dead_letter_id: UUID
    topic: str
    partition: int
    offset: int
    outcome: Literal["taken", "dead", "parked"]
    reason: str | None


@dataclass(slots=True)
class _Original:
    """A record as it was read: what `shared.records` needs of one."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class _DryRun(Exception):
    """Ends the transaction of a dry run."""


class Redriver:
    """Handles set-aside records of one service again."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        handlers: Mapping[str, Handler],
        *,
        clock: Clock,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """`handlers`: topic -> the handler that reads it now."""
        self._database = database
        self._vault = vault
        self._handlers = handlers
        self._clock = clock
        self._log = log

    async def redrive(self, chosen: Chosen, *, actor: str, dry_run: bool) -> list[Redriven]:
        """At most REDRIVEN_MAX records, in the order they were read; ask again for the rest. Trouble goes up: what was done stays done."""
        async with self._database.reading() as tx:
            wanted = {"ids": list(chosen.ids) or None, "topic": chosen.topic, "reason": chosen.reason, "most": REDRIVEN_MAX}
            found = [row["dead_letter_id"] async for row in queries.dead_letters_chosen(tx, **wanted)]
        done = [await self._one(letter_id, actor, dry_run=dry_run) for letter_id in found]
        return [one for one in done if one]

    async def _one(self, letter_id: UUID, actor: str, *, dry_run: bool) -> Redriven | None:
        """None when somebody else took it in the meantime."""
        done = None
        try:
            async with self._database.transaction("redriving.one") as tx:
                row = await queries.dead_letter_locked(tx, dead_letter_id=letter_id)
                if row is None:
                    return None
                done = await self._again(tx, row)
                await self._mark(tx, done, actor, at=self._clock.now())
                if dry_run:
                    raise _DryRun
        except _DryRun:
            return done
        metrics.REDRIVEN.labels(done.topic, done.outcome).inc()
        self._log.info(
            "record_redriven", topic=done.topic, partition=done.partition, offset=done.offset, state=done.outcome,
            reason=done.reason, actor=actor,
        )  # fmt: skip
        return done

    async def _again(self, tx: Tx, row: asyncpg.Record) -> Redriven:
        complaint = await self._complaint(tx, row)
        outcome: Literal["taken", "dead", "parked"] = "taken"
        if complaint is not None:
            outcome = "parked" if isinstance(complaint, Parked) else "dead"
        reason = complaint.reason[:100] if complaint else None
        return Redriven(row["dead_letter_id"], row["topic"], row["partition"], row["offset"], outcome, reason)

    async def _complaint(self, tx: Tx, row: asyncpg.Record) -> BadRecord | None:
        handler = self._handlers.get(row["topic"])
        if handler is None:
            return BadRecord(row["offset"], NO_HANDLER)
        try:
            record = parse(self._original(row))
        except BadRecord as complaint:
            return complaint
        complaints = await apply(handler, tx, [record], log=self._log)
        return complaints[0] if complaints else None

    def _original(self, row: asyncpg.Record) -> _Original:
        try:
            kept: dict[str, Any] = json.loads(self._vault.open(row["original"], str(row["dead_letter_id"])))
        except (VaultError, ValueError):
            raise BadRecord(row["offset"], UNREADABLE) from None
        return _Original(
            topic=row["topic"],
            partition=row["partition"],
            offset=row["offset"],
            timestamp=kept.get("timestamp", int(row["at"].timestamp() * 1000)),
            key=bytes.fromhex(kept["key"]),
            value=bytes.fromhex(kept["value"]),
            headers=[(name, bytes.fromhex(value or "")) for name, value in kept["headers"]],
        )

    async def _mark(self, tx: Tx, done: Redriven, actor: str, *, at: datetime) -> None:
        marked = await queries.mark_redriven(
            tx, dead_letter_id=done.dead_letter_id, at=at, actor=actor, outcome=done.outcome, reason=done.reason
        )
        assert marked is not None, "the row is locked and was not taken"
        record = AuditRecord(actor=actor, act=f"redrive_{done.outcome}", subject=str(done.dead_letter_id), at=at)
        await put_events(tx, [OutEvent(record.TOPIC, actor, record)], at)
