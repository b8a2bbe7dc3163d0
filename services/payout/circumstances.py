"""What is known of one person that decides what they are owed. Facts only; no identity, no name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from shared.words import Poverty


class MoveKind(StrEnum):
    """Which rule a move falls under (domain 2.2)."""

    WITHIN_DISTRICT = "within_district"  # until June 2025: the new place continues
    ELSEWHERE = "elsewhere"  # until June 2025: the new place pays the month after its decision
    BETWEEN_COMMUNES = "between_communes"  # since July 2025: continues on the person's request


@dataclass(frozen=True, slots=True)
class Child:
    """A child of a single parent (BT-4). `born` as in `Person.born`."""

    born: str
    studying: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """A benefit somebody was granted. `entitled_from`: a period; since July 2025 the month of the decision counts instead.

    `declared_vnd`: what the list says a month is worth, taken where no rule is known.
    """

    code: str
    decided_on: date
    coefficient_hundredths: int | None = None
    entitled_from: str | None = None
    ends_after: str | None = None
    requested: bool = False
    declared_vnd: int | None = None
    children: tuple[Child, ...] = ()


@dataclass(frozen=True, slots=True)
class Custody:
    """In custody between two days; without `until` it lasts."""

    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """To another payer. `requested`: the person asked the new place to continue."""

    on: date
    to_payer: str
    kind: MoveKind
    requested: bool = False
    decided_on: date | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """A decision that these months of a grant are owed after all: a wrong suspension, a late decision."""

    code: str
    months: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unpaid:
    """A sum of an earlier month that nobody collected."""

    code: str
    month: str
    vnd: int


@dataclass(frozen=True, slots=True)
class Person:
    """One person. `born`: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, or nothing known; `poverty`: by year, a year not named is not judged.

    `settled`: VND already paid, or on its way, by (code as granted, month).
    """

    payer: str
    grants: tuple[Grant, ...]
    born: str | None = None
    poverty: Mapping[int, Poverty] = field(default_factory=dict)
    other_benefit_vnd: int = 0
    studying: bool = False
    died_on: date | None = None
    child_of_single_parent: bool = False
    funeral_settled: bool = False
    funeral_declared_vnd: int | None = None
    prison_on: date | None = None
    custody: tuple[Custody, ...] = ()
    care_home_on: date | None = None
    given_up_on: date | None = None
    missing_on: date | None = None
    refused_on: date | None = None
    refused_until: date | None = None
    misses: int = 0
    moves: tuple[Move, ...] = ()
    restored: tuple[Restored, ...] = ()
    unpaid: tuple[Unpaid, ...] = ()
    settled: Mapping[tuple[str, str], int] = field(default_factory=dict)
    citizens: int = 0
    """Of the household this person receives gifts for; 0 for who is not its head."""
    gifts_settled: frozenset[str] = frozenset()
