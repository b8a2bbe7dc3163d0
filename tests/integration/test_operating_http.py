"""What every service offers its operators over HTTP: who may, what is refused, what is answered."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import structlog

from shared import operating
from shared.actors import ActorGate, Issuer
from shared.keyfiles import make_key_files
from shared.redriving import Redriver
from shared.web import make_app
from shared.words import Role
from tests.integration.consuming_world import World

REDRIVE = "/v1/deadletters/redrive"


@pytest.fixture
async def client(world: World, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The common routes over a database, without a server."""
    make_key_files(tmp_path / "issuer")
    issuer = Issuer(tmp_path / "issuer" / "actor-issuer.json", world.clock)
    gate = ActorGate(json.loads((tmp_path / "issuer" / "notify.json").read_text())["issuer"], world.clock)
    redriver = Redriver(world.database, world.vault, {world.topic: world.effect}, clock=world.clock, log=structlog.get_logger())
    web = make_app("test", list)
    web.include_router(operating.router(gate.dependency, redriver))
    headers = {"Authorization": f"Bearer {issuer.token('an-operator', (Role.OPERATOR,))}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://test", headers=headers) as client:
        client.headers["X-Maker"] = issuer.token("a-maker", (Role.MAKER,))
        yield client


async def test_an_operator_redrives(world: World, client: httpx.AsyncClient) -> None:
    await world.publish(b"{not json", "a")
    async with world.consumer():
        await world.until_effects(1)
    dry = (await client.post(REDRIVE, json={"dry_run": True})).json()
    assert (dry["dry_run"], dry["counts"]) == (True, {"dead": 1})
    (record,) = (await client.post(REDRIVE, json={"topic": world.topic, "reason": "JSON_INVALID"})).json()["records"]
    assert (record["offset"], record["outcome"], record["reason"]) == (0, "dead", "JSON_INVALID")
    assert (await client.post(REDRIVE, json={"ids": [str(uuid4())]})).json()["records"] == []


async def test_nobody_else_does(client: httpx.AsyncClient) -> None:
    refused = await client.post(REDRIVE, json={}, headers={"Authorization": f"Bearer {client.headers['X-Maker']}"})
    assert (refused.status_code, refused.json()["code"]) == (403, "ROLE_OPERATOR_NEEDED")
    assert (await client.post(REDRIVE, json={}, headers={"Authorization": ""})).status_code == 401


@pytest.mark.parametrize("body", [{"all": True}, {"ids": ["x"]}, {"topic": 5}, {"ids": [str(uuid4())] * 1_001}])
async def test_what_does_not_fit_is_a_problem(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    refused = await client.post(REDRIVE, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")
    assert refused.headers["content-type"] == "application/problem+json"
