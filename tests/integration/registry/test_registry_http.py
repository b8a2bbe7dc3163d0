"""The HTTP side of registry: who may hand in and close lists, and what an officer is told of a bad file."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sandbox.district import make_district
from sandbox.ministry import write_account_list, write_payroll_list
from services.registry.app import build
from services.registry.settings import Settings
from shared import logs, topics
from shared.actors import ActorGate
from shared.issuing import Issuer
from shared.process import Runtime
from shared.topics import Service
from shared.web import make_app
from shared.words import Role
from tests.integration.registry.registry_bench import PERIOD, Bench, an_identity

PAYROLL = {"period": PERIOD, "payer": "huyen-444", "source": "sandbox/ministry"}
ACCOUNTS = {"payer": "huyen-444", "source": "sandbox/police"}


@pytest.fixture
async def client(bench: Bench, keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service's routes over the bench's database, without a server."""
    gate = ActorGate(json.loads((keys / "registry.json").read_text())["issuer"], bench.clock)
    settings = Settings(
        postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=keys / "registry.json", files_dir=keys / "files"
    )  # type: ignore[arg-type]
    app = build(Runtime(Service.REGISTRY, settings, bench.database, bench.vault, bench.clock, gate, logs.configure("registry")))
    assert set(app.consumes) == {topic.name for topic in topics.read_by(Service.REGISTRY)}
    web = make_app("test", list)
    assert app.router
    web.include_router(app.router)
    token = Issuer(keys / "actor-issuer.json", bench.clock).token("an-officer", (Role.LIST_OFFICER,), payers=("huyen-444",))
    transport = httpx.ASGITransport(web)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"}
    ) as client:
        yield client


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A small district's lists."""
    folder, district = tmp_path_factory.mktemp("lists"), make_district(9, people=300)
    write_payroll_list(district, folder / "payroll.xlsx")
    write_account_list(district, folder / "accounts.xlsx")
    return (folder / "payroll.xlsx").read_bytes(), (folder / "accounts.xlsx").read_bytes()


async def test_from_the_list_to_the_closing(client: httpx.AsyncClient, lists: tuple[bytes, bytes]) -> None:
    dry = (await client.post("/v1/lists/payroll", params={**PAYROLL, "dry_run": "true"}, content=lists[0])).json()
    assert (await client.get("/v1/lists/2024-02/huyen-444")).status_code == 404
    real = (await client.post("/v1/lists/payroll", params=PAYROLL, content=lists[0])).json()
    assert real["rows"] == dry["rows"] == real["accepted"] + real["refused"] + real["unchanged"] + real["waiting"]
    assert {"row", "column", "rule", "advice"} == set(real["errors"][0])
    accounts = (await client.post("/v1/lists/accounts", params=ACCOUNTS, content=lists[1])).json()
    assert accounts["accepted"] > 0
    whole = (await client.get("/v1/waiting")).json()
    assert len(whole["statements"]) == whole["waiting"] == accounts["waiting"] > 0
    paged, page = list[Any](), {"next": {}}
    while page["next"] is not None:
        page = (await client.get("/v1/waiting", params={"most": 2, **page["next"]})).json()
        paged += page["statements"]
    assert paged == whole["statements"]
    shown = (await client.get("/v1/lists/2024-02/huyen-444")).json()
    assert (shown["state"], shown["active_vnd"]) == ("open", real["declared_vnd"])
    closing = (await client.post("/v1/lists/2024-02/huyen-444/close")).json()
    assert (closing["count"], closing["vnd"]) == (real["accepted"], real["declared_vnd"])
    assert (await client.post("/v1/lists/2024-02/huyen-444/close")).json() == closing
    funnel = (await client.get("/v1/funnel", params={"period": PERIOD})).json()
    assert (funnel["total"]["people"], funnel["total"]["exists"]) == (300, accounts["accepted"])


