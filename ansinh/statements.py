"""`ansinh statements` and `ansinh breaks`: what came back by file, and what does not agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from ansinh.asking import AsJson, Name, Payer, Period, ask, show
from ansinh.client import Client
from shared.issuing import EVERY_PAYER
from shared.topics import Provider

statements = typer.Typer(
    help="Take files of banks and the post; compare them with ledger and instructions.", no_args_is_help=True
)
breaks = typer.Typer(help="What does not agree: list, take, resolve, approve.", no_args_is_help=True)
Break = Annotated[UUID, typer.Argument(help="The break, from `ansinh breaks list`.")]
OWNER, SECOND = "operator", "approver"


async def take_file(client: Client, provider: str, path: Path) -> dict[str, Any]:
    """Hand a provider's file in. Raises Refusal."""
    taken: dict[str, Any] = await client.send("payout", f"/v1/statements/{provider}", path, actor=OWNER)
    return taken


async def resolve_break(client: Client, break_id: str, remedy: str) -> dict[str, Any]:
    """Propose how a break ends, as its owner; returns the hash to be signed. Raises Refusal."""
    proposed: dict[str, Any] = await client.post("payout", f"/v1/breaks/{break_id}/resolve", actor=OWNER, body={"remedy": remedy})
    return proposed


async def reconcile(client: Client, period: str, payer: str, *, provider: str | None = None) -> dict[str, Any]:
    """Compare three sides. Raises Refusal."""
    query: dict[str, Any] = {"provider": provider} if provider else {}
    report: dict[str, Any] = await client.post("payout", f"/v1/reconciliations/{period}/{payer}", actor=OWNER, **query)
    return report


@statements.command("take")
def take_statement(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    *,
    provider: Annotated[Provider, typer.Option(help="Who wrote the file.")],
    name: Name = "local",
) -> None:
    """Take a statement, status report or post list. Example: ansinh statements take camt053.xml --provider bank-a"""
    show(ask(name, lambda _a, client: take_file(client, provider, path)))


@statements.command("list")
def list_statements(name: Name = "local") -> None:
    """The newest files, taken and refused. Example: ansinh statements list"""
    show(ask(name, lambda _a, client: client.get("payout", "/v1/statements")))


@statements.command("reconcile")
def reconcile_payroll(
    period: Period,
    payer: Payer,
    *,
    provider: Annotated[Provider | None, typer.Option(help="Only this one.")] = None,
    name: Name = "local",
    as_json: AsJson = False,
) -> None:
    """Ledger, instruction files, statements: exit code 1 when they disagree. Example: ansinh statements reconcile 2024-02 huyen-444"""
    report = ask(name, lambda _a, client: reconcile(client, period, payer, provider=provider))
    if as_json:
        show(report)
    else:
        _tell(report)
    raise typer.Exit(int(not report["agrees"]))


def _tell(report: dict[str, Any]) -> None:
    for batch in report["batches"]:
        sides = ", ".join(f"{side} {'agrees' if good else 'DIFFERS'}" for side, good in batch["sides"].items())
        typer.echo(
            f"round {batch['round']} {batch['provider']}: sent {batch['sent_count']} of {batch['sent_vnd']} VND,"
            f" proven {batch['proven_count']} of {batch['proven_vnd']}, back {batch['back_count']} of {batch['back_vnd']}"
        )
        typer.echo(
            f"  {sides}; {batch['open_breaks']} open breaks, {batch['unproven_count']} paid without proof,"
            f" {batch['told_otherwise']} told otherwise"
        )
    for one in report["funding"]:
        typer.echo(f"funded at {one['provider']}: {one['count']} credits of {one['vnd']} VND, {_account(one['payers'])}")
    typer.echo(f"{'Three sides agree' if report['agrees'] else 'They do not agree'}; {report['new_breaks']} new breaks.")


def _account(payers: list[str] | None) -> str:
    if not payers:
        return "an account nobody pays from any more"
    return " and ".join("the usual account" if payer == EVERY_PAYER else f"the account of {payer}" for payer in payers)


@breaks.command("list")
def list_breaks(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
    provider: Annotated[Provider | None, typer.Option(help="Only of this one.")] = None,
    name: Name = "local",
    as_json: AsJson = False,
) -> None:
    """Breaks, oldest first, with owner and age. Example: ansinh breaks list --provider bank-a"""
    query = {"open": str(not everything).lower()} | ({"provider": str(provider)} if provider else {})
    found = ask(name, lambda _a, client: client.get("payout", "/v1/breaks", **query))
    if as_json:
        show(found)
        return
    for one in found["breaks"]:
        owner = one["owner"] or "nobody"
        end = f", {one['remedy']} by {one['proposed_by']} and {one['approved_by'] or 'nobody yet'}" if one["remedy"] else ""
        where = f", sheet {one['sheet']} row {one['line']}" if one["line"] and one["provider"] == Provider.POST else ""
        account = f", {_account(one['payers'])}" if one["payers"] else ""
        typer.echo(
            f"{one['break_id']} {one['type']:<10} {one['provider']:<7} {one['vnd']:>12} VND  {one['age_days']} days, owner {owner}{account}"
            f"{where}{end}"
        )
    counted = ", ".join(f"{row['provider']} {row['type']} {row['count']} of {row['vnd']} VND" for row in found["open"])
    typer.echo(f"Open: {counted or 'none'}")


@breaks.command("take")
def take_break(break_id: Break, name: Name = "local") -> None:
    """Look after a break from now on. Example: ansinh breaks take BREAK_ID"""
    show(ask(name, lambda _a, client: client.post("payout", f"/v1/breaks/{break_id}/take", actor=OWNER)))


@breaks.command("resolve")
def resolve(
    break_id: Break,
    remedy: Annotated[str, typer.Argument(help="believed, explained, claimed, recovered or accepted")],
    name: Name = "local",
) -> None:
    """Propose how it ends; prints the hash for the second person. Example: ansinh breaks resolve BREAK_ID explained"""
    show(ask(name, lambda _a, client: resolve_break(client, str(break_id), remedy)))


@breaks.command("approve")
def approve(
    break_id: Break,
    sha256: Annotated[str, typer.Argument(help="The hash that `resolve` printed.")],
    name: Name = "local",
) -> None:
    """Sign second: one posting ends the break. Example: ansinh breaks approve BREAK_ID SHA256"""
    show(ask(name, lambda _a, client: client.post("payout", f"/v1/breaks/{break_id}/approve", actor=SECOND, sha256=sha256)))
