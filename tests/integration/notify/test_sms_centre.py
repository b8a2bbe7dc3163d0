"""The whole way of a text with the real sandbox centre: every text reaches it once, receipts come back as in real life."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from deploy.local.ports import free_ports
from sandbox.sms_centre import GSM_7, SmsCentre, TextIn, parts
from services.notify import receipts
from services.notify.receipts import Receipt
from services.notify.sms_gateway import HttpGateway
from services.notify.texts import GSM_BASIC, parts_of, render
from shared.words import MessageStatus
from tests.integration.notify.notify_bench import Bench

ROOT = Path(__file__).parents[3]
TEXTS = 450


def a_text(name: str, to: str = "+84912000001") -> TextIn:
    return TextIn(**{"id": name, "to": to, "from": "UBND", "text": "Moi den UBND xa."})


@pytest.fixture
async def receipts_url(bench: Bench) -> AsyncIterator[str]:
    """A small server that books receipts into the bench, as notify's own route does."""
    app = FastAPI()

    @app.post("/v1/receipts")
    async def take(body: list[dict[str, str]]) -> None:
        given = [Receipt(UUID(row["id"]), MessageStatus(row["status"]), datetime.fromisoformat(row["at"])) for row in body]
        await receipts.book(bench.database, given, bench.clock.now())

    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    yield f"http://127.0.0.1:{port}/v1/receipts"
    server.should_exit = True
    await serving


async def test_every_text_arrives_once_and_one_receipt_is_lost(bench: Bench, receipts_url: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    truth = tmp_path / "truth.jsonl"
    arguments = [
        "-m",
        "sandbox.sms_centre",
        "--port",
        str(port),
        "--truth",
        str(truth),
        "--receipts",
        receipts_url,
        "--seed",
        "3",
    ]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=1.0, trust_env=False) as client:
        bench.use(HttpGateway(client, "UBND"))
        await bench.see(*(bench.snapshot(f"+84912{number:06d}") for number in range(TEXTS)))
        await bench.draw()
        stop = asyncio.Event()
        running = asyncio.create_task(bench.sender.run(stop))
        states = await _until_settled(bench)
        stop.set()
        await running
    process.terminate()
    await process.wait()
    reached = Counter(json.loads(line)["id"] for line in truth.read_text().splitlines())
    told = {str(state.message_id) for state in await bench.told()}
    assert set(reached.values()) == {1}
    assert set(reached) == told
    assert states["accepted"] == 1
    assert states["failed"] < TEXTS // 10


async def _until_settled(bench: Bench) -> dict[str, int]:
    states: dict[str, int] = {}
    for _ in range(300):
        states = (await bench.rounds())[0]["states"]
        if states.get("delivered", 0) + states.get("failed", 0) == TEXTS - 1:
            break
        await asyncio.sleep(0.1)
    return states


def test_restarted_centre_remembers_its_ids(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    for _ in range(2):
        centre = SmsCentre(truth, seed=1)
        assert centre.take([a_text("one"), a_text("two", "12")]) == [
            {"id": "one", "status": "accepted"},
            {"id": "two", "status": "refused"},
        ]
        centre.close()
    assert len(truth.read_text().splitlines()) == 1


def test_fifth_receipt_comes_twice_and_seventh_never(tmp_path: Path) -> None:
    centre = SmsCentre(tmp_path / "truth.jsonl", seed=1)
    centre.take([a_text(str(number)) for number in range(1, 11)])
    planned = Counter(due.message_id for due in centre.due)
    assert (planned["5"], planned["7"], planned["6"]) == (2, 0, 1)
    centre.close()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_centre_bills_the_parts_we_counted(number: int) -> None:
    assert GSM_7 == GSM_BASIC
    for accented in (True, False):
        assert parts(render(number, accented=accented)) == parts_of(render(number, accented=accented))
