"""Whose row is this: by number, by old number, by name, birth date and commune. In doubt a new person, never another's money. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.registry.cells import folded
from services.registry.person import Person
from services.registry.refusals import RowNote, RowReason
from services.registry.whereabouts import Lives
from shared.names import SAME_HOLDER, SAME_NAME, compare
from shared.personal import Identity
from shared.words import Finding

FULL = 10  # YYYY-MM-DD
ANYWHERE = Lives()


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

    by_number: Sequence[Person] = ()
    """Whose number it is, with everybody who was merged into them: one person of several names."""
    by_old_number: Sequence[Person] = ()
    by_name_birth: Sequence[Person] = ()
    by_name_area: Sequence[Person] = ()


def find(said: Identity, candidates: Candidates, lives: Lives = ANYWHERE) -> Found:
    """The strongest evidence decides; several who fit equally are nobody.

    A number that is known under another name is refused: whoever is paid, it would be on a wrong number.
    """
    if owners := candidates.by_number:
        owner = next((p for p in owners if _same_owner(p.identity, said)), None)
        return Found(owner) if owner else Found(refusal=RowReason.NUMBER_CLASH)
    old = [p for p in candidates.by_old_number if _same_old_number(p.identity, said)]
    if old:
        return _only(old)
    born = [p for p in candidates.by_name_birth if _same_full_birth(p.identity, said) and not _contradicts(p.identity, said)]
    # A province has many namesakes born on one day, the more so on the 1 January that is written where only the year is known.
    named = [p for p in born if lives.may_be_in(p.place)]
    if named:
        return _only(_closest(named, said, lives) if lives.place.is_listed else named)
    near = [p for p in candidates.by_name_area if lives.is_beside(p.place) and not _contradicts(p.identity, said)]
    near = [p for p in near if birth_agrees(p.identity, said) and same_name(p.identity, said)]
    # Within a commune a year alone does not tell who has a number from a namesake who has none: those two are a candidate, for a person.
    near = [p for p in near if (lives.place.hamlet and p.place.hamlet) or _numbers(p.identity) == _numbers(said)]
    if near:
        return _only(_closest(near, said, lives))
    too_thin = not (said.personal_number or said.old_number or _full_birth(said))
    return Found(note=RowNote.NUMBER_NEEDED if (born or too_thin) and not lives.place.is_listed else None)


def is_somebody_else(known: Identity, said: Identity) -> bool:
    """Whether nothing of an identity agrees with the one a record had before: upstream has used the record again."""
    return not (_same_letters(known, said) or _same_year(known, said) or _same_number(known, said))


def same_name(one: Identity, other: Identity) -> bool:
    """Tiers T1 to T4: other accents are another name, unless one of the two has none at all. Never enough alone."""
    return compare(one.full_name, other.full_name) in SAME_HOLDER


def birth_agrees(one: Identity, other: Identity) -> bool:
    """Equal at the coarser precision of the two."""
    a, b = one.birth_date, other.birth_date
    return bool(a and b) and (a.startswith(b) or b.startswith(a))  # type: ignore[union-attr, arg-type]


def _only(people: Sequence[Person]) -> Found:
    if len(people) == 1:
        return Found(people[0])
    return Found(note=RowNote.SEVERAL_FIT if people else None)


def _closest(people: Sequence[Person], said: Identity, lives: Lives) -> Sequence[Person]:
    """Of several who fit a row of a payroll list those it fits best, so that whoever was made for it is found again: the name with its
    accents, the hamlet, and who is known by no more than the row says."""
    if len(people) > 1:
        people = [p for p in people if compare(p.identity.full_name, said.full_name) in SAME_NAME] or people
        people = [p for p in people if p.place.same_hamlet(lives.place)] or people
        people = [p for p in people if _numbers(p.identity) == _numbers(said)] or people
    return people


def _same_owner(owner: Identity, said: Identity) -> bool:
    """Whether a number's owner is meant. A name that agrees may ride on the number alone; one that was put right (an accent, a middle name)
    needs the whole birth date as well. Any other name is another person's, also of the same day: rows are copied."""
    if same_name(owner, said):
        return True
    nearly = _same_letters(owner, said) or compare(owner.full_name, said.full_name) is Finding.T5
    return nearly and _full_birth(owner) is not None and _full_birth(owner) == _full_birth(said)


def _numbers(who: Identity) -> tuple[str | None, str | None]:
    return who.personal_number, who.old_number


def _same_letters(one: Identity, other: Identity) -> bool:
    return folded(one.full_name) == folded(other.full_name)


def _full_birth(who: Identity) -> str | None:
    return who.birth_date if len(who.birth_date or "") == FULL else None


def _same_year(one: Identity, other: Identity) -> bool:
    return bool(one.birth_date and other.birth_date) and one.birth_date[:4] == other.birth_date[:4]  # type: ignore[index]


def _same_number(one: Identity, other: Identity) -> bool:
    return bool(one.personal_number) and one.personal_number == other.personal_number


def _same_full_birth(one: Identity, other: Identity) -> bool:
    birth = _full_birth(one)
    return birth is not None and birth == _full_birth(other) and same_name(one, other)


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
    return bool(numbers or old_numbers or (known.sex and said.sex and known.sex != said.sex))
