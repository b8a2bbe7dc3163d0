"""`ansinh payroll settlement`: where every line and dong of a period is, what providers must give back, whether it balances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from ansinh.client import Client
from shared.money import Dong, in_words_of_figures

PLACES = (
    "declared", "held", "not_built", "listed", "in_flight", "unknown", "paid_account", "paid_counter", "paid_home", "back", "carried",
)  # fmt: skip
PAYMENTS = ("sent", "rejected", "returned", "expired", "recovered")
MONEY = ("drawn", "paid", "to_give_back", "still_open", "recovered")
Amount = dict[str, int]


def path_of(period: str, payer: str | None) -> str:
    """Where the report is asked for."""
    return f"/v1/settlements/{period}" + (f"/{payer}" if payer else "")


async def ask(client: Client, period: str, payer: str | None) -> dict[str, Any]:
    """The report. Raises Refusal when no list closed."""
    found: dict[str, Any] = await client.get("payout", path_of(period, payer))
    return found


async def save(client: Client, period: str, payer: str | None, *, to: Path) -> None:
    """The report as a file: a workbook or a page, as the ending of its name says. Raises Refusal."""
    await client.fetch("payout", f"{path_of(period, payer)}{to.suffix}", to, actor="operator")


def tables(found: Mapping[str, Any]) -> list[Table]:
    """The report on a screen: communes together, count and VND in each cell. The workbook has every commune."""
    rows = found["rows"]
    return [
        _table("Where the lines are (lines, VND)", rows, PLACES),
        _table("What left (payments, VND)", [row for row in rows if row["provider"] != "-"], PAYMENTS),
        _money(found["providers"]),
    ]


def verdict(found: Mapping[str, Any]) -> list[str]:
    """What does not balance, and who goes into next month's list."""
    carried = found["carry_over"]
    people, vnd = len({one["beneficiary_id"] for one in carried}), sum(one["vnd"] for one in carried)
    long = len({one["beneficiary_id"] for one in carried if one["months"] > 1})
    return [
        *(f"DOES NOT BALANCE: {fault}" for fault in found["faults"]),
        f"{people} people to carry into next month, {_figures(vnd)} VND; {long} of them unpaid for two months or more",
        "Everything balances." if found["balanced"] else f"{len(found['faults'])} findings.",
    ]


def _table(title: str, rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> Table:
    groups: dict[tuple[str, str], dict[str, Amount]] = defaultdict(lambda: defaultdict(lambda: {"count": 0, "vnd": 0}))
    for row in rows:
        for column in columns:
            for unit, value in row[column].items():
                groups[row["programme"], row["provider"]][column][unit] += value
    shown = [column for column in columns if any(group[column] != {"count": 0, "vnd": 0} for group in groups.values())]
    table = Table("programme", "provider", *shown, title=title, title_justify="left")
    for key, group in sorted(groups.items()):
        table.add_row(*key, *(_amount(group[column]) for column in shown))
    return table


def _money(providers: Iterable[Mapping[str, Any]]) -> Table:
    table = Table("payer", "provider", *MONEY, title="Money per provider (payments, VND)", title_justify="left")
    for one in providers:
        amounts = (_amount(one[column]) for column in MONEY)
        table.add_row(one["payer"], one["provider"], *amounts, style=None if one["balances"] else "red")
    return table


def _amount(amount: Mapping[str, int]) -> str:
    return "\n".join(_figures(amount[unit]) for unit in ("count", "vnd")) if amount["count"] or amount["vnd"] else ""


def _figures(number: int) -> str:
    return in_words_of_figures(Dong(number))
