"""People whom the register gave no answer about are judged as soon as it can answer, in transactions of about a second."""

from __future__ import annotations

import asyncio

import structlog

from services.verification import store
from services.verification.judging import Judge
from shared.database import Database
from shared.loops import repeat

PAGE = 2_000
POLL_SECONDS = 1.0


class Waiting:
    """Judges the unavailable page by page. Two processes may do so at once: they take turns, and who is judged is found no more."""

    def __init__(self, database: Database, judge: Judge, log: structlog.stdlib.BoundLogger) -> None:
        """Nothing is read before `run`."""
        self._database = database
        self._judge = judge
        self._log = log

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop, surviving the loss of the database."""

        async def judge_all() -> None:
            while not stop.is_set() and await self.judge_page():
                pass

        await repeat(judge_all, stop, seconds=POLL_SECONDS, log=self._log)

    async def judge_page(self) -> int:
        """Judge the first people who wait; returns how many that were, 0 also while the register cannot answer."""
        async with self._database.transaction("verification.waiting") as tx:
            if not await store.people_unavailable(tx, 1) or not await store.register_available(tx):
                return 0
            await store.one_judge_at_a_time(tx)
            page = await store.people_unavailable(tx, PAGE)
            await self._judge.judge(tx, page)
            return len(page)
