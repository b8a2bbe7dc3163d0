"""`ansinh verification`: how well the rules of matching recognise people."""

from __future__ import annotations

from typing import Annotated

import typer

from ansinh import corpus
from ansinh.asking import AsJson, show
from sandbox.identity_pairs import PAIRS, SEED

MASKS = 1_000
verification = typer.Typer(help="The rules of matching on a labelled corpus.", no_args_is_help=True)


@verification.callback()
def _group() -> None:
    """A group, also while it has one command."""


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
