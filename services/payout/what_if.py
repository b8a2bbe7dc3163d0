"""What other rates would cost: the lines of a period, by the rules now and by others, as a report. Pure; nothing is changed.

Compared are the monthly parts and carer money. Arrears, gifts and sums carried over are past, whatever comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.payout.comparing import monthly_of
from services.payout.rules import Rules
from shared.events import DeclaredLine


class Alike(NamedTuple):
    """Lines of one payer and commune that declare the same."""

    payer: str
    area: str
    line: DeclaredLine
    lines: int


class Effect(NamedTuple):
    """One line: VND a month now and then, and the rules they come from; without a rule both are as declared."""

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
        if now.vnd is None or then.vnd is None:
            kept = line.monthly_vnd if now.vnd is None else now.vnd
            return Effect(kept + before, kept + after, now.rule, now.rule)
        return Effect(now.vnd + before, then.vnd + after, now.rule, then.rule)

    def _carer(self, line: DeclaredLine) -> tuple[int, int]:
        """Carer money moves with the standard of assistance where it is a whole number of hundredths of it."""
        level = self.now.book.standard("assistance", self.period, self.now.policy.province)
        other = self.then.book.standard("assistance", self.at, self.then.policy.province)
        if not line.carer_vnd or line.scaled or level is None or other is None or line.carer_vnd * 100 % level.vnd:
            return line.carer_vnd, line.carer_vnd
        return line.carer_vnd, line.carer_vnd * other.vnd // level.vnd

    def report(self, groups: Iterable[Alike]) -> dict[str, Any]:
        """Totals, and the same per programme, commune and code: count, VND now, VND then, difference, lines without a rule."""
        sums: dict[str, dict[str, Sum]] = {name: defaultdict(Sum) for name in ("total", *_BY)}
        for group in groups:
            effect = self.effect(group.line)
            sums["total"][""].add(effect, group.lines)
            for name, key in _BY.items():
                sums[name][key(group)].add(effect, group.lines)
        shown = {
            name: [{"name": key} | found[key].shown() for key in sorted(found)] for name, found in sums.items() if name in _BY
        }
        return {"period": self.period, "at": self.at, "total": sums["total"][""].shown(), **shown}

    def rows(self, lines: Iterable[tuple[Any, str, str, DeclaredLine]]) -> Iterator[tuple[Any, ...]]:
        """Per line what `COLUMNS` names, from (entitlement id, payer, area, line). No personal data."""
        for entitlement_id, payer, area, line in lines:
            effect = self.effect(line)
            yield (
                entitlement_id, payer, area, line.programme, line.benefit_code, effect.now_vnd, effect.then_vnd, effect.difference_vnd,
                effect.rule_now or "", effect.rule_then or "",
            )  # fmt: skip


COLUMNS = (
    "entitlement_id", "payer", "area", "programme", "code", "now_vnd", "then_vnd", "difference_vnd", "rule_now", "rule_then",
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
