"""A process that asks the register dies at every point there is; the next one asks on under the same ids and tells each result once."""

import asyncio
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from deploy.local.stack import LocalStack
from services.verification.population_register import Asked
from shared import crashing
from shared.words import Outcome
from tests.faults.scenarios import ASKS
from tests.integration.verification.conftest import MakeBench
from tests.integration.verification.register_world import AGAIN, ServiceWorld, sandbox_service
from tests.integration.verification.verification_bench import a_register_line, an_identity

POINTS = [point for point in crashing.inventory() if point.startswith(ASKS)]
ROOT = Path(__file__).parents[3]
NUMBERS = [f"04214999000{n}" for n in range(1, 4)]


async def dies(world: ServiceWorld, stack: LocalStack, keys: Path, *, point: str) -> None:
    async with world.bench.database.session() as session:
        dsn = stack.postgres_dsn(await session.fetchval("SELECT current_database()"))
    given = [dsn, str(keys / "verification.json"), str(world.client.base_url), world.bench.clock.now().isoformat(), point]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.verification.ask_once", *given, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL, "it died where it was told to"


@pytest.mark.parametrize("point", [*POINTS, "exchange_ask.before_call:2", "exchange_ask.after_call:2"])
async def test_next_process_asks_on(point: str, make_bench: MakeBench, stack: LocalStack, keys: Path) -> None:
    async with sandbox_service() as (client, desk):
        world = ServiceWorld(await make_bench(Asked), client, desk)
        await world.know(*(a_register_line(personal_number=number) for number in NUMBERS))
        await world.bench.see(*(world.bench.snapshot(an_identity(personal_number=number)) for number in NUMBERS))
        await dies(world, stack, keys, point=point)
        world.bench.clock.move(AGAIN)
        await world.settle()
        ids = (await world.asked())["ids"]
    assert len(ids) == len(NUMBERS), "no question went out under two ids"
    assert max(ids.values()) <= 2
    told = Counter(result.outcome for result in await world.told())
    assert told == {Outcome.UNAVAILABLE: 3, Outcome.MATCH: 3}


def test_points_are_those_of_the_code() -> None:
    assert len(POINTS) == 6
