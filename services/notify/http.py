"""HTTP of notify: draw a round, opt out, take receipts, see a campaign, trace one person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.notify import campaigns, receipts, store
from services.notify.receipts import Receipt
from services.notify.store import Round
from shared.actors import Actor, require
from shared.database import Database
from shared.events import AuditRecord
from shared.issuing import EVERY_PAYER
from shared.outbox import OutEvent, put_events
from shared.process import Runtime
from shared.web import Problem
from shared.words import MessageStatus, Role

Campaign = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
RoundNumber = Annotated[int, Path(ge=1, le=99)]
Payer = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
RECEIPTS_MAX = 1_000


class ReceiptIn(BaseModel):
    """One receipt as the SMS centre posts it."""

    id: UUID
    status: Literal["delivered", "failed"]
    at: AwareDatetime


Receipts = Annotated[list[ReceiptIn], Field(max_length=RECEIPTS_MAX)]


def router(runtime: Runtime, wake: Callable[[], None]) -> APIRouter:
    """The routes. `wake` tells the sender that a round was drawn."""
    routes = APIRouter()
    _add_rounds(routes, runtime, wake)
    _add_receipts(routes, runtime)
    _add_reading(routes, runtime.database)
    return routes


def _add_rounds(routes: APIRouter, runtime: Runtime, wake: Callable[[], None]) -> None:
    actor_of: Callable[..., Actor] = runtime.gate.dependency

    @routes.post("/v1/campaigns/{campaign}/rounds/{number}")
    async def draw(
        *, campaign: Campaign, number: RoundNumber, payer: Payer = None, actor: Actor = Depends(actor_of)
    ) -> dict[str, Any]:
        """Draw a round and start sending it. Asked again, it answers with the round as it was drawn (`new` false)."""
        require(actor, Role.OPERATOR, payer or EVERY_PAYER)
        drawn = Round(campaign, number, payer, actor.id, runtime.clock.now())
        await _in_order(runtime.database, campaign, number)
        new = await campaigns.draw_round(runtime.database, drawn, parts_max=runtime.settings.sms_parts_max)
        wake()
        async with runtime.database.reading() as tx:
            return {"new": new, **(await store.campaign(tx, campaign))[number - 1]}

    @routes.post("/v1/people/{beneficiary_id}/opt-out")
    async def opt_out(beneficiary_id: UUID, actor: Actor = Depends(actor_of)) -> dict[str, bool]:
        """The person's phone gets no more texts."""
        require(actor, Role.OPERATOR, EVERY_PAYER)
        now = runtime.clock.now()
        audit = AuditRecord(actor=actor.id, act="opt_out", subject=str(beneficiary_id), at=now)
        async with runtime.database.transaction("notify.opt_out") as tx:
            await store.add_opt_out(tx, beneficiary_id, actor=actor.id, at=now)
            await put_events(tx, [OutEvent(audit.TOPIC, actor.id, audit)], now)
        return {"opted_out": True}


async def _in_order(database: Database, campaign: str, number: int) -> None:
    """Rounds are drawn one after the other: wording and patience depend on the number."""
    async with database.reading() as tx:
        drawn = len(await store.campaign(tx, campaign))
    if number > drawn + 1:
        raise Problem("ROUND_OUT_OF_ORDER", "Chưa gửi đợt trước của chiến dịch này.")


def _add_receipts(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post("/v1/receipts")
    async def take_receipts(body: Receipts) -> dict[str, int]:
        """What became of texts, told by the SMS centre; repeats and stale ones change nothing."""
        given = [Receipt(r.id, MessageStatus(r.status), r.at) for r in body]
        return {"changed": await receipts.book(runtime.database, given, runtime.clock.now())}


def _add_reading(routes: APIRouter, database: Database) -> None:
    @routes.get("/v1/campaigns/{campaign}")
    async def campaign_rounds(campaign: Campaign) -> dict[str, Any]:
        """Its rounds: people, texts, left out by reason, texts by status."""
        async with database.reading() as tx:
            return {"campaign": campaign, "rounds": await store.campaign(tx, campaign)}

    @routes.get("/v1/trace/{beneficiary_id}")
    async def trace(beneficiary_id: UUID) -> dict[str, Any]:
        """Why a person is or is not reminded, and the texts that serve them; no phone."""
        async with database.reading() as tx:
            found = await store.trace(tx, beneficiary_id)
        if found is None:
            raise Problem("PERSON_UNKNOWN", status=404)
        return found
