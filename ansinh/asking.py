"""What every sub-command of the command line shares: its common options, and asking a running installation."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import httpx
import typer

from ansinh.client import Client, Refusal
from ansinh.installation import Addresses

Name = Annotated[str, typer.Option("--name", help="Which installation under .ansinh/ to talk to.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]


def _a_month(text: str) -> str:
    """Raises BadParameter for anything but a month as it is written everywhere."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise typer.BadParameter(f"{text}: a month is written 2024-02")
    return text


Period = Annotated[str, typer.Argument(help="Payroll period, e.g. 2024-02", callback=_a_month)]
Payer = Annotated[str, typer.Argument(help="Payer code, e.g. huyen-444")]
Ask = Callable[[Addresses, Client], Awaitable[Any]]


def ask(name: str, question: Ask) -> Any:
    """Ask a running installation; refusals end the command with their code and advice, a service that is away with a hint."""

    try:
        addresses = Addresses.read(name)
    except FileNotFoundError:
        raise nothing_runs(name) from None

    async def run() -> Any:
        client = Client(addresses)
        try:
            return await question(addresses, client)
        finally:
            await client.close()

    try:
        return asyncio.run(run())
    except httpx.TransportError:
        typer.echo(f"A service of {name} does not answer. Is `make up` still running? Its log: .ansinh/{name}/logs", err=True)
        raise typer.Exit(3) from None
    except OSError as error:
        typer.echo(f"{error.filename or type(error).__name__}: {error.strerror or error}", err=True)
        raise typer.Exit(2) from None
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
