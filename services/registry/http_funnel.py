"""HTTP of the cashless funnel: cells that add up, what is best done next, who it concerns, who changed their mind. Nothing personal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from services.registry import store_funnel
from services.registry.visits import ADVICE, Heard, VisitEvidence, VisitReason, VisitRefusal, Visits
from shared.actors import Actor, require
from shared.clock import LOCAL
from shared.fields import Opaque, Period
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role, Wish

PEOPLE_SHOWN = 1_000
COUNTS = ("people", "gone", "cannot", "base", "exists", "wished", "verified", "paid", "back_to_cash")
PeriodQuery = Annotated[Period, Query()]
PayerQuery = Annotated[Opaque | None, Query()]


def add_routes(routes: APIRouter, runtime: Runtime) -> None:
    """The routes of the funnel."""
    database, clock = runtime.database, runtime.clock

    @routes.get("/v1/funnel")
    async def funnel(period: PeriodQuery, payer: PayerQuery = None) -> dict[str, Any]:
        """People on the period's lists by commune, programme and band of age: account exists, wished, verified, paid on it; what is best
        done next; and changes of wish within the month. `people = gone + cannot + base`; shares are of `base`."""
        since, until = _month(period)
        async with database.reading() as tx:
            cells = await store_funnel.cells(tx, period, clock.today(), payer)
            actions = await store_funnel.actions(tx, period, clock.today(), payer)
            changes = await store_funnel.changes(tx, since, until, payer)
        total = added_up(cells)
        return {"period": period, "cells": cells, "total": total | shares(total), "actions": actions, "changes": changes}

    @routes.get("/v1/funnel/people")
    async def people(
        *,
        period: PeriodQuery,
        payer: PayerQuery = None,
        action: Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$")] = None,
        after: UUID | None = None,
        most: Annotated[int, Query(ge=1, le=PEOPLE_SHOWN)] = PEOPLE_SHOWN,
    ) -> list[dict[str, Any]]:
        """A page of people by id with stage, next action and its reason; the page behind it begins after its last id."""
        async with database.reading() as tx:
            return await store_funnel.people(tx, period, clock.today(), payer=payer, action=action, after=after, most=most)


class HeardIn(BaseModel):
    """What was heard at a home visit."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    wish: Wish
    reason: VisitReason | None = None
    evidence: VisitEvidence | None = None
    review_on: date | None = None


def add_visits(routes: APIRouter, runtime: Runtime, visits: Visits) -> None:
    """The route of home visits."""
    actor_of: Callable[..., Actor] = runtime.gate.dependency

    @routes.post("/v1/people/{beneficiary_id}/visits")
    async def visit(beneficiary_id: UUID, body: HeardIn, actor: Actor = Depends(actor_of)) -> dict[str, int]:
        """Keep a wish with its reason, or put somebody into the "cannot" class: with evidence and a day of review, decided by the actor."""
        if Role.LIST_OFFICER not in actor.roles:
            require(actor, Role.LIST_OFFICER, "")
        payer = await visits.payer_of(beneficiary_id)
        if payer is None:
            raise Problem("PERSON_UNKNOWN", status=404)
        require(actor, Role.LIST_OFFICER, payer)
        done = await visits.take(beneficiary_id, Heard(body.wish, body.reason, body.evidence, body.review_on), actor)
        if isinstance(done, VisitRefusal):
            raise Problem(done, ADVICE[done])
        return {"visit": done}


def added_up(cells: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The counts of cells together."""
    held = list(cells)
    return {name: sum(cell[name] for cell in held) for name in COUNTS}


def shares(total: Mapping[str, int]) -> dict[str, int]:
    """Parts of ten thousand of those who could have an account: 536 is 5.36 %."""
    base = total["base"]
    names = ("exists", "wished", "verified", "paid")
    return {f"{name}_per_10000": (total[name] * 10_000 + base // 2) // base if base else 0 for name in names}


def _month(period: str) -> tuple[datetime, datetime]:
    since = datetime.strptime(f"{period}-01", "%Y-%m-%d").replace(tzinfo=LOCAL)
    return since, (since + timedelta(days=32)).replace(day=1)
