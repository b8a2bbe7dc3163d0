"""What stands against paying a line as it is declared, whatever becomes of the person's account: age, circumstances, amount, months not
collected, and other lines of theirs, on this list and on other payers'. Pure, but for opening what is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from services.payout.combining import Candidate, combine
from services.payout.comparing import Earlier, already_brought, confirmed, giving_way
from services.payout.entitlement import differs
from services.payout.knowledge import Known, opened, person_of, resumed_in
from services.payout.moving import payer_of
from services.payout.rate_book import Mode
from services.payout.rules import Rules
from services.payout.standing import Effect, Payable, Stop, StopReason, standing, stop_of_person
from shared.after_death import ON_DEATH, owed_to_the_family
from shared.events import DeclaredLine
from shared.personal import Circumstances
from shared.vault import Vault
from shared.words import HeldReason, Outcome

Row = Any
"""A row of `undecided_lines`, or a plain copy."""
Limits = tuple[Rules, int]
"""Rules, and the VND by which a declared amount may lie from them."""
Asked = tuple[str, Limits]
"""The month, and what it is judged by."""
_HELD = {StopReason.DEAD: HeldReason.DEAD, StopReason.MOVED: HeldReason.MOVED}
_PRECEDENCE = list(HeldReason)
_ON_DEATH = '"benefit_code":"MT-'


class Elsewhere(NamedTuple):
    """A line of the same month on another payer's list. `current`: the payer the person belongs to now; `live`: it is in a payment."""

    entitlement_id: UUID
    payer: str
    content: str
    current: str | None
    live: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """What a build asks once for all its lines: who did not collect, by person and programme the months; lines on other lists.

    `vault` opens circumstances; without one, none are asked for.
    """

    payer: str = ""
    vault: Vault | None = None
    missed: Mapping[tuple[UUID, str], Sequence[str]] = field(default_factory=dict)
    elsewhere: Mapping[UUID, Sequence[Elsewhere]] = field(default_factory=dict)
    not_carried: frozenset[UUID] = frozenset()
    """Lines that declare more unpaid of earlier months than those left over when they were finished."""
    earlier: Mapping[UUID, Sequence[Earlier]] = field(default_factory=dict)
    """Of lines that bring earlier months, or whose month later lines bring: what other lines brought of these."""
    given: frozenset[UUID] = frozenset()
    """Lines with money of a death that another line in a payment gives."""
    gives_way: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)
    """Lines under a code of a death -> open lines of the payroll that would give the same money."""


NOTHING = Beside()


def reasons(rows: Sequence[Row], period: str, limits: Limits, *, beside: Beside) -> list[HeldReason | None]:
    """For each line of one person, in order: the reason of the highest precedence why it is not paid as it stands, if any."""
    person = rows[0]
    lower = _lower(rows, period, limits[0]) if len(rows) > 1 or person["beside"] else _NONE_LOWER
    others = beside.elsewhere.get(person["beneficiary_id"])
    away = _paid_elsewhere(rows, others, period, rules=limits[0], payer=beside.payer) if others else _NONE_LOWER
    amiss = lower | beside.not_carried if lower else beside.not_carried
    if beside.earlier:
        amiss |= _brought(rows, period, limits, earlier=beside.earlier)
    asked = (period, limits)
    return [_of_line(row, asked, beside=beside, amiss=amiss, away=away) for row in rows]


def first(*given: HeldReason | None) -> HeldReason | None:
    """The one that takes precedence, in the order of the word list."""
    found = [reason for reason in given if reason]
    return min(found, key=_PRECEDENCE.index) if found else None


def given_once(
    rows: Sequence[Row], against: Sequence[HeldReason | None], gives_way: Mapping[UUID, frozenset[UUID]]
) -> Sequence[HeldReason | None]:
    """Of one death's money on two lines of a payroll the one under its own code gives way, if the other is paid now."""
    paid = {row["entitlement_id"] for row, reason in zip(rows, against, strict=True) if reason is None}
    return [
        HeldReason.PAID_ELSEWHERE if reason is None and not paid.isdisjoint(gives_way.get(row["entitlement_id"], ())) else reason
        for row, reason in zip(rows, against, strict=True)
    ]


