"""The HTTP side of verification: who may hand in an extract, and what an officer is told."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sandbox.population import COLUMNS
from services.verification.app import build
from services.verification.population_feed import CHUNK
from services.verification.settings import Settings
from shared import logs, topics
from shared.actors import ActorGate
from shared.events import PopulationEntry
from shared.issuing import Issuer
from shared.process import Runtime
from shared.topics import Service
from shared.web import make_app
from shared.words import Outcome, Role
from tests.integration.verification.verification_bench import Bench, a_register_line, an_identity

LINE = "042149990001,,Nguyễn,Thị,Hòa,1949-03-02,female,18496,alive,,"


@pytest.fixture
async def client(bench: Bench, keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service's routes over the bench's database, without a server."""
    gate = ActorGate(json.loads((keys / "verification.json").read_text())["issuer"], bench.clock)
    settings = Settings(postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=keys / "verification.json")  # type: ignore[arg-type]
    app = build(
        Runtime(Service.VERIFICATION, settings, bench.database, bench.vault, bench.clock, gate, logs.configure("verification"))
    )
    assert set(app.consumes) == {topic.name for topic in topics.read_by(Service.VERIFICATION)}
    web = make_app("test", list)
    assert app.router
    web.include_router(app.router)
    token = Issuer(keys / "actor-issuer.json", bench.clock).token("an-operator", (Role.OPERATOR,))
    transport = httpx.ASGITransport(web)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"}
    ) as client:
        yield client


async def test_extract_is_taken_and_bad_rows_told_without_their_values(bench: Bench, client: httpx.AsyncClient) -> None:
    body = "\n".join((",".join(COLUMNS), LINE, LINE.replace("1949-03-02", "2.3.49").replace("0001,", "0002,")))
    answer = await client.post("/v1/population/extract", content=body.encode())
    assert answer.json() == {"entries": 1, "refused": 1, "errors": [{"row": 3, "column": "birth_date", "rule": "SHAPE"}]}
    assert "2.3.49" not in answer.text
    (extract,) = (await client.get("/v1/population/extracts")).json()
    assert (extract["entries"], extract["applied"]) == (1, 0)


async def test_long_extract_is_published_in_chunks_and_counted_without_what_comes_twice(
    bench: Bench, client: httpx.AsyncClient
) -> None:
    rows = CHUNK + 1
    numbered = [LINE.replace("042149990001", f"{42_149_000_000 + n:012d}") for n in range(rows)]
    body = "\n".join((",".join(COLUMNS), *numbered, numbered[-1], numbered[0]))
    answer = (await client.post("/v1/population/extract", content=body.encode())).json()
    assert (answer["entries"], answer["refused"]) == (rows, 2)
    assert [(error["row"], error["rule"]) for error in answer["errors"]] == [(rows + 2, "DUPLICATE"), (rows + 3, "DUPLICATE")]
    await bench.arrive(await bench._drain(PopulationEntry))
    (extract,) = (await client.get("/v1/population/extracts")).json()
    assert (extract["entries"], extract["applied"]) == (rows, rows)


async def test_ages_of_results_are_told_per_payer(bench: Bench, client: httpx.AsyncClient) -> None:
    await bench.load(a_register_line())
    await bench.see(bench.snapshot(an_identity()))
    assert (await client.get("/v1/population/ages", params={"payer": "huyen-444"})).json()["register_due"] == 0
    bench.clock.move(timedelta(days=40))
    told = (await client.get("/v1/population/ages", params={"payer": "huyen-444"})).json()
    assert (told["people"], told["register_due"], told["renew_before"][:10]) == (1, 1, "2024-02-20")
    assert (await client.get("/v1/population/ages", params={"payer": "huyen-445"})).json()["people"] == 0


