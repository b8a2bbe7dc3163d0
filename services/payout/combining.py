"""Several benefits of one person in one month: which of them are paid together (domain 1.5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.payout.rate_book import Mode
from services.payout.rules import Rules


@dataclass(frozen=True, slots=True)
class Candidate:
    """One benefit that would be owed alone. `grant`: its place among the person's grants; `code`: what it goes under in this month."""

    grant: int
    code: str
    vnd: int


@dataclass(frozen=True, slots=True)
class Combined:
    """What is paid, and what gives way to it; `insured`: what gives way to a pension that others pay."""

    kept: tuple[Candidate, ...]
    lower: tuple[Candidate, ...]
    insured: tuple[Candidate, ...]


def combine(candidates: Sequence[Candidate], period: str, rules: Rules, *, other_benefit_vnd: int = 0) -> Combined:
    """Of benefits that exclude each other the choice worth most is paid; with equal sums, the one granted first.

    `other_benefit_vnd`: a pension or social-insurance benefit; one that is not lower ends what is paid only beside a lower one.
    """
    insured = tuple(c for c in candidates if _gives_way(c, period, rules, other_benefit_vnd=other_benefit_vnd))
    rest = tuple(sorted((c for c in candidates if c not in insured), key=lambda c: c.grant))
    kept = _best(rest, period, rules)
    return Combined(kept, tuple(c for c in rest if c not in kept), insured)


def _gives_way(candidate: Candidate, period: str, rules: Rules, *, other_benefit_vnd: int) -> bool:
    if not other_benefit_vnd:
        return False
    mode = rules.with_insurance(candidate.code, period)
    return mode is not Mode.BOTH and other_benefit_vnd >= candidate.vnd


def _best(candidates: tuple[Candidate, ...], period: str, rules: Rules) -> tuple[Candidate, ...]:
    """The compatible choice worth most. Each step settles one candidate that excludes another; who excludes nobody is always kept."""
    for candidate in candidates:
        against = [c for c in candidates if c is not candidate and rules.mode(c.code, candidate.code, period) is not Mode.BOTH]
        if not against:
            continue
        with_it = _best(tuple(c for c in candidates if c not in against), period, rules)
        without = _best(tuple(c for c in candidates if c is not candidate), period, rules)
        return max((with_it, without), key=lambda chosen: sum(c.vnd for c in chosen))
    return candidates