def stands(line: DeclaredLine, payer: str, period: str, *, known: Known, rules: Rules) -> Payable | Stop | None:
    """Whether what registry knew leaves a line payable, and under which code; None where nothing is known: it counts as declared."""
    if not known.ages and known.circumstances is None:
        return None
    person = person_of(line, payer, period, known=known, policy=rules.policy)
    stop = stop_of_person(person, period, rules.policy)
    if stop is None and payer_of(person, period, rules.policy) != payer:
        stop = Stop(period, None, Effect.NOT_OWED, StopReason.MOVED)
    found = stop or standing(person, person.grants[0], period, rules=rules)
    if isinstance(found, Payable) and person.other_benefit_vnd:
        one = Candidate(0, found.code, line.monthly_vnd)
        if combine([one], period, rules, other_benefit_vnd=person.other_benefit_vnd).insured:
            return Stop(period, line.benefit_code, Effect.NOT_OWED, StopReason.OTHER_PENSION)
    return found


def grown_into(found: Payable | Stop | None, period: str, rules: Rules) -> str | None:
    """The code by which a line is compared instead of its own: one the person grew into, if its value is confirmed."""
    if not isinstance(found, Payable) or not found.changed:
        return None
    return found.code if confirmed(found.code, period, rules) else None


def is_on_death(content: str) -> bool:
    """Whether a line is money that a death brings."""
    return _ON_DEATH in content


def to_the_family(row: Row, period: str) -> bool:
    """Whether a line is owed although its person died before the month: to who is left."""
    return _owed_after(row, period, died_on(row))


def _owed_after(row: Row, period: str, day: date | None) -> bool:
    return day is not None and owed_to_the_family(_parsed(row["content"]), period, day)


def died_on(row: Row) -> date | None:
    """The earlier of the days that registry and register tell, of a person whom either knows as dead."""
    known: date | None = row.get("died_on")
    judged: date | None = row.get("judged_died_on")
    if judged is None or row.get("outcome") != Outcome.DEAD:  # nearly everybody
        return known
    return judged if known is None else min(known, judged)


def _of_line(row: Row, asked: Asked, *, beside: Beside, amiss: Set[UUID], away: frozenset[UUID]) -> HeldReason | None:
    sealed, told = row["circumstances"], None
    day = died_on(row)
    family = _owed_after(row, asked[0], day)
    if family or is_on_death(row["content"]):
        reason = _judged_to_the_family(_parsed(row["content"]), day if family else None, asked)
    elif sealed and beside.vault:
        told = opened(beside.vault, row["beneficiary_id"], sealed)
        reason = _judged(_parsed(row["content"]), beside.payer, asked, known=Known(row["ages"], told))
    else:
        reason = _alike(row["content"], row["ages"], asked)
    if row["open_vnd"] == 0 or (amiss and row["entitlement_id"] in amiss):
        reason = first(reason, HeldReason.AMOUNT_DIFFERS)
    if (away and row["entitlement_id"] in away) or (beside.given and row["entitlement_id"] in beside.given):
        reason = first(reason, HeldReason.PAID_ELSEWHERE)
    if beside.missed and not family and _not_collected(row, told, beside.missed, most=asked[1][0].policy.misses_max):
        reason = first(reason, HeldReason.NOT_COLLECTED)
    return reason


def _not_collected(row: Row, told: Circumstances | None, missed: Mapping[tuple[UUID, str], Sequence[str]], *, most: int) -> bool:
    """Too many months running; those before the person came forward do not count any more."""
    months = missed.get((row["beneficiary_id"], row["programme"]), ())
    return sum(month >= resumed_in(told) for month in months) >= most


@lru_cache(maxsize=4096)
def _parsed(content: str) -> DeclaredLine:
    return DeclaredLine.model_validate_json(content)


