"""One question to a service of somebody else, over HTTP: what counts as no answer, and on whose behalf is asked.

Whatever is not the agreed answer to this very question is *no answer*: a time-out, a cut connection, half a document, a busy service, an
answer about somebody else. Nothing is decided on it; the question is asked again later under the same id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import httpx
import stamina

from shared.crashing import point

CONNECT_ATTEMPTS = 3
ANSWER_BYTES_MAX = 200_000
RETRY_AFTER_MAX_SECONDS = 3_600


class Silence(StrEnum):
    """Why there is no answer."""

    AWAY = "away"
    TIMED_OUT = "timed_out"
    BUSY = "busy"
    FAILED = "failed"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    ABOUT_ANOTHER = "about_another"


class NoAnswer(Exception):
    """This question was not answered. `retry_after`: seconds the service asked for."""

    def __init__(self, why: Silence, retry_after: int = 0) -> None:
        """No word of question or answer is kept."""
        super().__init__(why)
        self.why = why
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Authority:
    """On whose behalf is asked; nobody is answered without them."""

    unit: str
    officer: str
    procedure: str
    integration: str

    def fields(self) -> dict[str, str]:
        """As every question carries them."""
        return {"MaDVC": self.procedure, "MaTichHop": self.integration, "MaDonVi": self.unit, "MaCanBo": self.officer}


class Exchange:
    """A service that answers questions by POST."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """The client carries base address, bearer token and time-outs; it follows no redirect."""
        self._client = client

    async def ask(self, path: str, body: Mapping[str, str]) -> bytes:
        """The answer as it came. Raises NoAnswer. Asked again at once only while nobody could be reached: such a question has not been
        put yet, and uses up no quota."""
        try:
            async for attempt in stamina.retry_context(
                on=httpx.ConnectError, attempts=CONNECT_ATTEMPTS, timeout=None, wait_max=1.0
            ):
                with attempt:
                    return _content(await self._post(path, body))
        except httpx.ConnectError:
            raise NoAnswer(Silence.AWAY) from None
        raise AssertionError("the last attempt raises")

    async def _post(self, path: str, body: Mapping[str, str]) -> httpx.Response:
        try:
            point("exchange_ask.before_call")
            response = await self._client.post(path, json=body)
            point("exchange_ask.after_call")
        except httpx.ConnectError:
            raise
        except httpx.TimeoutException:
            raise NoAnswer(Silence.TIMED_OUT) from None
        except httpx.HTTPError:
            raise NoAnswer(Silence.AWAY) from None
        return response


def _content(response: httpx.Response) -> bytes:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise NoAnswer(Silence.BUSY, _seconds(response.headers.get("Retry-After", "")))
    if response.is_server_error:
        raise NoAnswer(Silence.FAILED)
    if response.status_code != httpx.codes.OK:
        raise NoAnswer(Silence.REFUSED)
    if len(response.content) > ANSWER_BYTES_MAX:
        raise NoAnswer(Silence.UNREADABLE)
    return response.content


def _seconds(text: str) -> int:
    """Of `Retry-After` in seconds; the other form, a date, counts as none given."""
    return min(int(text), RETRY_AFTER_MAX_SECONDS) if text.isascii() and text.isdigit() else 0
