"""The report of a run: `report.json` and the page a person reads. Figures come from the services; partners' truth is read beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ansinh import pipeline
from ansinh.check import run_checks
from ansinh.client import Client
from ansinh.installation import Addresses
from ansinh.look import connection
from shared.database import load_queries

queries = load_queries(__file__)


async def make(
    addresses: Addresses, client: Client, *, period: str, payer: str, notes: dict[str, Any], seconds: dict[str, float]
) -> dict[str, Any]:
    """The figures of one payroll, with every invariant's verdict."""
    shown = await pipeline.status(client, period, payer)
    verified = await client.get("verification", "/v1/progress")
    truth = sorted((Path(addresses.folder) / "truth").glob("*.jsonl"))
    verdicts = await run_checks(lambda service: addresses.databases[service], [path for path in truth if path.stem != "sms"])
    payroll, accounts = notes.get("payroll", {}), notes.get("accounts", {})
    return {
        "synthetic": True,
        "period": period,
        "payer": payer,
        "people": notes.get("people"),
        "rows_in": payroll.get("rows", 0) + accounts.get("rows", 0),
        "rows_refused": payroll.get("refused", 0) + accounts.get("refused", 0),
        "with_account": shown["accounts"]["exists"],
        "verified": sum(verified.get(outcome, 0) for outcome in ("match", "weak_match", "number_changed")),
        "outcomes": verified,
        "lines": shown["lines"],
        "held": {reason: value["count"] for reason, value in shown["held"].items()},
        "cashless": shown["cashless"],
        "postal": shown["postal"],
        **{kind: shown[kind] for kind in ("paid", "returned", "unknown")},
        "sms": notes.get("sms", {}),
        "accounts": shown["accounts"],
        "account_gap": shown["account_gap"],
        "invariants": {verdict.id: {"ok": verdict.ok, "detail": f"{verdict.title}: {verdict.detail}"} for verdict in verdicts},
        "seconds": seconds | {"total": round(sum(seconds.values()), 2)},
        "files": str(Path(addresses.folder) / "files"),
        "settlement": notes.get("settlement", {}),
        "truth": partner_totals(Path(addresses.folder) / "truth"),
    }


def partner_batches(folder: Path) -> dict[str, str]:
    """batch id -> state, from the partners' truth files."""
    return {fact["batch_id"]: fact["state"] for fact in _facts(folder) if fact["fact"] == "batch"}


def partner_totals(folder: Path) -> dict[str, dict[str, int]]:
    """What really happened at the partners, by status: count and VND, each end-to-end id at its last status."""
    last = {fact["end_to_end_id"]: fact for fact in _facts(folder) if fact["fact"] == "line"}
    totals: dict[str, dict[str, int]] = {}
    for fact in last.values():
        total = totals.setdefault(fact["status"], {"count": 0, "vnd": 0})
        total["count"] += 1
        total["vnd"] += fact["amount_vnd"]
    return totals


def _facts(folder: Path) -> list[dict[str, Any]]:
    paths = (path for path in sorted(folder.glob("*.jsonl")) if path.stem != "sms")
    return [json.loads(line) for path in paths for line in path.read_text().splitlines() if line.endswith("}")]


async def batches_sent(addresses: Addresses) -> int:
    """How many batches payout has sent."""
    async with connection(addresses.databases["payout"]) as tx:
        return int((await queries.batches_sent(tx))["count"])


async def person_of(addresses: Addresses, source: str, record: str) -> str:
    """The beneficiary id behind an upstream record. Raises LookupError."""
    async with connection(addresses.databases["registry"]) as tx:
        row = await queries.person_of(tx, source=source, record=record)
    if row is None:
        raise LookupError("RECORD_UNKNOWN")
    return str(row["beneficiary_id"])


async def texts(client: Client, campaign: str) -> dict[str, int]:
    """Texts of a campaign's first round by status."""
    shown = await client.get("notify", f"/v1/campaigns/{campaign}")
    return {str(status): count for status, count in shown["rounds"][0]["states"].items()}


def show(report: dict[str, Any], console: Console, name: str) -> None:
    """One page: people and money, the funnel with its gap, the invariants, where to look. `name`: the installation it was done on."""
    console.print(f"\n[bold]An Sinh · {report['payer']} · kỳ {report['period']}[/] · DỮ LIỆU GIẢ LẬP / SYNTHETIC DATA\n")
    console.print(_money(report))
    console.print(_funnel(report))
    console.print(_invariants(report))
    console.print(f"Texts by state: {_pairs(report['sms'])}")
    console.print(f"Partners' own books: {_pairs({k: v['count'] for k, v in report['truth'].items()})}")
    files = Path(report["files"])
    shown = files.relative_to(Path.cwd()) if files.is_relative_to(Path.cwd()) else files
    console.print(f"Files: {shown}  ·  report.json beside them  ·  {report['seconds']['total']} s in all")
    console.print(_settled(report["settlement"]))
    ours, here = ".venv/bin/python -m ansinh", f"--name {name}"
    console.print(f"Look closer: {ours} up {here}", soft_wrap=True)
    console.print(f"then beside it: {ours} payroll status {report['period']} {report['payer']} {here}", soft_wrap=True)


def _settled(settlement: dict[str, Any]) -> str:
    verdict = "balances" if settlement["balanced"] else f"DOES NOT BALANCE: {settlement['faults'][0]}"
    names = ", ".join(Path(file).name for file in settlement["files"])
    return f"Settlement {verdict}: {names} and go-no-go.html beside report.json"


def _money(report: dict[str, Any]) -> Table:
    table = Table("what", "count", "VND", title=f"{report['people']} people, {report['verified']} verified", title_justify="left")
    for name, count, vnd in (
        ("frozen lines", report["lines"]["count"], report["lines"]["vnd"]),
        ("cashless payments", report["cashless"]["payments"], report["cashless"]["vnd"]),
        ("postal payments", report["postal"]["payments"], report["postal"]["vnd"]),
        *((kind, report[kind]["count"], report[kind]["vnd"]) for kind in ("paid", "returned", "unknown")),
        *((f"held: {reason}", count, None) for reason, count in sorted(report["held"].items())),
    ):
        table.add_row(name, str(count), "" if vnd is None else f"{vnd:,}".replace(",", "."))
    return table


def _funnel(report: dict[str, Any]) -> Table:
    table = Table("account", "people", title="Cashless funnel, and why holders were not paid on it", title_justify="left")
    for name, count in report["accounts"].items():
        table.add_row(name, str(count))
    for reason, count in sorted(report["account_gap"].items(), key=lambda pair: -pair[1]):
        table.add_row(f"  not paid: {reason}", str(count))
    return table


def _invariants(report: dict[str, Any]) -> Table:
    table = Table("invariant", "verdict", "detail", title_justify="left")
    for name, verdict in report["invariants"].items():
        table.add_row(name, "[green]holds[/]" if verdict["ok"] else "[red]BROKEN[/]", verdict["detail"])
    return table


def _pairs(values: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(values.items()))
