"""HTTP of who is who: pairs that may be one person, both sides, a decision. Identities are shown to reviewers of both payers only."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.registry import store_merging, store_people
from services.registry.joining import Joiner
from services.registry.looking import Looker
from services.registry.merging import MERGE_ADVICE, ActKind, MergeReason
from services.registry.pairing import Pairing
from services.registry.pairs import PAIR_ADVICE, Pair, PairReason, Paper
from services.registry.store_people import PairAfter
from shared.actors import Actor, require
from shared.fields import Opaque
from shared.issuing import EVERY_PAYER
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role

CANDIDATES_SHOWN = 200


class Apart(BaseModel):
    """Two are two: which sight that rests on, and which paper."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    sight_id: UUID
    paper: Paper


class Proposal(BaseModel):
    """That one is the other one and goes into them, or comes out of them again."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    kind: ActKind
    merged_id: UUID
    survivor_id: UUID
    sight_id: UUID
    paper: Paper


class Confirmation(BaseModel):
    """What the second person has seen."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    sight_id: UUID


def add_routes(routes: APIRouter, runtime: Runtime, *, looker: Looker, pairing: Pairing, joiner: Joiner) -> None:
    """The routes."""
    _add_looking(routes, runtime, looker)
    _add_pairs(routes, runtime, pairing)
    _add_merging(routes, runtime, pairing, joiner=joiner)
    _add_knowing(routes, runtime)


def _add_looking(routes: APIRouter, runtime: Runtime, looker: Looker) -> None:
    @routes.post("/v1/people/look")
    async def look(actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, int]:
        """Look for people who may be one, to the end. A second time nothing is left to look at."""
        require(actor, Role.OPERATOR, EVERY_PAYER)
        told = await looker.look()
        runtime.log.info("people_looked_at", actor=actor.id, count=told["people"])
        return told

    @routes.get("/v1/people/candidates")
    async def candidates(
        *,
        payer: Annotated[Opaque | None, Query()] = None,
        after_points: Annotated[int | None, Query(ge=0, le=1_000)] = None,
        after_found_at: AwareDatetime | None = None,
        after_one: UUID | None = None,
        after_other: UUID | None = None,
        most: Annotated[int, Query(ge=1, le=CANDIDATES_SHOWN)] = CANDIDATES_SHOWN,
    ) -> dict[str, Any]:
        """A page of pairs nobody has decided about, the likeliest first: ids, points and findings, nothing personal. `next`: what to ask
        for the page behind it, none on the last one."""
        after = PairAfter(after_points, after_found_at, after_one, after_other)
        async with runtime.database.reading() as tx:
            found = await store_people.open_candidates(tx, payer, after if None not in after else PairAfter(), most + 1)
        shown, last = found[:most], found[most - 1 : most]
        behind = {f"after_{name}": last[0][name] for name in PairAfter._fields} if len(found) > most else None
        return {"pairs": shown, "next": behind}


def _add_pairs(routes: APIRouter, runtime: Runtime, pairing: Pairing) -> None:
    @routes.post("/v1/people/pairs/{one}/{other}/sights")
    async def see(one: UUID, other: UUID, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Both sides field by field. The sight is kept, and told to the audit."""
        return await pairing.see(await allowed(pairing, one, other, actor=actor), actor)

    @routes.post("/v1/people/pairs/{one}/{other}/apart")
    async def apart(one: UUID, other: UUID, body: Apart, *, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """The two are two, until one of them reads otherwise."""
        pair = await allowed(pairing, one, other, actor=actor)
        done = await pairing.tell_apart(pair, body.sight_id, paper=body.paper, actor=actor)
        if isinstance(done, PairReason):
            raise Problem(done, PAIR_ADVICE[done])
        return {"decision_id": done}


def _add_merging(routes: APIRouter, runtime: Runtime, pairing: Pairing, *, joiner: Joiner) -> None:
    async def about(act_id: UUID, actor: Actor) -> None:
        pair = await joiner.pair_of(act_id)
        if pair is None:
            raise _problem(MergeReason.ACT_UNKNOWN)
        await allowed(pairing, *pair, actor=actor)

    @routes.post("/v1/people/merges")
    async def propose(body: Proposal, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Propose a merge or a separation; it is done when another reviewer confirms it."""
        await allowed(pairing, body.merged_id, body.survivor_id, actor=actor)
        said = (body.kind, body.merged_id, body.survivor_id)
        done = await joiner.propose(*said, sight_id=body.sight_id, paper=body.paper, actor=actor)
        if isinstance(done, MergeReason | PairReason):
            raise _problem(done)
        return {"act_id": done}

    @routes.post("/v1/people/merges/{act_id}/confirm")
    async def confirm(act_id: UUID, body: Confirmation, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Do what another reviewer proposed. Nothing of an identity is told back."""
        await about(act_id, actor)
        done = await joiner.confirm(act_id, body.sight_id, actor)
        if isinstance(done, MergeReason | PairReason):
            raise _problem(done)
        runtime.log.info("people_joined", act=done["kind"], actor=actor.id)
        return done

    @routes.post("/v1/people/merges/{act_id}/withdraw")
    async def withdraw(act_id: UUID, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Take a proposal back that nobody confirmed."""
        await about(act_id, actor)
        if refused := await joiner.withdraw(act_id, actor):
            raise _problem(refused)
        return {"act_id": act_id}

    @routes.get("/v1/people/{beneficiary_id}/merges")
    async def history(beneficiary_id: UUID) -> list[dict[str, Any]]:
        """Everything proposed and done about one person and others, with who and by which paper."""
        async with runtime.database.reading() as tx:
            return await store_merging.acts_of(tx, beneficiary_id)


def _add_knowing(routes: APIRouter, runtime: Runtime) -> None:
    @routes.get("/v1/people/{beneficiary_id}/known")
    async def known(
        beneficiary_id: UUID, on: Annotated[date | None, Query()] = None, at: Annotated[AwareDatetime | None, Query()] = None
    ) -> dict[str, Any]:
        """What was known of one person at a moment (now, when none is given) about a day (today): ids, words, periods and sums. A line is
        `changed` when something was said about it after it was listed, also where that was taken back again."""
        async with runtime.database.reading() as tx:
            found = await store_merging.known_at(tx, beneficiary_id, at or runtime.clock.now(), on or runtime.clock.today())
        if found is None:
            raise Problem("PERSON_UNKNOWN", status=404)
        return found


def _problem(reason: MergeReason | PairReason) -> Problem:
    advice = MERGE_ADVICE[reason] if isinstance(reason, MergeReason) else PAIR_ADVICE[reason]
    return Problem(reason, advice, 404 if reason is MergeReason.ACT_UNKNOWN else 409)


async def allowed(pairing: Pairing, one: UUID, other: UUID, *, actor: Actor) -> Pair:
    """The pair, for a reviewer of both payers. A stranger to the role learns nothing, not even who is known."""
    if Role.REVIEWER not in actor.roles:
        require(actor, Role.REVIEWER, "")
    if one == other:
        raise Problem(PairReason.SAME_PERSON, PAIR_ADVICE[PairReason.SAME_PERSON], 422)
    pair = Pair.of(one, other)
    payers = await pairing.payers_of(pair)
    if payers is None:
        raise Problem("PERSON_UNKNOWN", status=404)
    for payer in payers:
        require(actor, Role.REVIEWER, payer)
    return pair
