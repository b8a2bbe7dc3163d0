"""How the sandbox's services misbehave on command: `POST /sandbox/mood {"mood": "slow", "times": 2}` spoils the next two answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

SLOW_SECONDS, LOOK_SECONDS = 30.0, 0.05
RETRY_AFTER_SECONDS = 120


class Mood(StrEnum):
    """How an answer is spoiled. The last two are answers to somebody else's question: the service itself makes them."""

    GOOD = "good"
    SLOW = "slow"
    BUSY = "busy"
    FAILING = "failing"
    CUT = "cut"
    TRUNCATED = "truncated"
    ANOTHER_PERSON = "another_person"
    ANOTHER_QUESTION = "another_question"


class MoodIn(BaseModel):
    """What to do with the next answers."""

    mood: Mood
    times: Annotated[int, Field(ge=0)] = 1


class Moods:
    """The moods of the answers to come."""

    def __init__(self) -> None:
        self._next: list[Mood] = []

    def spoil(self, given: MoodIn) -> None:
        """The next answers; earlier commands are forgotten."""
        self._next = [given.mood] * given.times

    def mood(self) -> Mood:
        """Of the answer at hand."""
        return self._next.pop(0) if self._next else Mood.GOOD

    def add_to(self, app: FastAPI) -> None:
        """The route that takes commands."""

        @app.post("/sandbox/mood")
        async def mood(given: MoodIn) -> dict[str, str]:
            """Spoil the next answers."""
            self.spoil(given)
            return {"mood": given.mood}


async def answered(request: Request, mood: Mood, said: dict[str, Any]) -> Response:
    """The answer, spoilt as the mood wants."""
    if mood is Mood.BUSY:
        return JSONResponse({"code": 429, "status": "RATE_LIMITED"}, 429, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    if mood is Mood.FAILING:
        return JSONResponse({"code": 500, "status": "ERROR"}, 500)
    if mood is Mood.SLOW:
        await _until_gone(request)
    text = json.dumps(said).encode()
    if mood is Mood.CUT:
        return StreamingResponse(_half(text), headers={"content-length": str(len(text))}, media_type="application/json")
    return Response(text[: len(text) // 2] if mood is Mood.TRUNCATED else text, media_type="application/json")


async def _half(text: bytes) -> AsyncIterator[bytes]:
    """Less than was announced: the server ends the connection."""
    yield text[: len(text) // 2]


async def _until_gone(request: Request) -> None:
    for _ in range(int(SLOW_SECONDS / LOOK_SECONDS)):
        if await request.is_disconnected():
            return
        await asyncio.sleep(LOOK_SECONDS)
