"""Reports on rates: lines the tables contradict, and what the lines of a period would cost by other rates. Pure; changes nothing.

Compared are the monthly parts and carer money. Arrears, gifts and sums carried over are past, whatever comes. What is held costs nothing
while it is, so it is summed apart, now and then: no rate frees a line, only the next build does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from services.payout.against import grown_into, stands
from services.payout.comparing import Difference, DifferenceReason, Earlier, already_brought, monthly_of, shown_differences
from services.payout.knowledge import Known
from services.payout.rate_book import gift_of
from services.payout.rules import Rules
from services.payout.standing import Stop
from shared.after_death import ON_DEATH
from shared.events import DeclaredLine


class Alike(NamedTuple):
    """Lines of one payer and commune that declare the same, all held or none."""

    payer: str
    area: str
    line: DeclaredLine
    lines: int
    held: bool = False


class WhatIfLine(NamedTuple):
    """One line of a period. `held`: why it is, else empty."""

    entitlement_id: UUID
    payer: str
    area: str
    line: DeclaredLine
    held: str


class HeldForAmount(NamedTuple):
    """A line held for its amount or for what is known of the person: the one at `place` among the person's lines on the list, in the order
    of their ids."""

    entitlement_id: UUID
    beneficiary_id: UUID
    area: str
    held_vnd: int
    lines: tuple[DeclaredLine, ...]
    place: int
    reason: str
    known: Known
    unpaid: tuple[int, int] | None = None
    """VND of earlier months declared, and left over there, where more is declared."""
    earlier: Sequence[Earlier] = ()
    """What other lines brought of the months it names, and of its own."""


def together(months: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What `shown_payroll` says of each month as one: every line with its month, counts added up."""
    lines = [{"period": month, **line} for month, shown in months.items() for line in shown["lines"]]
    without, unknown = Counter[str](), defaultdict[str, Counter[str]](Counter)
    for shown in months.values():
        without.update(shown["without_rule"])
        for code, counts in shown["unknown"].items():
            unknown[code].update(counts)
    return {"lines": lines, "without_rule": dict(sorted(without.items())), "unknown": dict(sorted(unknown.items()))}


