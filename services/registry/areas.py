"""Which commune a list or an event means, and who pays there: effective-dated names, codes and payers. Pure once the tables are read.

Names, not codes, stand on lists; a name is only unique within the payer's area, and codes change their meaning over the reforms of 2025
(domain 2.4), so a look-up always carries payer and day, and a code of one time is never compared with a code of another: what became of
an old unit is asked of the table of changes. A refusal is a value; where an old unit was split, nobody guesses: a hamlet of the table
that the address names says where somebody lives now, or a person does (`placing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from services.registry.cells import folded
from services.registry.refusals import RowNote, RowReason
from services.registry.statements import Split
from shared.areas import (
    AREAS_FILE,
    CHANGES_FILE,
    HAMLETS_FILE,
    Area,
    AreaChange,
    Hamlet,
    read_areas,
    read_changes,
    read_hamlets,
)

_KINDS = ("thi tran ", "phuong ", "xa ", "tt ", "p ", "x ")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Placed:
    """The commune that is meant; `note` when the list calls it by a name or code of before."""

    code: str
    note: RowNote | None = None


class Areas:
    """The tables of areas and of what became of them."""

    def __init__(self, areas: Iterable[Area], changes: Iterable[AreaChange] = (), hamlets: Iterable[Hamlet] = ()) -> None:
        """Group by payer and name, with and without the word for its kind where that stays unique."""
        self._by_name: dict[str, list[Area]] = {}
        self._by_code: dict[str, list[Area]] = {}
        self._by_payer: dict[str, list[Area]] = {}
        self._became: dict[date, dict[str, set[str]]] = {}
        self._judged: dict[tuple[str, str, date], RowReason | None] = {}
        self._ever: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
        for area in areas:
            self._by_code.setdefault(area.code, []).append(area)
            self._by_payer.setdefault(area.payer, []).append(area)
            for key in {folded(area.name), _bare(folded(area.name))}:
                self._by_name.setdefault(key, []).append(area)
        self._hamlets: dict[str, list[Hamlet]] = {}
        for hamlet in hamlets:
            self._hamlets.setdefault(hamlet.old, []).append(hamlet)
        for change in changes:
            self._became.setdefault(change.on, {}).setdefault(change.old, set()).add(change.new)

    @classmethod
    def from_files(cls, areas: Path = AREAS_FILE, changes: Path = CHANGES_FILE, hamlets: Path = HAMLETS_FILE) -> Areas:
        """Read the tables. Raises KeyError or ValueError for a file of another shape: the process must not start with it."""
        return cls(read_areas(areas), read_changes(changes), read_hamlets(hamlets))

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

    def find(self, payer: str, written: str, on: date) -> Placed | Split | RowReason:
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

    def split(self, payer: str, code: str, on: date) -> Split | None:
        """The unit of before with this code, where it came to several communes and one of them is this payer's on the day."""
        found = None if self.payer_of(code, on) else self._of_before(payer, self._by_code.get(code, ()), on)
        return found if isinstance(found, Split) else None

    def placed(self, split: Split, written: str, on: date) -> Placed | Split | RowReason:
        """Where somebody of a split unit lives who gives this address: in the commune of the one hamlet it names. It names none, or more
        than one: still split."""
        code = self.by_hamlet(split, written, on)
        if code is None:
            return split
        return Placed(code, RowNote.AREA_BY_HAMLET) if code in split.mine else RowReason.AREA_NOT_OF_PAYER

    def by_hamlet(self, split: Split, written: str, on: date) -> str | None:
        """The commune, on a day, of the one hamlet of a split unit that an address names."""
        said = f" {_spelled(written)} "
        hamlets = [hamlet for hamlet in self._hamlets.get(split.old, ()) if split.until <= hamlet.on <= on]
        named = [hamlet for hamlet in hamlets if f" {_spelled(hamlet.name)} " in said]
        code = self.moved(named[0].new, named[0].on, on) if len(named) == 1 else None
        return str(code) if code in split.codes else None

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

    def first_day(self, code: str, kind: str) -> date:
        """Since when a code names a unit under payers of a kind; always, where no table says."""
        return min((area.valid_from for area in self._of_kind(code, kind)), default=date.min)

    def codes_on(self, commune: tuple[str, str], day: date) -> frozenset[str]:
        """The codes, on a day, of everything that a code under payers of a kind ever was up to it. One that no table has is itself, marked
        with its kind: it is nothing else."""
        code, kind = commune
        held = self._of_kind(code, kind)
        if not held:
            return frozenset({f"{kind} {code}"})
        past = [area.valid_until for area in held if area.valid_until <= day]
        if not past or any(area.holds(day) for area in held):
            return frozenset({code})
        return self.successors(code, max(past) - _DAY, day)

    def ever(self, commune: tuple[str, str]) -> frozenset[tuple[str, str]]:
        """A code under payers of a kind, and whatever it became later, each as one of its time: communes that are ever one share one."""
        if commune not in self._ever:
            code, kind = commune
            until = max((area.valid_until for area in self._of_kind(code, kind)), default=date.max)
            later = {
                (new, _kind(self.payer_of(new, day) or ""))
                for day in self._became
                if day >= until
                for new in self.successors(code, until - _DAY, day)
            }
            self._ever[commune] = frozenset({commune, *later})
        return self._ever[commune]

    def successors_of_payer(self, payer: str, then: date, now: date) -> frozenset[str]:
        """What everything became, on the day `now`, that was under a payer on the day `then`."""
        codes = [area.code for area in self._by_payer.get(payer, ()) if area.holds(then)]
        return frozenset(new for code in codes for new in self.successors(code, then, now))

    def _of_kind(self, code: str, kind: str) -> list[Area]:
        return [area for area in self._by_code.get(code, ()) if _kind(area.payer) == kind]

    def moved(self, code: str, then: date, now: date, *, address: str = "") -> str | RowReason:
        """The one commune of the day `now` in which everything of the code of the day `then` lies. Where it came to several, the hamlet of
        the address decides, or a person: AREA_SPLIT, also where the table does not say."""
        if self.payer_of(code, then) is None:
            return _why_not(self._by_code.get(code, ()), then)
        found = self.successors(code, then, now)
        if len(found) == 1:
            return next(iter(found))
        until = next(area.valid_until for area in self._by_code[code] if area.holds(then))
        split = Split(old=code, until=until, since=self.since(now), codes=tuple(sorted(found)), mine=())
        return self.by_hamlet(split, address, now) or RowReason.AREA_SPLIT

    def since(self, on: date) -> date:
        """The last day of the table of changes up to a day."""
        return max((day for day in self._became if day <= on), default=date.min)

    def _of_before(self, payer: str, named: Iterable[Area], on: date) -> Placed | Split | RowReason | None:
        """What the payer has of units of before that were called so; None when none of them came to it."""
        mine = {area.code for area in self._by_payer.get(payer, ()) if area.holds(on)}
        became = {old: self.successors(old.code, old.valid_until - _DAY, on) for old in named if old.valid_until <= on}
        came_here = {old: codes for old, codes in became.items() if codes & mine}
        ways = set(came_here.values())
        if not ways:
            return None
        if len(ways) > 1:
            return RowReason.AREA_AMBIGUOUS
        codes = sorted(ways.pop())
        if len(codes) == 1:
            return Placed(codes[0], RowNote.AREA_BY_OLD_NAME)
        old = max(came_here, key=lambda area: (area.valid_until, area.code))
        here = tuple(code for code in codes if code in mine)
        return Split(old=old.code, until=old.valid_until, since=self.since(on), codes=tuple(codes), mine=here)


def _kind(payer: str) -> str:
    return payer.partition("-")[0]


def _why_not(named: Iterable[Area], on: date) -> RowReason:
    found = list(named)
    if any(area.holds(on) for area in found):
        return RowReason.AREA_NOT_OF_PAYER
    return RowReason.AREA_OTHER_TIME if found else RowReason.AREA_UNKNOWN


def _spelled(address: str) -> str:
    return f" {folded(address)} ".replace(" tdp ", " to dan pho ").strip()


def _bare(name: str) -> str:
    for kind in _KINDS:
        if name.startswith(kind):
            return name.removeprefix(kind)
    return name
