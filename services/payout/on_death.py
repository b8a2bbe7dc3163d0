"""Money on a death: funeral support, the highest of several texts, and what relatives of a Heroic Mother get (domain 2.2). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.payout.ages import counts_from
from services.payout.circumstances import Grant, Person
from services.payout.owed import Owed, OwedReason, Part
from services.payout.rate_book import NO_RULE, Kind, Worth, row_of
from services.payout.rules import Rules
from services.payout.standing import Effect, Stop, standing
from shared.after_death import RELATIVES
from shared.clock import period_of
from shared.money import Dong

FUNERAL = "FUNERAL"
_MOTHER = "NCC-BM"
_OLD = 80


def paid_on_death(person: Person, period: str, rules: Rules, *, payer: str) -> Iterator[Owed]:
    """What a death brings, paid in a period after the month of death, at that month's rates; nothing where it was settled before."""
    if person.died_on is None or person.funeral_settled:
        return
    month = period_of(person.died_on)
    granted = _granted(person, month, rules)
    groups = _groups(person, granted, month, rules=rules)
    if groups:
        worth = _highest([funeral_worth(group, month, rules) for group in groups])
        vnd = worth.vnd if worth.vnd is not None else person.funeral_declared_vnd or 0
        reason = OwedReason.ON_DEATH if worth.vnd is not None else OwedReason.AS_DECLARED
        yield Owed(period, month, FUNERAL, FUNERAL, Part.FUNERAL, vnd, worth.rule, reason, payer)
    yield from _to_relatives(granted, period, month, rules=rules, payer=payer)


def _granted(person: Person, month: str, rules: Rules) -> list[Grant]:
    """Grants that had not ended when the person died; suspended ones count."""
    found = []
    for grant in person.grants:
        now = standing(person, grant, month, rules=rules)
        if not isinstance(now, Stop) or now.effect is Effect.SUSPENDED:
            found.append(grant)
    return found


def _groups(person: Person, granted: Sequence[Grant], month: str, *, rules: Rules) -> list[str]:
    """The texts under which somebody gets funeral support."""
    laws = {name for grant in granted for name in rules.names(grant.code)[-1:]}
    groups: list[str] = [law for law in ("BT", "HT", "NCC") if law in laws]
    old = person.born is not None and counts_from(person.born, _OLD, rules.policy) <= month
    if old and person.other_benefit_vnd:
        groups.append("OVER80")
    if person.child_of_single_parent and "BT" not in groups:
        groups.append("BT")
    return groups


def worth_on_death(code: str, month: str, rules: Rules) -> Worth:
    """What a line under one of the codes of a death is worth, for a death in this month."""
    if code == RELATIVES:
        return relatives_worth(month, rules)
    return funeral_worth(code.removeprefix("MT-"), month, rules)


def relatives_worth(month: str, rules: Rules) -> Worth:
    """So many months of the allowance a Heroic Mother has in the month she dies; no rule where that one's value is left to the list."""
    rate = row_of(rules.book.funeral.get(_MOTHER, ()), month)
    allowance = rules.monthly(_MOTHER, month, own=None)
    if rate is None or rate.kind is not Kind.MONTHS or allowance.vnd is None:
        return NO_RULE
    return Worth(Dong(allowance.vnd * rate.values[0]), f"{FUNERAL}:{allowance.rule}")


def funeral_worth(group: str, month: str, rules: Rules) -> Worth:
    """Funeral money of a group for a death in this month."""
    rate = row_of(rules.book.funeral.get(group, ()), month)
    if rate is not None and rules.by_list(rate):
        return Worth(None, None)
    province = rules.policy.province if rules.policy.funeral_standard == "province" else None
    found = rules.book.worth(rate, month, province)
    return Worth(found.vnd, f"{FUNERAL}:{found.rule}") if found.rule else found


def _highest(worths: Sequence[Worth]) -> Worth:
    return max(worths, key=lambda worth: worth.vnd or 0)


def _to_relatives(granted: Sequence[Grant], period: str, month: str, *, rules: Rules, payer: str) -> Iterator[Owed]:
    """Three months of the allowance a Heroic Mother had in the month she died."""
    rate = row_of(rules.book.funeral.get(_MOTHER, ()), month)
    mother = next((grant for grant in granted if grant.code == _MOTHER), None)
    if mother is None or rate is None or rate.kind is not Kind.MONTHS:
        return
    worth = rules.monthly(_MOTHER, month, own=None)
    allowance = worth.vnd if worth.vnd is not None else mother.declared_vnd or 0
    reason = OwedReason.ON_DEATH if worth.vnd is not None else OwedReason.AS_DECLARED
    vnd = allowance * rate.values[0]
    yield Owed(period, month, _MOTHER, _MOTHER, Part.RELATIVES, vnd, worth.rule and f"{FUNERAL}:{rate.rule}", reason, payer)
