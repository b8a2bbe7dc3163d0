"""Rates as data: the rows of `rates/*.csv` and what they give for a code and a month. Pure; `rate_files.py` reads and checks them.

Every row says where it comes from. Marks: `c` stated on a page, `m` general knowledge, `x` looked for and not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from services.payout.policy import Policy
from shared.clock import period_of
from shared.fields import Period
from shared.money import Dong, times_hundredths

Mark = Literal["c", "m", "x", "p"]
Vnd = Annotated[int, Field(ge=0, le=10**12)]
Age = Annotated[int, Field(ge=0, le=130)]


class Row(BaseModel):
    """Base of all rows; each names its source and how sure it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    source: Annotated[str, Field(min_length=3)]
    mark: Mark


class DatedRow(Row):
    """A row that holds for months. `until` is the last month, open when absent."""

    since: Period = Field(alias="from")
    until: Period | None = None

    def holds(self, period: str) -> bool:
        """Whether the row is the one of that month."""
        return self.since <= period and (self.until is None or period <= self.until)


class Standard(DatedRow):
    """A standard level, VND a month."""

    standard: str
    vnd: Vnd
    instrument: str


class Override(Standard):
    """A province's own standard level, set by its People's Council."""

    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")]


class Kind(StrEnum):
    """How a value becomes an amount."""

    COEFFICIENT = "coefficient"  # hundredths of a standard; a list states it too
    ONE_OF = "one_of"  # hundredths of a standard, one of several
    MULTIPLE = "multiple"  # hundredths of a standard; a list does not state it
    FLAT = "flat"  # VND as published: never computed
    MONTHS = "months"  # so many months of the allowance
    NONE = "none"  # exists, but the value is not known


class Rate(DatedRow):
    """What a code is worth. `values`: hundredths, VND or months, by kind. A code with a range (`A-21..30`) is one row per number."""

    code: str
    kind: Kind
    values: tuple[int, ...] = Field(alias="value", default=())
    standard: str | None = None
    setting: str | None = None
    instrument: str

    @property
    def rule(self) -> str:
        """How a rule is named in a result."""
        return f"{self.code}@{self.since}"


class Benefit(Row):
    """A code: its law, its family within the law, whether it needs a written request, and what replaced it after which month."""

    code: str
    law: str
    family: str
    request: Literal["yes", "no"]
    until: Period | None = None
    becomes: str | None = None
    setting: str | None = None


class Need(StrEnum):
    """A condition of a band that is a fact about the person."""

    STUDYING = "studying"
    POOR = "poor"
    POOR_OR_NEAR = "poor_or_near"
    NO_PENSION = "no_pension"


class Band(Row):
    """The code a benefit goes under from one age to another; the codes of one ladder follow each other with age."""

    ladder: str
    code: str
    age_from: Age
    age_until: Age | None = None
    needs: Need | None = None
    setting: str | None = None


class Mode(StrEnum):
    """How two benefits of one person go together."""

    HIGHEST = "highest"
    BOTH = "both"
    ONLY_IF_LOWER = "only_if_lower"


class Exclusion(DatedRow):
    """How two families, or whole laws, go together. The narrower row wins."""

    family_a: str
    family_b: str
    mode: Mode
    setting: str | None = None


class OneOff(Row):
    """A gift: so much per person of a group, or per citizen of a household. Where papers name two deadlines, both stand."""

    programme: Annotated[str, Field(pattern=r"^[A-Z0-9_]{2,40}$")]
    group: str
    per: Literal["person", "household"]
    vnd: Vnd
    deadline: date
    deadline_other_paper: date | None = None
    instrument: str

    def last_day(self, policy: Policy) -> date:
        """The deadline that holds."""
        both = [self.deadline, self.deadline_other_paper or self.deadline]
        return max(both) if policy.gift_deadline == "later" else min(both)

    def given_in(self, period: str, policy: Policy) -> bool:
        """Whether a month's list may hold it: not before the month of the first deadline any paper names, not after the one that holds."""
        first = min(self.deadline, self.deadline_other_paper or self.deadline)
        return period_of(first) <= period <= period_of(self.last_day(policy))


class Worth(NamedTuple):
    """What a rule gives: VND, or None where no rule is known; and the rule's name."""

    vnd: Dong | None
    rule: str | None


NO_RULE = Worth(None, None)
Dated = TypeVar("Dated", bound=DatedRow)


@dataclass(frozen=True)
class RateBook:
    """All tables, checked. Lists of dated rows are sorted, without gaps and overlaps."""

    standards: Mapping[str, Sequence[Standard]]
    rates: Mapping[str, Sequence[Rate]]
    overrides: Mapping[tuple[str, str], Sequence[Override]] = field(default_factory=dict)
    benefits: Mapping[str, Benefit] = field(default_factory=dict)
    ladders: Mapping[str, Sequence[Band]] = field(default_factory=dict)
    exclusive: Sequence[Exclusion] = ()
    funeral: Mapping[str, Sequence[Rate]] = field(default_factory=dict)
    one_off: Sequence[OneOff] = ()

    def standard(self, name: str, period: str, province: str | None) -> Standard | None:
        """The level of a month; a province's own where it has one and a province is asked for."""
        own = row_of(self.overrides.get((province, name), ()), period) if province else None
        return own or row_of(self.standards.get(name, ()), period)

    def worth(self, rate: Rate | None, period: str, province: str | None, *, hundredths: int | None = None) -> Worth:
        """What a row gives in a month. `hundredths`: the list's own coefficient, used only to choose among several."""
        if rate is None or not rate.values or rate.kind is Kind.MONTHS:
            return NO_RULE
        if rate.kind is Kind.FLAT:
            return Worth(Dong(rate.values[0]), rate.rule)
        chosen = hundredths if hundredths is not None and hundredths in rate.values else rate.values[0]
        return self.times(chosen, self.standard(rate.standard or "", period, province), rule=rate.rule)

    def times(self, hundredths: int, level: Standard | None, *, rule: str) -> Worth:
        """So many hundredths of a standard; no rule without one."""
        if level is None:
            return NO_RULE
        return Worth(times_hundredths(Dong(level.vnd), hundredths), f"{rule}*{level.standard}@{level.since}")


def row_of(rows: Iterable[Dated], period: str) -> Dated | None:
    """The row that holds in a month."""
    return next((row for row in rows if row.holds(period)), None)


_GIFT = re.compile(r"([A-Z]{2,8})-([0-9]{4})-(BT|NCC|HT)")


def gift_named(code: str) -> tuple[str, str] | None:
    """(programme, group) of a code under which a gift stands on a list, `TET-2026-BT`; None for every other code."""
    found = _GIFT.fullmatch(code)
    return (f"{found[1]}_{found[2]}", found[3]) if found else None


def gift_of(code: str, book: RateBook) -> OneOff | None:
    """The gift that a list's code names, if the tables know it as one per person."""
    named = gift_named(code)
    return next((gift for gift in book.one_off if (gift.programme, gift.group) == named and gift.per == "person"), None)
