"""The preview of a payroll: the build itself, rolled back, and how the month would differ from the last one. No personal data."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.after_death import ON_DEATH
from shared.events import DeclaredLine

FIELDS = ("beneficiary_id", "kind", "why", "before_vnd", "after_vnd", "before_channel", "after_channel", "period")


class Changed(StrEnum):
    """What of a month's lines differs from the month before. `rate`: the monthly sum of a benefit at the same coefficient."""

    BENEFIT_ADDED = "benefit_added"
    BENEFIT_REMOVED = "benefit_removed"
    COEFFICIENT = "coefficient"
    RATE = "rate"
    CARER = "carer"
    ARREARS = "arrears"
    CARRIED_OVER = "carried_over"
    ONE_OFF = "one_off"
    DEATH_MONEY = "death_money"


@dataclass(frozen=True, slots=True)
class Difference:
    """One person whose month would differ. `kind`: new, ended, amount, channel, amount_and_channel; `why`: a word or a reason code, of
    another amount every word of `Changed` that applies, joined by `+`."""

    beneficiary_id: UUID
    kind: str
    why: str
    before_vnd: int
    after_vnd: int
    before_channel: str | None
    after_channel: str | None
    period: str


def difference(row: Mapping[str, Any], period: str) -> Difference:
    """What changed for one person and why, from their two months; `period` is the later."""
    before, after = row["before_vnd"], row["after_vnd"]
    channels = row["before_channel"], row["after_channel"]
    kind, why = _kind_and_why(row)
    return Difference(row["beneficiary_id"], kind, why, before or 0, after or 0, *channels, period)


def _kind_and_why(row: Mapping[str, Any]) -> tuple[str, str]:
    if row["before_vnd"] is None:
        elsewhere = "moved_here" if row["from_elsewhere"] else "first_on_list"
        return "new", f"was_held:{row['was_held']}" if row["was_held"] else elsewhere
    if row["after_vnd"] is None:
        gone = "moved_away" if row["to_elsewhere"] else "not_on_list"
        return "ended", f"held:{row['held']}" if row["held"] else ("dead" if row["life"] == "dead" else gone)
    amount = row["before_vnd"] != row["after_vnd"]
    channel = row["before_channel"] != row["after_channel"]
    if not amount:
        return "channel", row["gap"] or ("account_usable" if row["after_channel"] == "account" else "delivery")
    why = f"held:{row['held']}" if row["held"] else "+".join(_parts_changed(row)) or "other_amount"
    return ("amount_and_channel" if channel else "amount"), why


class _Month:
    """The lines of one person and month that are paid, part by part."""

    def __init__(self, contents: Sequence[str]) -> None:
        lines = [DeclaredLine.model_validate_json(content) for content in contents]
        mourned = [line for line in lines if line.benefit_code in ON_DEATH]
        others = [line for line in lines if line.benefit_code not in ON_DEATH]
        self.sums = {
            Changed.CARER: sum(line.carer_vnd for line in others),
            Changed.ARREARS: sum(line.arrears.vnd for line in others if line.arrears),
            Changed.CARRIED_OVER: sum(line.unpaid.vnd for line in others if line.unpaid),
            Changed.ONE_OFF: sum(line.one_off_vnd for line in others),
            Changed.DEATH_MONEY: sum(line.declared_vnd for line in mourned),
        }
        self.benefits: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for line in others:
            if line.monthly_vnd:
                self.benefits[line.benefit_code].append((line.coefficient_hundredths or 0, line.monthly_vnd))


def _parts_changed(row: Mapping[str, Any]) -> list[Changed]:
    before, after = _Month(row["before_contents"] or ()), _Month(row["after_contents"] or ())
    found = {part for part, vnd in before.sums.items() if vnd != after.sums[part]}
    if after.benefits.keys() - before.benefits.keys():
        found.add(Changed.BENEFIT_ADDED)
    if before.benefits.keys() - after.benefits.keys():
        found.add(Changed.BENEFIT_REMOVED)
    for code in before.benefits.keys() & after.benefits.keys():
        was, now = sorted(before.benefits[code]), sorted(after.benefits[code])
        if [own for own, _vnd in was] != [own for own, _vnd in now]:
            found.add(Changed.COEFFICIENT)
        elif was != now:
            found.add(Changed.RATE)
    return [part for part in Changed if part in found]


def summary(differences: Sequence[Difference]) -> dict[str, Any]:
    """People and VND (after minus before) per kind and reason."""
    people = Counter((one.kind, one.why) for one in differences)
    vnd: Counter[tuple[str, str]] = Counter()
    for one in differences:
        vnd[one.kind, one.why] += one.after_vnd - one.before_vnd
    return {f"{kind} {why}": {"people": people[kind, why], "vnd": vnd[kind, why]} for kind, why in sorted(people)}


def as_json(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """One object a person."""
    return [asdict(one) for one in differences]


def as_csv(differences: Sequence[Difference]) -> str:
    """One row a person; opens in a spreadsheet."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(asdict(one) for one in differences)
    return out.getvalue()
