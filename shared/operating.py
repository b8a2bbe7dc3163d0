"""HTTP that every service offers its operators: set-aside records handled again, present state told again, publishing unlocked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from shared.actors import Actor, require
from shared.clock import Clock
from shared.issuing import EVERY_PAYER
from shared.redriving import REDRIVEN_MAX, Chosen, Redriver
from shared.republishing import Republisher
from shared.restoring import Lock, Refused, Unlocking
from shared.web import Problem
from shared.words import Role

UNLOCK_ADVICE = {
    "NOT_LOCKED": "Dịch vụ không bị khóa phát hành.",
    "UNLOCK_NOT_PROPOSED": "Chưa có người thứ nhất đề nghị mở khóa.",
    "SAME_PERSON": "Người xác nhận phải khác người đề nghị.",
    "SIGNATURE_DIFFERS": "Chữ ký không đúng với nội dung khóa hiện tại; hãy xem lại rồi ký.",
    "OTHER_CLUSTER": "Cơ sở dữ liệu được chép sang máy chủ khác; phải khôi phục bằng bản sao vật lý.",
}


class RedriveOrder(BaseModel):
    """Which set-aside records to handle again: these ids, or all that match topic and reason. A dry run changes nothing."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    ids: Annotated[list[UUID], Field(max_length=REDRIVEN_MAX)] = []
    topic: Annotated[str, Field(max_length=100)] | None = None
    reason: Annotated[str, Field(max_length=100)] | None = None
    dry_run: bool = False


class RepublishOrder(BaseModel):
    """Which topic to tell again: `begin` first (or go on with what was begun), then chunk after chunk until done."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    topic: Annotated[str, Field(max_length=100)]
    begin: bool = False


def router(
    actor_of: Callable[..., Actor], clock: Clock, *, redriver: Redriver, republisher: Republisher, unlocking: Unlocking
) -> APIRouter:
    """The routes, bound to one service."""
    routes = APIRouter()
    _add_redriving(routes, actor_of, redriver)
    _add_republishing(routes, actor_of, republisher)
    _add_unlocking(routes, actor_of, unlocking, clock=clock)
    return routes


def _add_redriving(routes: APIRouter, actor_of: Callable[..., Actor], redriver: Redriver) -> None:

    @routes.post("/v1/deadletters/redrive")
    async def redrive(order: RedriveOrder, actor: Actor = Depends(actor_of)) -> dict[str, Any]:
        """Handle set-aside records again; at most 1,000 at once, in the order they were read."""
        require(actor, Role.OPERATOR, EVERY_PAYER)
        done = await redriver.redrive(Chosen(order.ids, order.topic, order.reason), actor=actor.id, dry_run=order.dry_run)
        counts = Counter(one.outcome for one in done)
        return {"dry_run": order.dry_run, "counts": dict(counts), "records": [asdict(one) for one in done]}


def _add_republishing(routes: APIRouter, actor_of: Callable[..., Actor], republisher: Republisher) -> None:
    @routes.get("/v1/republish")
    async def republishable() -> list[str]:
        """Topics whose present state this service can tell again."""
        return republisher.topics

    @routes.post("/v1/republish")
    async def republish(order: RepublishOrder, actor: Actor = Depends(actor_of)) -> dict[str, Any]:
        """Begin to tell a topic again, or tell its next chunk. `waits`: the relay is behind, ask again a little later."""
        require(actor, Role.OPERATOR, EVERY_PAYER)
        if order.topic not in republisher.topics:
            raise Problem("TOPIC_NOT_OURS", status=404)
        try:
            told = await (republisher.begin(order.topic, actor=actor.id) if order.begin else republisher.tell(order.topic))
        except LookupError:
            raise Problem("REPUBLISH_NOT_BEGUN", "Chưa bắt đầu phát lại chủ đề này.") from None
        return asdict(told)


def _add_unlocking(routes: APIRouter, actor_of: Callable[..., Actor], unlocking: Unlocking, *, clock: Clock) -> None:
    @routes.get("/v1/restore")
    async def locked() -> dict[str, Any]:
        """Whether publishing is locked, and the statement whose hash two people sign."""
        lock = await unlocking.lock()
        return {"locked": False} if lock is None else {"locked": True, **_shown(lock)}

    @routes.post("/v1/restore/propose")
    async def propose(actor: Actor = Depends(actor_of)) -> dict[str, Any]:
        """The first signature, by an operator."""
        require(actor, Role.OPERATOR, EVERY_PAYER)
        return await _signed(unlocking.propose(actor, clock.now()))

    @routes.post("/v1/restore/confirm")
    async def confirm(actor: Actor = Depends(actor_of)) -> dict[str, Any]:
        """The second signature, by somebody who approves payments: publishing goes on."""
        require(actor, Role.APPROVER, EVERY_PAYER)
        return await _signed(unlocking.confirm(actor, clock.now()))


async def _signed(step: Awaitable[Lock]) -> dict[str, Any]:
    try:
        return _shown(await step)
    except Refused as refused:
        raise Problem(str(refused), UNLOCK_ADVICE[str(refused)]) from None


def _shown(lock: Lock) -> dict[str, Any]:
    return {**asdict(lock), "sha256": lock.sha256}
