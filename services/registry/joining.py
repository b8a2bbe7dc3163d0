"""Merging and separating people by command: one proposes, another confirms, both have seen both sides. Everything in one transaction.

Readers learn it in the order in which it can be true: first who gives a number up, then who has it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.registry import store, store_files, store_merging, store_people
from services.registry.handlers import Registrar
from services.registry.merging import Act, ActKind, MergeReason, absorbed, released, why_not
from services.registry.pairs import Pair, PairReason, Paper, unseen
from services.registry.person import Person
from services.registry.sealing import Blocks
from shared.actors import Actor
from shared.clock import Clock
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.ids import random_id
from shared.outbox import OutEvent, put_events

Refusal = MergeReason | PairReason
Known = dict[UUID, tuple[Person, Blocks]]


class Joiner:
    """Takes proposals about pairs and does what was confirmed."""

    def __init__(self, database: Database, clock: Clock, registrar: Registrar) -> None:
        """Nothing is done before two people have asked."""
        self._database = database
        self._clock = clock
        self._registrar = registrar

    async def pair_of(self, act_id: UUID) -> Pair | None:
        """Whom a proposal is about; None for an unknown one."""
        async with self._database.reading() as tx:
            found = await store_merging.whom(tx, act_id)
        return Pair.of(*found) if found else None

    async def propose(
        self, kind: ActKind, merged_id: UUID, survivor_id: UUID, *, sight_id: UUID, paper: Paper, actor: Actor
    ) -> UUID | Refusal:
        """Keep a proposal under its id, or say why not. Both people must be known."""
        async with self._database.transaction("registry.propose_act") as tx:
            await store.one_registrar_at_a_time(tx)
            pair = Pair.of(merged_id, survivor_id)
            standing = await store_merging.standing(tx, merged_id, survivor_id)
            act = Act(random_id(), kind, merged_id, survivor_id, standing.merged_by if kind is ActKind.UNMERGE else None)
            if await store_merging.waiting_act(tx, pair):
                return MergeReason.ALREADY_PROPOSED
            known = await store_files.people_by_id(tx, pair, self._registrar.sealer)
            if any(person.is_erased for person, _ in known.values()):
                return MergeReason.PERSON_ERASED
            refused = await self._unseen(tx, pair, sight_id, actor=actor) or await _cannot(tx, act, known)
            if refused:
                return refused
            await store_merging.propose(tx, act, sight_id, paper, actor=actor, at=self._clock.now())
            await self._audit(tx, f"propose_{kind}", act, actor=actor)
        return act.act_id

    async def withdraw(self, act_id: UUID, actor: Actor) -> MergeReason | None:
        """Take a proposal back that nobody confirmed."""
        async with self._database.transaction("registry.withdraw_act") as tx:
            found = await store_merging.act(tx, act_id)
            if found is None:
                return MergeReason.ACT_UNKNOWN
            if found[2]:
                return MergeReason.ALREADY_CONFIRMED
            await store_merging.withdraw(tx, act_id)
            await self._audit(tx, f"withdraw_{found[0].kind}", found[0], actor=actor)
        return None

    async def confirm(self, act_id: UUID, sight_id: UUID, actor: Actor) -> dict[str, Any] | Refusal:
        """Do what was proposed, or say why not."""
        async with self._database.transaction("registry.confirm_act") as tx:
            await store.one_registrar_at_a_time(tx)
            found = await store_merging.act(tx, act_id)
            if found is None:
                return MergeReason.ACT_UNKNOWN
            act, proposed_by, is_confirmed = found
            if is_confirmed:
                return MergeReason.ALREADY_CONFIRMED
            if proposed_by == actor.id:
                return MergeReason.SECOND_PERSON_NEEDED
            pair = Pair.of(act.merged_id, act.survivor_id)
            known = await store_files.people_by_id(tx, pair, self._registrar.sealer)
            if any(person.is_erased for person, _ in known.values()):
                return MergeReason.PERSON_ERASED
            refused = await self._unseen(tx, pair, sight_id, actor=actor) or await _cannot(tx, act, known)
            if refused:
                return refused
            taken, late = await (self._merge if act.kind is ActKind.MERGE else self._separate)(tx, act, known)
            now = self._clock.now()
            await store_merging.confirm(tx, act_id, sight_id, taken, actor=actor, at=now)
            await store_merging.save_events(tx, act, now)
            await self._audit(tx, f"confirm_{act.kind}", act, actor=actor)
        told = {"kind": act.kind, "merged_id": act.merged_id, "survivor_id": act.survivor_id}
        return {"act_id": act_id, **told, "fields": list(taken), "rows_too_late": late}

    async def _merge(self, tx: Tx, act: Act, known: Known) -> tuple[tuple[str, ...], int]:
        goes, stays = known[act.merged_id][0], known[act.survivor_id][0]
        now, taken = absorbed(stays, goes)
        await store_merging.carry_over(tx, act, self._registrar.sealer.keys_of(goes.identity, goes.place))
        await self._registrar.rewrite(tx, known, [goes._replace(merged_into=act.survivor_id)])
        await self._registrar.rewrite(tx, known, [now])
        return taken, 0

    async def _separate(self, tx: Tx, act: Act, known: Known) -> tuple[tuple[str, ...], int]:
        (goes, goes_blocks), (stays, _) = known[act.merged_id], known[act.survivor_id]
        taken = await store_merging.taken_over(tx, act.survivor_id)
        late = await store_merging.carry_back(tx, act)
        await self._registrar.rewrite(tx, known, [released(stays, goes, taken)])
        merged = {act.merged_id: (goes._replace(merged_into=act.survivor_id), goes_blocks)}
        await self._registrar.rewrite(tx, merged, [goes])
        return tuple(taken), late

    async def _unseen(self, tx: Tx, pair: Pair, sight_id: UUID, *, actor: Actor) -> PairReason | None:
        seen = await store_people.sides(tx, pair, self._registrar.sealer)
        digests = (seen[pair.one].identity_digest, seen[pair.other].identity_digest)
        return unseen(await store_people.sight(tx, sight_id), pair, actor=actor.id, digests=digests)

    async def _audit(self, tx: Tx, what: str, act: Act, *, actor: Actor) -> None:
        now = self._clock.now()
        records = [AuditRecord(actor=actor.id, act=what, subject=str(who), at=now) for who in (act.merged_id, act.survivor_id)]
        await put_events(tx, [OutEvent(record.TOPIC, actor.id, record) for record in records], now)


async def _cannot(tx: Tx, act: Act, known: Known) -> MergeReason | None:
    (goes, _), (stays, _) = known[act.merged_id], known[act.survivor_id]
    same_life = (goes.life, goes.died_on) == (stays.life, stays.died_on)
    refused = why_not(act, await store_merging.standing(tx, act.merged_id, act.survivor_id), same_life=same_life)
    if refused is None and await store_merging.being_closed(tx, (act.merged_id, act.survivor_id)):
        return MergeReason.LIST_CLOSING
    return refused
