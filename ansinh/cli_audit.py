"""`ansinh audit`: what an auditor runs. Exit codes as everywhere; `verify` and `prove` end with 1 when they find something."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from rich.table import Table

from ansinh.asking import AsJson, Name, nothing_runs, show
from ansinh.audit_books import Place
from ansinh.audit_export import Cut, export
from ansinh.audit_files import FilesDiffer
from ansinh.audit_prove import Proof, prove
from ansinh.audit_verify import Anchor, Verified, verify
from ansinh.installation import Addresses
from ansinh.tables import show_table
from shared.topics import Service

audit = typer.Typer(
    help="Verify the ledger's chain, export what was said, prove conservation from the export.", no_args_is_help=True
)
SHOWN = 50
Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A folder that `ansinh audit export` wrote.")]


@audit.command("verify")
def verify_ledger(
    name: Name = "local",
    *,
    dsn: Annotated[str | None, typer.Option(help="Payout's database, where no installation runs.")] = None,
    against: Annotated[Path | None, typer.Option(help="Compare with the ends of chains in this exported folder too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute the ledger's chains; exit code 1 when a posting was edited, removed, put in or moved. Example: ansinh audit verify"""
    try:
        anchors = [Anchor(*head) for head in prove(against).heads] if against else []
        made = asyncio.run(verify(dsn or Addresses.read(name).databases[Service.PAYOUT], anchors))
    except FileNotFoundError:
        raise nothing_runs(name) from None
    except FilesDiffer as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        show(_verified(made))
    else:
        for payer, (seq, sha256) in sorted(made.chains.items()):
            typer.echo(f"{payer}: {seq} links, ends with {sha256}")
        _findings(made.findings)
        typer.echo(f"{made.links} links of {len(made.chains)} chains, {made.anchors} published ends: {_verdict(made.findings)}")
    raise typer.Exit(int(bool(made.findings)))


@audit.command("export")
def export_topics(
    out: Annotated[Path, typer.Option(help="The folder; an export that is there goes on where it ends.")],
    *,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C; else end where the topics end now.")] = False,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka's address, where no installation runs.")] = None,
    name: Name = "local",
    as_json: AsJson = False,
) -> None:
    """Copy closing, entry and provider topics to files, each record once. Example: ansinh audit export --out audit --follow"""

    async def run() -> Any:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await export(out, bootstrap or Addresses.read(name).kafka, follow=follow, stop=stop)

    try:
        done = asyncio.run(run())
    except FileNotFoundError:
        raise nothing_runs(name) from None
    except (Cut, FilesDiffer, KafkaError) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        show({"records": done.records, "manifest_sha256": done.manifest_sha256, "topics": done.per_topic})
    else:
        typer.echo(f"{done.records} records; manifest {done.manifest_sha256}")


@audit.command("prove")
def prove_conservation(folder: Folder, *, final: Annotated[bool, typer.Option(help="Nothing may wait any more.")] = False,
                       as_json: AsJson = False) -> None:  # fmt: skip
    """Rerun conservation from exported files alone; exit code 1 names what breaks it. Example: ansinh audit prove audit"""
    try:
        proof = prove(folder)
    except FilesDiffer as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if final:
        proof.findings += _waiting(proof)
    if as_json:
        show(_proved(proof))
    else:
        _tables(proof)
        _findings(proof.findings)
        typer.echo(f"{proof.records} records, {proof.lines} closed lines, {proof.vnd} VND: {_verdict(proof.findings)}")
    raise typer.Exit(int(not proof.ok))


def _waiting(proof: Proof) -> list[str]:
    waits = (Place.IN_FLIGHT, Place.LISTED, Place.NOT_BUILT)
    return [
        f"{' '.join(key)}: {places[place][0]} lines {places[place][1]} VND are still {place}"
        for key, places in sorted(proof.places.items())
        for place in waits
        if place in places
    ]


def _tables(proof: Proof) -> None:
    """Lines and VND per place, once by each of programme, payer and provider."""
    for title, column in (("programme", 2), ("payer", 1), ("provider", 3)):
        table = Table(title=f"Lines and VND by {title}", title_justify="left")
        table.add_column(title)
        for place in Place:
            table.add_column(place, justify="right")
        for name, places in sorted(_summed(proof, column).items()):
            table.add_row(name, *(f"{places[place][0]:,} / {places[place][1]:,}" if place in places else "" for place in Place))
        show_table(table)


def _summed(proof: Proof, column: int) -> dict[str, dict[Place, list[int]]]:
    summed: dict[str, dict[Place, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for key, places in proof.places.items():
        for place, (count, vnd) in places.items():
            total = summed[key[column]][place]
            total[:] = total[0] + count, total[1] + vnd
    return summed


def _proved(proof: Proof) -> dict[str, Any]:
    places = [
        dict(zip(("period", "payer", "programme", "provider"), key, strict=True))
        | {str(place): {"count": total[0], "vnd": total[1]} for place, total in places.items()}
        for key, places in sorted(proof.places.items())
    ]
    named = {"records": proof.records, "lines": proof.lines, "vnd": proof.vnd, "ok": proof.ok}
    return {**named, "places": places, "balances": proof.balances, "findings": proof.findings}


def _verified(made: Verified) -> dict[str, Any]:
    chains = {payer: {"links": seq, "sha256": sha256} for payer, (seq, sha256) in made.chains.items()}
    return {"ok": not made.findings, "links": made.links, "anchors": made.anchors, "chains": chains, "findings": made.findings}


def _findings(findings: list[str]) -> None:
    for finding in findings[:SHOWN]:
        typer.echo(finding)
    if len(findings) > SHOWN:
        typer.echo(f"... and {len(findings) - SHOWN} more (--json shows all)")


def _verdict(findings: list[str]) -> str:
    return f"{len(findings)} findings" if findings else "nothing is wrong"
