"""HTTP that every service offers its operators: set-aside records handled again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from shared.actors import EVERY_PAYER, Actor, require
from shared.redriving import REDRIVEN_MAX, Chosen, Redriver
from shared.words import Role


class RedriveOrder(BaseModel):
    """Which set-aside records to handle again: these ids, or all that match topic and reason. A dry run changes nothing."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    ids: Annotated[list[UUID], Field(max_length=REDRIVEN_MAX)] = []
    topic: Annotated[str, Field(max_length=100)] | None = None
    reason: Annotated[str, Field(max_length=100)] | None = None
    dry_run: bool = False


def router(actor_of: Callable[..., Actor], redriver: Redriver) -> APIRouter:
    """The routes, bound to one service."""
    routes = APIRouter()

    @routes.post("/v1/deadletters/redrive")
    async def redrive(order: RedriveOrder, actor: Actor = Depends(actor_of)) -> dict[str, Any]:
        """Handle set-aside records again; at most 1,000 at once, in the order they were read."""
        require(actor, Role.OPERATOR, EVERY_PAYER)
        done = await redriver.redrive(Chosen(order.ids, order.topic, order.reason), actor=actor.id, dry_run=order.dry_run)
        counts = Counter(one.outcome for one in done)
        return {"dry_run": order.dry_run, "counts": dict(counts), "records": [asdict(one) for one in done]}

    return routes
