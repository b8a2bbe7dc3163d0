"""What every sub-command of the command line shares: its common options, and asking a running installation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from ansinh.client import Client, Refusal
from ansinh.installation import Addresses

Name = Annotated[str, typer.Option("--name", help="Which installation under .ansinh/ to talk to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
Period = Annotated[str, typer.Argument(help="Payroll period, e.g. 2024-02")]
Payer = Annotated[str, typer.Argument(help="Payer code, e.g. huyen-444")]
Ask = Callable[[Addresses, Client], Awaitable[Any]]


def ask(name: str, question: Ask) -> Any:
    """Ask a running installation; refusals end the command with their code and advice."""

    async def run() -> Any:
        addresses = Addresses.read(name)
        client = Client(addresses)
        try:
            return await question(addresses, client)
        finally:
            await client.close()

    try:
        return asyncio.run(run())
    except FileNotFoundError:
        raise nothing_runs(name) from None
    except Refusal as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None


def nothing_runs(name: str) -> typer.Exit:
    """Say that no installation of this name runs; raise what it returns."""
    typer.echo(f"Nothing named {name} is running. Start it with `make up`.", err=True)
    return typer.Exit(3)


def show(value: Any) -> None:
    """Print as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))
