"""Facts of made-up people in the short writing of `worked_examples.csv`, and what they are owed in as short a writing."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from services.payout.circumstances import Child, Custody, Grant, Move, MoveKind, Person, Restored, Unpaid
from services.payout.entitlement import assess
from services.payout.months import plus_months
from services.payout.owed import Assessment
from services.payout.policy import Policy
from services.payout.rate_files import shipped
from services.payout.rules import Rules
from shared.words import Poverty

HERE = Path(__file__).parent
_DAYS = {"died": "died_on", "prison": "prison_on", "home": "care_home_on", "given_up": "given_up_on", "missing": "missing_on",
         "refused": "refused_on", "checked": "refused_until"}  # fmt: skip
_NUMBERS = {"pension": "other_benefit_vnd", "misses": "misses", "citizens": "citizens", "funeral": "funeral_declared_vnd"}
_FLAGS = ("studying", "child_of_single_parent", "funeral_settled")


@cache
def rules(**changed: Any) -> Rules:
    """The shipped tables with some open questions answered otherwise."""
    return Rules(shipped(), Policy(**changed))


def grant(text: str) -> Grant:
    """`CODE@decided` and, after colons, `own=150`, `from=2020-01`, `until=2025-01`, `says=900000`, `requested`, `child=2015-03*`."""
    head, *rest = text.split(":")
    code, decided = head.split("@")
    given: dict[str, Any] = {"code": code, "decided_on": date.fromisoformat(decided)}
    children = []
    for word in rest:
        name, _, value = word.partition("=")
        if name == "child":
            children.append(Child(value.rstrip("*"), value.endswith("*")))
        else:
            named = {"own": "coefficient_hundredths", "from": "entitled_from", "until": "ends_after", "says": "declared_vnd"}
            given[named.get(name, name)] = int(value) if name in ("own", "says") else value or True
    return Grant(**given, children=tuple(children))


def months_of(text: str) -> tuple[str, ...]:
    """`2024-01` or `2024-01..2024-03`."""
    first, _, last = text.partition("..")
    months = [first]
    while months[-1] < last:
        months.append(plus_months(months[-1], 1))
    return tuple(months)


def person(grants: str, facts: str = "") -> Person:
    """Grants joined by ` + `; facts by spaces: `born=1950 poor=2025 died=2025-08-03 unpaid=BT-6a/2025-06/1000000 ...`."""
    given: dict[str, Any] = {"payer": "old", "grants": tuple(grant(one) for one in grants.split(" + ") if one)}
    poverty: dict[int, Poverty] = {}
    several: dict[str, list[Any]] = {"custody": [], "moves": [], "restored": [], "unpaid": []}
    settled: dict[tuple[str, str], int] = {}
    for word in facts.split():
        name, _, value = word.partition("=")
        parts = value.split("/")
        if name in _DAYS:
            given[_DAYS[name]] = date.fromisoformat(value)
        elif name in _NUMBERS:
            given[_NUMBERS[name]] = int(value)
        elif name in _FLAGS:
            given[name] = True
        elif name in ("poor", "near_poor", "neither"):
            poverty[int(value)] = Poverty(name)
        elif name == "custody":
            several[name].append(Custody(date.fromisoformat(parts[0]), date.fromisoformat(parts[1]) if parts[1:] else None))
        elif name == "move":
            decided = date.fromisoformat(parts[2]) if parts[2:] and parts[2] else None
            move = Move(date.fromisoformat(parts[0]), "new", MoveKind(parts[1]), requested="asked" in parts, decided_on=decided)
            several["moves"].append(move)
        elif name == "restored":
            several[name].append(Restored(parts[0], months_of(parts[1])))
        elif name == "unpaid":
            several[name].append(Unpaid(parts[0], parts[1], int(parts[2])))
        elif name == "settled":
            settled[parts[0], parts[1]] = int(parts[2])
        else:
            given[name] = value
    return Person(**given, **{key: tuple(value) for key, value in several.items()}, poverty=poverty, settled=settled)


def shown(found: Assessment) -> tuple[list[str], list[str]]:
    """`period part code as-code vnd payer`, and `month code reason` of what is not owed."""
    owed = [
        f"{o.period} {o.part} {o.code}{'' if o.code == o.paid_as else '>' + o.paid_as} {o.month} {o.vnd}"
        + ("" if o.payer == "old" else f" {o.payer}")
        for o in found.owed
    ]
    return owed, [f"{s.month} {s.code or '*'} {s.effect} {s.reason}" for s in found.stops]


@dataclass(frozen=True)
class Example:
    """One row of the table."""

    group: str
    case: str
    grants: str
    facts: str
    periods: str
    settings: str
    expected_vnd: int
    stop: str
    source: str

    def assessed(self) -> Assessment:
        """By the shipped tables."""
        settings = dict(word.split("=") for word in self.settings.split())
        return assess(person(self.grants, self.facts), months_of(self.periods), rules(**settings))


def examples() -> list[Example]:
    """The table."""
    rows = csv.DictReader((HERE / "worked_examples.csv").read_text("utf-8").splitlines())
    return [Example(**{**row, "expected_vnd": int(row["expected_vnd"])}) for row in rows]  # type: ignore[arg-type]
