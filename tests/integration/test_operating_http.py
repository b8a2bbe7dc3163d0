"""What every service offers its operators over HTTP: who may, what is refused, what is answered."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import structlog

from shared import operating
from shared.actors import ActorGate
from shared.consuming import queries
from shared.database import Tx
from shared.events import AuditRecord
from shared.issuing import Issuer
from shared.keyfiles import make_key_files
from shared.outbox import OutEvent
from shared.redriving import Redriver
from shared.republishing import CHUNK, Republisher
from shared.restoring import Unlocking
from shared.topics import Service
from shared.web import make_app
from shared.words import Role
from tests.integration.consuming_world import NOW, World

REDRIVE = "/v1/deadletters/redrive"
REPUBLISH = "/v1/republish"
PAGE_AND_A_HALF = CHUNK + CHUNK // 2


async def one_message(tx: Tx, after: str, most: int) -> list[tuple[str, OutEvent]]:
    """A topic whose present state is a page and a half."""
    first = int(after or 0)
    record = AuditRecord(actor="a", act="a", subject="s", at=NOW)
    return [(str(n), OutEvent("some.state.v1", str(n), record)) for n in range(first + 1, min(first + most, PAGE_AND_A_HALF) + 1)]


@pytest.fixture
def issuer(world: World, tmp_path: Path) -> Issuer:
    """Signs tokens."""
    make_key_files(tmp_path / "issuer")
    return Issuer(tmp_path / "issuer" / "actor-issuer.json", world.clock)


@pytest.fixture
async def client(world: World, issuer: Issuer, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The common routes over a database, without a server."""
    gate = ActorGate(json.loads((tmp_path / "issuer" / "notify.json").read_text())["issuer"], world.clock)
    redriver = Redriver(world.database, world.vault, {world.topic: world.effect}, clock=world.clock, log=structlog.get_logger())
    web = make_app("test", list)
    routes = operating.router(
        gate.dependency,
        world.clock,
        redriver=redriver,
        republisher=Republisher(world.database, {"some.state.v1": one_message}, world.clock),
        unlocking=Unlocking(world.database, Service.NOTIFY, structlog.get_logger()),
    )
    web.include_router(routes)
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


async def waiting(world: World) -> int:
    """Outbox rows of the topic that is told again."""
    async with world.database.reading() as tx:
        found: int = await tx.fetchval("SELECT count(DISTINCT key) FROM outbox WHERE topic = 'some.state.v1'")
    return found


async def test_state_is_told_again_chunk_by_chunk_and_goes_on_where_it_stopped(world: World, client: httpx.AsyncClient) -> None:
    assert (await client.get(REPUBLISH)).json() == ["some.state.v1"]
    order = {"topic": "some.state.v1"}
    early = await client.post(REPUBLISH, json=order)
    assert (early.status_code, early.json()["code"]) == (409, "REPUBLISH_NOT_BEGUN")
    assert (await client.post(REPUBLISH, json={**order, "begin": True})).json()["messages"] == 0
    told = (await client.post(REPUBLISH, json=order)).json()
    assert (told["messages"], told["done"], await waiting(world)) == (CHUNK, False, CHUNK)
    again = (await client.post(REPUBLISH, json={**order, "begin": True})).json()  # the command was cut off and given again
    assert (again["messages"], again["done"]) == (CHUNK, False)
    told = (await client.post(REPUBLISH, json=order)).json()
    assert (told["messages"], told["done"], await waiting(world)) == (PAGE_AND_A_HALF, True, PAGE_AND_A_HALF)
    assert (await client.post(REPUBLISH, json=order)).json() == told
    assert (await client.post(REPUBLISH, json={**order, "begin": True})).json()["messages"] == 0


async def test_what_is_told_again_waits_for_a_relay_that_is_behind(world: World, client: httpx.AsyncClient) -> None:
    order = {"topic": "some.state.v1"}
    for _ in range(4):
        await client.post(REPUBLISH, json={**order, "begin": True})
        told = (await client.post(REPUBLISH, json=order)).json()
        if told["waits"]:
            break
        await client.post(REPUBLISH, json=order)
    assert told["waits"]


async def test_only_what_is_ours_is_told_again_and_only_by_an_operator(client: httpx.AsyncClient) -> None:
    foreign = await client.post(REPUBLISH, json={"topic": "payout.payment.v1"})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "TOPIC_NOT_OURS")
    maker = {"Authorization": f"Bearer {client.headers['X-Maker']}"}
    assert (await client.post(REPUBLISH, json={"topic": "some.state.v1"}, headers=maker)).status_code == 403


async def test_two_people_unlock_over_http(world: World, client: httpx.AsyncClient, issuer: Issuer) -> None:
    def signed(name: str, role: Role, sha256: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {issuer.token(name, (role,), sha256=sha256)}"}

    assert (await client.get("/v1/restore")).json() == {"locked": False}
    not_locked = await client.post("/v1/restore/propose")
    assert (not_locked.status_code, not_locked.json()["code"]) == (409, "NOT_LOCKED")
    async with world.database.transaction("test") as tx:
        await queries.lock_timeline(tx, reason="DATABASE_RESTORED", at=NOW, seen_epoch=7)
    shown = (await client.get("/v1/restore")).json()
    assert (shown["locked"], shown["reason"], shown["epoch"]) == (True, "DATABASE_RESTORED", 8)
    sha256 = shown["sha256"]
    wrong = await client.post("/v1/restore/propose", headers=signed("one", Role.OPERATOR, "0" * 64))
    assert wrong.json()["code"] == "SIGNATURE_DIFFERS"
    early = await client.post("/v1/restore/confirm", headers=signed("two", Role.APPROVER, sha256))
    assert early.json()["code"] == "UNLOCK_NOT_PROPOSED"
    assert (await client.post("/v1/restore/propose", headers=signed("one", Role.OPERATOR, sha256))).status_code == 200
    assert (await client.post("/v1/restore/confirm", headers=signed("two", Role.OPERATOR, sha256))).status_code == 403
    alone = await client.post("/v1/restore/confirm", headers=signed("one", Role.APPROVER, sha256))
    assert alone.json()["code"] == "SAME_PERSON"
    assert (await client.post("/v1/restore/confirm", headers=signed("two", Role.APPROVER, sha256))).status_code == 200
    assert (await client.get("/v1/restore")).json() == {"locked": False}
