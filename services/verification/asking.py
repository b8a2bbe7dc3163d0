"""Asks others, the register's query service and banks. Commit the question with its id, ask with no transaction open, commit the answer.

No answer leaves everything as it is: the question stays open and is due again later, under the same id, each time after a longer pause. A
process that dies between the two commits leaves just such a question. Few are asked by day, for people who wait; renewals go at night.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog

from services.verification import store_questions
from services.verification.ages import Ages
from services.verification.breaker import Breaker
from services.verification.exchange import Authority, NoAnswer, Silence
from services.verification.store import Row
from services.verification.store_questions import About
from shared.clock import LOCAL, Clock
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.loops import repeat
from shared.metrics import CONFLICTS
from shared.outbox import OutEvent, put_events
from shared.restoring import is_locked

AT_ONCE, MADE_AT_ONCE = 50, 1_000
POLL_SECONDS = 1.0
_MINUTE = timedelta(minutes=1)
_DOUBLINGS_MAX = 8


@dataclass(frozen=True, slots=True)
class Quota:
    """Questions a minute, by day and at night; the night's hours in Vietnam. `again`: the first pause before a question is asked again."""

    by_day: int
    at_night: int
    night_from: int
    night_until: int
    again: timedelta

    def night(self, now: datetime) -> bool:
        """Whether it is night: from an hour of the evening until one of the morning."""
        hour = now.astimezone(LOCAL).hour
        return hour >= self.night_from or hour < self.night_until

    def a_minute(self, now: datetime) -> int:
        """Questions that may go out within a minute."""
        return self.at_night if self.night(now) else self.by_day

    def due_again(self, now: datetime, tries: int) -> datetime:
        """When a question that goes out now for the `tries + 1`st time is due again."""
        return now + self.again * (1 << min(tries, _DOUBLINGS_MAX))


@dataclass(frozen=True, slots=True)
class Manner:
    """How is asked: on whose behalf, how many, how old an answer may grow."""

    authority: Authority
    quota: Quota
    ages: Ages


class Matter(Protocol):
    """What is asked about. Its answers are its own affair."""

    about: About

    async def make(self, tx: Tx, now: datetime) -> None:
        """Store new questions, with their ids."""
        ...

    async def ask(self, row: Row) -> Any:
        """Put one stored question. No transaction is open. Raises NoAnswer."""
        ...

    async def book(self, tx: Tx, answers: Mapping[UUID, Any], now: datetime) -> None:
        """Keep answers and whatever follows from them."""
        ...


class Asking:
    """Asks question by question. Several processes share one quota and never send one question at the same time."""

    def __init__(
        self, database: Database, matter: Matter, *, clock: Clock, manner: Manner, log: structlog.stdlib.BoundLogger
    ) -> None:
        """Nothing is asked before `run`."""
        self._database = database
        self._matter = matter
        self._clock = clock
        self._manner = manner
        self._log = log
        self._breaker = Breaker(5, manner.quota.again, timedelta(hours=1))

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop, surviving the loss of database and service."""

        async def ask_all() -> None:
            while not stop.is_set() and await self.step():
                pass

        await repeat(ask_all, stop, seconds=POLL_SECONDS, log=self._log)

    async def step(self) -> int:
        """Send what is due and what the quota lets out, book what is answered; returns how many questions came to an end."""
        due, dropped = await self._intend()
        answers = await self._ask(due)
        if answers:
            now = self._clock.now()
            async with self._database.transaction("verification.answered") as tx:
                await self._matter.book(tx, answers, now)
        return dropped + len(answers)

    async def _intend(self) -> tuple[Sequence[Row], int]:
        now, quota, about = self._clock.now(), self._manner.quota, self._matter.about
        async with self._database.transaction("verification.ask") as tx:
            if await is_locked(tx):
                return [], 0
            await store_questions.one_asker_at_a_time(tx)
            await self._matter.make(tx, now)
            left = quota.a_minute(now) - await store_questions.sent_since(tx, about, now - _MINUTE)
            room = self._breaker.room(now, min(left, AT_ONCE))
            if room <= 0:
                return [], 0
            due = await store_questions.due_questions(tx, about, now, most=room, also_renewals=quota.night(now))
            stale = {row["request_id"]: None for row in due if not row["same"]}
            await store_questions.end_questions(tx, stale, now)
            due = [row for row in due if row["same"]]
            await store_questions.count_sending(tx, {r["request_id"]: quota.due_again(now, r["tries"]) for r in due}, now)
            await self._audit(tx, len(due), now)
        return due, len(stale)

    async def _audit(self, tx: Tx, count: int, now: datetime) -> None:
        authority = self._manner.authority
        if count:
            subject = f"{authority.procedure}:{count}"
            record = AuditRecord(actor=authority.officer, act=f"ask_{self._matter.about}", subject=subject, at=now)
            await put_events(tx, [OutEvent(record.TOPIC, record.actor, record)], now)

    async def _ask(self, due: Sequence[Row]) -> Mapping[UUID, Any]:
        """No transaction is open here."""
        said = await asyncio.gather(*map(self._ask_one, due))
        for why, count in Counter(answer for answer in said if isinstance(answer, Silence)).items():
            self._log.warning("question_got_no_answer", reason=why, count=count)
        return {row["request_id"]: answer for row, answer in zip(due, said, strict=True) if not isinstance(answer, Silence)}

    async def _ask_one(self, row: Row) -> Any:
        try:
            answer = await self._matter.ask(row)
        except NoAnswer as silence:
            if silence.why is Silence.ABOUT_ANOTHER:
                CONFLICTS.labels("answer").inc()
            self._breaker.silent(self._clock.now(), timedelta(seconds=silence.retry_after))
            return silence.why
        self._breaker.answered()
        return answer
