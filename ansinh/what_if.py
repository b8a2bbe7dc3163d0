"""Asking payout what a period would cost by other rates, and showing the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from ansinh.client import Client, Refusal
from shared.money import Dong, in_words_of_figures

CHARACTERS_MAX = 20_000
"""Rates travel in the address of a question; so many characters are some hundred rows."""


@dataclass(frozen=True)
class Question:
    """Whose lines, by which texts of rates, asked in which month; of one payer or of all."""

    period: str
    rates: Sequence[str]
    at: str | None = None
    payer: str | None = None

    def query(self) -> dict[str, Any]:
        """As payout reads it."""
        return {"rates": list(self.rates)} | {k: v for k, v in (("at", self.at), ("payer", self.payer)) if v}


def question(period: str, paths: Sequence[Path], *, at: str | None, payer: str | None) -> Question:
    """With the files as text. Raises Refusal where they are too long to be asked about."""
    found = [path.read_text("utf-8-sig") for path in paths]
    if sum(map(len, found)) > CHARACTERS_MAX:
        raise Refusal("RATES_TOO_LONG", f"at most {CHARACTERS_MAX} characters; hand in only the rows that change")
    return Question(period, found, at, payer)


async def ask(client: Client, asked: Question, lines: Path | None) -> Any:
    """The report; with a path also every line as CSV. Raises Refusal."""
    path = f"/v1/what-if/{asked.period}"
    found = await client.get("payout", path, **asked.query())
    if lines:
        await client.fetch("payout", path + "/lines", lines, actor="operator", **asked.query())
    return found


def tables(found: dict[str, Any]) -> Iterator[Table]:
    """One table per way to look at it, amounts in VND a month; what is held is in no other column."""
    for title, key in (("Programmes", "programmes"), ("Communes", "communes"), ("Codes", "codes")):
        table = Table(title=f"{title}: {found['period']} by the rates of {found['at']}, VND a month")
        table.add_column(title)
        for column in ("lines", "now", "then", "difference", "without a rule", "held", "held now", "held then"):
            table.add_column(column, justify="right")
        for row in found[key]:
            table.add_row(row["name"], *_cells(row))
        table.add_section()
        table.add_row("all", *_cells(found["total"]))
        yield table


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    signed = ("-" if row["difference_vnd"] < 0 else "") + in_words_of_figures(Dong(abs(row["difference_vnd"])))
    held = row["held"]
    return (str(row["count"]), *_sides(row), signed, str(row["without_rule"]), str(held["count"]), *_sides(held))


def _sides(row: dict[str, Any]) -> tuple[str, str]:
    return in_words_of_figures(Dong(row["now_vnd"])), in_words_of_figures(Dong(row["then_vnd"]))
