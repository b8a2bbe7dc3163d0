"""A process dies while somebody reviews, at every point there is: a case is decided whole or not at all, and what was seen is audited."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from deploy.local.stack import LocalStack
from shared import crashing
from shared.events import AuditRecord
from shared.words import Outcome
from tests.faults.scenarios import REVIEWS
from tests.integration.verification.verification_bench import Bench, a_register_line, an_identity

POINTS = [point for point in crashing.inventory() if point.startswith(REVIEWS)]
ROOT = Path(__file__).parents[3]


async def review(*given: str) -> int:
    module = "tests.integration.verification.review_once"
    quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *given, cwd=ROOT, **quiet)
    return await asyncio.wait_for(process.wait(), 60)


@pytest.mark.parametrize("point", POINTS)
async def test_case_is_decided_once_and_told_once(point: str, bench: Bench, stack: LocalStack, keys: Path) -> None:
    await bench.load(a_register_line())
    snapshot = bench.snapshot(an_identity(full_name="Nguyễn Thị Hoá"))
    await bench.see(snapshot)
    await bench.told()
    async with bench.database.session() as session:
        dsn = stack.postgres_dsn(await session.fetchval("SELECT current_database()"))
    given = (dsn, str(keys / "verification.json"), str(snapshot.beneficiary_id), bench.clock.now().isoformat())
    assert await review(*given, point) == -signal.SIGKILL, "it died where it was told to"
    assert await review(*given) == 0
    assert [result.outcome for result in await bench.told()] == [Outcome.MATCH]
    async with bench.database.session() as session:
        assert await session.fetchval("SELECT count(*) FROM review_decision") == 1
        sights = await session.fetchval("SELECT count(*) FROM review_sight")
    bench.read_up_to = 0
    audited = [audit.act for audit in await bench._drain(AuditRecord)]
    assert sights == audited.count("review_sight") >= 1


def test_points_are_those_of_the_code() -> None:
    assert len(POINTS) == 4
