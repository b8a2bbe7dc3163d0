"""The HTTP side of erasing: who may ask and confirm, refusals as problems, one answer under one key."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.registry.app import build
from services.registry.settings import Settings
from shared import erasing, logs
from shared.actors import ActorGate
from shared.issuing import Issuer
from shared.process import Runtime
from shared.topics import Service
from shared.web import make_app
from shared.words import Role
from tests.integration.registry.registry_bench import PAYER, Bench
from tests.integration.registry.test_registry_erasing import settled

BODY = {"reason": "PERSON_ASKED", "requester": "PERSON", "paper": "12/2024"}


@pytest.fixture
async def client(bench: Bench, keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service's routes over the bench's database, without a server; papers are kept no time."""
    gate = ActorGate(json.loads((keys / "registry.json").read_text())["issuer"], bench.clock)
    settings = Settings(
        postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=keys / "registry.json", files_dir=keys / "files",
        erasure_after_months=0,
    )  # type: ignore[arg-type]  # fmt: skip
    app = build(Runtime(Service.REGISTRY, settings, bench.database, bench.vault, bench.clock, gate, logs.configure("registry")))
    web = make_app("test", list)
    assert app.router
    erasing.add_route(app.router, bench.database)
    web.include_router(app.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://test") as client:
        yield client


class Desk:
    """Officers at the door."""

    def __init__(self, client: httpx.AsyncClient, bench: Bench, keys: Path) -> None:
        self.client, self._issuer = client, Issuer(keys / "actor-issuer.json", bench.clock)

    async def post(
        self, path: str, actor: str = "first", *, role: Role = Role.REVIEWER, payers: tuple[str, ...] = (PAYER,), key: str | None = None,
        body: Any = None,
    ) -> httpx.Response:  # fmt: skip
        headers = {"Authorization": f"Bearer {self._issuer.token(actor, (role,), payers=payers)}"}
        return await self.client.post(path, headers=headers | ({"Idempotency-Key": key} if key else {}), json=body)


@pytest.fixture
def desk(client: httpx.AsyncClient, bench: Bench, keys: Path) -> Desk:
    return Desk(client, bench, keys)


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_asked_by_one_confirmed_by_another_and_shown(desk: Desk, bench: Bench) -> None:
    person = await settled(bench)
    ask = f"/v1/people/{person}/erasures"
    asked = await desk.post(ask, key="key-00001", body=BODY)
    erasure = asked.json()["erasure_id"]
    assert (await desk.post(ask, key="key-00001", body=BODY)).json() == asked.json()
    assert problem(await desk.post(ask, key="key-00001", body=BODY | {"paper": "13/2024"})) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert problem(await desk.post(ask, body=BODY)) == (409, "ALREADY_ASKED")
    (waiting,) = (await desk.client.get("/v1/people/erasures", params={"waiting": True})).json()
    assert (waiting["erasure_id"], waiting["paper"], waiting["confirmed_by"]) == (erasure, "12/2024", None)
    assert problem(await desk.post(f"/v1/people/erasures/{erasure}/confirm")) == (409, "SECOND_PERSON_NEEDED")
    done = await desk.post(f"/v1/people/erasures/{erasure}/confirm", "second", key="key-00002")
    assert done.json() == {"erasure_id": erasure, "erased": [str(person)]}
    assert (await desk.post(f"/v1/people/erasures/{erasure}/confirm", "second", key="key-00002")).json() == done.json()
    assert problem(await desk.post(f"/v1/people/erasures/{erasure}/withdraw")) == (409, "ALREADY_CONFIRMED")
    assert (await desk.client.get("/v1/people/erasures", params={"waiting": True})).json() == []
    (shown,) = (await desk.client.get("/v1/people/erasures", params={"beneficiary_id": str(person)})).json()
    assert (shown["asked_by"], shown["confirmed_by"]) == ("first", "second")
    assert [row["beneficiary_id"] for row in (await desk.client.get("/v1/erased")).json()] == [str(person)]
    trace = (await desk.client.get(f"/v1/trace/{person}")).json()
    assert [line["declared_vnd"] for line in trace["lines"]] == [360_000]


async def test_only_reviewers_of_the_payer_and_only_words_of_the_lists(desk: Desk, bench: Bench) -> None:
    person = await settled(bench)
    ask = f"/v1/people/{person}/erasures"
    assert problem(await desk.post(ask, role=Role.LIST_OFFICER, body=BODY)) == (403, "ROLE_REVIEWER_NEEDED")
    assert problem(await desk.post(ask, payers=("huyen-443",), body=BODY)) == (403, "PAYER_NOT_YOURS")
    assert problem(await desk.post(f"/v1/people/{uuid4()}/erasures", body=BODY)) == (404, "PERSON_UNKNOWN")
    assert problem(await desk.post(f"/v1/people/erasures/{uuid4()}/confirm")) == (404, "ERASURE_UNKNOWN")
    for wrong in ({"reason": "TIDY_UP"}, {"requester": "NEIGHBOUR"}, {"paper": "042149990001"}, {"paper": ""}, {"why": "x"}):
        answer = await desk.post(ask, body=BODY | wrong)
        assert problem(answer) == (422, "REQUEST_INVALID")
        assert "042149990001" not in answer.text
        assert f"body{'' if 'why' in wrong else '.' + next(iter(wrong))}: " in answer.json()["detail"]
    assert await bench.rows("SELECT FROM erasure") == []


async def test_nobody_visits_or_pairs_who_is_erased(desk: Desk, bench: Bench) -> None:
    person = await settled(bench)
    erasure = (await desk.post(f"/v1/people/{person}/erasures", body=BODY)).json()["erasure_id"]
    await desk.post(f"/v1/people/erasures/{erasure}/confirm", "second")
    await bench.see(bench.enrolled("r5", period="2024-03"))
    (other,) = await bench.rows("SELECT beneficiary_id FROM source_record WHERE record = 'r5'")
    pair = f"/v1/people/pairs/{person}/{other['beneficiary_id']}/sights"
    assert problem(await desk.post(pair)) == (404, "PERSON_UNKNOWN")
    heard = {"wish": "account"}
    visit = await desk.post(f"/v1/people/{person}/visits", role=Role.LIST_OFFICER, body=heard)
    assert visit.status_code == 404
