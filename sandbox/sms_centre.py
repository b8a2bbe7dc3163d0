"""The sandbox SMS centre: takes texts over HTTP, remembers each id once, calls back with receipts. SYNTHETIC: no text leaves the machine.

Its truth file (JSON lines, append-only) says what really reached it: id, keyed hash of the number, parts; no number, no words.
Real life, by seed: about 93 % delivered, 4 % failed, the rest delivered late; one receipt lost, one sent twice, one request answered
only after its sender has given up.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import heapq
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import monotonic
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

LOOPBACK = "127.0.0.1"
BATCH_MAX, RECEIPTS_MAX = 200, 500
NUMBER = re.compile(r"\+84[0-9]{9}")
FAILED_PERCENT, LATE_PERCENT = 4, 3
SOON_SECONDS, LATE_SECONDS, HANG_SECONDS = 0.3, 2.0, 30.0
LOOK_SECONDS = 0.1
DOUBLED_TEXT, LOST_TEXT, HUNG_REQUEST = 5, 7, 2
GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)


class TextIn(BaseModel):
    """One text as a customer hands it over."""

    id: Annotated[str, Field(max_length=64)]
    to: str
    sender: Annotated[str, Field(alias="from", max_length=11)]
    text: Annotated[str, Field(max_length=1_600)]


@dataclass(order=True)
class Due:
    """A receipt to send at a moment of the monotonic clock."""

    when: float
    order: int
    message_id: str = field(compare=False)
    status: str = field(compare=False)


class SmsCentre:
    """What the centre knows: every id it ever took with its answer, and the receipts still to send."""

    def __init__(self, truth: Path, seed: int) -> None:
        """An existing truth file is read back: the centre forgets nothing when it restarts."""
        self._seed = seed
        self._rng = Random(seed)
        self.answers: dict[str, str] = {}
        self.due: list[Due] = []
        self._order = 0
        if truth.exists():
            self.answers = {json.loads(line)["id"]: "accepted" for line in truth.read_text().splitlines()}
        self._truth = truth.open("a", encoding="utf-8")

    def take(self, texts: Sequence[TextIn]) -> list[dict[str, str]]:
        """An answer per text; a known id gets its old answer and is not sent again."""
        answers = [{"id": text.id, "status": self._answer(text)} for text in texts]
        self._truth.flush()
        return answers

    def next_receipts(self) -> list[Due]:
        """Receipts whose time has come, oldest first."""
        ready: list[Due] = []
        while self.due and self.due[0].when <= monotonic() and len(ready) < RECEIPTS_MAX:
            ready.append(heapq.heappop(self.due))
        return ready

    def put_back(self, receipts: Sequence[Due]) -> None:
        """The customer did not take them: try again in a second."""
        for receipt in receipts:
            self._plan(receipt.message_id, receipt.status, 1.0)

    def close(self) -> None:
        """End the truth file."""
        self._truth.close()

    def _answer(self, text: TextIn) -> str:
        if text.id not in self.answers:
            self.answers[text.id] = "accepted" if NUMBER.fullmatch(text.to) else "refused"
            if self.answers[text.id] == "accepted":
                self._deliver(text)
        return self.answers[text.id]

    def _deliver(self, text: TextIn) -> None:
        number = hashlib.sha256(f"{self._seed}:{text.to}".encode()).hexdigest()
        line = {"id": text.id, "number_sha256": number, "parts": parts(text.text), "at": datetime.now(UTC).isoformat()}
        self._truth.write(json.dumps(line) + "\n")
        roll, nth = self._rng.randrange(100), len(self.answers)
        status = "failed" if roll < FAILED_PERCENT else "delivered"
        late = FAILED_PERCENT <= roll < FAILED_PERCENT + LATE_PERCENT
        if nth == LOST_TEXT:
            return
        for _ in range(2 if nth == DOUBLED_TEXT else 1):
            self._plan(text.id, status, LATE_SECONDS if late else SOON_SECONDS)

    def _plan(self, message_id: str, status: str, after: float) -> None:
        self._order += 1
        heapq.heappush(self.due, Due(monotonic() + after, self._order, message_id, status))


def parts(text: str) -> int:
    """Parts as an operator bills them: 160/153 letters of GSM-7, else 70/67 of UCS-2."""
    single, part = (160, 153) if GSM_7.issuperset(text) else (70, 67)
    return 1 if len(text) <= single else -(-len(text) // part)


def make_app(centre: SmsCentre, receipts_url: str | None, *, hung_request: int = HUNG_REQUEST) -> FastAPI:
    """The HTTP side. `receipts_url`: where receipts are posted; `hung_request`: which request is answered too late, 0 for none."""
    requests = 0

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        """Receipts go out while the centre runs."""
        task = asyncio.create_task(_call_back(centre, receipts_url)) if receipts_url else None
        yield
        if task:
            task.cancel()
        centre.close()

    app = FastAPI(title="Sandbox SMS centre", docs_url=None, redoc_url=None, lifespan=life)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """The centre lives."""
        return {"status": "ok"}

    @app.get("/v1/state")
    async def state() -> dict[str, int]:
        """Texts taken, receipts still to send."""
        return {"taken": sum(answer == "accepted" for answer in centre.answers.values()), "receipts_waiting": len(centre.due)}

    @app.post("/v1/messages")
    async def messages(request: Request, texts: Annotated[list[TextIn], Field(max_length=BATCH_MAX)]) -> list[dict[str, str]]:
        """Take texts. The hung request is taken like any other; only its answer comes too late."""
        nonlocal requests
        requests += 1
        hang = requests == hung_request
        answers = centre.take(texts)
        if hang:
            await _until_gone(request)
        return answers

    return app


async def _until_gone(request: Request) -> None:
    """Wait until the customer has given up, or long enough."""
    for _ in range(int(HANG_SECONDS / LOOK_SECONDS)):
        if await request.is_disconnected():
            return
        await asyncio.sleep(LOOK_SECONDS)


async def _call_back(centre: SmsCentre, url: str) -> None:
    async with httpx.AsyncClient(timeout=10.0, trust_env=False) as client:
        while True:
            ready = centre.next_receipts()
            if not ready:
                await asyncio.sleep(0.05)
            elif not await _posted(client, url, ready):
                centre.put_back(ready)


async def _posted(client: httpx.AsyncClient, url: str, receipts: Sequence[Due]) -> bool:
    now = datetime.now(UTC).isoformat()
    body: list[dict[str, Any]] = [{"id": r.message_id, "status": r.status, "at": now} for r in receipts]
    try:
        return (await client.post(url, json=body)).is_success
    except httpx.HTTPError:
        return False


def main() -> None:
    """`python -m sandbox.sms_centre --port N --truth FILE [--receipts URL] [--seed S]`."""
    parser = argparse.ArgumentParser(description="Sandbox SMS centre (synthetic, loopback only)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bind", default=LOOPBACK, help="another address only inside a container")
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--receipts", default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hung-request", type=int, default=HUNG_REQUEST)
    given = parser.parse_args()
    app = make_app(SmsCentre(given.truth, given.seed), given.receipts, hung_request=given.hung_request)
    uvicorn.run(app, host=given.bind, port=given.port, log_level="critical", access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
