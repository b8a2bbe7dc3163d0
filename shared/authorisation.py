"""Whether somebody else may receive a person's money: dated, with a paper number, for cash or for an account. Pure.

Signed by both sides and certified by the commune or a notary (domain 4.4); a paper without a number is refused at the counter. It ends with
its last day, when it is revoked, or when the collector dies.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

from shared.personal import Collector, Scope

_D = str.maketrans("đĐ", "dD")
CASH: frozenset[Scope] = frozenset({"cash", "both"})
ACCOUNT: frozenset[Scope] = frozenset({"account", "both"})


@dataclass(frozen=True, slots=True)
class Paper:
    """One authorisation. Both days count; none: open."""

    scope: Scope
    valid_from: date | None
    valid_until: date | None

    def holds(self, on: date, scopes: frozenset[Scope]) -> bool:
        """Whether it allows this on a day."""
        return self.scope in scopes and (self.valid_from or date.min) <= on <= (self.valid_until or date.max)


def paper_of(collector: Collector | None) -> Paper | None:
    """The authorisation behind a collector; none without a paper number."""
    if collector is None or not collector.paper_number:
        return None
    ends = [collector.valid_until]
    ends += [end - timedelta(days=1) for end in (collector.revoked_on, collector.died_on) if end]
    given = [end for end in ends if end]
    return Paper(collector.scope or "cash", collector.valid_from, min(given) if given else None)


def paper_of_holder(collector: Collector | None, holder: str) -> Paper | None:
    """The authorisation that lets an account's holder be paid instead of the person: its collector is the holder, as banks write names."""
    paper = paper_of(collector)
    same = collector is not None and _as_banks_write(collector.full_name) == _as_banks_write(holder)
    return paper if paper and same else None


def may_collect(collector: Collector, on: date) -> bool:
    """Whether this collector is handed cash on a day. Without a paper number only what registry let through is known: the days hold."""
    paper = paper_of(collector) or paper_of(collector.model_copy(update={"paper_number": "-"}))
    assert paper is not None
    return paper.holds(on, CASH)


def _as_banks_write(name: str) -> str:
    marked = unicodedata.normalize("NFD", name.translate(_D))
    return " ".join("".join(char for char in marked if not unicodedata.combining(char)).upper().split())
