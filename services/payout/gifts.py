"""One-off programmes: gifts that ride on the monthly list (domain 1.4). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.payout.circumstances import Person
from services.payout.owed import Owed, OwedReason, Part
from services.payout.rate_book import OneOff
from services.payout.rules import Rules
from shared.clock import period_of


def gifts_of(person: Person, period: str, codes: Sequence[str], *, rules: Rules, payer: str) -> Iterator[Owed]:
    """Gifts of a period, each programme once. `codes`: what the person is owed this month, which says the groups they are in."""
    laws = {name for code in codes for name in rules.names(code)}
    given = set(person.gifts_settled)
    for gift in rules.book.one_off:
        count = _count(gift, person, laws)
        if count and gift.programme not in given and period_of(gift.last_day(rules.policy)) == period:
            given.add(gift.programme)
            rule = f"{gift.programme}:{gift.group}"
            name = gift.programme
            yield Owed(period, period, name, name, Part.GIFT, gift.vnd * count, rule, OwedReason.ONE_OFF, payer)


def _count(gift: OneOff, person: Person, laws: set[str]) -> int:
    """A gift per citizen is paid to the head for the whole household; one per person once, however many groups they are in."""
    if gift.per == "household":
        return person.citizens
    return int(gift.group in laws)
