"""What a list declares and what the tables say, compared: a difference is shown with its reason, never silently overwritten. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from services.payout.combining import Candidate, combine
from services.payout.on_death import worth_on_death
from services.payout.rate_book import NO_RULE, Kind, Mode, OneOff, Worth, gift_named, gift_of, row_of
from services.payout.rules import Rules
from shared.after_death import ON_DEATH
from shared.clock import period_of
from shared.events import DeclaredLine
from shared.money import Dong
from shared.words import Programme

_LAW = {Programme.SOCIAL_ASSISTANCE: "BT", Programme.MERIT: "NCC", Programme.SOCIAL_PENSION: "HT"}
_CARER = {"BT-1": "CS-BT1", "BT-6": "CS-BT6"}
"""Whose care brings carer money."""
_EACH_CHILD, _CHILDREN_MAX = "BT-4", 12


class DifferenceReason(StrEnum):
    """In what a declared line differs from the tables."""

    MONTHLY_DIFFERS = "MONTHLY_DIFFERS"
    AGE_DIFFERS = "AGE_DIFFERS"
    CARER_DIFFERS = "CARER_DIFFERS"
    GIFT_DIFFERS = "GIFT_DIFFERS"
    ON_DEATH_DIFFERS = "ON_DEATH_DIFFERS"
    ARREARS_TOO_HIGH = "ARREARS_TOO_HIGH"
    MONTH_TWICE = "MONTH_TWICE"
    NOT_CARRIED = "NOT_CARRIED"
    ALREADY_BROUGHT = "ALREADY_BROUGHT"
    HIGHER_PAID = "HIGHER_PAID"


@dataclass(frozen=True, slots=True)
class Difference:
    """Declared minus owed, in VND; `rule` names what it was compared with."""

    reason: DifferenceReason
    declared_vnd: int
    owed_vnd: int
    rule: str | None

    @property
    def vnd(self) -> int:
        """Above zero: the list declares more than the rules give."""
        return self.declared_vnd - self.owed_vnd


class Earlier(NamedTuple):
    """What lines of one code brought, or may still bring, of an earlier month, in VND. `declared` and `given`: by lines of the month
    itself, monthly and carer money; `arrears` and `unpaid`: by other lines that name it."""

    month: str
    code: str
    declared_vnd: int = 0
    given_vnd: int = 0
    arrears_vnd: int = 0
    unpaid_vnd: int = 0


def already_brought(line: DeclaredLine, period: str, earlier: Sequence[Earlier], *, rules: Rules) -> list[Difference]:
    """Arrears and unpaid sums of a line above what its months leave, once what other lines brought of them is taken off. No month is
    owed twice, whatever it comes in as: with its own list, as arrears, as a sum nobody collected. `earlier`: of the months the line names,
    and of its own, which a later line may have brought.
    """
    same = [one for one in earlier if _stands_for(one.code, line.benefit_code, one.month, rules=rules)]
    parts = (_arrears_again(line, same, rules), _unpaid_again(line, same, rules), _month_again(line, period, same, rules=rules))
    return [Difference(DifferenceReason.ALREADY_BROUGHT, vnd, owed, None) for vnd, owed in parts if vnd > owed]


def _stands_for(other: str, code: str, month: str, *, rules: Rules) -> bool:
    """Whether money under one code is money for the other: the same, one grown out of, or one that excludes it."""
    return other in _ladder(code, rules) or rules.mode(other, code, month) is not Mode.BOTH


def _arrears_again(line: DeclaredLine, same: Sequence[Earlier], rules: Rules) -> tuple[int, int]:
    """(declared, at most owed). Without a rule: nothing that another line names too, and not the whole months again."""
    if line.arrears is None:
        return 0, 0
    months, vnd = sorted(set(line.arrears.periods)), line.arrears.vnd
    of_months = [one for one in same if one.month in months]
    claimed = sum(one.arrears_vnd + one.unpaid_vnd for one in of_months)
    given = sum(one.given_vnd for one in of_months)
    if not claimed + given:
        return 0, 0
    most = _most(line, months, rules)
    if most is not None:
        return vnd, max(0, most - given - claimed)
    whole = {one.month for one in of_months if one.given_vnd} == set(months) and vnd >= given
    return vnd, 0 if claimed or whole else vnd


def _unpaid_again(line: DeclaredLine, same: Sequence[Earlier], rules: Rules) -> tuple[int, int]:
    """(declared, at most owed). How much its months left over is known elsewhere; here: that arrears did not bring them meanwhile."""
    if line.unpaid is None:
        return 0, 0
    named = [one for one in same if one.month in line.unpaid.periods and one.arrears_vnd]
    brought = any(_is_whole(line, one.month, one.declared_vnd + one.arrears_vnd, rules=rules) for one in named)
    return line.unpaid.vnd, 0 if brought else line.unpaid.vnd


def _month_again(line: DeclaredLine, period: str, same: Sequence[Earlier], *, rules: Rules) -> tuple[int, int]:
    """(declared, at most owed) of the line's own month, of which a line built before it brought something."""
    own, of_month = line.monthly_vnd + line.carer_vnd, [one for one in same if one.month == period]
    arrears, unpaid = sum(one.arrears_vnd for one in of_month), sum(one.unpaid_vnd for one in of_month)
    again = unpaid or (arrears and _is_whole(line, period, own + arrears, rules=rules))
    return own, 0 if again else own


