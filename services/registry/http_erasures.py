"""HTTP of erasing people: asked by one reviewer of all payers concerned, confirmed by another. Ids and closed words, nothing personal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from services.registry import store_erasing
from services.registry.eraser import Eraser, KeyReused
from services.registry.erasing import ERASURE_ADVICE, ErasureCause, ErasureReason, Requester
from services.registry.events_in import DOOR_ADVICE, DoorReason
from services.registry.store_events import Key
from shared.actors import Actor, require
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role

SHOWN = 500
IdempotencyKey = Annotated[str | None, Header(min_length=8, max_length=100)]


class Request(BaseModel):
    """Why somebody is to be erased, who asks the office, and the number of the paper in the office's book: never a person's number."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    reason: ErasureCause
    requester: Requester
    paper: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$")]

    @field_validator("paper")
    @classmethod
    def _no_number_of_a_person(cls, paper: str) -> str:
        if re.search(r"[0-9]{9}", paper):
            raise PydanticCustomError("number_of_a_person", "a paper's number is not a person's")
        return paper


class Asked(BaseModel):
    """A request that waits for a second person."""

    erasure_id: UUID


class Erased(BaseModel):
    """A request that was confirmed, and who was erased by it."""

    erasure_id: UUID
    erased: list[UUID]


def add_routes(routes: APIRouter, runtime: Runtime, eraser: Eraser) -> None:
    """The routes."""
    _add_asking(routes, runtime, eraser)
    _add_deciding(routes, runtime, eraser)

    @routes.get("/v1/people/erasures")
    async def erasures(
        beneficiary_id: UUID | None = None,
        waiting: bool = False,
        most: Annotated[int, Query(ge=1, le=SHOWN)] = SHOWN,
    ) -> list[dict[str, Any]]:
        """Requests, the newest first, with who asked, who confirmed, why and by which paper."""
        async with runtime.database.reading() as tx:
            return await store_erasing.requests(tx, beneficiary_id, waiting=waiting, most=most)


def _add_asking(routes: APIRouter, runtime: Runtime, eraser: Eraser) -> None:
    @routes.post("/v1/people/{beneficiary_id}/erasures", response_model=Asked)
    async def ask(
        beneficiary_id: UUID,
        body: Request,
        *,
        idempotency_key: IdempotencyKey = None,
        actor: Actor = Depends(runtime.gate.dependency),
    ) -> dict[str, Any]:
        """Ask that a person is erased; it is done when another reviewer confirms it."""
        await _allowed(eraser, beneficiary_id, actor)
        key = _key(actor, idempotency_key, f"{beneficiary_id}|{body.model_dump_json()}")
        with _one_request_a_key():
            done = await eraser.ask(beneficiary_id, (body.reason, body.requester, body.paper), actor=actor, key=key)
        return _told(done)


def _add_deciding(routes: APIRouter, runtime: Runtime, eraser: Eraser) -> None:
    async def about(erasure_id: UUID, actor: Actor) -> None:
        if Role.REVIEWER not in actor.roles:
            require(actor, Role.REVIEWER, "")
        beneficiary_id = await eraser.about(erasure_id)
        if beneficiary_id is None:
            raise _problem(ErasureReason.ERASURE_UNKNOWN)
        await _allowed(eraser, beneficiary_id, actor)

    @routes.post("/v1/people/erasures/{erasure_id}/confirm", response_model=Erased)
    async def confirm(
        erasure_id: UUID, *, idempotency_key: IdempotencyKey = None, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Erase whom another reviewer asked for. It is for good."""
        await about(erasure_id, actor)
        with _one_request_a_key():
            done = await eraser.confirm(erasure_id, actor, key=_key(actor, idempotency_key, f"confirm|{erasure_id}"))
        told = _told(done)
        runtime.log.info("people_erased", actor=actor.id, count=len(told["erased"]))
        return told

    @routes.post("/v1/people/erasures/{erasure_id}/withdraw", response_model=Asked)
    async def withdraw(erasure_id: UUID, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Take a request back that nobody confirmed."""
        await about(erasure_id, actor)
        if refused := await eraser.withdraw(erasure_id, actor):
            raise _problem(refused)
        return {"erasure_id": erasure_id}


def _key(actor: Actor, key: str | None, request: str) -> Key | None:
    """Keys of this door are kept apart from those of the events' door."""
    return Key(actor.id, f"erasure:{key}", hashlib.sha256(request.encode()).hexdigest()) if key else None


@contextmanager
def _one_request_a_key() -> Iterator[None]:
    try:
        yield
    except KeyReused:
        raise Problem(DoorReason.IDEMPOTENCY_KEY_REUSED, DOOR_ADVICE[DoorReason.IDEMPOTENCY_KEY_REUSED], 422) from None


def _told(done: dict[str, Any] | ErasureReason) -> dict[str, Any]:
    if isinstance(done, ErasureReason):
        raise _problem(done)
    return done


def _problem(reason: ErasureReason) -> Problem:
    return Problem(reason, ERASURE_ADVICE[reason], 404 if reason is ErasureReason.ERASURE_UNKNOWN else 409)


async def _allowed(eraser: Eraser, beneficiary_id: UUID, actor: Actor) -> None:
    """For a reviewer of every payer concerned. A stranger to the role learns nothing, not even who is known."""
    if Role.REVIEWER not in actor.roles:
        require(actor, Role.REVIEWER, "")
    payers = await eraser.payers_of(beneficiary_id)
    if not payers:
        raise Problem("PERSON_UNKNOWN", status=404)
    for payer in payers:
        require(actor, Role.REVIEWER, payer)
