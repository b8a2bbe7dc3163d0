"""`ansinh conformance make | judge`: the kit a bank runs against itself (docs/integrate-a-bank.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ansinh import conformance, conformance_judge
from shared.topics import Provider

app = typer.Typer(help="Inputs and expected answers that a bank runs against itself.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="The kit's folder")]


@app.command()
def make(folder: Folder, provider: Annotated[Provider, typer.Option(help="Whom the batches name.")] = Provider.BANK_A) -> None:
    """Write a fresh kit. Example: ansinh conformance make kit"""
    try:
        count = conformance.make(folder, provider)
    except FileExistsError:
        typer.echo(f"{folder} is there already; a kit is made into a new folder.", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{count} cases in {folder}; docs/integrate-a-bank.md says how to run them.")


@app.command()
def judge(folder: Folder) -> None:
    """Compare what a bank left in a kit with what it owes. Exit code 1: it does not pass. Example: ansinh conformance judge kit"""
    try:
        count, findings = conformance_judge.judge(folder)
    except FileNotFoundError:
        typer.echo(f"{folder} holds no kit.", err=True)
        raise typer.Exit(2) from None
    for finding in findings:
        typer.echo(str(finding))
    failed = len({finding.case for finding in findings})
    typer.echo(f"{count - failed} of {count} cases pass.")
    raise typer.Exit(1 if findings else 0)
