"""Who is reminded and when. Pure.

A reminder goes to people without an account who could have one and can be reached. People who share a phone get one text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from uuid import UUID

from shared.clock import LOCAL

# Decree 91/2020 allows advertising from 07:00 to 22:00; ours is no advertising, yet keeps to it (domain 5).
QUIET_FROM, QUIET_UNTIL = time(22, 0), time(7, 0)


class LeftOut(StrEnum):
    """Why a person is not reminded, in order of precedence."""

    DEAD = "dead"
    MOVED_OUT = "moved_out"
    MERGED = "merged"
    HAS_ACCOUNT = "has_account"
    PAID_ON_ACCOUNT = "paid_on_account"
    CANNOT = "cannot"
    NO_PHONE = "no_phone"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What is known of one person. `phone_ix` stands for the phone; None: no phone."""

    beneficiary_id: UUID
    life: str
    found_dead: bool
    has_account: bool
    paid_on_account: bool
    cannot: bool
    opted_out: bool
    phone_ix: bytes | None
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Audience:
    """Who shares each phone that gets a text, and how many are left out for which reason."""

    by_phone: Mapping[bytes, tuple[UUID, ...]]
    left_out: Mapping[LeftOut, int]

    @property
    def people(self) -> int:
        """People whom the texts serve."""
        return sum(len(ids) for ids in self.by_phone.values())


def choose(people: Iterable[PersonFacts]) -> Audience:
    """The audience. Every person is in exactly one of the two parts; the order of `people` does not matter."""
    by_phone: dict[bytes, list[UUID]] = {}
    left_out: Counter[LeftOut] = Counter()
    for person in people:
        reason = why_left_out(person)
        if reason is not None:
            left_out[reason] += 1
        elif person.phone_ix is not None:
            by_phone.setdefault(person.phone_ix, []).append(person.beneficiary_id)
    return Audience({phone: tuple(sorted(ids)) for phone, ids in by_phone.items()}, left_out)


def why_left_out(person: PersonFacts) -> LeftOut | None:
    """The first reason that applies, None for somebody who is reminded."""
    reasons = (
        (LeftOut.DEAD, person.life == "dead" or person.found_dead),
        (LeftOut.MOVED_OUT, person.life == "moved_out"),
        (LeftOut.MERGED, person.merged),
        (LeftOut.HAS_ACCOUNT, person.has_account),
        (LeftOut.PAID_ON_ACCOUNT, person.paid_on_account),
        (LeftOut.CANNOT, person.cannot),
        (LeftOut.NO_PHONE, person.phone_ix is None),
        (LeftOut.OPTED_OUT, person.opted_out),
    )
    return next((reason for reason, applies in reasons if applies), None)


def is_quiet(now: datetime) -> bool:
    """Whether texts must wait at this moment: 22:00 to 07:00 in Vietnam."""
    local = now.astimezone(LOCAL).time()
    return local >= QUIET_FROM or local < QUIET_UNTIL
