"""Messages leave through the outbox: written with the decision, published by one relay in commit-safe order, at least once.

Guarantee: a message reaches the broker if and only if its transaction committed; a reader may see it twice with the same event id.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from time import monotonic
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer, errors
from aiokafka.errors import KafkaError

from shared.crashing import point
from shared.database import Database, Tx, load_queries
from shared.errors import Trouble, code_of, is_trouble
from shared.events import Message
from shared.fields import json_of
from shared.ids import random_id
from shared.metrics import OUTBOX_BEHIND_SECONDS, OUTBOX_PUBLISHED, OUTBOX_UNPUBLISHED, RELAY_REFUSED
from shared.publishing import publish

queries = load_queries(__file__)
# What trying again does not change: a person must raise a limit or grant a right.
HOPELESS = (
    errors.MessageSizeTooLargeError, errors.RecordListTooLargeError, errors.RecordTooLargeError, errors.InvalidTopicError,
    errors.TopicAuthorizationFailedError, errors.ClusterAuthorizationFailedError, errors.InvalidRequiredAcksError,
    errors.UnsupportedForMessageFormatError, errors.PolicyViolationError,
)  # fmt: skip
WAITS, PUBLISHES, REFUSED = "waits", "publishes", "BROKER_REFUSES"
REFUSED_SECONDS = 10.0
COLUMNS = ("day", "event_id", "topic", "key", "type", "at", "payload")
BATCH_MAX = 4_000
DEADLINE_SECONDS = 15.0
POLL_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 0.01
PAUSE_MAX_SECONDS = 5.0
COUNT_SECONDS = 5.0


@dataclass(slots=True)  # not frozen: that makes it three times as dear, and there is one for every message
class OutEvent:
    """One message to publish. Its id is made here, before anything is sent."""

    topic: str
    key: str
    message: Message
    event_id: UUID = field(default_factory=random_id)


def outbox_day() -> date:
    """The partition of rows that are written now: partitions are dropped by real age, whatever business time says."""
    return datetime.now(UTC).date()


async def put_events(tx: Tx, events: Sequence[OutEvent], at: datetime) -> None:
    """Write messages into the outbox in the caller's transaction, in one statement. `at` is business time.

    COPY: for an array the driver asks of every value whether it is a list again. The table fills in place and transaction.
    """
    if not events:
        return
    day = outbox_day()
    rows = [(day, out.event_id, out.topic, out.key, out.message.TYPE, at, json_of(out.message)) for out in events]
    await tx.copy_records_to_table("outbox", columns=COLUMNS, records=rows)
    await queries.wake_relay(tx)


class Relay:
    """Publishes one service's outbox. Only the holder of the advisory lock publishes; a second relay waits.

    `state` says for people what it does: `waits` (another holds the lock), `publishes`, or why it cannot.
    """

    def __init__(
        self,
        database: Database,
        bootstrap: str,
        service: str,
        log: structlog.stdlib.BoundLogger,
        *,
        look: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """Nothing is opened before `run`. `look`: called with the lock held, before anything is published."""
        self.state = WAITS
        self._look = look
        self._most = BATCH_MAX
        self._database = database
        self._bootstrap = bootstrap
        self._service = service
        self._log = log
        self._wake = asyncio.Event()
        self._emptied = monotonic()
        self._count_again_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop, surviving every loss of broker or database."""
        pause = 0.1
        while not stop.is_set():
            try:
                async with self._database.session() as session:
                    await self._with_lock(session, stop)
                pause = 0.1
            except Exception as error:  # the one place of the relay that outlives trouble
                if not (is_trouble(error) or isinstance(error, KafkaError)):
                    raise
                self._log.warning("relay_trouble", code=code_of(error))
                OUTBOX_BEHIND_SECONDS.set(monotonic() - self._emptied)
                await _sleep(stop, pause)
                pause = min(pause * 2, PAUSE_MAX_SECONDS)

    async def _with_lock(self, session: Tx, stop: asyncio.Event) -> None:
        self._is(WAITS)
        while not (await queries.relay_lock(session))["held"]:
            if await _sleep(stop, POLL_SECONDS):
                return
        if self._look:
            await self._look()
        await session.add_listener("outbox", self._notified)
        # A producer that missed its deadline may still hold half-sent batches: it is closed before another starts.
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=262_144
        )
        try:
            await asyncio.wait_for(producer.start(), DEADLINE_SECONDS)
            pause = LOOK_AGAIN_SECONDS
            while not stop.is_set():
                # What we were woken for may still lie behind another's running transaction, of any database, whose end wakes nobody.
                if await self._publish_next(session, producer) or await self._woken(stop, pause):
                    pause = LOOK_AGAIN_SECONDS
                else:
                    pause = min(2 * pause, POLL_SECONDS)
                if self.state == REFUSED:
                    await _sleep(stop, REFUSED_SECONDS)
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(producer.stop(), DEADLINE_SECONDS)
            with contextlib.suppress(Exception):
                await session.remove_listener("outbox", self._notified)
                await queries.relay_unlock(session)

    async def _publish_next(self, session: Tx, producer: AIOKafkaProducer) -> int:
        cursor = await queries.cursor(session)
        if cursor["locked_reason"]:
            self._is(cursor["locked_reason"])
            OUTBOX_BEHIND_SECONDS.set(monotonic() - self._emptied)
            return 0
        rows = [row async for row in queries.unpublished(session, xid=cursor["xid"], id=cursor["id"], most=self._most)]
        if not rows:
            self._is(PUBLISHES)
            self._emptied = monotonic()
            OUTBOX_BEHIND_SECONDS.set(0)
            OUTBOX_UNPUBLISHED.set(0)
            return 0
        OUTBOX_BEHIND_SECONDS.set(monotonic() - self._emptied)
        try:
            await asyncio.wait_for(self._send(producer, rows), DEADLINE_SECONDS)
        except HOPELESS as error:
            self._refused(rows, error)
            return len(rows)
        self._is(PUBLISHES)
        last = rows[-1]
        point("relay.before_cursor")
        moved = await queries.move_cursor(session, xid=last["xid"], id=last["id"], from_xid=cursor["xid"], from_id=cursor["id"])
        if moved is None:
            raise Trouble("another relay moved the cursor")
        point("relay.after_cursor")
        await self._tell_waiting(session, full=len(rows) == self._most)
        self._most = min(2 * self._most, BATCH_MAX)
        return len(rows)

    def _refused(self, rows: Sequence[asyncpg.Record], error: Exception) -> None:
        """The broker will not take one of these as things are: halve until it stands alone, then wait for a person, and say so."""
        if len(rows) > 1:
            self._most = len(rows) // 2
            return
        self._is(REFUSED)
        self._log.error("relay_refused", code=code_of(error), topic=rows[0]["topic"], event_id=str(rows[0]["event_id"]))

    def _is(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._log.info("relay_state", state=state)
        RELAY_REFUSED.set(state == REFUSED)

    async def _tell_waiting(self, session: Tx, *, full: bool) -> None:
        """Counting what waits costs as much as there is: now and then is enough."""
        if not full:
            OUTBOX_UNPUBLISHED.set(0)
        elif monotonic() >= self._count_again_at:
            OUTBOX_UNPUBLISHED.set((await queries.outbox_behind(session))["waiting"])
            self._count_again_at = monotonic() + COUNT_SECONDS

    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> None:
        point("relay.before_publish")
        await publish(producer, rows, self._service)
        point("relay.after_publish")
        for topic, count in Counter(row["topic"] for row in rows).items():
            OUTBOX_PUBLISHED.labels(topic).inc(count)

    def _notified(self, *_args: Any) -> None:
        self._wake.set()

    async def _woken(self, stop: asyncio.Event, seconds: float) -> bool:
        """Wait so long at most; whether a decision was committed meanwhile."""
        stopping = asyncio.ensure_future(stop.wait())
        waking = asyncio.ensure_future(self._wake.wait())
        await asyncio.wait((stopping, waking), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        waking.cancel()
        woken = self._wake.is_set()
        self._wake.clear()
        return woken


async def _sleep(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()
