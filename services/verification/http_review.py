"""HTTP of the review queue: what waits, both sides of a case for one reviewer, a decision. Identities are shown to reviewers only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.verification import store_review
from services.verification.review import Deciding, Review
from services.verification.reviewing import ADVICE, ReviewEvidence, ReviewReason, ReviewRefusal, Sameness
from shared.actors import Actor, require
from shared.database import Database
from shared.fields import Opaque
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role

CASES_SHOWN = 200


class DecisionIn(BaseModel):
    """A decision: which sight it rests on, about which register entry, what, why, by which paper."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    sight_id: UUID
    entry: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{8,128}$")]
    verdict: Sameness
    reason: ReviewReason
    evidence: ReviewEvidence
    replaces: UUID | None = None


def add_review(routes: APIRouter, runtime: Runtime, review: Review) -> None:
    """The routes of the queue."""
    _add_listing(routes, runtime.database)
    _add_deciding(routes, review, runtime.gate.dependency)


def _add_listing(routes: APIRouter, database: Database) -> None:
    @routes.get("/v1/review")
    async def waiting(
        *,
        payer: Annotated[Opaque | None, Query()] = None,
        after_at: datetime | None = None,
        after_id: UUID | None = None,
        most: Annotated[int, Query(ge=1, le=CASES_SHOWN)] = CASES_SHOWN,
    ) -> dict[str, Any]:
        """A page of undecided cases, oldest first: who by id, outcome, evidence; nothing personal. `question`: what somebody must find out
        where nothing can be decided. `next`: what to ask for the page
        behind it, none on the last one; `waiting`: how many there are on all pages."""
        after = (after_at, after_id) if after_at and after_id else None
        async with database.reading() as tx:
            page = await store_review.cases(tx, payer, after, most=most + 1)
        shown = page.cases[:most]
        more = len(page.cases) > most
        behind = {"after_at": shown[-1]["checked_at"], "after_id": shown[-1]["beneficiary_id"]} if more else None
        return {"cases": shown, "waiting": page.waiting, "next": behind}

    @routes.get("/v1/review/{beneficiary_id}/decisions")
    async def history(beneficiary_id: UUID) -> list[dict[str, Any]]:
        """Everything that was decided of one person, with decider, reason and paper."""
        async with database.reading() as tx:
            return await store_review.decision_history(tx, beneficiary_id)


def _add_deciding(routes: APIRouter, review: Review, actor_of: Callable[..., Actor]) -> None:
    @routes.post("/v1/review/{beneficiary_id}/sights")
    async def see(beneficiary_id: UUID, actor: Actor = Depends(actor_of)) -> dict[str, Any]:
        """Both sides field by field. The sight is kept, and told to the audit."""
        await _allowed(review, beneficiary_id, actor)
        return await review.see(beneficiary_id, actor)

    @routes.post("/v1/review/{beneficiary_id}/decisions")
    async def decide(beneficiary_id: UUID, body: DecisionIn, actor: Actor = Depends(actor_of)) -> dict[str, Any]:
        """Decide what was seen; the person is judged by it at once."""
        await _allowed(review, beneficiary_id, actor)
        deciding = Deciding(body.sight_id, body.entry, body.verdict, body.reason, body.evidence, body.replaces)
        done = await review.decide(beneficiary_id, deciding, actor)
        if isinstance(done, ReviewRefusal):
            raise Problem(done, ADVICE[done])
        return done


async def _allowed(review: Review, beneficiary_id: UUID, actor: Actor) -> None:
    """A stranger to the role learns nothing, not even who is known."""
    if Role.REVIEWER not in actor.roles:
        require(actor, Role.REVIEWER, "")
    payer = await review.payer_of(beneficiary_id)
    if payer is None:
        raise Problem("PERSON_UNKNOWN", status=404)
    require(actor, Role.REVIEWER, payer)
