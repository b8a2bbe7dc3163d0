"""The Idempotency-Key header: the same request under the same key gets the same answer, another request under it none.

The answer of a command is kept in the command's own transaction: both are there or neither is, and of two that come at once under one key
one has its effect. A route that does not hand its answer over keeps it afterwards. Refusals are not kept: their cause may be gone later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from services.payout import store_life
from services.payout.refusals import Refusal
from shared.actors import Actor
from shared.database import Tx
from shared.process import Runtime
from shared.web import Problem

REUSED = "IDEMPOTENCY_KEY_REUSED"
AT_ONCE = "Yêu cầu cùng khóa này vừa được thực hiện; gửi lại để nhận kết quả."
_MIN, _MAX = 8, 128
_AS_ANSWERED = TypeAdapter(dict[str, Any])
Handler = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class _Asked:
    """One request under a key. `kept`: its answer lies in the table, once its transaction commits."""

    actor: str
    key: str
    sha256: str
    kept: bool = False


_asked: ContextVar[_Asked | None] = ContextVar("asked", default=None)
"""The request that this task answers, when it came under a key."""


def documented(idempotency_key: Annotated[str | None, Header(min_length=_MIN, max_length=_MAX)] = None) -> None:
    """So that the header stands in the OpenAPI page of every route."""


async def keep(tx: Tx, said: Mapping[str, Any], at: datetime) -> None:
    """Keep the answer of this request beside what it did; without a key nothing is kept. Raises Problem, and the caller rolls back, when
    another request under the same key was faster."""
    asked = _asked.get()
    if asked is None:
        return
    body = _AS_ANSWERED.dump_json(dict(said)).decode()
    if not await store_life.keep_answer(tx, asked.actor, asked.key, asked=asked.sha256, answer=(200, body), at=at):
        raise Problem(Refusal.TRY_AGAIN, AT_ONCE)
    asked.kept = True


def route_class(runtime: Runtime) -> type[APIRoute]:
    """Routes of one service that keep their answers."""

    class IdempotentRoute(APIRoute):
        """A route that looks for a kept answer first."""

        def get_route_handler(self) -> Callable[[Request], Any]:
            """The handler, behind the table of kept answers."""
            handler = super().get_route_handler()

            async def kept(request: Request) -> Response:
                key = request.headers.get("Idempotency-Key")
                if key is None or request.method != "POST" or not _MIN <= len(key) <= _MAX:
                    return await handler(request)
                return await _once(runtime, handler, request, key=key)

            return kept

    return IdempotentRoute


async def _once(runtime: Runtime, handler: Handler, request: Request, *, key: str) -> Response:
    actor = runtime.gate.actor(request.headers.get("Authorization", ""))
    asked = _Asked(actor.id, key, _sha256(request, await request.body(), actor))
    async with runtime.database.reading() as tx:
        answer = await store_life.kept_answer(tx, actor.id, key)
    if answer and answer["request_sha256"] != asked.sha256:
        raise Problem(REUSED, "Khóa này đã dùng cho một yêu cầu khác.", 422)
    if answer:
        headers = {"Idempotent-Replayed": "true"}
        return Response(answer["body"], answer["status"], media_type="application/json", headers=headers)
    token = _asked.set(asked)
    try:
        response = await handler(request)
    finally:
        _asked.reset(token)
    if response.status_code < 300 and not asked.kept:
        body = bytes(response.body).decode()
        async with runtime.database.transaction("payout.idempotency") as tx:
            await store_life.keep_answer(
                tx, actor.id, key, asked=asked.sha256, answer=(response.status_code, body), at=runtime.clock.now()
            )
    return response


def _sha256(request: Request, body: bytes, actor: Actor) -> str:
    """What was asked: method, path, query, the hash the token signs, and the body."""
    head = "\n".join((request.method, request.url.path, request.url.query, actor.sha256 or ""))
    return hashlib.sha256(head.encode() + b"\n" + body).hexdigest()
