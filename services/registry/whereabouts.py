"""Whether two places may be one commune on a day, or a place a payer's: by what became of units, never by codes of two times. Pure.

Nobody writes down since when somebody's commune is known; its code and the kind of its payer (district, commune) say of what time it is.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from services.registry.areas import Areas
from services.registry.person import NOWHERE, Place


class Whereabouts(NamedTuple):
    """Compares places as of a day: the first of a list's month, else the day on which something is said."""

    areas: Areas
    day: date

    def one_commune(self, one: Place, other: Place) -> bool:
        """Whether both may be one commune on the day, or as soon as both codes are in use. A code no table has is only ever itself."""
        if not (one.among or other.among) and one.commune == other.commune:
            return True
        day = max(self.day, self.areas.first_day(*one.commune), self.areas.first_day(*other.commune))
        return not self._codes(one, day).isdisjoint(self._codes(other, day))

    def pays(self, payer: str, place: Place) -> bool:
        """Whether who lives there is this payer's on the day: lives under it, or in a unit that came to it, or will come from it."""
        if payer == place.payer:
            return True
        first = self.areas.first_day(*place.commune)
        if first > self.day:
            return place.area in self.areas.successors_of_payer(payer, self.day, first)
        return any(self.areas.payer_of(code, self.day) == payer for code in self._codes(place, self.day))

    def _codes(self, place: Place, day: date) -> frozenset[str]:
        return frozenset(place.among) or self.areas.codes_on(place.commune, day)


class Lives(NamedTuple):
    """Where a statement says somebody lives, and by what that is compared with where we know people to live."""

    place: Place = NOWHERE
    at: Whereabouts | None = None

    def may_be_in(self, known: Place) -> bool:
        """Whether both may be one commune, or the payer's that hands in an account list; whoever says no place may be anywhere."""
        if self.at is None or not (self.place.area or self.place.payer):
            return True
        return self.at.one_commune(self.place, known) if self.place.area else self.at.pays(self.place.payer, known)

    def is_beside(self, known: Place) -> bool:
        """Whether both are one commune of one payer on a payroll list, and nothing says that they are two hamlets. Across a reform hamlets
        have other names: then a year of birth is too little."""
        if not self.place.is_listed or (self.place.area, self.place.payer) != (known.area, known.payer):
            return False
        return not (self.place.hamlet and known.hamlet) or self.place.same_hamlet(known)
