"""Communes, wards and towns with their names and payers, as effective-dated rows of `areas.csv` (domain 2.4). Pure once read.

A code changes its meaning over the reform of 1 July 2025 (18496 was a town and is a commune), so every look-up carries a day. What an
old unit became is a table of its own, `area_changes.csv`: one old unit may have become several, and then no look-up chooses.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

AREAS_FILE = Path(__file__).with_name("areas.csv")
CHANGES_FILE = Path(__file__).with_name("area_changes.csv")
HAMLETS_FILE = Path(__file__).with_name("hamlets.csv")


@dataclass(frozen=True, slots=True)
class Area:
    """One commune, ward or town under one payer. The first day counts, the last does not."""

    code: str
    name: str
    payer: str
    valid_from: date
    valid_until: date

    def holds(self, on: date) -> bool:
        """Whether the unit exists, under this payer, on a day."""
        return self.valid_from <= on < self.valid_until


@dataclass(frozen=True, slots=True)
class AreaChange:
    """On a day `old` became `new`; where `old` stands in several rows of that day, a part of it did."""

    on: date
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Hamlet:
    """A hamlet (thôn, tổ dân phố) of `old`, which came to several communes on a day: this one came to `new`."""

    on: date
    old: str
    name: str
    new: str


def read_areas(path: Path = AREAS_FILE) -> list[Area]:
    """The table. Raises KeyError or ValueError for a file of another shape: no process may start with it."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_area(row) for row in csv.DictReader(file)]


def read_changes(path: Path = CHANGES_FILE) -> list[AreaChange]:
    """What became of whom. Raises KeyError or ValueError for a file of another shape: no process may start with it."""
    with path.open(encoding="utf-8", newline="") as file:
        return [AreaChange(date.fromisoformat(row["on"]), row["old"], row["new"]) for row in csv.DictReader(file)]


def read_hamlets(path: Path = HAMLETS_FILE) -> list[Hamlet]:
    """Hamlets of units that were split. Raises KeyError or ValueError for a file of another shape: no process may start with it."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Hamlet(date.fromisoformat(row["on"]), row["old"], row["hamlet"], row["new"]) for row in rows]


class AreaNames:
    """Names by code and day."""

    def __init__(self, areas: Iterable[Area]) -> None:
        """Group by code."""
        self._by_code: dict[str, list[Area]] = defaultdict(list)
        for area in areas:
            self._by_code[area.code].append(area)

    def name(self, code: str, on: date) -> str:
        """What an area is called on a day; one that is in no row is named by its code."""
        names = {area.name for area in self._by_code.get(code, ()) if area.valid_from <= on < area.valid_until}
        return names.pop() if len(names) == 1 else f"mã {code}"


def _area(row: dict[str, str]) -> Area:
    first = date.fromisoformat(row["valid_from"]) if row["valid_from"] else date.min
    last = date.fromisoformat(row["valid_until"]) if row["valid_until"] else date.max
    return Area(row["code"], row["name"], row["payer"], first, last)
