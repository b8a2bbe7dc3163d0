"""HTTP around list files: templates that read back, an office's own words, old formats that come back as XLSX, areas, gone, undone."""

import inspect
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import openpyxl
import pytest

from ansinh import cli_lists
from services.registry.app import build
from services.registry.cells import folded
from services.registry.columns import Column
from services.registry.settings import Settings
from shared import logs
from shared.actors import ActorGate
from shared.issuing import Issuer
from shared.process import Runtime
from shared.topics import Service
from shared.web import make_app
from shared.words import Role
from tests.integration.registry.registry_bench import PAYER, PERIOD, Bench
from tests.integration.registry.test_registry_undoing import a_list
from tests.ugly_lists.old_formats import ods, xls
from tests.ugly_lists.ugly import AN, HEADER, HOA

PAYROLL = {"period": PERIOD, "payer": PAYER, "source": "office"}
OFFICE = {"payer": PAYER, "source": "office"}


@pytest.fixture
async def client(bench: Bench, keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A list officer."""
    gate = ActorGate(json.loads((keys / "registry.json").read_text())["issuer"], bench.clock)
    settings = Settings(
        postgres_dsn="unused", kafka_bootstrap="unused", port=20_001, keys_file=keys / "registry.json", files_dir=keys / "files"
    )  # type: ignore[arg-type]
    app = build(Runtime(Service.REGISTRY, settings, bench.database, bench.vault, bench.clock, gate, logs.configure("registry")))
    web = make_app("test", list)
    assert app.router
    web.include_router(app.router)
    token = Issuer(keys / "actor-issuer.json", bench.clock).token("an-officer", (Role.LIST_OFFICER,), payers=(PAYER,))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://test", headers=headers) as client:
        yield client


@pytest.mark.parametrize("kind", ["payroll", "accounts"])
async def test_a_template_is_read_back(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.get(f"/v1/lists/template/{kind}")
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    filled = {"Họ và tên": "Nguyễn Thị Hòa", "Số định danh/CCCD": "042149990001", "Xã/thị trấn": "Xã Hà Linh", "Mã nhóm": "BT-5c",
              "Mức trợ cấp tháng": 360_000, "Ngân hàng": "Agribank", "Số tài khoản": "3709000000001",
              "Tên chủ tài khoản": "NGUYEN THI HOA"}  # fmt: skip
    for column in range(1, sheet.max_column + 1):
        sheet.cell(2, column).value = filled.get(sheet.cell(1, column).value)
    target = io.BytesIO()
    book.save(target)
    params = PAYROLL if kind == "payroll" else OFFICE
    taken = (await client.post(f"/v1/lists/{kind}", params=params, content=target.getvalue())).json()
    assert (taken["rows"], taken["refused"]) == (1, 0)
    assert (await client.get("/v1/lists/template/other")).status_code == 422


async def test_an_office_says_once_what_it_calls_its_columns(client: httpx.AsyncClient) -> None:
    header = ["TT", "Đối tượng thụ hưởng", "CCCD", "Nơi cư trú", "Diện", "Số tiền/tháng", "Họ tên"]
    body = "\r\n".join([";".join(header), "1;Nguyễn Thị Hòa;042149990001;Xã Hà Linh;BT-5c;360.000;cán bộ A"]).encode()
    refused = await client.post("/v1/lists/payroll", params=PAYROLL, content=body)
    assert refused.json()["code"] == "HEADER_INCOMPLETE"
    words = {"Đối tượng thụ hưởng": "Họ và tên", "nơi CƯ TRÚ": "Xã/thị trấn", "Diện": "Mã nhóm", "Số tiền/tháng": "Mức trợ cấp tháng",
             "Họ tên": ""}  # fmt: skip
    saved = await client.post("/v1/lists/columns/payroll", params=OFFICE, json={"columns": words})
    assert saved.json() == (await client.get("/v1/lists/columns/payroll", params=OFFICE)).json()
    taken = (await client.post("/v1/lists/payroll", params=PAYROLL, content=body)).json()
    assert (taken["rows"], taken["accepted"]) == (1, 1)
    elsewhere = await client.post("/v1/lists/payroll", params={**PAYROLL, "source": "another"}, content=body)
    assert elsewhere.json()["code"] == "HEADER_INCOMPLETE"


async def test_examples_of_the_command_are_taken_and_a_column_is_meant_by_any_word_for_it(client: httpx.AsyncClient) -> None:
    words = dict(re.findall('"([^"=\n]+)=([^"=\n]*)"', inspect.getsource(cli_lists.columns)))
    assert len(words) == 3
    saved = await client.post("/v1/lists/columns/payroll", params=OFFICE, json={"columns": {**words, "Chỗ ở": "XÃ / PHƯỜNG"}})
    assert saved.status_code == 200, saved.text
    named = saved.json()["columns"]
    assert (named[folded("Nơi ở")], named[folded("Chỗ ở")], named[folded("Ghi thêm")]) == (Column.AREA, Column.AREA, "")
    assert named[folded("Tiền tháng")] == Column.MONTHLY


@pytest.mark.parametrize(
    "columns", [{"A": "Không có cột này"}, {"Họ tên": "Họ và tên", "HỌ TÊN": ""}, {"...": "Họ và tên"}, {"x" * 81: "Họ và tên"}]
)
async def test_words_that_name_no_column_are_not_saved(client: httpx.AsyncClient, columns: dict[str, str]) -> None:
    assert (await client.post("/v1/lists/columns/payroll", params=OFFICE, json={"columns": columns})).status_code == 422
    assert (await client.get("/v1/lists/columns/payroll", params=OFFICE)).json() == {"columns": {}}


async def test_only_an_officer_of_the_payer_says_decides_and_undoes(client: httpx.AsyncClient) -> None:
    other = {"payer": "huyen-443", "source": "office"}
    assert (await client.post("/v1/lists/columns/payroll", params=other, json={"columns": {}})).status_code == 403
    decision = {"decisions": [{"record": "r", "choice": "keep"}]}
    assert (await client.post(f"/v1/lists/{PERIOD}/huyen-443/gone", params=OFFICE, json=decision)).status_code == 403
    assert (await client.post(f"/v1/lists/{PERIOD}/huyen-443/alive", params=OFFICE, json={"records": ["r"]})).status_code == 403
    taken = (await client.post("/v1/lists/payroll", params=PAYROLL, content=a_list(range(2)))).json()
    client.headers["Authorization"] = ""
    assert (await client.post(f"/v1/imports/{taken['import_id']}/undo")).status_code == 401


@pytest.mark.parametrize("make", [xls, ods])
async def test_an_old_workbook_comes_back_as_xlsx_with_fate_and_reason(client: httpx.AsyncClient, make) -> None:  # type: ignore[no-untyped-def]
    rows = [("DANH SÁCH",), HEADER, HOA, [*AN[:7], "BT-99", *AN[8:]]]
    answer = (await client.post("/v1/lists/payroll", params=PAYROLL, content=make(rows))).json()
    assert (answer["rows"], answer["accepted"], answer["reasons"]) == (2, 1, {"CODE_UNKNOWN": 1})
    returned = await client.get(answer["returned_list"])
    sheet = openpyxl.load_workbook(io.BytesIO(returned.content)).worksheets[0]
    told = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert told[1][:10] == list(HEADER)
    assert told[1][10:] == ["Kết quả", "Lý do"]
    assert told[2][:4] == [1, "Nguyễn Thị Hòa", "02/03/1949", "Nữ"]
    assert (told[2][10], told[3][10]) == ("Đã nhận", "Từ chối")
    assert told[3][11].startswith("H: Mã nhóm:")


async def test_gone_and_undone_over_http(client: httpx.AsyncClient) -> None:
    await client.post("/v1/lists/payroll", params=PAYROLL, content=a_list(range(3)))
    params = {**PAYROLL, "period": "2024-03", "full": "true"}
    answer = (await client.post("/v1/lists/payroll", params=params, content=a_list(range(2)))).json()
    assert answer["gone"]["undecided"] == 1
    shown = (await client.get(answer["gone"]["look"])).json()
    decision = {"record": shown["candidates"][0]["record"], "choice": "end", "reason": "given_up", "on": "2024-02-29"}
    path = f"/v1/lists/2024-03/{PAYER}/gone"
    done = await client.post(path, params={"source": "office"}, json={"decisions": [decision]})
    assert done.json() == {"decided": 1, "unchanged": 0, "ended": 1}
    assert (await client.get(path, params={"source": "office"})).json()["undecided"] == 0
    alive = await client.post(f"{path[:-4]}alive", params={"source": "office"}, json={"records": [decision["record"]]})
    (item,) = alive.json()["items"]
    assert (item["record"], item["outcome"], item["reason"]) == (decision["record"], "applied", None)
    undone = await client.post(f"/v1/imports/{answer['import_id']}/undo")
    assert undone.json()["rows_undone"] == 2
    assert (await client.post(f"/v1/imports/{answer['import_id']}/undo")).json()["code"] == "IMPORT_UNDONE"
    assert (await client.post(f"/v1/imports/{uuid4()}/undo")).status_code == 404
    shown = (await client.get(f"/v1/lists/2024-03/{PAYER}")).json()
    assert [(file["kind"], file["is_full"], file["undone_by"] is None) for file in shown["imports"]][:1] == [
        ("undo", False, True)
    ]


async def test_areas_of_a_day_and_what_became_of_them(client: httpx.AsyncClient) -> None:
    units, page = list[dict[str, str]](), {"next": {}}
    while page["next"] is not None:
        page = (await client.get("/v1/areas", params={"on": "2025-08-01", "most": 23, **page["next"]})).json()
        units += page["areas"]
    assert len(units) == len({unit["code"] for unit in units}) == 69
    mine = (await client.get("/v1/areas", params={"on": "2024-02-01", "payer": PAYER})).json()["areas"]
    assert {"code": "18502", "name": "Xã Hà Linh", "payer": PAYER} in mine
    became = await client.get("/v1/areas/18499/became", params={"then": "2024-02-01", "now": "2025-08-01"})
    assert (became.json()["code"], became.json()["reason"]) == ("18502", None)
    never = await client.get("/v1/areas/18499/became", params={"then": "2025-08-01", "now": "2025-09-01"})
    assert never.json()["reason"] == "AREA_OTHER_TIME"
