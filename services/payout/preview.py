"""The preview of a payroll: the build itself, rolled back, and how the month would differ from the last one. No personal data."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

FIELDS = ("beneficiary_id", "kind", "why", "before_vnd", "after_vnd", "before_channel", "after_channel", "period")


@dataclass(frozen=True, slots=True)
class Difference:
    """One person whose month would differ. `kind`: new, ended, amount, channel, amount_and_channel; `why`: a word or a reason code."""

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
    why = "other_benefits" if row["before_lines"] != row["after_lines"] else "other_amount"
    return ("amount_and_channel" if channel else "amount"), f"held:{row['held']}" if row["held"] else why


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
