"""A service tells its present state again, for a reader that begins with an empty database after retention has cut its topics.

Same content, same version, new event ids: whoever holds a message already ignores it. Told in chunks through the outbox, each in one
short transaction with the place it got to, so that it goes on after a crash where it stopped. `ce_time` is the time of telling.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.clock import Clock
from shared.database import Database, Tx, load_queries
from shared.events import AuditRecord
from shared.outbox import OutEvent, put_events

queries = load_queries(__file__)
CHUNK = 4_000  # well under a second: a longer transaction holds back every relay of the server
WAITING_MAX = 4 * CHUNK  # unpublished rows from which on nothing is added: live messages wait behind what is told again

Pages = Callable[[Tx, str, int], Awaitable[Sequence[tuple[str, OutEvent]]]]
"""At most so many messages of a topic's present state after a place ("" before the first), each with its place, in order of places."""


@dataclass(frozen=True, slots=True)
class Told:
    """How far a topic has been told: messages so far, whether that was all, whether the relay must catch up first."""

    topic: str
    messages: int
    done: bool
    waits: bool = False


class Republisher:
    """Tells the state topics of one service again."""

    def __init__(self, database: Database, pages: Mapping[str, Pages], clock: Clock) -> None:
        """`pages`: topic -> its present state."""
        self._database = database
        self._pages = pages
        self._clock = clock

    @property
    def topics(self) -> list[str]:
        """What can be told again."""
        return sorted(self._pages)

    async def begin(self, topic: str, *, actor: str) -> Told:
        """Begin with a topic of `topics`; a telling that was not finished is gone on with."""
        now = self._clock.now()
        async with self._database.transaction("republishing.begin") as tx:
            row = await queries.begin_republish(tx, topic=topic, actor=actor, at=now)
            record = AuditRecord(actor=actor, act="republish", subject=topic, at=now)
            await put_events(tx, [OutEvent(record.TOPIC, actor, record)], now)
        return Told(topic, row["messages"], done=False)

    async def tell(self, topic: str) -> Told:
        """The next chunk. Asked again after the last one, or while the relay is behind, it changes nothing. Raises LookupError when
        nothing was begun."""
        async with self._database.transaction("republishing.chunk") as tx:
            row = await queries.republish_locked(tx, topic=topic)
            if row is None:
                raise LookupError(topic)
            if row["done_at"]:
                return Told(topic, row["messages"], done=True)
            if (await queries.outbox_behind(tx))["waiting"] >= WAITING_MAX:
                return Told(topic, row["messages"], done=False, waits=True)
            return await self._chunk(tx, topic, row["after"], now=self._clock.now())

    async def _chunk(self, tx: Tx, topic: str, after: str, *, now: datetime) -> Told:
        page = await self._pages[topic](tx, after, CHUNK)
        await put_events(tx, [event for _place, event in page], now)
        done = len(page) < CHUNK
        messages = await queries.republish_told(
            tx, topic=topic, after=page[-1][0] if page else after, more=len(page), done_at=now if done else None
        )
        return Told(topic, messages["messages"], done)
