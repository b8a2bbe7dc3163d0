"""People whom the register gave no answer about are judged as soon as it can answer, those whose result, or whose bank's word, grew too old
again; in transactions of about a second."""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog

from services.verification import store, store_ages
from services.verification.judging import Judge
from services.verification.population_register import PopulationRegister
from shared.clock import Clock
from shared.database import Database, Tx
from shared.loops import repeat

PAGE = 2_000
POLL_SECONDS = 1.0


class Waiting:
    """Judges them page by page. Two processes may do so at once: they take turns, and who is judged is found no more."""

    def __init__(
        self, database: Database, judge: Judge, *, clock: Clock, register: PopulationRegister, log: structlog.stdlib.BoundLogger
    ) -> None:
        """Nothing is read before `run`."""
        self._database = database
        self._clock = clock
        self._judge = judge
        self._register = register
        self._log = log

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop, surviving the loss of the database."""

        async def judge_all() -> None:
            while not stop.is_set() and await self.judge_page():
                pass

        await repeat(judge_all, stop, seconds=POLL_SECONDS, log=self._log)

    async def judge_page(self) -> int:
        """Judge the first people whose turn it is; returns how many that were."""
        async with self._database.transaction("verification.waiting") as tx:
            if not await self._due(tx, 1):
                return 0
            await store.one_judge_at_a_time(tx)
            page = await self._due(tx, PAGE)
            await self._judge.judge(tx, page)
            return len(page)

    async def _due(self, tx: Tx, most: int) -> list[UUID]:
        people = await self._register.answerable(tx, most)
        return people or await store_ages.people_holder_over(tx, self._clock.now(), most)
