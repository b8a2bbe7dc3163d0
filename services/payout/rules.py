"""Which rule gives the monthly amount of a code: the tables, answers to open questions, and the list's own figure where it counts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.payout.policy import Policy
from services.payout.rate_book import NO_RULE, Exclusion, Kind, Mode, Rate, RateBook, Worth, gift_named, row_of
from shared.after_death import ON_DEATH, RELATIVES

BY_LIST = "list"
FUNERAL = frozenset(ON_DEATH) - {RELATIVES}
_KNOWN_MAX = 100_000
_ON_LISTS = (Kind.COEFFICIENT, Kind.ONE_OF)
_STANDARD_OF_LAW = {"BT": "assistance", "CS": "assistance"}


@dataclass(frozen=True, eq=False)
class Rules:
    """Tables and policy together. Compared by identity, so that it may be part of a cache's key."""

    book: RateBook
    policy: Policy
    _known: dict[tuple[str, str, int | None, str | None, bool], Worth] = field(default_factory=dict, repr=False)
    """Answers given before: a payroll asks the same few thousand questions a million times."""

    def monthly(self, code: str, period: str, *, own: int | None, law: str | None = None, aged: bool = False) -> Worth:
        """What a code is worth in a month. `own`: the list's coefficient in hundredths; `law`: of a code no table names.

        `aged`: the person grew into this code, so the list says nothing of it and even an unconfirmed figure of ours is better.
        """
        key = (code, period, own, law, aged)
        if key not in self._known:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[key] = self._monthly(code, period, own=own, law=law, aged=aged)
        return self._known[key]

    def _monthly(self, code: str, period: str, *, own: int | None, law: str | None, aged: bool) -> Worth:
        rate = row_of(self.book.rates.get(code, ()), period)
        if rate is None:
            benefit = self.book.benefits.get(code)
            return self._by_list(_STANDARD_OF_LAW.get(benefit.law if benefit else law or ""), own, period)
        if self.by_list(rate) and not (aged and own is None):
            return self._by_list(rate.standard if rate.kind in _ON_LISTS else None, own, period)
        return self.book.worth(rate, period, self.policy.province, hundredths=own)

    def by_list(self, rate: Rate) -> bool:
        """Whether the list's own figure counts, because ours is not confirmed and policy says so."""
        return rate.setting is not None and getattr(self.policy, rate.setting) == "list"

    def _by_list(self, standard: str | None, own: int | None, period: str) -> Worth:
        """The list's coefficient times our standard; no rule without one of them."""
        level = self.book.standard(standard, period, self.policy.province) if standard else None
        return NO_RULE if own is None else self.book.times(own, level, rule=BY_LIST)

    def mode(self, code_a: str, code_b: str, period: str) -> Mode:
        """How two codes go together: the narrowest row that speaks of both; without one, both are paid. The same code never
        twice, and a gift or funeral money once whatever group it is given for."""
        gift = gift_named(code_a)
        if code_a == code_b or (gift and gift[:1] == (gift_named(code_b) or ("",))[:1]):
            return Mode.HIGHEST
        if {code_a, code_b} <= FUNERAL:
            return Mode.HIGHEST
        row = self._row_between(self.names(code_a), self.names(code_b), period)
        if row is None:
            return Mode.BOTH
        return Mode(getattr(self.policy, row.setting)) if row.setting else row.mode

    def with_insurance(self, code: str, period: str) -> Mode:
        """How a code goes together with a pension or a social-insurance benefit, which others pay."""
        row = self._row_between(self.names(code), ("SI",), period)
        return row.mode if row else Mode.BOTH

    def names(self, code: str) -> tuple[str, ...]:
        """A code's family and law, narrowest first; nothing for a code no table names."""
        benefit = self.book.benefits.get(code)
        return (benefit.family, benefit.law) if benefit else ()

    def _row_between(self, one: tuple[str, ...], other: tuple[str, ...], period: str) -> Exclusion | None:
        found = [
            (a + b, row)
            for row in self.book.exclusive
            if row.holds(period)
            for x, y in ((row.family_a, row.family_b), (row.family_b, row.family_a))
            if x in one and y in other
            for a, b in ((one.index(x), other.index(y)),)
        ]
        return min(found, key=lambda pair: pair[0])[1] if found else None
