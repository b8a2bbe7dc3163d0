"""The HTTP door for ministries on a real database: the topic's intake, exactly once, an outcome for every event."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import OctKey

from services.registry.app import build
from services.registry.settings import Settings
from shared import events, logs
from shared.actors import ActorGate
from shared.events import MinistryMessage
from shared.issuing import Issuer
from shared.process import Runtime
from shared.topics import Service
from shared.web import make_app
from shared.words import EndReason, Role, Wish
from tests.conftest import ROOT
from tests.integration.registry.registry_bench import PAYER, PERIOD, SOURCE, Bench, an_identity

PATH = "/v1/beneficiary-events"
COUNTED = ("person", "source_record", "list_row", "source_event", "waiting", "outbox", "event_request")


@pytest.fixture
def web(bench: Bench, keys: Path) -> FastAPI:
    """The service's routes over the bench's database."""
    gate = ActorGate(json.loads((keys / "registry.json").read_text())["issuer"], bench.clock)
    settings = Settings(
        postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=keys / "registry.json", files_dir=keys / "files"
    )  # type: ignore[arg-type]
    app = build(Runtime(Service.REGISTRY, settings, bench.database, bench.vault, bench.clock, gate, logs.configure("registry")))
    made = make_app("test", list)
    assert app.router
    made.include_router(app.router)
    return made


@pytest.fixture
async def client(web: FastAPI, bench: Bench, keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A ministry's sender."""
    headers = {"Authorization": f"Bearer {token(bench, keys)}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://test", headers=headers) as client:
        yield client


def token(bench: Bench, keys: Path, *, name: str = SOURCE, role: Role = Role.SENDER, payers: tuple[str, ...] = (PAYER,)) -> str:
    """An actor's token."""
    return Issuer(keys / "actor-issuer.json", bench.clock).token(name, (role,), payers=payers)


def posted(message: MinistryMessage, event_id: str | None = None) -> dict[str, Any]:
    """A message as a CloudEvent."""
    data = message.model_dump(mode="json", exclude_none=True)
    return {"specversion": "1.0", "id": event_id or str(uuid4()), "type": message.TYPE, "data": data}


async def send(client: httpx.AsyncClient, *items: Any, key: str | None = None) -> httpx.Response:
    """Many in one request."""
    headers = {"Content-Type": "application/cloudevents-batch+json"} | ({"Idempotency-Key": key} if key else {})
    return await client.post(PATH, content=json.dumps(items), headers=headers)


async def outcomes(client: httpx.AsyncClient, *items: Any) -> list[tuple[str, str | None]]:
    """(outcome, reason) of each."""
    answer = await send(client, *items)
    assert answer.status_code == 200, answer.text
    return [(item["outcome"], item["reason"]) for item in answer.json()["items"]]


async def counts(bench: Bench) -> dict[str, int]:
    return {table: int((await bench.rows(f"SELECT count(*) FROM {table}"))[0]["count"]) for table in COUNTED}


# --- one intake -------------------------------------------------------------------------------------------------------------------


async def test_what_came_by_http_is_known_at_the_topic_and_the_other_way(bench: Bench, client: httpx.AsyncClient) -> None:
    by_http, by_topic = bench.enrolled("r1"), bench.enrolled("r2", identity=an_identity(personal_number="042149990002"))
    assert await outcomes(client, posted(by_http)) == [("applied", None)]
    await bench.see(by_topic)
    await bench.told()
    await bench.see(by_http)
    assert await outcomes(client, posted(by_topic)) == [("repeated", None)]
    assert await bench.told() == []
    assert [fate for fate, _ in await bench.fates()] == ["applied", "applied", "repeated", "repeated"]


