"""`ansinh funnel`: how far the people of a period's lists have come towards an account, and what is best done next. Nothing personal."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from ansinh.asking import AsJson, Name, Period, ask, show
from ansinh.tables import show_table

SERVICE, PAGE = "registry", 1_000
COUNTS = ("people", "gone", "cannot", "base", "exists", "wished", "verified", "paid", "back_to_cash")
BY = {"payer": "payer", "commune": "area", "programme": "programme", "age": "age_band"}


def _a_grouping(text: str) -> list[str]:
    """Raises BadParameter for a word that nothing can be grouped by."""
    words = text.split(",")
    if unknown := [word for word in words if word not in BY]:
        raise typer.BadParameter(f"{unknown[0]}: group by {', '.join(BY)}")
    return [BY[word] for word in words]


def show_funnel(
    period: Period,
    *,
    payer: Annotated[str | None, typer.Option(help="Only people of this payer.")] = None,
    by: Annotated[str, typer.Option(help="payer, commune, programme, age: one or several with commas.")] = "commune",
    to_csv: Annotated[
        Path | None, typer.Option("--csv", help="Write the rows here as well, or the people with --action.")
    ] = None,
    action: Annotated[str | None, typer.Option(help="List the people (by id) under this action instead.")] = None,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """Account exists, wished, verified, paid on it, and the next action per person. Example: ansinh funnel 2024-02 --by commune,age"""
    groups = _a_grouping(by)
    query = {"period": period} | ({"payer": payer} if payer else {})
    if action:
        _people(name, query | {"action": action}, to_csv)
        return
    found = ask(name, lambda _a, client: client.get(SERVICE, "/v1/funnel", **query))
    rows = grouped(found["cells"], groups)
    if to_csv:
        _write(to_csv, rows, [*groups, *COUNTS])
    if as_json:
        show({**found, "rows": rows})
        return
    _print(found, rows, groups)


def record_visit(
    person: Annotated[UUID, typer.Argument(help="Beneficiary id, as `ansinh funnel PERIOD --action visit` names it.")],
    *,
    wish: Annotated[str, typer.Option(help="account or post.")],
    reason: Annotated[str | None, typer.Option(help="An R_* code of docs/GLOSSARY.md; needed for the post.")] = None,
    evidence: Annotated[
        str | None, typer.Option(help="With --review-on: what shows that the person cannot have an account.")
    ] = None,
    review_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Cannot have one until this day.")] = None,
    name: Name = "local",
) -> None:
    """What was heard at a home visit. Example: ansinh visit ID --wish post --reason R_FEE"""
    body = {"wish": wish, "reason": reason, "evidence": evidence, "review_on": review_on and f"{review_on:%Y-%m-%d}"}
    path = f"/v1/people/{person}/visits"
    show(ask(name, lambda _a, client: client.post(SERVICE, path, actor="officer", body={k: v for k, v in body.items() if v})))


def grouped(cells: Iterable[dict[str, Any]], groups: list[str]) -> list[dict[str, Any]]:
    """Cells added up over everything but the groups; no person is in two cells, so nobody is counted twice."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for cell in cells:
        key = tuple(cell[group] for group in groups)
        row = rows.setdefault(key, dict(zip(groups, key, strict=True)) | dict.fromkeys(COUNTS, 0))
        for count in COUNTS:
            row[count] += cell[count]
    return [rows[key] for key in sorted(rows)]


def _print(found: dict[str, Any], rows: list[dict[str, Any]], groups: list[str]) -> None:
    console = Console(width=130)
    table = Table(*groups, *COUNTS, title=f"Cashless funnel {found['period']}", title_justify="left")
    for row in rows:
        table.add_row(*(str(row[column]) for column in (*groups, *COUNTS)))
    total = found["total"]
    table.add_row("all", *[""] * (len(groups) - 1), *(str(total[count]) for count in COUNTS), style="bold")
    show_table(table)
    console.print(f"Of {total['base']} who can: {_percent(total['exists_per_10000'])} have an account, "
                  f"{_percent(total['wished_per_10000'])} wish to be paid on it, {_percent(total['verified_per_10000'])} are verified, "
                  f"{_percent(total['paid_per_10000'])} were paid on it.")  # fmt: skip
    actions = Table("next action", "reason", "people", title="What is best done next", title_justify="left")
    for one in found["actions"]:
        actions.add_row(one["action"], one["reason"] or "", str(one["people"]))
    show_table(actions)
    for one in found["changes"]:
        why = f" ({one['reason']})" if one["reason"] else ""
        console.print(f"{one['payer']}: {one['changes']} changed from {one['wish_before']} to {one['wish']}{why}")


def _percent(per_10000: int) -> str:
    return f"{per_10000 // 100}.{per_10000 % 100:02d} %"


def _people(name: str, query: dict[str, str], to_csv: Path | None) -> None:
    async def all_pages(_addresses: Any, client: Any) -> list[dict[str, Any]]:
        people: list[dict[str, Any]] = []
        page: list[dict[str, Any]] = []
        while not people or len(page) == PAGE:
            behind = {"after": people[-1]["beneficiary_id"]} if people else {}
            page = await client.get(SERVICE, "/v1/funnel/people", most=PAGE, **query, **behind)
            people += page
            if not page:
                break
        return people

    people = ask(name, all_pages)
    if to_csv and people:
        _write(to_csv, people, list(people[0]))
    for one in people:
        typer.echo(
            f"{one['beneficiary_id']}  {one['area']}  {one['stage']:<11} {one['action']:<15} {one['reason'] or ''}".rstrip()
        )
    typer.echo(f"{len(people)} people")


def _write(path: Path, rows: list[dict[str, Any]], columns: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
