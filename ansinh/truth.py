"""What we hold against what the providers' truth files say really happened. Only a sandbox has such files. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Said = tuple[str, str, list[str], str]
"""(promise, title, findings, what to say when there are none)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that really happened at a provider: `paid`, `rejected` or `returned`."""

    provider: str
    end_to_end_id: str
    amount_vnd: int
    status: str


NOT_SENT = frozenset({"created", "sealed", "withdrawn"})
KNOWN_PAID = frozenset({"paid", "collected"})
NOT_KNOWN = frozenset({"sending", "accepted", "issued", "unknown"})


def read_truth(files: Iterable[Path]) -> list[Fact]:
    """Line facts of truth files, in the order they happened. A last line without its end is still being written and left out."""
    rows = (json.loads(text) for file in files for text in _whole_lines(file))
    return [
        Fact(row["provider"], row["end_to_end_id"], int(row["amount_vnd"]), row["status"])
        for row in rows
        if row["fact"] == "line"
    ]


def _whole_lines(file: Path) -> Iterator[str]:
    return (line for line in file.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n"))


TITLES = (
    "Nobody was really paid twice, or another amount, or unasked",
    "No line was really paid on two payments",
    "What we believe is what happened, or unknown",
)


def compare_with_truth(payments: Rows, shares: Rows, facts: Sequence[Fact]) -> list[Said]:
    """Our payments against what really happened: the rows of the queries `payments` and `payment_lines` of payout."""
    ours = {row["end_to_end_id"]: row for row in payments}
    happened: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        happened[fact.end_to_end_id].append(fact)
    unasked, twice, believed = TITLES
    return [
        ("I16", unasked, list(_paid_wrongly(ours, happened)), _sum_paid(facts)),
        ("I17", twice, list(_lines_paid_twice(shares, happened)), "nothing breaks it"),
        ("I18", believed, list(_believed_wrongly(ours, happened)), _sum_known(ours, happened)),
    ]


def _sum_paid(facts: Sequence[Fact]) -> str:
    paid = [fact.amount_vnd for fact in facts if fact.status == "paid"]
    return f"{len(paid)} payments of {sum(paid)} VND really paid"


def _paid_wrongly(ours: Mapping[str, Mapping[str, Any]], happened: Mapping[str, Sequence[Fact]]) -> Iterator[str]:
    for key, facts in happened.items():
        times = sum(fact.status == "paid" for fact in facts)
        if times > 1:
            yield f"id {key}: paid {times} times"
        if key not in ours:
            yield f"id {key}: {facts[0].provider} acted on a payment that is not ours"
        elif {(fact.provider, fact.amount_vnd) for fact in facts} != {(ours[key]["provider"], ours[key]["vnd"])}:
            asked = f"{ours[key]['vnd']} VND of {ours[key]['provider']}"
            yield f"id {key}: {facts[0].provider} acted on {facts[0].amount_vnd} VND, asked were {asked}"


def _stays_paid(facts: Sequence[Fact]) -> bool:
    """Money left and has not come back."""
    return bool(facts) and facts[-1].status == "paid"


def _lines_paid_twice(shares: Rows, happened: Mapping[str, Sequence[Fact]]) -> Iterator[str]:
    paid: dict[str, int] = defaultdict(int)
    declared: dict[str, int] = {}
    for share in shares:
        if _stays_paid(happened.get(share["end_to_end_id"], ())):
            paid[share["line"]] += share["vnd"]
            declared[share["line"]] = share["declared_vnd"]
    yield from (f"line {line}: really paid {vnd} of {declared[line]} VND" for line, vnd in paid.items() if vnd > declared[line])


def _believed_wrongly(ours: Mapping[str, Mapping[str, Any]], happened: Mapping[str, Sequence[Fact]]) -> Iterator[str]:
    """A paid payment may be one we have no answer for, never one we call failed: that one would be paid again."""
    for key, payment in ours.items():
        facts = happened.get(key, ())
        state = payment["state"]
        if state in KNOWN_PAID and not any(fact.status == "paid" for fact in facts):
            yield f"id {key}: {state}, though no money left"
        elif _stays_paid(facts) and state not in KNOWN_PAID | NOT_KNOWN:
            yield f"id {key}: {state}, though money left"
        elif facts and state in NOT_SENT:
            yield f"id {key}: {state}, though {facts[0].provider} acted on it"


def _sum_known(ours: Mapping[str, Mapping[str, Any]], happened: Mapping[str, Sequence[Fact]]) -> str:
    paid = [ours[key]["state"] for key, facts in happened.items() if _stays_paid(facts) and key in ours]
    return f"of {len(paid)} paid ones {sum(state in KNOWN_PAID for state in paid)} are known, {sum(s in NOT_KNOWN for s in paid)} not yet"
