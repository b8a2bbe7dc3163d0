"""Tells readers what ends by itself: the "cannot" class after its day of review, another's account after the last day of its paper.

Nobody says anything on that day. Each person is told once: whoever is kept again is not found again, in the transaction that tells it.
Payout judges the days of papers itself, so a day on which this does not run pays nobody who may no longer receive.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog

from services.registry import store
from services.registry.handlers import Registrar
from services.registry.person import weighed
from shared.clock import Clock
from shared.database import Database
from shared.loops import repeat

PART_PEOPLE = 500
LOOK_SECONDS = 300.0
_FIRST = UUID(int=0)


class DayWatch:
    """Looks for days that have passed."""

    def __init__(self, database: Database, clock: Clock, registrar: Registrar, *, part_people: int = PART_PEOPLE) -> None:
        """Nothing is looked at before it is asked."""
        self._database = database
        self._clock = clock
        self._registrar = registrar
        self._part_people = part_people

    async def keep_looking(self, stop: asyncio.Event, log: structlog.stdlib.BoundLogger) -> None:
        """Tell it again and again, a few minutes apart."""
        await repeat(self.tell, stop, seconds=LOOK_SECONDS, log=log)

    async def tell(self) -> int:
        """Tell readers of everybody whose day has passed, part by part; returns of how many."""
        told, after = 0, _FIRST
        while found := await self._part(after):
            told, after = told + len(found), found[-1]
        return told

    async def _part(self, after: UUID) -> list[UUID]:
        today = self._clock.today()
        async with self._database.transaction("registry.days_passed") as tx:
            await store.one_registrar_at_a_time(tx)
            was = await store.people_whose_day_passed(
                tx, today, after=after, most=self._part_people, sealer=self._registrar.sealer
            )
            await self._registrar.rewrite(tx, was, [weighed(person, today) for person, _ in was.values()])
        return list(was)
