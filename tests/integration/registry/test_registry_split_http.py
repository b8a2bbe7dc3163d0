"""HTTP of split units: pages, who may see and decide, what a closing tells of who stayed out."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.registry.app import build
from services.registry.settings import Settings
from shared import logs
from shared.actors import ActorGate
from shared.issuing import Issuer
from shared.process import Runtime
from shared.topics import Service
from shared.web import make_app
from shared.words import Role
from tests.integration.registry.registry_bench import Bench, an_identity
from tests.integration.registry.test_registry_split_units import HA_HUY_TAP, JULY, THANH_SEN, listed

Clients = Callable[..., httpx.AsyncClient]
PEOPLE = 5


@pytest.fixture
async def clients(bench: Bench, keys: Path) -> AsyncIterator[Clients]:
    """A client with a role for some payers."""
    gate = ActorGate(json.loads((keys / "registry.json").read_text())["issuer"], bench.clock)
    settings = Settings(
        postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=keys / "registry.json", files_dir=keys / "files"
    )  # type: ignore[arg-type]
    app = build(Runtime(Service.REGISTRY, settings, bench.database, bench.vault, bench.clock, gate, logs.configure("registry")))
    web, opened = make_app("test", list), list[httpx.AsyncClient]()
    assert app.router
    web.include_router(app.router)

    def client(role: Role, *payers: str) -> httpx.AsyncClient:
        token = Issuer(keys / "actor-issuer.json", bench.clock).token("somebody", (role,), payers=payers)
        headers = {"Authorization": f"Bearer {token}"}
        opened.append(httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://test", headers=headers))
        return opened[-1]

    yield client
    for one in opened:
        await one.aclose()


async def some_wait(bench: Bench) -> None:
    people = [an_identity(personal_number=f"0421499900{n:02}", full_name=f"Lê Thị {chr(65 + n)}") for n in range(PEOPLE)]
    await bench.see(*(listed(bench, f"r{n}", identity=person) for n, person in enumerate(people)))


async def test_cases_come_in_pages_without_anything_personal(bench: Bench, clients: Clients) -> None:
    await some_wait(bench)
    client, seen, after = clients(Role.REVIEWER, "*"), list[dict[str, Any]](), {}
    while after is not None:
        page = (await client.get("/v1/areas/cases", params={"payer": THANH_SEN, "most": 2, **after})).json()
        seen += page["cases"]
        after = page["next"]
    assert len({case["case_id"] for case in seen}) == PEOPLE
    assert not {"hamlet", "full_name", "sealed", "subject"} & seen[0].keys()
    assert (await client.get("/v1/areas/cases", params={"payer": HA_HUY_TAP})).json()["cases"] == []
    assert (await client.get("/v1/areas/cases/late")).json() == {"cases": [], "next": None}


async def test_a_reviewer_of_both_lists_decides_and_nobody_else(bench: Bench, clients: Clients) -> None:
    await some_wait(bench)
    both = clients(Role.REVIEWER, THANH_SEN, HA_HUY_TAP)
    case = (await both.get("/v1/areas/cases")).json()["cases"][0]["case_id"]
    said = {"decisions": [{"case_id": case, "area": "18652", "evidence": "POLICE_REGISTER"}]}
    for stranger in (clients(Role.LIST_OFFICER, "*"), clients(Role.REVIEWER, THANH_SEN), clients(Role.REVIEWER, HA_HUY_TAP)):
        assert (await stranger.post("/v1/areas/decisions", json=said)).status_code == 403
    for stranger in (clients(Role.LIST_OFFICER, "*"), clients(Role.REVIEWER, HA_HUY_TAP)):
        assert (await stranger.post(f"/v1/areas/cases/{case}/sights")).status_code == 403
    assert (await both.post(f"/v1/areas/cases/{case}/sights")).json() == {"case_id": case, "hamlet": ""}
    assert (await both.post("/v1/areas/decisions", json=said)).json()["fates"] == {"applied": 1}
    nobody = "00000000-0000-4000-8000-000000000000"
    assert (await both.post(f"/v1/areas/cases/{nobody}/sights")).status_code == 404
    said["decisions"][0]["case_id"] = nobody
    assert (await both.post("/v1/areas/decisions", json=said)).json()["code"] == "CASE_UNKNOWN"


async def test_a_closing_tells_what_stayed_out(bench: Bench, clients: Clients) -> None:
    await some_wait(bench)
    await bench.see(
        listed(bench, "sure", area="18073", identity=an_identity(personal_number="042149990099", full_name="Lê Thị Én"))
    )
    officer = clients(Role.LIST_OFFICER, THANH_SEN)
    closing = (await officer.post(f"/v1/lists/{JULY}/{THANH_SEN}/close")).json()
    assert (closing["count"], closing["held"]) == (1, {"AREA_SPLIT": {"count": PEOPLE, "vnd": PEOPLE * 360_000}})


async def test_what_a_unit_became_for_who_lives_in_a_hamlet(clients: Clients) -> None:
    days = {"then": "2025-06-30", "now": "2025-07-01"}
    client = clients(Role.REVIEWER, "*")
    assert (await client.get("/v1/areas/18082/became", params=days)).json()["code"] is None
    named = (await client.get("/v1/areas/18082/became", params={**days, "hamlet": "TDP Mẫu 4"})).json()
    assert (named["code"], named["reason"]) == ("18652", None)
