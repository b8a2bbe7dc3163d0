"""What only offices and senders do at registry's HTTP doors, for the crash points that a payer's month does not pass."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from ansinh.client import Client
from services.registry.legacy_text import TABLES, TextCode
from shared.topics import Service
from tests.faults.nemesis import Scene
from tests.faults.operators import PAYER, ByHand, as_text, hand_in_file, workbook
from tests.ugly_lists.old_formats import ods

PERIOD = "2024-02"
SENDER = "ministry"


async def _send_events(scene: Scene) -> None:
    """A sender opens a list, again and again until it has an answer."""
    data = {
        "source": SENDER,
        "record": f"list-{scene.rng.randrange(10**9)}",
        "source_sequence": 1,
        "period": PERIOD,
        "payer": PAYER,
    }
    event = {"specversion": "1.0", "id": data["record"], "type": "vn.ansinh.ministry.list_opened.v1", "data": data}
    await scene.world.step("events", lambda client: client.post("registry", "/v1/beneficiary-events", actor=SENDER, body=event))


async def _undo(scene: Scene) -> None:
    """An officer hands a list in and takes the whole file back."""
    path = await workbook(scene)
    await hand_in_file(scene, path)

    async def file(client: Client) -> Mapping[str, Any]:
        shown = await client.get("registry", f"/v1/lists/{PERIOD}/{PAYER}")
        return next(one for one in shown["imports"] if one["source"].endswith(path.stem) and one["kind"] == "payroll")

    async def undo(client: Client) -> None:
        await client.post("registry", f"/v1/imports/{(await file(client))['import_id']}/undo", actor="officer")

    async def is_undone(client: Client) -> bool:
        return (await file(client))["undone_by"] is not None

    await scene.world.step("undo", undo, is_undone)


async def _decide_gone(scene: Scene) -> None:
    """A full list, then another one without any of its people: an officer keeps them all."""
    source = f"faults/full-{scene.rng.randrange(10**9)}"
    for _ in range(2):
        await hand_in_file(scene, await workbook(scene), source=source, full="true")
    place = f"/v1/lists/{PERIOD}/{PAYER}/gone"

    async def decide(client: Client) -> None:
        shown = await client.get("registry", place, source=source)
        kept = [{"record": one["record"], "choice": "keep"} for one in shown["candidates"]]
        await client.post("registry", place, actor="officer", body={"decisions": kept}, source=source)

    async def is_decided(client: Client) -> bool:
        return bool((await client.get("registry", place, source=source))["undecided"] == 0)

    await scene.world.step("decide", decide, is_decided)


async def _save_columns(scene: Scene) -> None:
    body = {"columns": {"Đối tượng": "Họ và tên"}}
    where = {"payer": PAYER, "source": f"faults/columns-{scene.rng.randrange(10**9)}"}
    await scene.world.step(
        "columns", lambda client: client.post("registry", "/v1/lists/columns/payroll", actor="officer", body=body, **where)
    )


async def _hand_in_tcvn3(scene: Scene) -> None:
    """A list as text in a code of before Unicode."""
    back = {new: old for old, new in TABLES[TextCode.TCVN3].items()}
    text = io.StringIO(newline="")
    book = await workbook(scene)
    csv.writer(text).writerows([[as_text(cell) for cell in row] for row in _rows(book)])
    typed = "".join(back.get(char, char) for char in text.getvalue())
    await asyncio.to_thread(book.with_suffix(".csv").write_bytes, typed.encode("cp1252", "replace"))
    await hand_in_file(scene, book.with_suffix(".csv"))


async def _hand_in_ods(scene: Scene) -> None:
    book = await workbook(scene)
    await asyncio.to_thread(book.with_suffix(".ods").write_bytes, ods([[as_text(cell) for cell in row] for row in _rows(book)]))
    await hand_in_file(scene, book.with_suffix(".ods"))


def _rows(book: Path) -> list[list[Any]]:
    return CalamineWorkbook.from_path(book).get_sheet_by_index(0).to_python(skip_empty_area=False)


async def _look_for_a_pair(scene: Scene) -> None:
    """A list names somebody twice, a digit apart, and the pair is found."""
    number = scene.rng.randrange(10**4)
    rows = [
        "Họ và tên;Ngày sinh;CCCD;Xã/thị trấn;Mã nhóm;Mức trợ cấp tháng",
        *(f"Trần Thị Thử Nghiệm;02/03/1949;0421499{number:04}{n};Xã Hà Linh;BT-5c;360.000" for n in (1, 2)),
    ]
    path = (await workbook(scene)).with_suffix(".csv")
    await asyncio.to_thread(path.write_bytes, "\r\n".join(rows).encode())
    await hand_in_file(scene, path)
    await scene.world.step("look", lambda client: client.post("registry", "/v1/people/look", actor="operator"))


async def _decide_pair(scene: Scene) -> None:
    """The pair is seen by a reviewer and told apart."""
    await _look_for_a_pair(scene)

    async def decide(client: Client) -> None:
        for pair in (await client.get("registry", "/v1/people/candidates", payer=PAYER))["pairs"]:
            place = f"/v1/people/pairs/{pair['one']}/{pair['other']}"
            seen = await client.post("registry", f"{place}/sights", actor="reviewer")
            body = {"sight_id": seen["sight_id"], "paper": "HOME_VISIT"}
            await client.post("registry", f"{place}/apart", actor="reviewer", body=body)

    async def is_decided(client: Client) -> bool:
        return not (await client.get("registry", "/v1/people/candidates", payer=PAYER))["pairs"]

    await scene.world.step("decide", decide, is_decided)


async def _merge_pair(scene: Scene) -> None:
    """The pair is merged by two reviewers; a separation is proposed and withdrawn."""
    await _look_for_a_pair(scene)

    async def first(client: Client) -> Any:
        return (await client.get("registry", "/v1/people/candidates", payer=PAYER))["pairs"][0]

    pair = await scene.world.ask(first)
    place = f"/v1/people/pairs/{pair['one']}/{pair['other']}/sights"

    async def acts(client: Client) -> list[Any]:
        return list(await client.get("registry", f"/v1/people/{pair['one']}/merges"))

    async def propose(client: Client, kind: str) -> None:
        seen = await client.post("registry", place, actor="reviewer")
        body = {"merged_id": pair["one"], "survivor_id": pair["other"], "sight_id": seen["sight_id"], "paper": "HOME_VISIT"}
        await client.post("registry", "/v1/people/merges", actor="reviewer", body={"kind": kind, **body})

    async def confirm(client: Client) -> None:
        seen = await client.post("registry", place, actor="second-reviewer")
        act = (await acts(client))[0]["act_id"]
        body = {"sight_id": seen["sight_id"]}
        await client.post("registry", f"/v1/people/merges/{act}/confirm", actor="second-reviewer", body=body)

    async def withdraw(client: Client) -> None:
        await client.post("registry", f"/v1/people/merges/{(await acts(client))[1]['act_id']}/withdraw", actor="reviewer")

    async def known(client: Client, many: int) -> bool:
        return len(await acts(client)) == many

    async def is_confirmed(client: Client) -> bool:
        return (await acts(client))[0]["confirmed_at"] is not None

    await scene.world.step("propose", lambda client: propose(client, "merge"), lambda client: known(client, 1))
    await scene.world.step("confirm", confirm, is_confirmed)
    await scene.world.step("propose", lambda client: propose(client, "unmerge"), lambda client: known(client, 2))
    await scene.world.step("withdraw", withdraw, lambda client: known(client, 1))


async def _place_somebody(scene: Scene) -> None:
    """The city's list names somebody under a ward that was split; a reviewer sees the address and decides."""
    payer, number = "huyen-436", scene.rng.randrange(10**5)
    rows = [
        "Họ và tên;Ngày sinh;CCCD;Xã/thị trấn;Thôn/xóm;Mã nhóm;Mức trợ cấp tháng",
        f"Trần Thị Thử Nghiệm;02/03/1949;0421499{number:05};18070;Tổ Chợ;BT-5c;360.000",
    ]
    path = (await workbook(scene)).with_suffix(".csv")
    await asyncio.to_thread(path.write_bytes, "\r\n".join(rows).encode())
    await hand_in_file(scene, path, payer=payer, period="2025-03")

    async def decide(client: Client) -> None:
        for case in (await client.get("registry", "/v1/areas/cases", payer=payer))["cases"]:
            await client.post("registry", f"/v1/areas/cases/{case['case_id']}/sights", actor="reviewer")
            said = {"case_id": case["case_id"], "area": case["codes"][0], "evidence": "HOME_VISIT"}
            await client.post("registry", "/v1/areas/decisions", actor="reviewer", body={"decisions": [said]})

    async def is_decided(client: Client) -> bool:
        return not (await client.get("registry", "/v1/areas/cases", payer=payer))["cases"]

    await scene.world.step("decide", decide, is_decided)


