"""The port to whoever sends texts, and its HTTP adapter.

Contract of a gateway: it takes each id at most once, so the same id again is the same text and gets the same answer; it may answer
for some ids only; an answer of `accepted` does not mean delivered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import httpx

from shared.crashing import point

TEXTS_MAX = 200


class NoAnswer(Exception):
    """The gateway may or may not have taken the texts: *unknown*, not failed."""


class Answer(StrEnum):
    """What the gateway says of one text."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class OutText:
    """One text to send. `to` is E.164."""

    message_id: UUID
    to: str
    text: str

    def __repr__(self) -> str:
        """Without number and words."""
        return f"OutText({self.message_id})"


class SmsGateway(Protocol):
    """Somebody who sends texts."""

    async def reachable(self) -> bool:
        """Whether it makes sense to hand over texts now."""
        ...

    async def send(self, texts: Sequence[OutText]) -> Mapping[UUID, Answer]:
        """Hand over at most TEXTS_MAX texts. An id missing in the answer is unknown. Raises NoAnswer."""
        ...


class HttpGateway:
    """A gateway spoken to by `POST /v1/messages`."""

    def __init__(self, client: httpx.AsyncClient, sender_name: str) -> None:
        """The client carries base address and time-outs; it never follows redirects or retries by itself."""
        self._client = client
        self._sender = sender_name

    async def reachable(self) -> bool:
        """Asks `GET /health`."""
        point("sms_health.before_call")
        try:
            response = await self._client.get("/health")
        except httpx.HTTPError:
            return False
        point("sms_health.after_call")
        return response.status_code == httpx.codes.OK

    async def send(self, texts: Sequence[OutText]) -> Mapping[UUID, Answer]:
        """One request. Any answer that is not a 200 with the agreed body is no answer."""
        assert len(texts) <= TEXTS_MAX
        body = [{"id": str(t.message_id), "to": t.to, "from": self._sender, "text": t.text} for t in texts]
        try:
            point("sms_send.before_call")
            response = await self._client.post("/v1/messages", json=body)
            point("sms_send.after_call")
            response.raise_for_status()
            return {UUID(row["id"]): Answer(row["status"]) for row in response.json()}
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise NoAnswer from error
