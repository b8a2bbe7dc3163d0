"""`ansinh verification`: hand in the register's extract, see who can be verified and why not, measure the rules of matching."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ansinh import corpus, pipeline
from ansinh.asking import AsJson, Name, ask, show
from ansinh.client import Client
from ansinh.installation import Addresses
from ansinh.result_ages import said
from sandbox.identity_pairs import PAIRS, SEED

SERVICE, MASKS = "verification", 1_000
verification = typer.Typer(
    help="The register's extract, what verification can answer, and how well the rules of matching do.", no_args_is_help=True
)


@verification.command("extract")
def hand_in_extract(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, UTF-8, as the register gives it.")],
    *,
    part: Annotated[
        bool | None,
        typer.Option(
            "--part/--whole", help="Some people only: nobody else's result gets younger; or whole although it is much smaller."
        ),
    ] = None,
    name: Name = "local",
) -> None:
    """Hand in an extract of the population register and wait until it is taken. Example: ansinh verification extract people.csv

    Some corrected rows: ansinh verification extract people.csv --part. Exit code 1 when rows were refused; the others are taken.
    """

    query: dict[str, Any] = {} if part is None else {"part": part}

    async def hand_in(addresses: Addresses, client: Client) -> Any:
        answer = await client.send(SERVICE, "/v1/population/extract", path, actor="operator", **query)
        await pipeline.settled(addresses)
        return answer

    answer = ask(name, hand_in)
    show(answer)
    raise typer.Exit(int(answer["refused"] > 0))


@verification.command("status")
def show_status(as_json: AsJson = False, name: Name = "local") -> None:
    """Whether the register can answer, what was asked and not answered, people by outcome. Example: ansinh verification status

    Exit code 1 when a newer extract is needed.
    """
    paths = {"register": "population/state", "extracts": "population/extracts", "questions": "population/questions"}
    paths |= {"refusals": "accounts/refusals", "outcomes": "progress", "ages": "population/ages"}

    async def look(_addresses: Addresses, client: Client) -> dict[str, Any]:
        return {what: await client.get(SERVICE, f"/v1/{path}") for what, path in paths.items()}

    found = ask(name, look)
    if as_json:
        show(found)
    else:
        for line in _status(found):
            typer.echo(line)
    raise typer.Exit(int(found["register"]["need"] not in (None, "CURRENT")))


def _status(found: dict[str, Any]) -> Iterator[str]:
    register = found["register"]
    yield f"Register: {register['register']}" + (f", {register['need']}. {register['advice']}" if register["need"] else "")
    if register.get("as_of"):
        yield f"  newest whole extract of {register['as_of']}; due again from {register['renew_at']}, expires {register['expires_at']}"
    for one in found["extracts"]:
        yield f"  {'part' if one['part'] else 'extract'} of {one['as_of']}: {one['applied']} of {one['entries']} entries taken"
    for one in found["questions"]:
        waits = f", the oldest since {one['oldest']}" if one["oldest"] else ""
        yield f"Questions, {one['about']}: {one['answered']} answered, {one['open']} open, {one['unanswered']} sent without answer{waits}"
    if found["refusals"]:
        yield "Banks refused: " + ", ".join(f"{count} {code}" for code, count in found["refusals"].items())
    yield from said(found["ages"], "All payers")
    yield "People: " + (", ".join(f"{count} {outcome}" for outcome, count in sorted(found["outcomes"].items())) or "nobody yet")


@verification.command("corpus")
def measure_corpus(
    pairs: Annotated[int, typer.Option(min=2, help="Cases, half for tuning, half held out.")] = PAIRS,
    seed: Annotated[int, typer.Option(help="Another seed is another corpus.")] = SEED,
    as_json: AsJson = False,
) -> None:
    """Precision, recall and false accepts of both halves. Example: ansinh verification corpus

    Exit code 1 when a false one would be paid on an account.
    """
    made, masked = corpus.measure(pairs, seed), corpus.measure_masks(MASKS, seed)
    if as_json:
        show(corpus.as_json(made, masked))
    else:
        for line in corpus.lines(made, masked):
            typer.echo(line)
    raise typer.Exit(int(any(half.account.false for half in made.values())))
