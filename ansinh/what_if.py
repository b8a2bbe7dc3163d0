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
    """One table per way to look at it, amounts in VND a month."""
    for title, key in (("Programmes", "programmes"), ("Communes", "communes"), ("Codes", "codes")):
        table = Table(title=f"{title}: {found['period']} by the rates of {found['at']}, VND a month")
        table.add_column(title)
        for column in ("lines", "now", "then", "difference", "without a rule"):
            table.add_column(column, justify="right")
        for row in found[key]:
            table.add_row(row["name"], *_cells(row))
        table.add_section()
        table.add_row("all", *_cells(found["total"]))
        yield table


def _cells(row: dict[str, int]) -> tuple[str, ...]:
    difference = row["difference_vnd"]
    signed = ("-" if difference < 0 else "") + in_words_of_figures(Dong(abs(difference)))
    now, then = (in_words_of_figures(Dong(row[name])) for name in ("now_vnd", "then_vnd"))
    return str(row["count"]), now, then, signed, str(row["without_rule"])