BY_HAND: Mapping[str, ByHand] = {
    "registry.take_events": ByHand(Service.REGISTRY, ("enrol",), _send_events),
    **dict.fromkeys(
        ("registry.begin_undo", "registry.undo_part", "registry.end_undo"), ByHand(Service.REGISTRY, ("enrol",), _undo)
    ),
    "registry.decide_gone": ByHand(Service.REGISTRY, ("enrol",), _decide_gone),
    "registry.save_columns": ByHand(Service.REGISTRY, ("enrol",), _save_columns),
    **dict.fromkeys(
        ("registry.look_part", "registry.see_pair", "registry.tell_apart"), ByHand(Service.REGISTRY, ("enrol",), _decide_pair)
    ),
    **dict.fromkeys(
        ("registry.propose_act", "registry.confirm_act", "registry.withdraw_act"),
        ByHand(Service.REGISTRY, ("enrol",), _merge_pair),
    ),
    **dict.fromkeys(("registry.see_address", "registry.place_people"), ByHand(Service.REGISTRY, ("enrol",), _place_somebody)),
    "list_in_utf8.": ByHand(Service.REGISTRY, ("enrol",), _hand_in_tcvn3),
    "list_rewritten.": ByHand(Service.REGISTRY, ("enrol",), _hand_in_ods),
}
