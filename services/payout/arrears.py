"""Earlier months: each at its own rate, none twice, and sums nobody collected (domain 2.1, 2.2). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from services.payout.circumstances import Person
from services.payout.combining import Candidate, Combined, combine
from services.payout.moving import payer_of
from services.payout.owed import Owed, OwedReason, Part
from services.payout.rate_book import Mode
from services.payout.rules import BY_LIST, Rules
from services.payout.standing import Effect, Payable, Stop, StopReason, standing, stop_of_person
from shared.clock import period_of


@dataclass(frozen=True, slots=True)
class Right:
    """What one grant is worth in one month, beside the person's other grants."""

    code: str
    paid_as: str
    vnd: int
    rule: str | None
    reason: OwedReason
    set_aside: int = 0
    """VND already paid this month for benefits that give way to this one."""


@dataclass(frozen=True, slots=True)
class MonthOf:
    """One month of a person: rights, and what stands against the rest. `payer` None: nobody pays this month."""

    month: str
    payer: str | None
    rights: tuple[Right, ...] = ()
    stops: tuple[Stop, ...] = ()


@dataclass
class Book:
    """What is paid or owed so far by (code, month), so that no month is owed twice whatever it comes in as."""

    vnd: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, settled: Mapping[tuple[str, str], int]) -> Book:
        """Start from what was settled before."""
        return cls(dict(settled))

    def add(self, code: str, month: str, vnd: int) -> None:
        """One more sum."""
        self.vnd[code, month] = self.vnd.get((code, month), 0) + vnd

    def missing(self, right: Right, month: str) -> int:
        """VND still missing to the right of a month; never below zero, an overpayment is no arrears."""
        return max(0, right.vnd - right.set_aside - self.vnd.get((right.code, month), 0))


def month_of(person: Person, month: str, rules: Rules, *, book: Book, restored: bool = False) -> MonthOf:
    """The rights of one month, by the person's age, poverty and life in that month and by its rates.

    `book`: what the month brought already; `restored`: a decision lifted the suspension of this month.
    """
    stop = stop_of_person(person, month, rules.policy)
    if stop and not (restored and stop.effect is Effect.SUSPENDED):
        return MonthOf(month, payer_of(person, month, rules.policy), stops=(stop,))
    payer = payer_of(person, month, rules.policy)
    if payer is None:
        return MonthOf(month, None, stops=(Stop(month, None, Effect.NOT_OWED, StopReason.MOVED),))
    rights: dict[int, Right] = {}
    stops: list[Stop] = []
    for place, grant in enumerate(person.grants):
        found = standing(person, grant, month, rules=rules)
        if isinstance(found, Stop):
            stops.append(found)
        else:
            rights[place] = _right(person, place, found, month=month, rules=rules)
    combined = _combined(person, rights, month, rules=rules)
    stops += _given_way(person, combined, month)
    kept = []
    for candidate in combined.kept:
        right = rights[candidate.grant]
        giving_way = {person.grants[c.grant].code for c in combined.lower if _excludes(rules, c, right, month=month)} - {
            right.code
        }
        kept.append(replace(right, set_aside=sum(book.vnd.get((code, month), 0) for code in giving_way)))
    return MonthOf(month, payer, tuple(kept), tuple(stops))


def _excludes(rules: Rules, candidate: Candidate, right: Right, *, month: str) -> bool:
    return rules.mode(candidate.code, right.paid_as, month) is not Mode.BOTH


def _right(person: Person, place: int, payable: Payable, *, month: str, rules: Rules) -> Right:
    grant = person.grants[place]
    own = None if payable.changed else grant.coefficient_hundredths
    worth = rules.monthly(payable.code, month, own=own, aged=payable.changed)
    if worth.vnd is None:
        return Right(grant.code, payable.code, grant.declared_vnd or 0, None, OwedReason.AS_DECLARED)
    reason = OwedReason.BY_AGE if payable.changed else OwedReason.BY_RULE
    return Right(grant.code, payable.code, worth.vnd * payable.times, worth.rule, reason)


def _combined(person: Person, rights: Mapping[int, Right], month: str, *, rules: Rules) -> Combined:
    candidates = [Candidate(place, right.paid_as, right.vnd) for place, right in rights.items()]
    return combine(candidates, month, rules, other_benefit_vnd=person.other_benefit_vnd)


def _given_way(person: Person, combined: Combined, month: str) -> Iterator[Stop]:
    for given, reason in ((combined.lower, StopReason.HIGHER_BENEFIT), (combined.insured, StopReason.OTHER_PENSION)):
        for candidate in given:
            yield Stop(month, person.grants[candidate.grant].code, Effect.NOT_OWED, reason)


def unpaid_of(person: Person, period: str, book: Book, *, rules: Rules) -> Iterator[Owed | Stop]:
    """Sums of earlier months that nobody collected, once each, as they were; not what was settled since."""
    for unpaid in sorted(person.unpaid, key=lambda one: (one.month, one.code, -one.vnd)):
        if unpaid.month >= period:
            continue
        if stop := _after_death(person, unpaid.month, unpaid.code, period=period, rules=rules):
            yield stop
            continue
        if (unpaid.code, unpaid.month) in book.vnd:
            yield Stop(unpaid.month, unpaid.code, Effect.NOT_OWED, StopReason.ALREADY_SETTLED)
            continue
        book.add(unpaid.code, unpaid.month, unpaid.vnd)
        payer = payer_of(person, period, rules.policy) or person.payer
        rule = f"{BY_LIST}:{unpaid.month}"
        yield Owed(period, unpaid.month, unpaid.code, unpaid.code, Part.UNPAID, unpaid.vnd, rule, OwedReason.CARRIED, payer)


def _after_death(person: Person, month: str, code: str, *, period: str, rules: Rules) -> Stop | None:
    """What stands against an earlier month of somebody who died before the period."""
    if person.died_on is None or period_of(person.died_on) >= period:
        return None
    if month > period_of(person.died_on):
        return Stop(month, code, Effect.ENDED, StopReason.DEAD, person.died_on)
    return (
        Stop(month, code, Effect.ENDED, StopReason.LAPSED, person.died_on)
        if rules.policy.unpaid_after_death == "lapses"
        else None
    )


def arrears_of(person: Person, period: str, book: Book, *, rules: Rules) -> Iterator[Owed | Stop]:
    """Months a decision restored, each at its own month's rate and less what that month already brought."""
    months: dict[str, set[str]] = {}
    for restored in person.restored:
        for month in restored.months:
            if month < period:
                months.setdefault(month, set()).add(restored.code)
    for month, codes in sorted(months.items()):
        lapsed = [stop for code in sorted(codes) if (stop := _after_death(person, month, code, period=period, rules=rules))]
        if lapsed:
            yield from lapsed
            continue
        found = month_of(person, month, rules, book=book, restored=True)
        yield from (stop for stop in found.stops if stop.code is None or stop.code in codes)
        for right in found.rights:
            if right.code in codes and found.payer:
                yield from _missing(right, period, month, payer=found.payer, book=book)


def _missing(right: Right, period: str, month: str, *, payer: str, book: Book) -> Iterator[Owed | Stop]:
    missing = book.missing(right, month)
    if not missing:
        yield Stop(month, right.code, Effect.NOT_OWED, StopReason.ALREADY_SETTLED)
        return
    reason = OwedReason.DIFFERENCE if missing < right.vnd else right.reason
    book.add(right.code, month, missing)
    yield Owed(period, month, right.code, right.paid_as, Part.ARREARS, missing, right.rule, reason, payer)