async def test_every_event_has_its_outcome_in_the_order_of_the_request(bench: Bench, client: httpx.AsyncClient) -> None:
    said = bench.enrolled("r1", seq=5)
    key = OctKey.import_key(OctKey.generate_key(256).as_dict() | {"kid": "late-list"})
    stranger = an_identity(full_name="Lê Văn Tám", birth_date="1980-01-01")
    found = await outcomes(
        client,
        posted(said),
        posted(said),
        posted(bench.enrolled("r1", seq=4)),
        posted(said.model_copy(update={"line": said.line.model_copy(update={"monthly_vnd": 1})})),
        posted(bench.enrolled("r2", identity=stranger)),
        posted(bench.enrolled("r3", area="18070")),
        posted(events.WishRecorded(source=SOURCE, record="nobody", source_sequence=1, wish=Wish.POST)),
        posted(bench.enrolled("r4", key=key)),
        {"specversion": "1.0", "id": "x", "type": "vn.ansinh.ministry.enrolled.v1", "data": {"source": SOURCE}},
        posted(events.Ended(source=SOURCE, record="r1", source_sequence=6, reason=EndReason.GIVEN_UP, on=date(2024, 2, 1))),
        "not an event",
    )
    assert found == [
        ("applied", None),
        ("repeated", None),
        ("stale", None),
        ("conflict", None),
        ("refused", "NUMBER_CLASH"),
        ("refused", "AREA_NOT_OF_PAYER"),
        ("no_person", None),
        ("waits_for_key", None),
        ("unreadable", "SCHEMA_INVALID"),
        ("applied", None),
        ("unreadable", "EVENT_INCOMPLETE"),
    ]


async def test_an_event_that_waited_is_taken_when_its_lists_key_comes(bench: Bench, client: httpx.AsyncClient) -> None:
    key = OctKey.import_key(OctKey.generate_key(256).as_dict() | {"kid": "list-9"})
    assert await outcomes(client, posted(bench.enrolled("r1", key=key))) == [("waits_for_key", None)]
    opened = events.ListOpened(
        source=SOURCE, record="list", source_sequence=1, period=PERIOD, payer=PAYER, content_key=bench.sealed_key(key)
    )
    assert await outcomes(client, posted(opened)) == [("applied", None)]
    assert (await counts(bench))["list_row"] == 1


@pytest.mark.parametrize(
    ("period", "payer", "area", "reason"),
    [
        ("2024-02", "huyen-444", "18496", None),
        ("2024-02", "xa-18496", "18496", "PAYER_OTHER_TIME"),
        ("2025-08", "huyen-444", "18496", "PAYER_OTHER_TIME"),
        ("2025-08", "xa-18496", "18496", None),
        ("2025-08", "xa-18496", "18502", "AREA_NOT_OF_PAYER"),
        ("2025-08", "xa-18496", "18499", "AREA_OTHER_TIME"),
        ("2024-02", "huyen-444", "99999", "AREA_UNKNOWN"),
        ("2024-02", "an-office-of-elsewhere", "99999", None),
    ],
)  # fmt: skip
async def test_area_payer_and_month_go_together(
    bench: Bench, client: httpx.AsyncClient, keys: Path, period: str, payer: str, area: str, reason: str | None
) -> None:
    client.headers["Authorization"] = f"Bearer {token(bench, keys, payers=('*',))}"
    found = await outcomes(client, posted(bench.enrolled(period=period, payer=payer, area=area)))
    assert found == [("refused" if reason else "applied", reason)]


# --- bodies -----------------------------------------------------------------------------------------------------------------------


async def test_one_an_array_or_a_line_each(bench: Bench, client: httpx.AsyncClient) -> None:
    one = json.dumps(posted(bench.enrolled("r1"), "one"))
    for kind, body in (
        ("application/cloudevents+json", one),
        ("application/json; charset=utf-8", one),
        ("application/json", f"[{one}]"),
        ("application/x-ndjson", f"{one}\n\n"),
    ):
        answer = await client.post(PATH, content=body, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["events"]) == (200, 1)
    assert [fate for fate, _ in await bench.fates()] == ["applied", "repeated", "repeated", "repeated"]


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("application/cloudevents+json", b"[", 422, "BODY_UNREADABLE"),
        ("application/cloudevents+json", b"[]", 422, "BODY_UNREADABLE"),
        ("application/cloudevents-batch+json", b"{}", 422, "BODY_UNREADABLE"),
        ("text/plain", b"{}", 415, "MEDIA_TYPE_UNKNOWN"),
        ("application/x-ndjson", b"{\n", 422, "JSON_INVALID"),
        ("application/cloudevents+json", b"{}", 422, "EVENT_INCOMPLETE"),
        ("application/cloudevents+json", b'{"specversion":"1.0","id":"1","type":"vn.ansinh.audit.v1","data":{}}', 422, "SCHEMA_INVALID"),
        ("application/cloudevents+json", b'{"specversion":"1.0","id":"1","type":"x","data":{}}', 422, "TYPE_UNKNOWN"),
        ("application/x-ndjson", b"1\n" * 2_001, 413, "TOO_MANY_EVENTS"),
        ("application/json", b" " * (16 * 1024 * 1024 + 1), 413, "BODY_TOO_LARGE"),
    ],
)  # fmt: skip
async def test_a_body_that_cannot_be_taken_takes_nothing(
    bench: Bench, client: httpx.AsyncClient, kind: str, body: bytes, status: int, code: str
) -> None:
    answer = await client.post(PATH, content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert sum((await counts(bench)).values()) == 0


# --- who may send -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ({"role": Role.LIST_OFFICER}, "ROLE_SENDER_NEEDED"),
        ({"name": "another/ministry"}, "SOURCE_NOT_YOURS"),
        ({"name": "sandbox/min"}, "SOURCE_NOT_YOURS"),
        ({"payers": ("huyen-443",)}, "PAYER_NOT_YOURS"),
    ],
)
async def test_a_sender_speaks_for_its_own_source_and_payers(
    bench: Bench, client: httpx.AsyncClient, keys: Path, who: dict[str, Any], code: str
) -> None:
    client.headers["Authorization"] = f"Bearer {token(bench, keys, **who)}"
    mine = events.WishRecorded(source=SOURCE, record="r9", source_sequence=1, wish=Wish.POST)
    answer = await send(client, posted(mine), posted(bench.enrolled()))
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert sum((await counts(bench)).values()) == 0


