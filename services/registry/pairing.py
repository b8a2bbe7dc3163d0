"""Two people side by side: somebody sees both, and decides. Whoever sees is named in `audit.v1` before anything is shown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.registry import store_people
from services.registry.areas import Areas
from services.registry.pairs import Pair, PairReason, PairSight, Paper, unseen
from services.registry.scoring import compared, points
from services.registry.sealing import Sealer
from services.registry.store_people import Seen
from services.registry.whereabouts import Whereabouts
from shared.actors import Actor
from shared.clock import Clock
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.ids import random_id
from shared.outbox import OutEvent, put_events

Sides = tuple[Seen, Seen]


class Pairing:
    """Shows pairs and takes the decision that two are two."""

    def __init__(self, database: Database, clock: Clock, sealer: Sealer, *, areas: Areas) -> None:
        """The sealer opens what is shown; `areas`: what became of communes."""
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._areas = areas

    async def payers_of(self, pair: Pair) -> set[str] | None:
        """Whose lists the two are on; None when one of them is unknown."""
        async with self._database.reading() as tx:
            sides = await self._sides(tx, pair)
        return {side.payer for side in sides} if sides else None

    async def see(self, pair: Pair, actor: Actor) -> dict[str, Any]:
        """Both sides field by field, for one pair of eyes. Both must be known."""
        now = self._clock.now()
        async with self._database.transaction("registry.see_pair") as tx:
            one, other = await self._known(tx, pair)
            sight = PairSight(random_id(), pair, (one.identity_digest, other.identity_digest), actor.id)
            await store_people.save_sight(tx, sight, now)
            records = [AuditRecord(actor=actor.id, act="pair_sight", subject=str(who), at=now) for who in pair]
            await put_events(tx, [OutEvent(record.TOPIC, actor.id, record) for record in records], now)
        evidence = compared(one.side, other.side, Whereabouts(self._areas, self._clock.today()))
        return {
            "sight_id": sight.sight_id,
            "points": points(evidence),
            "evidence": evidence._asdict(),
            "fields": _fields(one, other),
        }

    async def tell_apart(self, pair: Pair, sight_id: UUID, *, paper: Paper, actor: Actor) -> UUID | PairReason:
        """The two are two. Holds while both identities read as they were seen."""
        now = self._clock.now()
        async with self._database.transaction("registry.tell_apart") as tx:
            await store_people.one_looker_at_a_time(tx)
            one, other = await self._known(tx, pair)
            sight = await store_people.sight(tx, sight_id)
            digests = (one.identity_digest, other.identity_digest)
            if refused := unseen(sight, pair, actor=actor.id, digests=digests):
                return refused
            assert sight, "refused above"
            if await store_people.told_apart(tx, sight):
                return PairReason.ALREADY_DECIDED
            decision_id = random_id()
            await store_people.tell_apart(tx, decision_id, sight, paper, actor=actor, at=now)
            records = [AuditRecord(actor=actor.id, act="pair_apart", subject=str(who), at=now) for who in pair]
            await put_events(tx, [OutEvent(record.TOPIC, actor.id, record) for record in records], now)
        return decision_id

    async def _known(self, tx: Tx, pair: Pair) -> Sides:
        sides = await self._sides(tx, pair)
        assert sides, "the caller asked for the payers of both first"
        return sides

    async def _sides(self, tx: Tx, pair: Pair) -> Sides | None:
        seen = await store_people.sides(tx, pair, self._sealer)
        return (seen[pair.one], seen[pair.other]) if len(seen) == len(pair) else None


def _fields(one: Seen, other: Seen) -> list[dict[str, str | None]]:
    """What a reviewer compares with a paper; of an account only whether it is the same (in the evidence)."""
    left, right = one.side.identity.model_dump(), other.side.identity.model_dump()
    fields = [{"field": name, "one": left[name], "other": right[name]} for name in left]
    places = (one.side.place, other.side.place)
    return [*fields, {"field": "hamlet", "one": places[0].hamlet, "other": places[1].hamlet}]
