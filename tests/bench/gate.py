"""The validity gate, after Mojaloop's protocol: a number counts only when events in equal effects out and every invariant holds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ansinh.check import run_checks
from shared import topics
from shared.topics import Provider
from tests.bench.stage import Stage, queries
from tests.bench.world import Payer


async def judge(place: Stage, payers: Sequence[Payer]) -> dict[str, Any]:
    """`ok` per comparison, the two sides where they differ, and the verdicts of `ansinh check` with its time."""
    wanted = _wanted(payers)
    found = await _found(place)
    invariants, seconds = await _invariants(place)
    ok = {name: found.get(name) == value for name, value in wanted.items()}
    ok |= {"messages": await _messages_agree(place, found), "invariants": all(invariants.values())}
    differ = {name: {"wanted": wanted[name], "found": found.get(name)} for name in wanted if not ok[name]}
    return {"ok": ok, "differ": differ, "invariants": invariants, "check_seconds": round(seconds, 2), "found": found}


def _wanted(payers: Sequence[Payer]) -> dict[str, Any]:
    """What the truth files say must come out."""
    sums: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for truth in (payer.truth() for payer in payers):
        sums.update({name: truth[name] for name in ("people", "lines", "vnd", "accounts", "events")})
        outcomes.update(truth["outcomes"])
        held.update(truth["held"])
    return {
        "registry people": sums["people"],
        "registry accounts": sums["accounts"],
        "registry lines": (sums["lines"], sums["vnd"]),
        "registry waiting": 0,
        "statements that took effect": sums["events"] + len(payers),
        "statements without effect": {},
        "outcomes": dict(outcomes),
        "payout lines": (sums["lines"], sums["vnd"]),
        "held": dict(held),
        "lines in one place": sums["lines"],
        "texts decided": sums["people"],
    }


async def _found(place: Stage) -> dict[str, Any]:
    sessions = place.sessions
    registry = await queries.registry_totals(sessions["registry"])
    payout = await queries.payout_totals(sessions["payout"])
    notify = await queries.notify_totals(sessions["notify"])
    held = await _counts(queries.payout_held(sessions["payout"]))
    fates = await _counts(queries.registry_fates(sessions["registry"]))
    came_before_their_person = fates.pop("no_person", 0)
    return {
        "registry people": registry["people"],
        "registry accounts": registry["accounts"],
        "registry lines": (registry["lines"], registry["vnd"]),
        "registry waiting": registry["waiting"],
        "statements that took effect": fates.pop("applied", 0),
        "statements without effect": fates,
        "statements that waited for their person": came_before_their_person,
        "outcomes": await _counts(queries.verification_outcomes(sessions["verification"])),
        "payout lines": (payout["lines"], payout["vnd"]),
        "held": held,
        "lines in one place": payout["lines_paid"] + sum(held.values()),
        "texts decided": notify["people"] + notify["left_out"],
        "texts": notify["messages"],
        "payments": payout["payments"],
        "batches": payout["batches"],
        "files": payout["files"],
        "sent": payout["sent"],
        "payments by provider": await _counts(queries.payout_by_provider(sessions["payout"])),
    }


async def _counts(rows: Any) -> dict[str, int]:
    return {row[0]: row[1] async for row in rows}


async def _messages_agree(place: Stage, found: Mapping[str, Any]) -> bool:
    """One manifest per batch and one message per payment on the providers' topics, nothing on a dead-letter topic."""
    batches = sum([await place.records(topics.batch_topic(provider)) for provider in Provider])
    instructions = sum([await place.records(topics.instruction_topic(provider)) for provider in Provider])
    dead = sum([await place.records(topics.dead_letter_topic(service)) for service in topics.Service])
    texts = await place.records(topics.NOTIFY_MESSAGE)
    return (batches, instructions, dead, texts) == (found["batches"], found["payments"], 0, found["texts"])


async def _invariants(place: Stage) -> tuple[dict[str, bool], float]:
    began = time.monotonic()
    verdicts = await run_checks(lambda service: place.addresses.databases[service])
    return {verdict.id: verdict.ok for verdict in verdicts}, time.monotonic() - began