async def test_a_csv_list_goes_in_and_comes_back_once_to_those_who_may(
    client: httpx.AsyncClient, bench: Bench, keys: Path
) -> None:
    header = "STT;Họ và tên;Ngày sinh;Số định danh/CCCD;Xã/thị trấn;Mã nhóm;Mức trợ cấp tháng"
    body = f"{header}\r\n1;Nguyễn Thị Hòa;02/03/1949;042149990001;Xã Hà Linh;BT-5c;360.000\r\n2;=1+1;1950;;Atlantis;BT-5c;1\r\n".encode()
    answer = (await client.post("/v1/lists/payroll", params=PAYROLL, content=body)).json()
    assert (answer["rows"], answer["accepted"], answer["refused"], answer["declared_vnd"]) == (2, 1, 1, 360_000)
    assert {(error["row"], error["rule"]) for error in answer["errors"]} == {(3, "TEXT_BAD"), (3, "AREA_UNKNOWN")}
    stranger = Issuer(keys / "actor-issuer.json", bench.clock).token("x", (Role.LIST_OFFICER,), payers=("huyen-443",))
    refused = await client.get(answer["returned_list"], headers={"Authorization": f"Bearer {stranger}"})
    assert refused.status_code == 403
    returned = await client.get(answer["returned_list"])
    assert returned.headers["content-type"] == "text/csv; charset=utf-8"
    first, second, third = returned.content.decode("utf-8-sig").splitlines()
    assert first == f"{header};Kết quả;Lý do"
    assert second == "1;Nguyễn Thị Hòa;02/03/1949;042149990001;Xã Hà Linh;BT-5c;360.000;Đã nhận;"
    assert third.startswith("2;'=1+1;1950;;Atlantis;BT-5c;1;Từ chối;")
    assert (await client.get(answer["returned_list"])).status_code == 404


async def test_a_bad_file_takes_nothing_and_says_what_to_do(bench: Bench, client: httpx.AsyncClient) -> None:
    for body, code in ((b"%PDF-1.7", "FILE_IS_PDF"), (b"", "FILE_EMPTY"), (b"a,b", "HEADER_NOT_FOUND")):
        for path, params in (("payroll", PAYROLL), ("accounts", ACCOUNTS)):
            answer = await client.post(f"/v1/lists/{path}", params=params, content=body)
            assert (answer.status_code, answer.json()["code"]) == (422, code)
            assert answer.headers["content-type"] == "application/problem+json"
    unknown = await client.post("/v1/lists/payroll", params={**PAYROLL, "period": "2024-13"}, content=b"")
    assert unknown.status_code == 422
    assert await bench.rows("SELECT FROM list_import") == []


async def test_only_a_list_officer_of_the_payer_writes(bench: Bench, client: httpx.AsyncClient, keys: Path) -> None:
    other = await client.post("/v1/lists/payroll", params={**PAYROLL, "payer": "huyen-443"}, content=b"")
    assert (other.status_code, other.json()["code"]) == (403, "PAYER_NOT_YOURS")
    maker = Issuer(keys / "actor-issuer.json", bench.clock).token("a-maker", (Role.MAKER,))
    for path in ("/v1/lists/payroll", "/v1/lists/accounts", "/v1/lists/2024-02/huyen-444/close"):
        answer = await client.post(path, params=PAYROLL, content=b"", headers={"Authorization": f"Bearer {maker}"})
        assert answer.status_code == 403
        assert (await client.post(path, params=PAYROLL, content=b"", headers={"Authorization": ""})).status_code == 401


async def test_a_record_and_a_person_are_traced_without_personal_data(bench: Bench, client: httpx.AsyncClient) -> None:
    await bench.see(bench.enrolled("hk/0001"))
    assert (await client.get("/v1/records/sandbox/ministry/r-none")).status_code == 404
    assert (await client.get("/v1/records/sandbox/ministry/hk/0001")).json()["record"] == "hk/0001"
    await bench.see(bench.enrolled("r2", line=bench.enrolled().line.model_copy(update={"benefit_code": "BT-6d"})))
    found = (await client.get("/v1/records/sandbox/ministry/r2")).json()
    assert [statement["fate"] for statement in found["statements"]] == ["applied"]
    trace = await client.get(f"/v1/trace/{found['beneficiary_id']}")
    assert len(trace.json()["rows"]) == 2
    assert an_identity().full_name not in trace.text
    assert (await client.get(f"/v1/trace/{uuid4()}")).status_code == 404


async def test_an_empty_list_does_not_close(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/lists/2024-02/huyen-444/close")
    assert (answer.status_code, answer.json()["code"]) == (409, "LIST_EMPTY")
