"""How likely two people we hold are one: evidence field by field, points, and the texts under which likely pairs meet. Pure.

Points add up, so that a stronger finding in one field never lowers a pair, and the order of the two does not matter. They are ours: nobody
has published how often lists differ (domain 3). Whoever reaches `LIKELY` is shown to a person; nobody is ever merged for points.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from services.registry.areas import Areas
from services.registry.matching import FULL
from services.registry.person import Place
from services.registry.whereabouts import Whereabouts
from shared.names import compare, plain_key
from shared.personal import Identity
from shared.words import Finding

LIKELY = 45
"""From here on a pair is a candidate: name and whole birth date alone are enough, a common name and a year are not."""
_MONTH, _HALF = 7, 6


class NumberFinding(StrEnum):
    """Two personal or old numbers, strongest first. `slip`: one digit differs, or two neighbours of one half have changed places."""

    SAME = "same"
    SLIP = "slip"
    ABSENT = "absent"
    DIFFERENT = "different"


class BirthFinding(StrEnum):
    """Two birth dates at the coarser precision, strongest first. `swapped`: day for month; `near`: one year, but another day or month."""

    DAY = "day"
    MONTH = "month"
    SWAPPED = "swapped"
    YEAR = "year"
    NEAR = "near"
    ABSENT = "absent"
    DIFFERENT = "different"


class PlaceFinding(StrEnum):
    """Where two people live, strongest first. Elsewhere says nothing: lists of two communes are where people stand twice."""

    HAMLET = "hamlet"
    COMMUNE = "commune"
    ELSEWHERE = "elsewhere"


class Evidence(NamedTuple):
    """What comparing two people showed, field by field."""

    number: NumberFinding
    old_number: NumberFinding
    name: Finding
    birth_date: BirthFinding
    sex: NumberFinding
    place: PlaceFinding
    account: NumberFinding


class Side(NamedTuple):
    """What is compared of one person. `account_digest` stands for the account."""

    identity: Identity
    place: Place
    account_digest: str | None = None


_POINTS: tuple[dict[str, int], ...] = (
    {NumberFinding.SAME: 60, NumberFinding.SLIP: 25, NumberFinding.ABSENT: 0, NumberFinding.DIFFERENT: -30},
    {NumberFinding.SAME: 50, NumberFinding.ABSENT: 0, NumberFinding.DIFFERENT: -20},
    {Finding.T1: 30, Finding.T2: 30, Finding.T3: 28, Finding.T4: 24, Finding.T5: 12, Finding.T6: -40},
    {BirthFinding.DAY: 34, BirthFinding.MONTH: 20, BirthFinding.SWAPPED: 15, BirthFinding.YEAR: 10, BirthFinding.NEAR: 5,
     BirthFinding.ABSENT: 0, BirthFinding.DIFFERENT: -30},
    {NumberFinding.SAME: 1, NumberFinding.ABSENT: 0, NumberFinding.DIFFERENT: -10},
    {PlaceFinding.HAMLET: 12, PlaceFinding.COMMUNE: 8, PlaceFinding.ELSEWHERE: 0},
    {NumberFinding.SAME: 25, NumberFinding.ABSENT: 0, NumberFinding.DIFFERENT: 0},
)  # fmt: skip


def points(evidence: Evidence) -> int:
    """The sum over all fields."""
    return sum(table[finding] for table, finding in zip(_POINTS, evidence, strict=True))


def compared(one: Side, other: Side, at: Whereabouts) -> Evidence:
    """Field by field; the same for the two in either order. Places are compared as of a day."""
    left, right = one.identity, other.identity
    number = _same(left.personal_number, right.personal_number)
    if number is NumberFinding.DIFFERENT and _is_slip(left.personal_number or "", right.personal_number or ""):
        number = NumberFinding.SLIP
    return Evidence(
        number=number,
        old_number=_same(left.old_number, right.old_number),
        name=compare(left.full_name, right.full_name),
        birth_date=birth_finding(left.birth_date, right.birth_date),
        sex=_same(left.sex, right.sex),
        place=_places(one.place, other.place, at),
        account=_same(one.account_digest, other.account_digest),
    )


def birth_finding(one: str | None, other: str | None) -> BirthFinding:
    """`YYYY`, `YYYY-MM` and `YYYY-MM-DD` compared as far as both go."""
    if not one or not other:
        return BirthFinding.ABSENT
    length = min(len(one), len(other))
    if one[:length] == other[:length]:
        return {FULL: BirthFinding.DAY, _MONTH: BirthFinding.MONTH}.get(length, BirthFinding.YEAR)
    if length < FULL or one[:4] != other[:4]:
        return BirthFinding.DIFFERENT
    if (one[5:7], one[8:]) == (other[8:], other[5:7]):
        return BirthFinding.SWAPPED
    return BirthFinding.NEAR if one[5:7] == other[5:7] or one[8:] == other[8:] else BirthFinding.DIFFERENT


def blocks(side: Side, areas: Areas) -> Iterator[str]:
    """Texts that people share who may be one; each goes into the database as a keyed index only.

    Every pair that reaches `LIKELY` shares one, but for a name written from the other end (T5), which meets by numbers and account only.
    """
    who, born = side.identity, side.identity.birth_date or ""
    words = plain_key(who.full_name).split()
    ends = "|".join(sorted({words[0], words[-1]})) if words else ""
    if len(born) >= _MONTH:
        yield f"month|{ends}|{born[:_MONTH]}"
    if len(born) == FULL and born[5:7] != born[8:]:
        yield f"swapped|{ends}|{born[:4]}|{'|'.join(sorted((born[5:7], born[8:])))}"
    if born:
        for area, kind in areas.ever(side.place.commune):
            yield f"year|{ends}|{born[:4]}|{kind}|{area}"
    if number := who.personal_number:
        yield f"tail|{number[_HALF:]}"
        yield f"head|{number[:_HALF]}|{ends}"
    if who.old_number:
        yield f"old|{who.old_number}"
    if side.account_digest:
        yield f"account|{side.account_digest}"


def _same(one: str | None, other: str | None) -> NumberFinding:
    if not one or not other:
        return NumberFinding.ABSENT
    return NumberFinding.SAME if one == other else NumberFinding.DIFFERENT


def _is_slip(one: str, other: str) -> bool:
    """One half equal, and in the other a wrong digit or two neighbours exchanged: then they meet by the half that is right."""
    if len(one) != len(other):
        return False
    wrong = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(wrong) == 1:
        return True
    first, last = (wrong[0], wrong[-1]) if wrong else (0, 0)
    exchanged = len(wrong) == 2 and last == first + 1 and (one[first], one[last]) == (other[last], other[first])
    return exchanged and first // _HALF == last // _HALF


def _places(one: Place, other: Place, at: Whereabouts) -> PlaceFinding:
    """Codes of two times are one commune where the one became the other; hamlets of two times are never one, they have other names."""
    if one.hamlet and one.commune == other.commune and one.same_hamlet(other):
        return PlaceFinding.HAMLET
    return PlaceFinding.COMMUNE if at.one_commune(one, other) else PlaceFinding.ELSEWHERE
