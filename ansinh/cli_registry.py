"""`ansinh registry`: who is who. Ids, points and findings; a number, name or account is never printed here."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from ansinh.asking import AsJson, Name, ask
from ansinh.asking import show as print_json
from services.registry.pairs import Paper

SERVICE, REVIEWER, OPERATOR = "registry", "reviewer", "operator"
One = Annotated[UUID, typer.Argument(help="Beneficiary id, as `ansinh registry candidates` names it.")]
Other = Annotated[UUID, typer.Argument(help="The other one.")]
Sight = Annotated[UUID, typer.Option(help="What was seen, as `ansinh registry see` names it.")]
registry = typer.Typer(help="Who is who: people who may be one, and what was decided.", no_args_is_help=True)


@registry.command()
def look(name: Name = "local") -> None:
    """Look at everybody who changed for people who may be one. Example: ansinh registry look"""
    print_json(ask(name, lambda _a, client: client.post(SERVICE, "/v1/people/look", actor=OPERATOR)))


@registry.command()
def candidates(
    payer: Annotated[str | None, typer.Option(help="Only pairs with somebody of this payer.")] = None,
    as_json: AsJson = False,
    name: Name = "local",
) -> None:
    """Pairs that wait for a decision, the likeliest first. Example: ansinh registry candidates --payer huyen-444"""
    query = {"payer": payer} if payer else {}
    pairs = ask(name, lambda _a, client: client.get(SERVICE, "/v1/people/candidates", **query))
    if as_json:
        print_json(pairs)
        return
    for pair in pairs:
        findings = ", ".join(f"{field} {finding}" for field, finding in pair["evidence"].items() if finding != "absent")
        typer.echo(f"{pair['points']:>4}  {pair['one']}  {pair['other']}  {findings}")
    typer.echo(f"{len(pairs)} candidates")


@registry.command()
def see(one: One, other: Other, name: Name = "local") -> None:
    """Have both sides shown to the reviewer's page; prints the sight's name and the findings. The sight is audited."""
    path = f"/v1/people/pairs/{one}/{other}/sights"
    seen = ask(name, lambda _a, client: client.post(SERVICE, path, actor=REVIEWER))
    print_json({key: value for key, value in seen.items() if key != "fields"})


@registry.command()
def apart(
    one: One,
    other: Other,
    *,
    sight: Sight,
    paper: Annotated[Paper, typer.Option(help="The paper that shows it.")],
    name: Name = "local",
) -> None:
    """Decide that the two are two. Example: ansinh registry apart ONE OTHER --sight SIGHT --paper IDENTITY_CARD"""
    path, body = f"/v1/people/pairs/{one}/{other}/apart", {"sight_id": str(sight), "paper": paper}
    print_json(ask(name, lambda _a, client: client.post(SERVICE, path, actor=REVIEWER, body=body)))
