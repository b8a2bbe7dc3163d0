"""The HTTP door for ministries: `POST /v1/beneficiary-events`, the same intake as the topic's. Holds no personal data in the clear.

Everything of a request takes effect in one transaction together with the answer that is kept under its idempotency key. An event that was
taken before is `repeated`, by its source, record and sequence, whichever door it came through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.registry import events_in, store, store_events
from services.registry.door import Door, payer_named
from services.registry.events_in import DOOR_ADVICE, BadBody, DoorReason, Read
from services.registry.records import Outcome
from services.registry.store_events import Key
from shared.actors import Actor
from shared.applying import apply
from shared.database import Tx
from shared.errors import NotAllowed
from shared.events import BY_TYPE, Message, MinistryMessage
from shared.issuing import EVERY_PAYER
from shared.process import Runtime
from shared.records import Received
from shared.web import Problem
from shared.words import Role

_STATUS = {DoorReason.BODY_TOO_LARGE: 413, DoorReason.TOO_MANY_EVENTS: 413, DoorReason.MEDIA_TYPE_UNKNOWN: 415}
TYPES = sorted(kind for kind, model in BY_TYPE.items() if issubclass(model, MinistryMessage))
_EVENT = {
    "type": "object",
    "required": ["specversion", "id", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "maxLength": 200, "description": "New for every event; the same when it is sent again."},
        "type": {"enum": TYPES, "description": "The schema of `data` is docs/events/<type>.json."},
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object"},
    },
}
_BODY = {
    "required": True,
    "content": {
        events_in.ONE: {"schema": _EVENT},
        events_in.MANY: {"schema": {"type": "array", "maxItems": events_in.EVENTS_MAX, "items": _EVENT}},
        events_in.LINES: {"schema": {"type": "string", "description": "One event per line."}},
    },
}


class EventOutcome(BaseModel):
    """What became of one event. `outcome`: applied, repeated, stale, conflict, refused, no_person, waits_for_key or unreadable."""

    index: int
    id: str | None
    source: str | None = None
    record: str | None = None
    source_sequence: int | None = None
    outcome: str
    reason: str | None = None
    notes: list[str] = []
    advice: str = ""


class EventsAnswer(BaseModel):
    """What became of a request's events: counts by outcome, and each in the order of the request."""

    events: int
    outcomes: dict[str, int]
    items: list[EventOutcome]


def add_routes(routes: APIRouter, runtime: Runtime, door: Door) -> None:
    """The door."""

    @routes.post(
        "/v1/beneficiary-events", response_model=EventsAnswer, openapi_extra={"requestBody": _BODY}, tags=["ministries"]
    )  # fmt: skip
    async def take_events(
        request: Request,
        *,
        content_type: Annotated[str, Header()] = events_in.ONE,
        idempotency_key: Annotated[str | None, Header(min_length=8, max_length=128)] = None,
        actor: Actor = Depends(runtime.gate.dependency),
    ) -> JSONResponse:
        """Take one event or many. Each has its own outcome; a request of one event that cannot be read is refused as a whole."""
        if Role.SENDER not in actor.roles:
            raise NotAllowed("ROLE_SENDER_NEEDED")
        at = runtime.clock.now()
        try:
            body = await _body(request)
            found = events_in.read(body, content_type, at_ms=int(at.timestamp() * 1000))
        except BadBody as bad:
            raise Problem(bad.reason, DOOR_ADVICE[bad.reason], _STATUS.get(bad.reason, 422)) from None
        if len(found.problems) == 1 and not found.events:
            (code,) = found.problems.values()
            raise Problem(code, DOOR_ADVICE.get(code, ""), 422)
        _refuse_strangers(actor, [event.message for event in found.events.values()])
        key = Key(actor.id, idempotency_key, hashlib.sha256(body).hexdigest()) if idempotency_key else None
        told, again = await _take(runtime, door, found, key=key)
        runtime.log.info("events_taken", actor=actor.id, count=told["events"], refused=told["outcomes"].get("refused", 0))
        return JSONResponse(told, headers={"Idempotent-Replayed": "true"} if again else None)


async def _body(request: Request) -> bytes:
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > events_in.BODY_BYTES_MAX:
            raise BadBody(DoorReason.BODY_TOO_LARGE)
        parts.append(part)
    return b"".join(parts)


def _refuse_strangers(actor: Actor, messages: Sequence[MinistryMessage]) -> None:
    """A sender speaks for the source it is named after and for those below it, about lists of its payers; else nothing is taken."""
    for source in {message.source for message in messages}:
        if source != actor.id and not source.startswith(f"{actor.id}/"):
            raise NotAllowed("SOURCE_NOT_YOURS")
    payers = {payer for message in messages if (payer := payer_named(message))}
    if EVERY_PAYER not in actor.payers and not payers <= set(actor.payers):
        raise NotAllowed("PAYER_NOT_YOURS")


async def _take(runtime: Runtime, door: Door, found: Read, *, key: Key | None) -> tuple[dict[str, Any], bool]:
    """(answer, whether it was given before)."""
    outcomes: list[Outcome] = []

    async def take(tx: Tx, events: Sequence[Received[Any]]) -> None:
        outcomes.extend(await door.take(tx, events))

    async with runtime.database.transaction("registry.take_events") as tx:
        # Two requests under one key take turns here, before either looks for the other's answer.
        await store.one_registrar_at_a_time(tx)
        if key and (kept := await store_events.kept_answer(tx, key)):
            if kept[0] != key.request_sha256:
                raise Problem(DoorReason.IDEMPOTENCY_KEY_REUSED, DOOR_ADVICE[DoorReason.IDEMPOTENCY_KEY_REUSED], 422)
            return kept[1], True
        records: list[Received[Message]] = [*found.events.values()]
        failed = await apply(take, tx, records, log=runtime.log)
        told = events_in.answer(found, outcomes, {bad.offset: bad.reason for bad in failed})
        if key:
            await store_events.keep_answer(tx, key, told, runtime.clock.now())
    return told, False
