"""The Idempotency-Key header: the same request under the same key gets the same answer, another request under it none.

The answer is kept when the command has committed. Who loses both the answer and this row asks again and meets the command itself, which
does nothing twice: a step is taken once, a build of what is built changes nothing. Refusals are not kept: their cause may be gone later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.routing import APIRoute

from services.payout import store_life
from shared.actors import Actor
from shared.process import Runtime
from shared.web import Problem

REUSED = "IDEMPOTENCY_KEY_REUSED"
_MIN, _MAX = 8, 128
Handler = Callable[[Request], Awaitable[Response]]


def documented(idempotency_key: Annotated[str | None, Header(min_length=_MIN, max_length=_MAX)] = None) -> None:
    """So that the header stands in the OpenAPI page of every route."""


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
    asked = _sha256(request, await request.body(), actor)
    async with runtime.database.reading() as tx:
        answer = await store_life.kept_answer(tx, actor.id, key)
    if answer and answer["request_sha256"] != asked:
        raise Problem(REUSED, "Khóa này đã dùng cho một yêu cầu khác.", 422)
    if answer:
        headers = {"Idempotent-Replayed": "true"}
        return Response(answer["body"], answer["status"], media_type="application/json", headers=headers)
    response = await handler(request)
    if response.status_code < 300:
        body = bytes(response.body).decode()
        async with runtime.database.transaction("payout.idempotency") as tx:
            await store_life.keep_answer(
                tx, actor.id, key, asked=asked, answer=(response.status_code, body), at=runtime.clock.now()
            )
    return response


def _sha256(request: Request, body: bytes, actor: Actor) -> str:
    """What was asked: method, path, query, the hash the token signs, and the body."""
    head = "\n".join((request.method, request.url.path, request.url.query, actor.sha256 or ""))
    return hashlib.sha256(head.encode() + b"\n" + body).hexdigest()
