"""`ansinh review`: cases that a person must decide. What `show` prints is personal data, for the reviewer's eyes, and is audited."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from ansinh.asking import AsJson, Name, ask
from ansinh.asking import show as print_json
from ansinh.client import Client
from ansinh.installation import Addresses
from ansinh.tables import show_table
from services.verification.reviewing import ReviewEvidence, ReviewReason, Sameness

SERVICE, REVIEWER = "verification", "reviewer"
Person = Annotated[UUID, typer.Argument(help="Beneficiary id, as `ansinh review list` names it.")]
review = typer.Typer(help="Cases of verification that a person must decide.", no_args_is_help=True)


def _a_case(text: str | None) -> tuple[str, UUID] | None:
    """Raises BadParameter for anything but what `list` printed."""
    at, _, who = (text or "").partition("/")
    try:
        return (datetime.fromisoformat(at).isoformat(), UUID(who)) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text}: as `ansinh review list` prints it, MOMENT/BENEFICIARY_ID") from None


@review.command("list")
def list_cases(
    *,
    payer: Annotated[str | None, typer.Option(help="Only people of this payer.")] = None,
    most: Annotated[int, typer.Option(min=1, max=200, help="Cases on a page.")] = 50,
    after: Annotated[str | None, typer.Option(help="The page behind this case, as the page before ends.")] = None,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """What waits, oldest first, without anything personal. Example: ansinh review list --payer huyen-444"""
    behind = _a_case(after)
    query: dict[str, Any] = {"payer": payer} if payer else {}
    query |= {"after_at": behind[0], "after_id": str(behind[1])} if behind else {}

    async def read(_addresses: Addresses, client: Client) -> tuple[Any, Any]:
        page = await client.get(SERVICE, "/v1/review", most=most, **query)
        return page, None if page["waiting"] else await client.get(SERVICE, "/v1/progress")

    page, outcomes = ask(name, read)
    if as_json:
        print_json(page)
        return
    for case in page["cases"]:
        findings = ", ".join(f"{part['field']} {part['finding']}" for part in case["evidence"])
        said = case["question"] or findings
        typer.echo(f"{case['beneficiary_id']}  {case['payer']:<12} {case['outcome']:<15} {said}")
    for advice in sorted({f"{case['question']}: {case['advice']}" for case in page["cases"] if case["question"]}):
        typer.echo(advice)
    typer.echo(f"{len(page['cases'])} of {page['waiting']} cases")
    if page["next"]:
        typer.echo(f"The next page: --after {page['next']['after_at']}/{page['next']['after_id']}")
    if outcomes and outcomes.get("unavailable"):
        typer.echo(f"{outcomes['unavailable']} people have no answer of the register yet: ansinh verification status")


@review.command("show")
def show_case(person: Person, as_json: AsJson = False, name: Name = "local") -> None:
    """Both sides of a case, field by field; the sight is audited. Example: ansinh review show BENEFICIARY_ID"""

    async def look(_addresses: Addresses, client: Client) -> tuple[Any, Any]:
        seen = await client.post(SERVICE, f"/v1/review/{person}/sights", actor=REVIEWER)
        return seen, await client.get(SERVICE, f"/v1/review/{person}/decisions")

    seen, decided = ask(name, look)
    if as_json:
        print_json({**seen, "decisions": decided})
        return
    typer.echo(f"Outcome: {seen['outcome']}")
    for entry in seen["register"]:
        show_table(_sides(entry))
        if not seen["question"]:
            typer.echo(f"  --of {seen['sight_id']}/{entry['entry']}")  # on one line whatever the width: it is copied
    if seen["question"]:
        typer.echo(f"{seen['question']}: {seen['advice']}")
    elif not seen["register"]:
        typer.echo("The register names nobody: correct the list, or ask the police.")
    for other in seen["shared_with"]:
        typer.echo(f"{other} is the same person of the register: one of them, or two? ansinh registry see {person} {other}")
    if seen["shared_with"]:
        typer.echo(
            "then: ansinh registry merge GOES STAYS, and another reviewer confirms; or correct the number of the wrong one"
        )
    if seen["register"] and not seen["question"]:
        typer.echo(
            f"Next: ansinh review decide {person} --of SIGHT/ENTRY --verdict same|different --reason ... --evidence ...", err=True
        )
    for one in decided:
        replaced = f", replaces {one['replaces']}" if one["replaces"] else ""
        said = f"{one['verdict']} {one['reason']} {one['evidence']}"
        typer.echo(f"Decided {one['decided_at']} by {one['decider']}: {said} ({one['decision_id']}{replaced})")


def _sides(entry: dict[str, Any]) -> Table:
    decided = f"; decided: {entry['decided']}" if "decision" in entry else ""
    died = f" {entry['status_on']}" if entry["status_on"] else ""
    table = Table(title=f"{entry['status']}{died}{decided}", title_justify="left")
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