async def test_a_sender_may_speak_for_sources_below_its_own(bench: Bench, client: httpx.AsyncClient, keys: Path) -> None:
    client.headers["Authorization"] = f"Bearer {token(bench, keys, name='sandbox')}"
    assert await outcomes(client, posted(bench.enrolled())) == [("applied", None)]
    client.headers["Authorization"] = ""
    assert (await send(client, posted(bench.enrolled()))).status_code == 401


# --- the same request again -------------------------------------------------------------------------------------------------------


async def test_the_same_key_gets_the_same_answer_and_nothing_happens_again(bench: Bench, client: httpx.AsyncClient) -> None:
    body = [posted(bench.enrolled("r1")), posted(bench.enrolled("r2", area="99999"))]
    first = await send(client, *body, key="month-2024-02-a")
    before = await counts(bench)
    again = await send(client, *body, key="month-2024-02-a")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert await counts(bench) == before
    other = await send(client, posted(bench.enrolled("r3")), key="month-2024-02-a")
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await counts(bench) == before


async def test_two_at_once_under_one_key_are_one_request(bench: Bench, client: httpx.AsyncClient) -> None:
    body = [posted(bench.enrolled("r1"))]
    both = await asyncio.gather(*(send(client, *body, key="month-2024-02-b") for _ in range(2)))
    assert both[0].json() == both[1].json()
    assert [fate for fate, _ in await bench.fates()] == ["applied"]


# --- what is written about it -----------------------------------------------------------------------------------------------------


async def test_the_example_of_the_page_works(bench: Bench, web: FastAPI, keys: Path) -> None:
    spec = importlib.util.spec_from_file_location("ministry_sender", ROOT / "docs/examples/ministry_sender.py")
    assert spec
    assert spec.loader
    sender = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sender)
    key = OctKey.import_key(OctKey.generate_key(256).as_dict() | {"kid": "an-example"})
    public = json.loads((keys / "registry.public.json").read_text())
    made = list(sender.month(public, key, "2024-01-20T08:00:00+07:00"))
    headers = {"Authorization": f"Bearer {token(bench, keys)}", "Content-Type": "application/x-ndjson"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://test", headers=headers) as client:
        answer = await client.post(PATH, content="\n".join(map(json.dumps, made)))
    assert {item["outcome"] for item in answer.json()["items"]} == {"applied"}
    closing = await bench.close()
    assert (closing.count, closing.vnd) == (2, 720_000)  # type: ignore[union-attr]


async def test_the_page_for_api_clients_describes_the_door(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()["paths"][PATH]["post"]
    assert {"application/cloudevents+json", "application/x-ndjson"} <= described["requestBody"]["content"].keys()
    schema = described["requestBody"]["content"]["application/cloudevents+json"]["schema"]
    assert "vn.ansinh.ministry.enrolled.v1" in schema["properties"]["type"]["enum"]
    assert "EventsAnswer" in json.dumps(described["responses"]["200"])
    assert any(parameter["name"] == "idempotency-key" for parameter in described["parameters"])
