"""Looks for people who may be one: keys of who changed, pairs by their keys, points. Nothing is merged here; candidates wait for a person.

Intake takes what is certain for one person as rows come (`matching.py`). This is the rest, beside it: across lists, communes and
programmes, some hundred people at a time, everything set-wise.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from functools import partial
from time import monotonic
from uuid import UUID

import structlog

from services.registry import store_people
from services.registry.areas import Areas
from services.registry.pairs import Pair
from services.registry.scoring import LIKELY, blocks, compared, points
from services.registry.sealing import Sealer
from services.registry.store_people import Candidate, Seen
from services.registry.whereabouts import Whereabouts
from shared.clock import Clock
from shared.database import Database, Tx
from shared.loops import repeat

PART_PEOPLE = 250
SHARED_MAX = 60
"""People under one key; a key that more share is counted and left aside."""
LOOK_SECONDS = 300.0
PAUSE_SECONDS = 0.5
RESTS = 3
"""A part that nobody asked for is followed by so many times as long as it took, and by `PAUSE_SECONDS` at least: some 20,000 people a
minute where a part takes 0.15 seconds, which is a fifth of one core (457 us a person, a third of it PostgreSQL's), fewer on a busy
machine."""
_FIRST = UUID(int=0)


class Looker:
    """Keeps keys and candidates up to date."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        *,
        areas: Areas,
        part_people: int = PART_PEOPLE,
        shared_max: int = SHARED_MAX,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        """Nothing is looked at before it is asked."""
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._areas = areas
        self._part_people = part_people
        self._shared_max = shared_max
        self._pause_seconds = pause_seconds

    async def look(self) -> dict[str, int]:
        """Look at everybody who reads otherwise than last time; tells how many people, candidates, wide keys."""
        told = Counter({"people": 0, "candidates": 0, "wide_keys": 0})
        async for _ in self._parts(told):
            pass
        return dict(told)

    async def keep_looking(self, stop: asyncio.Event, log: structlog.stdlib.BoundLogger) -> None:
        """The same every few minutes with a rest after each part, so that candidates are there when an officer asks, and no payroll waits
        for it."""
        await repeat(partial(self._look_slowly, stop), stop, seconds=LOOK_SECONDS, log=log)

    async def _look_slowly(self, stop: asyncio.Event) -> None:
        began = monotonic()
        async for _ in self._parts(Counter()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(self._pause_seconds, RESTS * (monotonic() - began)))
            if stop.is_set():
                return
            began = monotonic()

    async def _parts(self, told: Counter[str]) -> AsyncIterator[UUID]:
        """Part after part, each in a transaction of its own; the last person looked at."""
        after = _FIRST
        while True:
            async with self._database.transaction("registry.look_part") as tx:
                seen = await self._part(tx, after, told)
            if not seen:
                return
            after = max(seen)
            yield after

    async def _part(self, tx: Tx, after: UUID, told: Counter[str]) -> Mapping[UUID, Seen]:
        await store_people.one_looker_at_a_time(tx)
        seen = await store_people.to_look_at(tx, after, self._part_people, self._sealer)
        if not seen:
            return seen
        await store_people.save_keys(
            tx, {who: self._sealer.block_keys(blocks(one.side, self._areas)) for who, one in seen.items()}
        )
        pairs, wide = await store_people.pairs(tx, seen, self._shared_max)
        partners = {who for pair in pairs for who in pair} - seen.keys()
        known = {**seen, **await store_people.sides(tx, partners, self._sealer)}
        found = candidates(pairs, known, Whereabouts(self._areas, self._clock.today()))
        await store_people.save_candidates(tx, seen, found, self._clock.now())
        await store_people.save_looked(tx, seen)
        told.update(people=len(seen), candidates=len(found), wide_keys=wide)
        return seen


def candidates(pairs: Iterable[Pair], seen: Mapping[UUID, Seen], at: Whereabouts) -> list[Candidate]:
    """The pairs that are likely enough to be shown. Pure."""
    found = []
    for pair in pairs:
        one, other = seen[pair.one], seen[pair.other]
        evidence = compared(one.side, other.side, at)
        total = points(evidence)
        if total >= LIKELY:
            found.append(Candidate(pair, total, evidence, (one.identity_digest, other.identity_digest)))
    return found
