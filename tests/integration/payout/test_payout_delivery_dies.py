"""A process that delivers dies at every point there is; the next one leaves each file on the server once, whole, the manifest last."""

import asyncio
import hashlib
import json
import signal
import sys
from pathlib import Path

import pytest

from deploy.local.stack import LocalStack
from services.payout.delivery import MANIFEST, Courier, pause
from services.payout.sftp import OpenSsh
from shared import crashing, logs
from shared.topics import Provider
from tests.faults.scenarios import DELIVERS
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench
from tests.integration.payout.sftp_server import Server

POINTS = [point for point in crashing.inventory() if point.startswith(DELIVERS)]
ONLY_AFTER_TROUBLE = "payout.delivery_unknown."
ROOT = Path(__file__).parents[3]


async def dies(bench: Bench, dsn: str, server: Server, tmp_path: Path, *, point: str) -> None:
    targets = tmp_path / "targets.json"
    # The last kind of point is passed only when a call ends badly.
    target = server.target(**({"port": 1} if point.startswith(ONLY_AFTER_TROUBLE) else {}))
    targets.write_text(json.dumps({"post": target.model_dump(mode="json")}))
    given = [dsn, str(tmp_path / "files"), str(targets), bench.clock.now().isoformat(), point]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.payout.deliver_once", *given, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL, "it died where it was told to"


@pytest.mark.parametrize(
    "point", [*POINTS, "payout_sftp.before_call:3", "payout_sftp.after_call:3", "payout.delivery_move.after_commit:2"]
)
async def test_next_process_finishes_what_this_one_began(
    point: str, bench: Bench, stack: LocalStack, sftp_server: Server, tmp_path: Path
) -> None:
    await bench.enrol(home_delivery=True)
    await bench.close()
    await bench.pay()
    await bench.print_lists()
    async with bench.database.session() as session:
        dsn = stack.postgres_dsn(await session.fetchval("SELECT current_database()"))
    await dies(bench, dsn, sftp_server, tmp_path, point=point)
    remote = OpenSsh(sftp_server.target())
    courier = Courier(
        bench.database, bench.clock, {Provider.POST: remote}, folder=tmp_path / "files", log=logs.configure("payout")
    )
    for _try in range(4):
        bench.clock.move(pause(9))
        await courier.deliver()
    place = sftp_server.folder / "in" / PERIOD / PAYER / "round-1" / "post"
    assert sorted(path.name for path in place.iterdir()) == ["18496.pdf", "18496.xlsx", MANIFEST]
    for file in json.loads((place / MANIFEST).read_text())["files"]:
        assert hashlib.sha256((place / file["name"]).read_bytes()).hexdigest() == file["sha256"]
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT DISTINCT state FROM delivery")
    assert [row["state"] for row in rows] == ["delivered"]


def test_points_are_those_of_the_code() -> None:
    assert len(POINTS) == 10