def shown_payroll(
    held: Sequence[HeldForAmount],
    groups: Sequence[Alike],
    whose: tuple[str, str],
    *,
    rules: Rules,
    unknown: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    """What the tables, and what is known of people, contradict on a payroll, line by line; and how many lines count as declared: of
    codes without a rule, and of codes with conditions where nobody told what is known of the person (`unknown`, by code). `whose`: a month
    and its payer."""
    period, payer = whose
    without: dict[str, int] = defaultdict(int)
    for group in groups:
        one_off = group.line.benefit_code in ON_DEATH or gift_of(group.line.benefit_code, rules.book)
        if not one_off and monthly_of(group.line, period, rules).vnd is None:
            without[group.line.benefit_code] += group.lines
    conditions = {code: counts for code, counts in unknown.items() if _has_conditions(code, rules) and any(counts.values())}
    lines = [_shown_line(one, payer, period, rules=rules) for one in held]
    return {"lines": lines, "without_rule": dict(sorted(without.items())), "unknown": dict(sorted(conditions.items()))}


def _has_conditions(code: str, rules: Rules) -> bool:
    benefit = rules.book.benefits.get(code)
    return code in rules.book.ladders or (benefit is not None and benefit.request == "yes")


def _shown_line(one: HeldForAmount, payer: str, period: str, *, rules: Rules) -> dict[str, Any]:
    found = stands(one.lines[one.place], payer, period, known=one.known, rules=rules)
    grown = grown_into(found, period, rules)
    differs = shown_differences(one.lines, one.place, period, rules=rules, grown=grown, died_on=one.known.died_on)
    if one.unpaid:
        differs.append(Difference(DifferenceReason.NOT_CARRIED, *one.unpaid, None))
    differs += already_brought(one.lines[one.place], period, one.earlier, rules=rules)
    return {
        "entitlement_id": one.entitlement_id, "beneficiary_id": one.beneficiary_id, "area": one.area,
        "code": one.lines[one.place].benefit_code, "held": one.reason, "held_vnd": one.held_vnd,
        "stop": found.reason if isinstance(found, Stop) else None,
        "differences": [_shown(diff) for diff in differs],
    }  # fmt: skip


def _shown(found: Difference) -> dict[str, Any]:
    return {
        "reason": found.reason,
        "declared_vnd": found.declared_vnd,
        "owed_vnd": found.owed_vnd,
        "difference_vnd": found.vnd,
        "rule": found.rule,
    }


class Effect(NamedTuple):
    """One line: VND a month now and then, and the rules they come from; without a rule now it is as declared, then as now."""

    now_vnd: int
    then_vnd: int
    rule_now: str | None
    rule_then: str | None

    @property
    def difference_vnd(self) -> int:
        """Above zero: dearer."""
        return self.then_vnd - self.now_vnd


@dataclass(frozen=True)
class WhatIf:
    """A question: the lines of `period` by the rules `now`, and by the rules `then` as they hold in the month `at`."""

    period: str
    at: str
    now: Rules
    then: Rules

    def effect(self, line: DeclaredLine) -> Effect:
        """What becomes of one line. A value that is not known then stays as it is."""
        now, then = monthly_of(line, self.period, self.now), monthly_of(line, self.at, self.then)
        before, after = self._carer(line)
        kept = line.monthly_vnd if now.vnd is None else now.vnd
        changed = kept if then.vnd is None else then.vnd
        return Effect(kept + before, changed + after, now.rule, then.rule)

    def _carer(self, line: DeclaredLine) -> tuple[int, int]:
        """Carer money moves with the standard of assistance where it is a whole number of hundredths of it."""
        level = self.now.book.standard("assistance", self.period, self.now.policy.province)
        other = self.then.book.standard("assistance", self.at, self.then.policy.province)
        if not line.carer_vnd or line.scaled or level is None or other is None or line.carer_vnd * 100 % level.vnd:
            return line.carer_vnd, line.carer_vnd
        return line.carer_vnd, line.carer_vnd * other.vnd // level.vnd

    def report(self, groups: Iterable[Alike]) -> dict[str, Any]:
        """Totals, and the same per programme, commune and code: count, VND now, VND then, difference, lines without a rule of what is not
        held; and the same under `held`."""
        sums: dict[str, dict[str, Apart]] = {name: defaultdict(Apart) for name in ("total", *_BY)}
        for group in groups:
            effect = self.effect(group.line)
            sums["total"][""].add(effect, group)
            for name, key in _BY.items():
                sums[name][key(group)].add(effect, group)
        shown = {
            name: [{"name": key} | found[key].shown() for key in sorted(found)] for name, found in sums.items() if name in _BY
        }
        return {"period": self.period, "at": self.at, "total": sums["total"][""].shown(), **shown}

    def rows(self, lines: Iterable[WhatIfLine]) -> Iterator[tuple[Any, ...]]:
        """Per line what `COLUMNS` names. No personal data."""
        for entitlement_id, payer, area, line, held in lines:
            effect = self.effect(line)
            yield (
                entitlement_id, payer, area, line.programme, line.benefit_code, effect.now_vnd, effect.then_vnd, effect.difference_vnd,
                effect.rule_now or "", effect.rule_then or "", held,
            )  # fmt: skip


COLUMNS = (
    "entitlement_id", "payer", "area", "programme", "code", "now_vnd", "then_vnd", "difference_vnd", "rule_now", "rule_then", "held",
)  # fmt: skip
_BY: dict[str, Callable[[Alike], str]] = {
    "programmes": lambda group: group.line.programme,
    "communes": lambda group: group.area,
    "codes": lambda group: group.line.benefit_code,
}


@dataclass
class Sum:
    """Some lines together."""

    count: int = 0
    now_vnd: int = 0
    then_vnd: int = 0
    without_rule: int = 0

    def add(self, effect: Effect, count: int) -> None:
        """So many lines alike."""
        self.count += count
        self.now_vnd += effect.now_vnd * count
        self.then_vnd += effect.then_vnd * count
        self.without_rule += 0 if effect.rule_now else count

    def shown(self) -> dict[str, int]:
        """As a report shows it."""
        return {
            "count": self.count,
            "now_vnd": self.now_vnd,
            "then_vnd": self.then_vnd,
            "difference_vnd": self.then_vnd - self.now_vnd,
            "without_rule": self.without_rule,
        }


@dataclass
class Apart:
    """Some lines together, those that are held by themselves."""

    payable: Sum = field(default_factory=Sum)
    held: Sum = field(default_factory=Sum)

    def add(self, effect: Effect, group: Alike) -> None:
        """So many lines alike."""
        (self.held if group.held else self.payable).add(effect, group.lines)

    def shown(self) -> dict[str, Any]:
        """As a report shows it."""
        return {**self.payable.shown(), "held": self.held.shown()}
