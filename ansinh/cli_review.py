"""`ansinh review`: cases that a person must decide. What `show` prints is personal data, for the reviewer's eyes, and is audited."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from ansinh.asking import AsJson, Name, ask
from ansinh.asking import show as print_json
from services.verification.reviewing import ReviewEvidence, ReviewReason, Sameness

SERVICE, REVIEWER = "verification", "reviewer"
Person = Annotated[UUID, typer.Argument(help="Beneficiary id, as `ansinh review list` names it.")]
review = typer.Typer(help="Cases of verification that a person must decide.", no_args_is_help=True)


@review.command("list")
def list_cases(
    payer: Annotated[str | None, typer.Option(help="Only people of this payer.")] = None,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """What waits, oldest first, without anything personal. Example: ansinh review list --payer huyen-444"""
    query = {"payer": payer} if payer else {}
    cases = ask(name, lambda _a, client: client.get(SERVICE, "/v1/review", **query))
    if as_json:
        print_json(cases)
        return
    for case in cases:
        findings = ", ".join(f"{part['field']} {part['finding']}" for part in case["evidence"])
        typer.echo(f"{case['beneficiary_id']}  {case['payer']:<12} {case['outcome']:<15} {findings}")
    typer.echo(f"{len(cases)} cases")


@review.command("show")
def show_case(person: Person, as_json: AsJson = False, name: Name = "local") -> None:
    """Both sides of a case, field by field; the sight is audited. Example: ansinh review show BENEFICIARY_ID"""
    seen = ask(name, lambda _a, client: client.post(SERVICE, f"/v1/review/{person}/sights", actor=REVIEWER))
    if as_json:
        print_json(seen)
        return
    typer.echo(str(seen["outcome"]))
    for entry in seen["register"]:
        Console(width=130).print(_sides(seen["sight_id"], entry))
    if not seen["register"]:
        typer.echo("The register names nobody: correct the list, or ask the police.")


def _sides(sight: str, entry: dict[str, Any]) -> Table:
    decided = f"; decided: {entry['decided']} ({entry['decision']})" if "decision" in entry else ""
    died = f" {entry['status_on']}" if entry["status_on"] else ""
    table = Table(title=f"{sight}/{entry['entry']}\n{entry['status']}{died}{decided}", title_justify="left")
    for column in ("field", "list", "register", "finding"):
        table.add_column(column)
    for field in entry["fields"]:
        table.add_row(field["field"], field["list"] or "", field["register"] or "", field["finding"])
    return table


@review.command("decide")
def decide_case(
    person: Person,
    *,
    of: Annotated[str, typer.Option(help="What was seen, as `show` prints it: SIGHT/ENTRY.")],
    verdict: Annotated[Sameness, typer.Option(help="Whether the entry is this person.")],
    reason: Annotated[ReviewReason, typer.Option(help="Why the sides differ.")],
    evidence: Annotated[ReviewEvidence, typer.Option(help="The paper that shows it.")],
    replaces: Annotated[UUID | None, typer.Option(help="The decision this one takes back.")] = None,
    name: Name = "local",
) -> None:
    """Decide a case; the person is judged by it at once.

    Example: ansinh review decide ID --of SIGHT/ENTRY --verdict same --reason SPELLING --evidence IDENTITY_CARD
    """
    sight, _, entry = of.partition("/")
    body = {"sight_id": sight, "entry": entry, "verdict": verdict, "reason": reason, "evidence": evidence}
    body |= {"replaces": str(replaces)} if replaces else {}
    path = f"/v1/review/{person}/decisions"
    print_json(ask(name, lambda _a, client: client.post(SERVICE, path, actor=REVIEWER, body=body)))
