"""The demo's report, recomputed from the services' tables and from what the partners really did."""

import io
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
from rich.console import Console

from ansinh import report
from ansinh.demo import Demo
from ansinh.look import connection
from deploy.local.stack import remove_abandoned
from tests.conftest import ROOT

PEOPLE = 400


async def test_demo_report_equals_tables_and_truth() -> None:
    remove_abandoned(ROOT, "demo-test-")
    demo = Demo(f"demo-test-{os.getpid()}", PEOPLE, Console(file=io.StringIO(), width=130))
    try:
        made = await demo.run()
        payments = await rows(demo, "payout", "SELECT state, count(*) AS n, sum(vnd) AS vnd FROM instruction GROUP BY state")
        lines = await rows(demo, "payout", "SELECT count(*) AS n, sum(declared_vnd) AS vnd FROM line")
        held = await rows(demo, "payout", "SELECT reason, count(*) AS n FROM held WHERE until IS NULL GROUP BY reason")
        people = await rows(demo, "registry", "SELECT count(DISTINCT beneficiary_id) AS n FROM entitlement_line")
        texts = await rows(demo, "notify", "SELECT status, count(*) AS n FROM message GROUP BY status")
        files = await rows(demo, "payout", "SELECT path FROM file WHERE written_at IS NOT NULL")
    finally:
        demo.end()
    folder = Path(demo.installation.folder)
    try:
        compare(made, payments, lines=lines[0], held=held, texts=texts)
        assert people[0]["n"] <= PEOPLE == made["people"]
        assert made["truth"] == report.partner_totals(folder / "truth")
        assert json.loads((folder / "report.json").read_text())["invariants"] == made["invariants"]
        assert all((folder / "files" / row["path"]).exists() for row in files)
        same_workbook_back(folder / "lists")
        settled(made, folder)
    finally:
        assert demo.installation._stack is not None
        demo.installation._stack.remove()


def compare(made: dict[str, Any], payments: list[Any], *, lines: Any, held: list[Any], texts: list[Any]) -> None:
    count, vnd = Counter[str](), Counter[str]()
    for row in payments:
        count[row["state"]] += row["n"]
        vnd[row["state"]] += int(row["vnd"])
    assert made["paid"] == {"count": count["paid"] + count["collected"], "vnd": vnd["paid"] + vnd["collected"]}
    assert made["returned"] == {"count": count["returned"] + count["expired"], "vnd": vnd["returned"] + vnd["expired"]}
    assert made["unknown"] == {"count": count["unknown"], "vnd": vnd["unknown"]}
    assert (made["lines"]["count"], made["lines"]["vnd"]) == (lines["n"], int(lines["vnd"]))
    assert made["held"] == {row["reason"]: row["n"] for row in held}
    assert made["sms"] == {row["status"]: row["n"] for row in texts}
    # What the partners paid is what we call paid, plus what we do not know yet: never less, never more.
    assert made["truth"]["paid"]["count"] == made["paid"]["count"] + made["unknown"]["count"]
    assert made["truth"]["paid"]["vnd"] == made["paid"]["vnd"] + made["unknown"]["vnd"]
    assert sum(made["account_gap"].values()) + made["accounts"]["paid"] == made["accounts"]["exists"] == made["with_account"]
    assert all(verdict["ok"] for verdict in made["invariants"].values())


def settled(made: dict[str, Any], folder: Path) -> None:
    """The settlement says what the report says, and lies beside it as a page and as a workbook."""
    whole = made["settlement"]["total"]
    assert made["settlement"]["balanced"]
    assert whole["declared"] == {name: made["lines"][name] for name in ("count", "vnd")}
    assert sum(whole[place]["vnd"] for place in ("paid_account", "paid_counter", "paid_home")) == made["paid"]["vnd"]
    assert whole["unknown"]["vnd"] == made["unknown"]["vnd"]
    assert {reason: held["count"] for reason, held in whole["held_by_reason"].items()} == made["held"]
    book = openpyxl.load_workbook(folder / "settlement.xlsx", read_only=True)
    assert book.sheetnames[0] == "Quyết toán"
    assert "Khớp" in (folder / "settlement.html").read_text("utf-8")
    assert "huyen-444" in (folder / "go-no-go.html").read_text("utf-8")


def same_workbook_back(folder: Path) -> None:
    """Same rows in the same order, two columns added."""
    given = openpyxl.load_workbook(folder / "payroll.xlsx", read_only=True).active
    back = openpyxl.load_workbook(folder / "payroll.result.xlsx", read_only=True).active
    assert given is not None
    assert back is not None
    for old, new in zip(given.iter_rows(min_row=5, values_only=True), back.iter_rows(min_row=5, values_only=True), strict=True):
        assert new[: len(old)] == old
        assert len(new) == len(old) + 2


async def rows(demo: Demo, service: str, sql: str) -> list[Any]:
    async with connection(demo.installation.addresses.databases[service]) as tx:
        return list(await tx.fetch(sql))
