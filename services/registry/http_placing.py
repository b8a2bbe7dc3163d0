"""HTTP of split units: who waits for a decision about their commune, the address (audited), the decision. Ids, codes and sums."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.registry import store_placing
from services.registry.placer import DECISIONS_MAX, Placer
from services.registry.placing import PLACE_ADVICE, AreaEvidence, Decision, PlaceReason
from shared.actors import Actor, require
from shared.fields import AreaCode, Opaque
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role

CASES_SHOWN = 500
FIRST = UUID(int=0)
After = Annotated[UUID, Query()]
Most = Annotated[int, Query(ge=1, le=CASES_SHOWN)]


class Said(BaseModel):
    """Where the person of one case lives, and what shows it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    case_id: UUID
    area: AreaCode
    evidence: AreaEvidence


class Decisions(BaseModel):
    """All or none are taken."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    decisions: Annotated[list[Said], Field(min_length=1, max_length=DECISIONS_MAX)]


def add_routes(routes: APIRouter, runtime: Runtime, placer: Placer) -> None:
    """The routes."""
    _add_reading(routes, runtime)
    _add_deciding(routes, runtime, placer)


def _add_reading(routes: APIRouter, runtime: Runtime) -> None:
    @routes.get("/v1/areas/cases")
    async def cases(
        payer: Annotated[Opaque | None, Query()] = None, after: After = FIRST, most: Most = CASES_SHOWN
    ) -> dict[str, Any]:
        """Enrolments of split units that wait for a decision, by page: `after` is the last case of the page before."""
        async with runtime.database.reading() as tx:
            return _page(await store_placing.waiting(tx, payer, after=after, most=most), most)

    @routes.get("/v1/areas/cases/late")
    async def late(after: After = FIRST, most: Most = CASES_SHOWN) -> dict[str, Any]:
        """Enrolments that were placed after their list had closed and whose month no line carries yet: owed, and on nobody's list."""
        async with runtime.database.reading() as tx:
            return _page(await store_placing.too_late(tx, after=after, most=most), most)


def _add_deciding(routes: APIRouter, runtime: Runtime, placer: Placer) -> None:
    @routes.post("/v1/areas/cases/{case_id}/sights")
    async def see(case_id: UUID, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """The address that the list gives. Told to the audit first."""
        _reviewer(actor)
        payer = await placer.payer_of(case_id)
        if payer is None:
            raise _problem(PlaceReason.CASE_UNKNOWN)
        require(actor, Role.REVIEWER, payer)
        return await placer.see(case_id, actor)

    @routes.post("/v1/areas/decisions")
    async def decide(told: Decisions, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Put people into communes, all or none. A reviewer of both lists decides: of the one they stand on and of the one they go to."""
        _reviewer(actor)
        said = [Decision(one.case_id, one.area, one.evidence) for one in told.decisions]
        for payer in await placer.payers_of(said):
            require(actor, Role.REVIEWER, payer)
        done = await placer.decide(said, actor)
        if isinstance(done, PlaceReason):
            raise _problem(done)
        runtime.log.info("people_placed", actor=actor.id, count=done["decided"])
        return done


def _reviewer(actor: Actor) -> None:
    """A stranger to the role learns nothing, not even which cases there are."""
    if Role.REVIEWER not in actor.roles:
        require(actor, Role.REVIEWER, "")


def _problem(reason: PlaceReason) -> Problem:
    return Problem(reason, PLACE_ADVICE[reason], 404 if reason is PlaceReason.CASE_UNKNOWN else 409)


def _page(cases: list[dict[str, Any]], most: int) -> dict[str, Any]:
    return {"cases": cases, "next": {"after": cases[-1]["case_id"]} if len(cases) == most else None}
