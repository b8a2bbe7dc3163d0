"""Whether a person, and a grant, is payable in a month: life events that suspend or end a right (domain 2.2), and conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.payout.ages import band_of, birth_month, counts_from
from services.payout.circumstances import Child, Custody, Grant, Person
from services.payout.months import a_month_after, plus_months
from services.payout.policy import Policy
from services.payout.rate_book import Need
from services.payout.rules import Rules
from shared.clock import period_of
from shared.words import Poverty

DECIDED_BY_COMMUNES = "2025-07"
"""From this month on a benefit is paid from the month in which the chairman signs (domain 2.1)."""
REFUSAL_MONTHS = 3


class Effect(StrEnum):
    """What a reason does to a month's money."""

    SUSPENDED = "suspended"  # may go on, and suspended months may be restored
    ENDED = "ended"
    NOT_OWED = "not_owed"  # this month, or this way


class StopReason(StrEnum):
    """Why something is not owed, in order of precedence."""

    DEAD = "DEAD"
    GIVEN_UP = "GIVEN_UP"
    MISSING = "MISSING"
    PRISON = "PRISON"
    REFUSED_CHECK = "REFUSED_CHECK"
    MOVED = "MOVED"
    CARE_HOME = "CARE_HOME"
    CUSTODY = "CUSTODY"
    NOT_COLLECTED = "NOT_COLLECTED"
    NOT_STARTED = "NOT_STARTED"
    GRANT_OVER = "GRANT_OVER"
    AGE = "AGE"
    NOT_STUDYING = "NOT_STUDYING"
    NOT_POOR = "NOT_POOR"
    NOT_REQUESTED = "NOT_REQUESTED"
    OTHER_PENSION = "OTHER_PENSION"
    HIGHER_BENEFIT = "HIGHER_BENEFIT"
    ALREADY_SETTLED = "ALREADY_SETTLED"
    LAPSED = "LAPSED"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a grant, or for `code` None everything, is not owed in a month; since which day where a day is known."""

    month: str
    code: str | None
    effect: Effect
    reason: StopReason
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Payable:
    """A grant that is payable in a month. `code`: what it goes under then; `times`: how often it is paid (per child)."""

    code: str
    changed: bool
    times: int = 1


def stop_of_person(person: Person, month: str, policy: Policy) -> Stop | None:
    """The strongest life event that keeps a month from being paid, if any."""
    return min(_events(person, month, policy), key=lambda stop: _PRECEDENCE.index(stop.reason), default=None)


_PRECEDENCE = list(StopReason)


def _events(person: Person, month: str, policy: Policy) -> Iterator[Stop]:
    if person.died_on and period_of(person.died_on) < month:
        yield Stop(month, None, Effect.ENDED, StopReason.DEAD, person.died_on)
    for reason, on in (
        (StopReason.GIVEN_UP, person.given_up_on), (StopReason.MISSING, person.missing_on), (StopReason.PRISON, person.prison_on),
    ):  # fmt: skip
        if on and _first_stopped(on, policy) <= month:
            yield Stop(month, None, Effect.ENDED, reason, on)
    if person.refused_on:
        yield from _refusal(person.refused_on, person.refused_until, month, policy=policy)
    for custody in person.custody:
        if _in_custody(custody, month, policy):
            yield Stop(month, None, Effect.SUSPENDED, StopReason.CUSTODY, custody.since)
    if person.misses >= policy.misses_max:
        yield Stop(month, None, Effect.SUSPENDED, StopReason.NOT_COLLECTED)


def _first_stopped(on: date, policy: Policy) -> str:
    return period_of(on) if policy.stop_takes_effect == "this_month" else plus_months(period_of(on), 1)


def _refusal(on: date, until: date | None, month: str, *, policy: Policy) -> Iterator[Stop]:
    """Suspended, and ended after three more months; who lets the check happen before that is paid from that month on."""
    first = _first_stopped(on, policy)
    end = plus_months(first, REFUSAL_MONTHS)
    back = period_of(until) if until and period_of(until) < end else None
    if month >= end and back is None:
        yield Stop(month, None, Effect.ENDED, StopReason.REFUSED_CHECK, on)
    elif first <= month < (back or end):
        yield Stop(month, None, Effect.SUSPENDED, StopReason.REFUSED_CHECK, on)


def _in_custody(custody: Custody, month: str, policy: Policy) -> bool:
    """Custody of a month or more; the month of release is paid."""
    whole = a_month_after(custody.since)
    if custody.until is not None and custody.until < whole:
        return False
    return _first_stopped(whole, policy) <= month and (custody.until is None or month < period_of(custody.until))


def standing(person: Person, grant: Grant, month: str, *, rules: Rules) -> Payable | Stop:
    """Whether a grant is payable in a month, and under which code; life events of the person aside."""
    start = period_of(grant.decided_on)
    if start < DECIDED_BY_COMMUNES and grant.entitled_from:
        start = grant.entitled_from
    if month < start:
        return Stop(month, grant.code, Effect.NOT_OWED, StopReason.NOT_STARTED, grant.decided_on)
    if grant.ends_after and month > grant.ends_after:
        return Stop(month, grant.code, Effect.ENDED, StopReason.GRANT_OVER)
    code = code_after_reform(grant.code, month, rules)
    benefit = rules.book.benefits.get(code)
    if benefit and benefit.request == "yes" and not grant.requested and code == grant.code:
        return Stop(month, grant.code, Effect.NOT_OWED, StopReason.NOT_REQUESTED)
    if _cared_for_in_a_home(person, code, month, rules=rules):
        return Stop(month, grant.code, Effect.ENDED, StopReason.CARE_HOME, person.care_home_on)
    return _by_age(person, grant, month, rules=rules, code=code)


def code_after_reform(code: str, month: str, rules: Rules) -> str:
    """The code itself, or what took its place by law before this month, unless policy says that nothing did."""
    benefit = rules.book.benefits.get(code)
    if benefit is None or benefit.until is None or month <= benefit.until:
        return code
    kept = benefit.setting is not None and getattr(rules.policy, benefit.setting) == "kept"
    return code if kept else benefit.becomes or code


def _cared_for_in_a_home(person: Person, code: str, month: str, *, rules: Rules) -> bool:
    if person.care_home_on is None or rules.policy.care_home == "both" or "BT" not in rules.names(code):
        return False
    return _first_stopped(person.care_home_on, rules.policy) <= month


def _by_age(person: Person, grant: Grant, month: str, *, rules: Rules, code: str) -> Payable | Stop:
    bands = rules.book.ladders.get(code)
    needs = None
    aged = code
    if bands and person.born:
        band = band_of(bands, person.born, month, policy=rules.policy)
        if band is None:
            return Stop(month, grant.code, Effect.ENDED, StopReason.AGE)
        aged, needs = band.code, band.needs
    elif bands:
        needs = next(band.needs for band in bands if band.code == code)
    unmet = _unmet(needs, person, month)
    if unmet:
        return Stop(month, grant.code, Effect.NOT_OWED, unmet)
    times = sum(_counts(child, month, rules) for child in grant.children) if grant.children else 1
    if not times:
        return Stop(month, grant.code, Effect.ENDED, StopReason.AGE)
    return Payable(aged, aged != grant.code, times)


def _unmet(needs: Need | None, person: Person, month: str) -> StopReason | None:
    """The condition that a fact contradicts. A fact that is not known contradicts nothing: an officer decided it."""
    status = person.poverty.get(int(month[:4]))
    if needs is Need.STUDYING and not person.studying:
        return StopReason.NOT_STUDYING
    if needs is Need.POOR and status not in (None, Poverty.POOR):
        return StopReason.NOT_POOR
    if needs is Need.POOR_OR_NEAR and status is Poverty.NEITHER:
        return StopReason.NOT_POOR
    if needs is Need.NO_PENSION and person.other_benefit_vnd:
        return StopReason.OTHER_PENSION
    return None


def _counts(child: Child, month: str, rules: Rules) -> bool:
    """A single parent's child counts under 16, and to 22 while studying; not before the month of birth."""
    policy = rules.policy
    if month < birth_month(child.born, policy):
        return False
    last = 16 if not child.studying else 23 if policy.study_age == "through_22" else 22
    return month < counts_from(child.born, last, policy)
