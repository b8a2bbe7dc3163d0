"""A process dies while somebody is erased, at every point there is: they are erased whole and once, and readers are told once."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from deploy.local.stack import LocalStack
from shared import crashing
from shared.events import BeneficiarySnapshot
from tests.faults.scenarios import ERASES
from tests.integration.registry.registry_bench import Bench
from tests.integration.registry.test_registry_erasing import settled

POINTS = [point for point in crashing.inventory() if point.startswith(ERASES) and point.startswith("registry.")]
ROOT = Path(__file__).parents[3]


async def erase(*given: str) -> int:
    module = "tests.integration.registry.erase_once"
    quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *given, cwd=ROOT, **quiet)
    return await asyncio.wait_for(process.wait(), 60)


@pytest.mark.parametrize("point", POINTS)
async def test_somebody_is_erased_once_and_told_once(point: str, bench: Bench, stack: LocalStack, keys: Path) -> None:
    person = await settled(bench)
    await bench.told()
    async with bench.database.session() as session:
        dsn = stack.postgres_dsn(await session.fetchval("SELECT current_database()"))
    given = (dsn, str(keys / "registry.json"), str(person), bench.clock.now().isoformat())
    assert await erase(*given, point) == -signal.SIGKILL, "it died where it was told to"
    assert await erase(*given) == 0
    told = [message for message in await bench.told() if isinstance(message, BeneficiarySnapshot)]
    assert [(snapshot.beneficiary_id, snapshot.erased_at is not None) for snapshot in told] == [(person, True)]
    (row,) = await bench.rows("SELECT count(*) FILTER (WHERE confirmed_at IS NOT NULL) AS done, count(*) AS asked FROM erasure")
    assert tuple(row) == (1, 1)


def test_points_are_those_of_the_code() -> None:
    assert len(POINTS) == 6
