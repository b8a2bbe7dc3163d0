"""Whose row is this: by number, by old number, by name, birth date and commune. In doubt a new person, never another's money. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.registry.cells import folded
from services.registry.person import NOWHERE, Person, Place
from services.registry.refusals import RowNote, RowReason
from shared.personal import Identity

FULL = 10  # YYYY-MM-DD


class Found(NamedTuple):
    """The person, or nobody; nobody with a refusal means that nobody may be made either."""

    person: Person | None = None
    note: RowNote | None = None
    refusal: RowReason | None = None

    @property
    def notes(self) -> tuple[RowNote, ...]:
        """What to tell of whom was found."""
        return (self.note,) if self.note else ()


class Candidates(NamedTuple):
    """People whose blind indexes equal those of the row."""

    by_number: Person | None = None
    by_old_number: Sequence[Person] = ()
    by_name_birth: Sequence[Person] = ()
    by_name_place: Sequence[Person] = ()


def find(said: Identity, candidates: Candidates, place: Place = NOWHERE) -> Found:
    """The strongest evidence decides; several who fit equally are nobody.

    A number that is known under another name and another birth year is refused: whoever is paid, it would be on a wrong number.
    """
    owner = candidates.by_number
    if owner is not None:
        alike = same_name(owner.identity, said) or _same_year(owner.identity, said)
        return Found(owner) if alike else Found(refusal=RowReason.NUMBER_CLASH)
    old = [p for p in candidates.by_old_number if _same_old_number(p.identity, said)]
    if old:
        return _only(old)
    born = [p for p in candidates.by_name_birth if _same_full_birth(p.identity, said) and not _contradicts(p.identity, said)]
    # A province has many namesakes born on one day, the more so on the 1 January that is written where only the year is known.
    named = [p for p in born if place.may_be_in(p.place)]
    if named or not place.hamlet:
        return _only(named)
    near = [p for p in candidates.by_name_place if p.place.is_same(place) and not _contradicts(p.identity, said)]
    return _only([p for p in near if same_name(p.identity, said) and birth_agrees(p.identity, said)])


def is_somebody_else(known: Identity, said: Identity) -> bool:
    """Whether nothing of an identity agrees with the one a record had before: upstream has used the record again."""
    return not (same_name(known, said) or _same_year(known, said) or _same_number(known, said))


def same_name(one: Identity, other: Identity) -> bool:
    """Equal without accents (tier T4 or better); never enough alone."""
    return folded(one.full_name) == folded(other.full_name)


def birth_agrees(one: Identity, other: Identity) -> bool:
    """Equal at the coarser precision of the two."""
    a, b = one.birth_date, other.birth_date
    return bool(a and b) and (a.startswith(b) or b.startswith(a))  # type: ignore[union-attr, arg-type]


def _only(people: Sequence[Person]) -> Found:
    if len(people) == 1:
        return Found(people[0])
    return Found(note=RowNote.SEVERAL_FIT if people else None)


def _same_year(one: Identity, other: Identity) -> bool:
    return bool(one.birth_date and other.birth_date) and one.birth_date[:4] == other.birth_date[:4]  # type: ignore[index]


def _same_number(one: Identity, other: Identity) -> bool:
    return bool(one.personal_number) and one.personal_number == other.personal_number


def _same_full_birth(one: Identity, other: Identity) -> bool:
    full = len(one.birth_date or "") == len(other.birth_date or "") == FULL
    return full and one.birth_date == other.birth_date and same_name(one, other)


def _same_old_number(known: Identity, said: Identity) -> bool:
    """The police replace wrong personal numbers: with old number, name and whole birth date equal another one is the same person's."""
    if known.old_number != said.old_number or not same_name(known, said):
        return False
    if known.personal_number and said.personal_number:
        return _same_full_birth(known, said)
    return known.birth_date is None or said.birth_date is None or birth_agrees(known, said)


def _contradicts(known: Identity, said: Identity) -> bool:
    numbers = known.personal_number and said.personal_number and known.personal_number != said.personal_number
    old_numbers = known.old_number and said.old_number and known.old_number != said.old_number
    return bool(numbers or old_numbers)