def _is_whole(line: DeclaredLine, month: str, vnd: int, *, rules: Rules) -> bool:
    """Whether so much is more than a month can bring; where no table says, it is."""
    most = _most(line, [month], rules)
    return most is None or vnd > most


def monthly_of(line: DeclaredLine, period: str, rules: Rules, *, code: str | None = None) -> Worth:
    """What the rules of a month give for the monthly part of a line; `code`: instead of the line's own."""
    if line.scaled:
        return NO_RULE
    own = None if code else line.coefficient_hundredths
    return rules.monthly(code or line.benefit_code, period, own=own, law=_LAW[line.programme], aged=code is not None)


def differences(
    line: DeclaredLine, period: str, rules: Rules, *, grown: str | None = None, died_on: date | None = None
) -> list[Difference]:
    """Every part of a line that lies elsewhere than the tables say, however little. A part without a rule never differs.

    `grown`: the code the person grew into; the monthly part is compared with that one. `died_on`: money on a death is that of its month,
    and a list of a later month has no monthly part.
    """
    if line.benefit_code in ON_DEATH:
        return list(_on_death(line, period_of(died_on) if died_on else period, rules))
    if gift := gift_of(line.benefit_code, rules.book):
        return list(_gift(line, gift, period, rules=rules))
    if died_on and period_of(died_on) < period:
        return list(_earlier(line, period, rules))
    return [*_monthly(line, period, rules, grown=grown), *_carer(line, period, rules), *_earlier(line, period, rules)]


def confirmed(code: str, period: str, rules: Rules) -> bool:
    """Whether our own value of a code may hold a line: it is known, and no setting leaves it to the list."""
    rate = row_of(rules.book.rates.get(code, ()), period)
    return rate is not None and rate.kind is not Kind.NONE and not rules.by_list(rate)


def giving_way(lines: Sequence[DeclaredLine], period: str, rules: Rules) -> set[int]:
    """Places of those of one person's lines that give way to another line of theirs (domain 1.5), by the declared monthly sums."""
    candidates = [Candidate(place, line.benefit_code, _compared_vnd(line)) for place, line in enumerate(lines)]
    return {candidate.grant for candidate in combine(candidates, period, rules).lower}


def _compared_vnd(line: DeclaredLine) -> int:
    return line.one_off_vnd if gift_named(line.benefit_code) or line.benefit_code in ON_DEATH else line.monthly_vnd


def shown_differences(
    lines: Sequence[DeclaredLine],
    place: int,
    period: str,
    *,
    rules: Rules,
    grown: str | None = None,
    died_on: date | None = None,
) -> list[Difference]:
    """Why one of a person's lines is held for its amount: its own differences, and that it gives way to another of them."""
    line = lines[place]
    found = differences(line, period, rules, grown=grown, died_on=died_on)
    if place in giving_way(lines, period, rules):
        found.append(Difference(DifferenceReason.HIGHER_PAID, line.monthly_vnd, 0, None))
    return found


