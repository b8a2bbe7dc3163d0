"""Which source of an account is stronger: effective-dated rows of `account_ranks.csv`, changed by a reviewed row. Pure once read."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shared.words import AccountSource

RANKS_FILE = Path(__file__).with_name("account_ranks.csv")
Ranks = Mapping[AccountSource, int]
"""Of one day: the lower, the stronger."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A source has a rank between two days. The first day counts, the last does not."""

    source: AccountSource
    rank: int
    valid_from: date
    valid_until: date

    def holds(self, on: date) -> bool:
        """Whether the row counts on a day."""
        return self.valid_from <= on < self.valid_until


class AccountRanks:
    """The table."""

    def __init__(self, rows: Iterable[Ranked]) -> None:
        """Raises ValueError unless on every day each source has one rank, and no two the same: else the order of arrival would decide."""
        self._rows = tuple(rows)
        for day in {date.min, *(day for row in self._rows for day in (row.valid_from, row.valid_until) if day < date.max)}:
            today = [row for row in self._rows if row.holds(day)]
            if sorted(row.source for row in today) != sorted(AccountSource) or len({row.rank for row in today}) != len(today):
                raise ValueError(f"the ranks of {day} are not one for each source")

    @classmethod
    def from_file(cls, path: Path = RANKS_FILE) -> AccountRanks:
        """Read the table. Raises KeyError or ValueError for a file of another shape: the process must not start with it."""
        with path.open(encoding="utf-8", newline="") as file:
            return cls([_ranked(row) for row in csv.DictReader(file)])

    def on(self, day: date) -> Ranks:
        """The ranks of a day."""
        return {row.source: row.rank for row in self._rows if row.holds(day)}


def _ranked(row: dict[str, str]) -> Ranked:
    first = date.fromisoformat(row["valid_from"]) if row["valid_from"] else date.min
    last = date.fromisoformat(row["valid_until"]) if row["valid_until"] else date.max
    return Ranked(AccountSource(row["source"]), int(row["rank"]), first, last)
