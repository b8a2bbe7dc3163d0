"""What is owed by the tables, or left over in our own books, and stands on no list: shown to the office, never added by us. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from services.payout.circumstances import Grant, Person
from services.payout.entitlement import assess
from services.payout.knowledge import Known, person_of
from services.payout.owed import Owed, Part
from services.payout.rules import Rules
from shared.clock import period_of
from shared.events import DeclaredLine

_ON_DEATH = (Part.FUNERAL, Part.RELATIVES)


class Listed(NamedTuple):
    """A person as one list of a payer has them. `month`: the list's; `programmes`: gifts that stand on any list of theirs."""

    beneficiary_id: UUID
    month: str
    lines: tuple[DeclaredLine, ...]
    known: Known
    programmes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Omitted:
    """A sum of one person that no list brings. `part`: `funeral`, `relatives` or `gift` by the tables; `unpaid`: it was paid and came back;
    `held`: it was held when its month was finished, for the reason `why`. `vnd` is whole dong; without a rule what the list declared."""

    beneficiary_id: UUID
    month: str
    part: str
    code: str
    vnd: int
    rule: str | None = None
    why: str | None = None


def gifts_due(period: str, rules: Rules) -> bool:
    """Whether a gift of the tables belongs on the lists of this month."""
    return any(gift.per == "person" and period_of(gift.last_day(rules.policy)) == period for gift in rules.book.one_off)


def of_deaths(dead: Iterable[Listed], payer: str, period: str, *, rules: Rules) -> Iterator[Omitted]:
    """Money on a death for people who were on this payer's list of the month in which they died."""
    for one in dead:
        yield from (_omitted(one, owed) for owed in _owed(one, payer, period, rules=rules) if owed.part in _ON_DEATH)


def of_gifts(listed: Iterable[Listed], payer: str, period: str, *, rules: Rules) -> Iterator[Omitted]:
    """Gifts of the month for people of this list, on no list of theirs yet."""
    for one in listed:
        found = (owed for owed in _owed(one, payer, period, rules=rules) if owed.part is Part.GIFT)
        yield from (_omitted(one, owed) for owed in found if owed.code not in one.programmes)


def shown(period: str, payer: str, found: Sequence[Omitted], *, most: int) -> dict[str, Any]:
    """The report: sums per part of all, and so many of them, ordered by part, month and person."""
    ordered = sorted(found, key=lambda one: (one.part, one.month, one.beneficiary_id, one.code))
    parts = sorted({one.part for one in found})
    return {
        "period": period,
        "payer": payer,
        "sums": {part: _sum([one for one in found if one.part == part]) for part in parts},
        "omitted": [asdict(one) for one in ordered[:most]],
        "left_out": max(0, len(found) - most),
    }


def _sum(found: Sequence[Omitted]) -> Mapping[str, int]:
    return {"people": len({one.beneficiary_id for one in found}), "vnd": sum(one.vnd for one in found)}


def _owed(one: Listed, payer: str, period: str, *, rules: Rules) -> tuple[Owed, ...]:
    return assess(_person(one, payer, rules), [period], rules).owed


def _person(one: Listed, payer: str, rules: Rules) -> Person:
    """All benefits of the person on the list, and the day of a death."""
    people = [person_of(line, payer, one.month, known=one.known, policy=rules.policy) for line in one.lines]
    grants: tuple[Grant, ...] = tuple(
        replace(grant, declared_vnd=line.monthly_vnd)
        for person, line in zip(people, one.lines, strict=True)
        for grant in person.grants
    )
    died_on: date | None = one.known.died_on
    return replace(people[0], grants=grants, died_on=died_on)


def _omitted(one: Listed, owed: Owed) -> Omitted:
    return Omitted(one.beneficiary_id, owed.month, owed.part, owed.code, owed.vnd, owed.rule)