def _per_child(line: DeclaredLine, worth: Worth, rules: Rules) -> Worth:
    """A single parent's benefit is so much for each child (domain 1.2), and a list says the sum: the nearest number of children counts."""
    if worth.vnd and rules.names(line.benefit_code)[:1] == (_EACH_CHILD,):
        children = max(1, (2 * line.monthly_vnd + worth.vnd) // (2 * worth.vnd))
        return worth._replace(vnd=Dong(worth.vnd * min(children, _CHILDREN_MAX)))
    return worth


def _monthly(line: DeclaredLine, period: str, rules: Rules, *, grown: str | None) -> Iterator[Difference]:
    worth = _per_child(line, monthly_of(line, period, rules, code=grown), rules)
    if worth.vnd is not None and worth.vnd != line.monthly_vnd:
        reason = DifferenceReason.AGE_DIFFERS if grown else DifferenceReason.MONTHLY_DIFFERS
        yield Difference(reason, line.monthly_vnd, worth.vnd, worth.rule)


def _gift(line: DeclaredLine, gift: OneOff, period: str, *, rules: Rules) -> Iterator[Difference]:
    """A gift is a line of its own: worth the gift and nothing else, and on a list of another month nothing at all."""
    owed = gift.vnd if gift.given_in(period, rules.policy) else 0
    if (line.declared_vnd, line.one_off_vnd) != (owed, owed):
        yield Difference(DifferenceReason.GIFT_DIFFERS, line.declared_vnd, owed, f"{gift.programme}:{gift.group}")


def _on_death(line: DeclaredLine, month: str, rules: Rules) -> Iterator[Difference]:
    """Money on a death is a line of its own: worth that and nothing else; where no text gives a sum, it counts as declared."""
    worth = worth_on_death(line.benefit_code, month, rules)
    owed = line.one_off_vnd if worth.vnd is None else worth.vnd
    if (line.declared_vnd, line.one_off_vnd) != (owed, owed):
        yield Difference(DifferenceReason.ON_DEATH_DIFFERS, line.declared_vnd, owed, worth.rule)


def _carer(line: DeclaredLine, period: str, rules: Rules) -> Iterator[Difference]:
    """Carer money is one of a few multiples; the nearest is what it is compared with."""
    if not line.carer_vnd:
        return
    names = rules.names(line.benefit_code)
    rate = row_of(rules.book.rates.get(_CARER.get(names[0] if names else "", ""), ()), period)
    if rate is None or rate.kind is not Kind.ONE_OF or rules.by_list(rate):
        return
    worths = [rules.book.worth(rate, period, rules.policy.province, hundredths=value) for value in rate.values]
    known = [(worth.vnd, worth.rule) for worth in worths if worth.vnd is not None]
    if known:
        vnd, rule = min(known, key=lambda pair: abs(pair[0] - line.carer_vnd))
        if vnd != line.carer_vnd:
            yield Difference(DifferenceReason.CARER_DIFFERS, line.carer_vnd, vnd, rule)


def _earlier(line: DeclaredLine, period: str, rules: Rules) -> Iterator[Difference]:
    """Arrears above what their months give at their own rates, and months that are named twice."""
    if line.arrears is None and line.unpaid is None:
        return
    arrears = line.arrears.periods if line.arrears else ()
    unpaid = line.unpaid.periods if line.unpaid else ()
    for months, vnd in ((arrears, line.arrears.vnd if line.arrears else 0), (unpaid, line.unpaid.vnd if line.unpaid else 0)):
        if len(set(months)) < len(months) or any(month >= period for month in months):
            yield Difference(DifferenceReason.MONTH_TWICE, vnd, 0, None)
    both = set(arrears) & set(unpaid)
    declared = (line.arrears.vnd if line.arrears else 0) + (line.unpaid.vnd if line.unpaid and both else 0)
    most = _most(line, sorted(set(arrears) | (set(unpaid) if both else set())), rules)
    if most is not None and declared > most:
        reason = DifferenceReason.MONTH_TWICE if both else DifferenceReason.ARREARS_TOO_HIGH
        yield Difference(reason, declared, most, None)


def _most(line: DeclaredLine, months: list[str], rules: Rules) -> int | None:
    """The most that these months can bring, under any code the person may have grown out of; None where a month has no rule."""
    ladder = _ladder(line.benefit_code, rules) - {line.benefit_code}
    total = 0
    for month in months:
        own = _per_child(line, monthly_of(line, month, rules), rules)
        if own.vnd is None:
            return None
        grown = [monthly_of(line, month, rules, code=code).vnd or 0 for code in sorted(ladder)]
        total += max([own.vnd, *grown]) + line.carer_vnd
    return total


def _ladder(code: str, rules: Rules) -> set[str]:
    return {band.code for band in rules.book.ladders.get(code, ())} | {code}
