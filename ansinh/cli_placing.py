"""`ansinh registry split`: people of a unit that came to several communes. Ids, codes and sums; the address is for the reviewer's eyes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from ansinh.asking import AsJson, Name, ask
from ansinh.asking import show as print_json
from services.registry.placer import DECISIONS_MAX
from services.registry.placing import AreaEvidence

SERVICE, REVIEWER = "registry", "reviewer"
CaseId = Annotated[UUID, typer.Argument(help="The case, as `ansinh registry split cases` names it.")]
split = typer.Typer(
    help="People of a unit that was split: who waits for a decision, the address, the decision.", no_args_is_help=True
)


@split.command()
def cases(
    *,
    payer: Annotated[str | None, typer.Option(help="Only the list of this payer.")] = None,
    late: Annotated[
        bool, typer.Option("--late", help="Placed after the list had closed, and not carried by a later line yet.")
    ] = False,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """Everybody who waits. Example: ansinh registry split cases --payer xa-18073"""
    path, query = "/v1/areas/cases/late" if late else "/v1/areas/cases", {"payer": payer} if payer and not late else {}
    found = ask(name, lambda _a, client: client.every(SERVICE, path, "cases", **query))
    if as_json:
        print_json(found)
        return
    for case in found:
        where = case["area"] if late else f"{case['old_area']} -> {', '.join(case['codes'])}"
        row = f"  row {case['row_no']}" if case.get("row_no") else ""
        typer.echo(f"{case['case_id']}  {case['period']}  {case['benefit_code']:<8}{case['declared_vnd']:>12,}  {where}{row}")
    typer.echo(f"{len(found)} {'placed too late' if late else 'waiting'}")


@split.command()
def see(case: CaseId, name: Name = "local") -> None:
    """Show the address of one case, for the reviewer's eyes. The sight is audited."""
    print_json(ask(name, lambda _a, client: client.post(SERVICE, f"/v1/areas/cases/{case}/sights", actor=REVIEWER)))


@split.command()
def place(
    case: CaseId,
    area: Annotated[str, typer.Argument(help="Code of the commune in which the person lives now.")],
    *,
    evidence: Annotated[AreaEvidence, typer.Option(help="What shows it.")],
    name: Name = "local",
) -> None:
    """Decide for one person. Example: ansinh registry split place CASE 18652 --evidence RESIDENCE_PAPER"""
    print_json(_decide(name, [{"case_id": str(case), "area": area, "evidence": evidence}]))


@split.command("place-file")
def place_file(
    file: Annotated[Path, typer.Argument(help="CSV with the columns case_id, area, evidence.", exists=True, dir_okay=False)],
    name: Name = "local",
) -> None:
    """Decide for many, a few thousand at a time; each of these portions is taken whole or not at all."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened)
        if reader.fieldnames is None or set(reader.fieldnames) != {"case_id", "area", "evidence"}:
            typer.echo("The columns are case_id, area, evidence.", err=True)
            raise typer.Exit(2)
        rows = [{column: (row[column] or "").strip() for column in reader.fieldnames} for row in reader]
    for first in range(0, len(rows), DECISIONS_MAX):
        print_json(_decide(name, rows[first : first + DECISIONS_MAX]))


def _decide(name: str, decisions: list[dict[str, str]]) -> Any:
    body = {"decisions": decisions}
    return ask(name, lambda _a, client: client.post(SERVICE, "/v1/areas/decisions", actor=REVIEWER, body=body))
