"""Looks for people who may be one: keys of who changed, pairs by their keys, points. Nothing is merged here; candidates wait for a person.

Intake takes what is certain for one person as rows come (`matching.py`). This is the rest, beside it: across lists, communes and
programmes, some hundred people at a time, everything set-wise.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from uuid import UUID

import structlog

from services.registry import store_people
from services.registry.pairs import Pair
from services.registry.scoring import LIKELY, blocks, compared, points
from services.registry.sealing import Sealer
from services.registry.store_people import Candidate, Seen
from shared.clock import Clock
from shared.database import Database, Tx
from shared.loops import repeat

PART_PEOPLE = 500
SHARED_MAX = 60
"""People under one key; a key that more share is counted and left aside."""
LOOK_SECONDS = 300.0
_FIRST = UUID(int=0)


class Looker:
    """Keeps keys and candidates up to date."""

    def __init__(
        self, database: Database, clock: Clock, sealer: Sealer, *, part_people: int = PART_PEOPLE, shared_max: int = SHARED_MAX
    ) -> None:
        """Nothing is looked at before it is asked."""
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._part_people = part_people
        self._shared_max = shared_max

    async def look(self, *, parts_max: int | None = None) -> dict[str, int]:
        """Look at everybody who reads otherwise than last time, or at so many parts; tells how many people, candidates, wide keys."""
        told, after, parts = Counter({"people": 0, "candidates": 0, "wide_keys": 0}), _FIRST, 0
        while parts_max is None or parts < parts_max:
            async with self._database.transaction("registry.look_part") as tx:
                seen = await self._part(tx, after, told)
            if not seen:
                break
            after, parts = max(seen), parts + 1
        return dict(told)

    async def keep_looking(self, stop: asyncio.Event, log: structlog.stdlib.BoundLogger) -> None:
        """A little every few minutes, so that candidates are there when an officer asks, and no payroll waits for it."""
        await repeat(partial(self.look, parts_max=1), stop, seconds=LOOK_SECONDS, log=log)

    async def _part(self, tx: Tx, after: UUID, told: Counter[str]) -> Mapping[UUID, Seen]:
        await store_people.one_looker_at_a_time(tx)
        seen = await store_people.to_look_at(tx, after, self._part_people, self._sealer)
        if not seen:
            return seen
        await store_people.save_keys(tx, {who: self._sealer.block_keys(blocks(one.side)) for who, one in seen.items()})
        pairs, wide = await store_people.pairs(tx, seen, self._shared_max)
        partners = {who for pair in pairs for who in pair} - seen.keys()
        found = candidates(pairs, {**seen, **await store_people.sides(tx, partners, self._sealer)})
        await store_people.save_candidates(tx, seen, found, self._clock.now())
        await store_people.save_looked(tx, seen)
        told.update(people=len(seen), candidates=len(found), wide_keys=wide)
        return seen


def candidates(pairs: Iterable[Pair], seen: Mapping[UUID, Seen]) -> list[Candidate]:
    """The pairs that are likely enough to be shown. Pure."""
    found = []
    for pair in pairs:
        one, other = seen[pair.one], seen[pair.other]
        evidence = compared(one.side, other.side)
        total = points(evidence)
        if total >= LIKELY:
            found.append(Candidate(pair, total, evidence, (one.identity_digest, other.identity_digest)))
    return found
