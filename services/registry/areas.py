"""Which commune a list or an event means, and who pays there: effective-dated names, codes and payers. Pure once the tables are read.

Names, not codes, stand on lists; a name is only unique within the payer's area, and codes change their meaning over the reforms of 2025
(domain 2.4), so a look-up always carries payer and day, and a code of one time is never compared with a code of another: what became of
an old unit is asked of the table of changes. A refusal is a value; where an old unit was split, nobody guesses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from services.registry.cells import folded
from services.registry.refusals import RowNote, RowReason
from shared.areas import AREAS_FILE, CHANGES_FILE, Area, AreaChange, read_areas, read_changes

_KINDS = ("thi tran ", "phuong ", "xa ", "tt ", "p ", "x ")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Placed:
    """The commune that is meant; `note` when the list calls it by a name or code of before."""

    code: str
    note: RowNote | None = None


class Areas:
    """The tables of areas and of what became of them."""

    def __init__(self, areas: Iterable[Area], changes: Iterable[AreaChange] = ()) -> None:
        """Group by payer and name, with and without the word for its kind where that stays unique."""
        self._by_name: dict[str, list[Area]] = {}
        self._by_code: dict[str, list[Area]] = {}
        self._by_payer: dict[str, list[Area]] = {}
        self._became: dict[date, dict[str, set[str]]] = {}
        self._judged: dict[tuple[str, str, date], RowReason | None] = {}
        for area in areas:
            self._by_code.setdefault(area.code, []).append(area)
            self._by_payer.setdefault(area.payer, []).append(area)
            for key in {folded(area.name), _bare(folded(area.name))}:
                self._by_name.setdefault(key, []).append(area)
        for change in changes:
            self._became.setdefault(change.on, {}).setdefault(change.old, set()).add(change.new)

    @classmethod
    def from_files(cls, areas: Path = AREAS_FILE, changes: Path = CHANGES_FILE) -> Areas:
        """Read the tables. Raises KeyError or ValueError for a file of another shape: the process must not start with it."""
        return cls(read_areas(areas), read_changes(changes))

    # --- payers ----------------------------------------------------------------------------------------------------------

    def knows(self, payer: str) -> bool:
        """Whether any row, of any time, names the payer."""
        return payer in self._by_payer

    def pays(self, payer: str, on: date) -> bool:
        """Whether a payer owns lists on a day."""
        return any(area.holds(on) for area in self._by_payer.get(payer, ()))

    def payer_of(self, code: str, on: date) -> str | None:
        """Who pays the people of a commune on a day; None for a code that is nobody's on that day."""
        return next((area.payer for area in self._by_code.get(code, ()) if area.holds(on)), None)

    def on(self, day: date) -> list[Area]:
        """The units of a day, by code."""
        found = [area for areas in self._by_code.values() for area in areas if area.holds(day)]
        return sorted(found, key=lambda area: area.code)

    # --- names and codes -------------------------------------------------------------------------------------------------

    def find(self, payer: str, written: str, on: date) -> Placed | RowReason:
        """The commune that a list of this payer calls so on a day. A name or code of before counts where all of it came to one commune."""
        called = self._called(written)
        for named in called:
            here = {area.code for area in named if area.payer == payer and area.holds(on)}
            if here:
                return Placed(here.pop()) if len(here) == 1 else RowReason.AREA_AMBIGUOUS
        for named in called:
            if before := self._of_before(payer, named, on):
                return before
        return _why_not(called[-1], on)

    def refusal(self, payer: str, code: str, on: date) -> RowReason | None:
        """Why a payer may not list people of this code on a day; None when it may. A payer that no row names is not judged."""
        key = (payer, code, on)
        if key not in self._judged:
            self._judged[key] = self._judge(payer, code, on)
        return self._judged[key]

    def code_refusal(self, code: str, on: date) -> RowReason | None:
        """Why a code cannot stand for a commune on a day, whoever pays there."""
        return None if self.payer_of(code, on) else _why_not(self._by_code.get(code, ()), on)

    def _judge(self, payer: str, code: str, on: date) -> RowReason | None:
        if not self.knows(payer):
            return None
        if not self.pays(payer, on):
            return RowReason.PAYER_OTHER_TIME
        if self.payer_of(code, on) == payer:
            return None
        return _why_not(self._by_code.get(code, ()), on)

    def _called(self, written: str) -> tuple[list[Area], ...]:
        """The units of any time and payer with this code, or with this name: as written first, then whatever its kind."""
        if written in self._by_code:
            return (self._by_code[written],)
        key = folded(written)
        return self._by_name.get(key, []), self._by_name.get(_bare(key), [])

    # --- what became of whom ---------------------------------------------------------------------------------------------

    def successors(self, code: str, then: date, now: date) -> frozenset[str]:
        """The codes, on the day `now`, of everything that was `code` on the day `then`; empty where a table does not say."""
        codes = {code} if self.payer_of(code, then) else set()
        for day in sorted(day for day in self._became if then < day <= now):
            codes = {new for old in codes for new in self._became[day].get(old, ())}
        return frozenset(codes)

    def moved(self, code: str, then: date, now: date) -> str | RowReason:
        """The one commune of the day `now` in which everything of the code of the day `then` lies. Where it came to several, or the table
        does not say, an address or a person decides: AREA_SPLIT."""
        if self.payer_of(code, then) is None:
            return _why_not(self._by_code.get(code, ()), then)
        found = self.successors(code, then, now)
        return next(iter(found)) if len(found) == 1 else RowReason.AREA_SPLIT

    def _of_before(self, payer: str, named: Iterable[Area], on: date) -> Placed | RowReason | None:
        """What the payer has of units of before that were called so; None when none of them came to it."""
        mine = {area.code for area in self._by_payer.get(payer, ()) if area.holds(on)}
        became = [self.successors(old.code, old.valid_until - _DAY, on) for old in named if old.valid_until <= on]
        ways = {codes for codes in became if codes & mine}
        if not ways:
            return None
        if len(ways) == 1 and len(only := next(iter(ways))) == 1:
            return Placed(next(iter(only)), RowNote.AREA_BY_OLD_NAME)
        return RowReason.AREA_SPLIT if len(ways) == 1 else RowReason.AREA_AMBIGUOUS


def _why_not(named: Iterable[Area], on: date) -> RowReason:
    found = list(named)
    if any(area.holds(on) for area in found):
        return RowReason.AREA_NOT_OF_PAYER
    return RowReason.AREA_OTHER_TIME if found else RowReason.AREA_UNKNOWN


def _bare(name: str) -> str:
    for kind in _KINDS:
        if name.startswith(kind):
            return name.removeprefix(kind)
    return name
