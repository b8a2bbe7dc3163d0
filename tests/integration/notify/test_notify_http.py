"""The HTTP side of notify: rounds by an operator, receipts by the SMS centre, nobody's phone in an answer."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from services.notify.app import build
from services.notify.settings import Settings
from shared import logs, topics
from shared.actors import ActorGate
from shared.issuing import Issuer
from shared.process import Runtime
from shared.topics import Service
from shared.web import make_app
from shared.words import Role
from tests.integration.notify.notify_bench import Bench

ROUND = "/v1/campaigns/tet-2024/rounds/1"


def operator_of(bench: Bench, keys: Path, *payers: str) -> str:
    return Issuer(keys / "actor-issuer.json", bench.clock).token("an-operator", (Role.OPERATOR,), payers=payers)


@pytest.fixture
async def client(bench: Bench, keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service's routes over the bench's database, without a server; no gateway is set."""
    gate = ActorGate(json.loads((keys / "notify.json").read_text())["issuer"], bench.clock)
    settings = Settings(postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=keys / "notify.json")  # type: ignore[arg-type]
    app = build(Runtime(Service.NOTIFY, settings, bench.database, bench.vault, bench.clock, gate, logs.configure("notify")))
    assert set(app.consumes) == {topic.name for topic in topics.read_by(Service.NOTIFY)}
    assert len(app.background) == 1  # unfinished rounds; no sender without a gateway
    web = make_app("test", list)
    assert app.router
    web.include_router(app.router)
    token = operator_of(bench, keys, "huyen-444")
    transport = httpx.ASGITransport(web)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"}
    ) as client:
        yield client


async def test_round_is_drawn_once_for_a_payer_of_the_operator(bench: Bench, client: httpx.AsyncClient) -> None:
    await bench.see(bench.snapshot(), bench.snapshot("+84912000002", payer="huyen-445"))
    drawn = (await client.post(ROUND, params={"payer": "huyen-444"})).json()
    assert (drawn["new"], drawn["people"], drawn["states"]) == (True, 1, {"created": 1})
    assert (await client.post(ROUND, params={"payer": "huyen-444"})).json()["new"] is False
    assert (await client.post(ROUND)).status_code == 403
    assert (await client.post(ROUND, headers={"Authorization": ""})).status_code == 401
    late = await client.post("/v1/campaigns/tet-2024/rounds/3", params={"payer": "huyen-444"})
    assert (late.status_code, late.json()["code"]) == (409, "ROUND_OUT_OF_ORDER")


async def test_receipts_and_trace(bench: Bench, client: httpx.AsyncClient) -> None:
    snapshot = bench.snapshot()
    await bench.see(snapshot)
    await client.post(ROUND, params={"payer": "huyen-444"})
    await bench.send_all()
    trace = await client.get(f"/v1/trace/{snapshot.beneficiary_id}")
    (text,) = trace.json()["texts"]
    assert "+84" not in trace.text
    body = [{"id": text["message_id"], "status": "delivered", "at": "2024-02-01T03:00:00Z"}]
    assert (await client.post("/v1/receipts", json=body * 2)).json() == {"changed": 1}
    assert (await client.post("/v1/receipts", json=body)).json() == {"changed": 0}
    assert (await client.post("/v1/receipts", json=[{"id": "x"}])).status_code == 422
    (shown,) = (await client.get("/v1/campaigns/tet-2024")).json()["rounds"]
    assert shown["states"] == {"delivered": 1}
    assert (await client.get(f"/v1/trace/{uuid4()}")).status_code == 404


async def test_who_opted_out_gets_nothing_more(bench: Bench, client: httpx.AsyncClient, keys: Path) -> None:
    snapshot, neighbour = bench.snapshot(), bench.snapshot()
    await bench.see(snapshot, neighbour)
    path = f"/v1/people/{snapshot.beneficiary_id}/opt-out"
    assert (await client.post(path)).status_code == 403
    everywhere = {"Authorization": f"Bearer {operator_of(bench, keys, '*')}"}
    assert (await client.post(path, headers=everywhere)).json() == {"opted_out": True}
    drawn = (await client.post(ROUND, params={"payer": "huyen-444"})).json()
    assert (drawn["texts"], drawn["left_out"]) == (0, {"opted_out": 2})
