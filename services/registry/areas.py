"""Which commune a list means: effective-dated names of one payer's area. Pure once the table is read.

Names, not codes, stand on lists; a name is only unique within the payer's area, and codes change meaning over the reform of 2025
(domain 2.4), so a look-up always carries payer and day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from services.registry.cells import folded
from shared.areas import AREAS_FILE, Area, read_areas

_KINDS = ("thi tran ", "phuong ", "xa ", "tt ", "p ", "x ")


class Areas:
    """The table of areas."""

    def __init__(self, areas: Iterable[Area]) -> None:
        """Group by payer and name, with and without the word for its kind where that stays unique."""
        self._by_name: dict[tuple[str, str], list[Area]] = {}
        self.payers: set[str] = set()
        for area in areas:
            self.payers.add(area.payer)
            for key in {folded(area.name), _bare(folded(area.name))}:
                self._by_name.setdefault((area.payer, key), []).append(area)

    @classmethod
    def from_file(cls, path: Path = AREAS_FILE) -> Areas:
        """Read the table. Raises KeyError or ValueError for a file of another shape: the process must not start with it."""
        return cls(read_areas(path))

    def code(self, payer: str, name: str, on: date) -> str | None:
        """The code of a commune by its name, or None when none or several fit."""
        key = folded(name)
        found = self._by_name.get((payer, key)) or self._by_name.get((payer, _bare(key)), [])
        codes = {area.code for area in found if area.valid_from <= on < area.valid_until}
        return codes.pop() if len(codes) == 1 else None


def _bare(name: str) -> str:
    for kind in _KINDS:
        if name.startswith(kind):
            return name.removeprefix(kind)
    return name