@lru_cache(maxsize=16_384)
def _alike(content: str, ages: str | None, asked: Asked) -> HeldReason | None:
    """Most lines declare what thousands of others declare, in the same words, and people of an age are many."""
    return _judged(_parsed(content), "", asked, known=Known(ages))


def _judged_to_the_family(line: DeclaredLine, died_on: date | None, asked: Asked) -> HeldReason | None:
    """Nothing is paid on a death that nobody knows of (any more), and of what was owed before it what policy says."""
    period, (rules, tolerance_vnd) = asked
    lapses = line.benefit_code not in ON_DEATH and rules.policy.unpaid_after_death == "lapses"
    if died_on is None or lapses:
        return HeldReason.NOT_OWED
    return HeldReason.AMOUNT_DIFFERS if differs(line, period, tolerance_vnd, rules=rules, died_on=died_on) else None


def _judged(line: DeclaredLine, payer: str, asked: Asked, *, known: Known) -> HeldReason | None:
    period, (rules, tolerance_vnd) = asked
    found = stands(line, payer, period, known=known, rules=rules)
    if isinstance(found, Stop):
        return _HELD.get(found.reason, HeldReason.NOT_OWED)
    wrong = differs(line, period, tolerance_vnd, rules=rules, grown=grown_into(found, period, rules))
    return HeldReason.AMOUNT_DIFFERS if wrong else None


def _brought(rows: Sequence[Row], period: str, limits: Limits, *, earlier: Mapping[UUID, Sequence[Earlier]]) -> frozenset[UUID]:
    """Lines that bring what other lines brought already, by more than the tolerance."""
    rules, tolerance_vnd = limits
    found = set[UUID]()
    for row in rows:
        known = earlier.get(row["entitlement_id"], ())
        again = already_brought(_parsed(row["content"]), period, known, rules=rules) if known else ()
        found |= {row["entitlement_id"]} if any(one.vnd > tolerance_vnd for one in again) else set()
    return frozenset(found)


# --- several lines of one person ------------------------------------------------------------------------------------------------


def _lower(rows: Sequence[Row], period: str, rules: Rules) -> frozenset[UUID]:
    """Lines that give way to another line of the person, also to one that was paid before; the lower id is taken for the earlier."""
    known = {row["entitlement_id"]: row["content"] for row in rows}
    for row in rows:
        for text in row["beside"] or ():
            other, _, content = text.partition(" ")
            known[UUID(other)] = content
    ids = sorted(known)
    return frozenset(ids[place] for place in _lower_alike(tuple(known[one] for one in ids), period, rules))


_NONE_LOWER: frozenset[UUID] = frozenset()


@lru_cache(maxsize=4096)
def _lower_alike(contents: tuple[str, ...], period: str, rules: Rules) -> frozenset[int]:
    return frozenset(giving_way([_parsed(content) for content in contents], period, rules))


def _paid_elsewhere(
    rows: Sequence[Row], others: Sequence[Elsewhere], period: str, *, rules: Rules, payer: str
) -> frozenset[UUID]:
    """Lines of this list that give way to another payer's: always to one that is in a payment, else to the one worth more.

    Both payers decide alike whoever comes first: with equal sums the payer the person belongs to now, then the lower id.
    """
    current = others[0].current
    own = [((payer != current, row["entitlement_id"]), _parsed(row["content"])) for row in rows]
    theirs = [((other.payer != current, other.entitlement_id), _parsed(other.content)) for other in others]
    live = [_parsed(other.content).benefit_code for other in others if other.live]
    given = {key[1] for key, line in own if any(rules.mode(code, line.benefit_code, period) is not Mode.BOTH for code in live)}
    ordered = sorted([*own, *theirs], key=lambda one: one[0])
    lower = giving_way([line for _key, line in ordered], period, rules)
    alone = giving_way([line for _key, line in sorted(own, key=lambda one: one[0])], period, rules)
    kept_alone = {key[1] for place, (key, _line) in enumerate(sorted(own, key=lambda one: one[0])) if place not in alone}
    return frozenset(given | {ordered[place][0][1] for place in lower} & kept_alone)
