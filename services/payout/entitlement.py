"""Who is owed what: one person, some periods, the tables and the answers to open questions give sums with reasons. Pure.

Rules are effective-dated rows (`rates/*.csv`). A code without a known value, or a line the list marks as scaled, is accepted as
declared: the list officer decides it, nothing is guessed (domain 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from services.payout.arrears import Book, Right, arrears_of, month_of, unpaid_of
from services.payout.circumstances import Person
from services.payout.comparing import differences, monthly_of
from services.payout.gifts import gifts_of
from services.payout.moving import payer_of
from services.payout.on_death import paid_on_death
from services.payout.owed import Assessment, Owed, OwedReason, Part
from services.payout.rules import Rules
from services.payout.standing import Effect, Stop, stop_of_person
from shared.clock import period_of
from shared.events import DeclaredLine
from shared.money import Dong


def assess(person: Person, periods: Sequence[str], rules: Rules) -> Assessment:
    """What one person is owed, paid in these periods, and why the rest is not.

    A month is owed once: what is settled, carried over or in arrears is counted against it, so assessing again with the result
    settled gives nothing. The months after a death are never owed; what was owed before is, as policy says.
    """
    book = Book.of(person.settled)
    owed: list[Owed] = []
    stops: list[Stop] = []
    mourned = False
    for period in sorted(set(periods)):
        found = list(_period(person, period, book, rules=rules))
        if person.died_on and not mourned and period_of(person.died_on) < period:
            mourned = True
            found += paid_on_death(person, period, rules, payer=_payer(person, period, rules))
        owed += [one for one in found if isinstance(one, Owed)]
        stops += [one for one in found if isinstance(one, Stop)]
    return Assessment(tuple(owed), tuple(stops))


def _period(person: Person, period: str, book: Book, *, rules: Rules) -> Iterator[Owed | Stop]:
    """Sums of one period. Who is suspended gets nothing now, earlier months neither: those wait."""
    stop = stop_of_person(person, period, rules.policy)
    if stop is None or stop.effect is not Effect.SUSPENDED:
        yield from unpaid_of(person, period, book, rules=rules)
        yield from arrears_of(person, period, book, rules=rules)
    found = month_of(person, period, rules, book=book)
    yield from found.stops
    if found.payer is None or (stop and stop.effect is Effect.ENDED):
        return
    for right in found.rights:
        yield from _monthly(right, period, found.payer, book=book)
    if stop is None:
        codes = [right.paid_as for right in found.rights]
        yield from gifts_of(person, period, codes, rules=rules, payer=found.payer)


def _monthly(right: Right, period: str, payer: str, *, book: Book) -> Iterator[Owed]:
    missing = book.missing(right, period)
    if not missing:
        return
    reason = OwedReason.DIFFERENCE if missing < right.vnd else right.reason
    book.add(right.code, period, missing)
    yield Owed(period, period, right.code, right.paid_as, Part.MONTHLY, missing, right.rule, reason, payer)


def _payer(person: Person, period: str, rules: Rules) -> str:
    return payer_of(person, period, rules.policy) or person.payer


def monthly_by_rule(line: DeclaredLine, period: str, rules: Rules) -> Dong | None:
    """The monthly part in VND that the rules of a period give; None where we know no rule."""
    return monthly_of(line, period, rules).vnd


def differs(
    line: DeclaredLine, period: str, tolerance_vnd: int, *, rules: Rules, grown: str | None = None, died_on: date | None = None
) -> bool:
    """Whether a part of a declared line lies further from the rules than the tolerance. A line without a rule never differs.

    `grown`: the code the person grew into. `died_on`: money on a death is that of its month.
    """
    return any(abs(one.vnd) > tolerance_vnd for one in differences(line, period, rules, grown=grown, died_on=died_on))


def owed_after_death(period: str, died_on: date | None) -> bool:
    """Entitled through the month of death, stopped from the next (domain 2.2). An unknown day of death owes nothing."""
    return died_on is not None and period_of(died_on) >= period