async def test_when_a_newer_extract_is_needed_is_said(bench: Bench, client: httpx.AsyncClient) -> None:
    async def need() -> str:
        return str((await client.get("/v1/population/state")).json()["need"])

    assert await need() == "NO_EXTRACT"
    await bench.load(a_register_line())
    assert await need() == "CURRENT"
    state = (await client.get("/v1/population/state")).json()
    bench.clock.move(datetime.fromisoformat(state["renew_at"]) - bench.clock.now())
    assert await need() == "EXTRACT_DUE"
    bench.clock.move(datetime.fromisoformat(state["expires_at"]) - bench.clock.now() + timedelta(seconds=1))
    assert await need() == "EXTRACT_EXPIRED"
    await bench.load(a_register_line())
    assert await need() == "CURRENT"


def lines(*numbers: int) -> bytes:
    return "\n".join((",".join(COLUMNS), *(LINE.replace("0001,", f"{number:04},") for number in numbers))).encode()


async def test_one_corrected_row_is_no_new_register(bench: Bench, client: httpx.AsyncClient, keys: Path) -> None:
    async def handed_in(*numbers: int, **query: Any) -> Any:
        token = Issuer(keys / "actor-issuer.json", bench.clock).token("operator-1", (Role.OPERATOR,), payers=("*",))
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.post("/v1/population/extract", content=lines(*numbers), params=query, headers=headers)
        if answer.status_code == 200:
            await bench.arrive(await bench._drain(PopulationEntry))
        return answer.json()

    async def as_of() -> datetime:
        return datetime.fromisoformat((await client.get("/v1/population/state")).json()["as_of"])

    await handed_in(*range(1, 11))
    whole = await as_of()
    snapshot = bench.snapshot(an_identity())
    await bench.see(snapshot)
    bench.clock.move(timedelta(days=1))
    refused = await handed_in(1)
    assert (refused["code"], "--part" in refused["detail"]) == ("EXTRACT_SMALLER", True)
    assert (await handed_in(1, part=True))["entries"] == 1
    assert await as_of() == whole
    assert [one["part"] for one in (await client.get("/v1/population/extracts")).json()] == [True, False]
    bench.clock.move(timedelta(days=92))
    assert (await client.get("/v1/population/state")).json()["need"] == "EXTRACT_EXPIRED"
    await bench.waiting.judge_page()
    assert (await client.get("/v1/progress")).json() == {"unavailable": 1}
    await handed_in(*range(1, 9))  # four fifths: some have died or left
    assert await as_of() == bench.clock.now()
    bench.clock.move(timedelta(days=1))
    await handed_in(1, 2, part=False)  # a register that was divided
    assert await as_of() == bench.clock.now()


async def test_part_updates_its_entries(bench: Bench) -> None:
    await bench.load(a_register_line(), a_register_line(personal_number="042149990002"))
    await bench.see(bench.snapshot(an_identity()))
    await bench.told()
    bench.clock.move(timedelta(days=1))
    await bench.load(a_register_line(status="dead", status_date="2024-01-20"), part=True)
    assert [result.outcome for result in await bench.told()] == [Outcome.DEAD]


async def test_part_alone_answers_about_nobody(bench: Bench) -> None:
    await bench.load(a_register_line(), part=True)
    await bench.see(bench.snapshot(an_identity()))
    assert [result.outcome for result in await bench.told()] == [Outcome.UNAVAILABLE]


async def test_no_extract_no_token_no_service(client: httpx.AsyncClient) -> None:
    refused = await client.post("/v1/population/extract", content=b"%PDF-1.7 \xff")
    assert (refused.status_code, refused.json()["code"]) == (422, "EXTRACT_NOT_UTF8")
    stranger = await client.post("/v1/population/extract", content=b"", headers={"Authorization": ""})
    assert stranger.status_code == 401


async def test_progress_and_trace(bench: Bench, client: httpx.AsyncClient) -> None:
    snapshot = bench.snapshot(an_identity())
    await bench.see(snapshot)
    assert (await client.get("/v1/progress")).json() == {"unavailable": 1}
    trace = (await client.get(f"/v1/trace/{snapshot.beneficiary_id}")).json()
    assert [result["outcome"] for result in trace["results"]] == ["unavailable"]
    assert (await client.get(f"/v1/trace/{uuid4()}")).status_code == 404
    assert (await client.get("/v1/progress/2024-02/huyen-444")).status_code == 404
