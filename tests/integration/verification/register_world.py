"""The population register of a test, whichever adapter stands before it."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import uvicorn

from deploy.local.ports import free_ports
from sandbox.population_service import Desk, make_app
from services.verification.ages import Ages
from services.verification.asking import Asking, Manner, Matter, Quota
from services.verification.exchange import Authority, Exchange
from services.verification.holder_client import HolderService
from services.verification.matters import Holders, People
from services.verification.population_feed import COLUMNS
from services.verification.register_client import HttpRegisterService, RegisterService
from shared import logs
from shared.events import VerificationResult
from shared.words import Outcome
from tests.integration.verification.verification_bench import Bench, a_register_line

TOKEN = "sandbox"
AUTHORITY = Authority("UBND-18496", "can-bo-07", "1.001731", "TH-DANCU")
AGAIN = timedelta(seconds=60)
STRANGER = a_register_line(
    personal_number="042049990555", given_name="Bính", middle_name="Văn", sex="male", birth_date="1949-12-12"
)


def quota(by_day: int = 1_000) -> Quota:
    """By day and by night as much."""
    return Quota(by_day=by_day, at_night=by_day, night_from=20, night_until=6, again=AGAIN)


def asking(bench: Bench, service: RegisterService, by_day: int = 1_000) -> Asking:
    """The loop that asks the register, not running."""
    manner = Manner(AUTHORITY, quota(by_day), Ages())
    return _asking(bench, People(bench.vault, service, judge=bench.judge, manner=manner), manner)


def asking_banks(bench: Bench, service: HolderService) -> Asking:
    """The loop that asks banks, not running."""
    manner = Manner(AUTHORITY, quota(), Ages())
    return _asking(bench, Holders(bench.vault, service, judge=bench.judge, manner=manner), manner)


def _asking(bench: Bench, matter: Matter, manner: Manner) -> Asking:
    return Asking(bench.database, matter, clock=bench.clock, manner=manner, log=logs.configure("verification"))


@dataclass
class RegisterWorld:
    """A verification service and a register that can be told what it knows."""

    bench: Bench

    async def know(self, *lines: dict[str, str]) -> None:
        """The register knows exactly these people, and a stranger."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Whatever runs beside the consumers runs until nothing is left to do."""
        while await self.bench.waiting.judge_page():
            pass

    async def outcomes(self) -> list[Outcome]:
        """Of the results told since the last call."""
        return [result.outcome for result in await self.told()]

    async def told(self) -> list[VerificationResult]:
        """Results told since the last call."""
        return await self.bench.told()


class ReplicaWorld(RegisterWorld):
    """The replica, by extracts."""

    async def know(self, *lines: dict[str, str]) -> None:
        """An extract arrives whole."""
        self.bench.clock.move(timedelta(seconds=1))
        await self.bench.load(*lines, STRANGER)


@dataclass
class ServiceWorld(RegisterWorld):
    """The sandbox query service, over HTTP."""

    client: httpx.AsyncClient
    desk: Desk

    def __post_init__(self) -> None:
        """One asker."""
        self.service = HttpRegisterService(Exchange(self.client), AUTHORITY)
        self.asking = asking(self.bench, self.service)

    async def know(self, *lines: dict[str, str]) -> None:
        """The service has these people; nobody was told so."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows([*lines, STRANGER])
        (await self.client.put("/sandbox/extract", content=text.getvalue().encode())).raise_for_status()

    async def settle(self) -> None:
        """Ask until nothing is due."""
        while await self.asking.step():
            pass
        await super().settle()

    async def mood(self, mood: str, times: int = 1) -> None:
        """Spoil the next answers."""
        (await self.client.post("/sandbox/mood", json={"mood": mood, "times": times})).raise_for_status()

    async def asked(self) -> dict[str, Any]:
        """What the service remembers of us."""
        return dict((await self.client.get("/sandbox/asked")).json())


@asynccontextmanager
async def sandbox_service(timeout_seconds: float = 5.0) -> AsyncIterator[tuple[httpx.AsyncClient, Desk]]:
    """The sandbox query service on a real port, and a client of it."""
    desk = Desk(TOKEN)
    async with served(make_app(desk), timeout_seconds) as client:
        yield client, desk


@asynccontextmanager
async def served(app: Any, timeout_seconds: float) -> AsyncIterator[httpx.AsyncClient]:
    """An application on a real port, and a client of it."""
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve())
    headers, url = {"Authorization": f"Bearer {TOKEN}"}, f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=timeout_seconds, headers=headers, trust_env=False) as client:
            while not server.started:
                await asyncio.sleep(0.01)
            yield client
    finally:
        server.should_exit = True
        await running
