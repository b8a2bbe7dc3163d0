"""The validity gate, after Mojaloop's protocol: a number counts only when events in equal effects out and every invariant holds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer

from ansinh.check import run_checks
from shared import topics
from shared.topics import Provider
from tests.bench.stage import Stage, queries
from tests.bench.world import Payer

SLOWEST = 10


async def judge(place: Stage, payers: Sequence[Payer]) -> dict[str, Any]:
    """`ok` per comparison, the two sides where they differ, and the verdicts of `ansinh check` with its time."""
    wanted = _wanted(payers)
    found = await _found(place)
    began = time.monotonic()
    verdicts = await run_checks(lambda service: place.addresses.databases[service])
    seconds = time.monotonic() - began
    invariants = {verdict.id: verdict.ok for verdict in verdicts}
    ok = {name: found.get(name) == value for name, value in wanted.items()}
    messages = await _messages(place, found)
    ok |= {"messages": messages.pop("ok"), "invariants": all(invariants.values())}
    differ = {name: {"wanted": wanted[name], "found": found.get(name)} for name in wanted if not ok[name]}
    return {
        "ok": ok,
        "differ": differ,
        "invariants": invariants,
        "check_seconds": round(seconds, 2),
        "check_slowest": {v.id: round(v.seconds, 2) for v in sorted(verdicts, key=lambda v: -v.seconds)[:SLOWEST]},
        "found": found,
        "messages": messages,
    }


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


async def _messages(place: Stage, found: Mapping[str, Any]) -> dict[str, Any]:
    """Manifests, payments and texts on their topics by event id, and nothing set aside. Once more than once is allowed: a relay that was
    not answered in time sends again under the same id; how many, is told."""
    kinds = {
        "batches": [topics.batch_topic(provider) for provider in Provider],
        "payments": [topics.instruction_topic(provider) for provider in Provider],
        "texts": [topics.NOTIFY_MESSAGE],
        "set aside": [topics.dead_letter_topic(service) for service in topics.Service],
    }
    wanted = {"batches": found["batches"], "payments": found["payments"], "texts": found["texts"], "set aside": 0}
    written = {kind: sum([await place.records(name) for name in names]) for kind, names in kinds.items()}
    distinct = {kind: count if count == wanted[kind] else await _event_ids(place, kinds[kind]) for kind, count in written.items()}
    return {"ok": distinct == wanted, "distinct": distinct, "again": sum(written.values()) - sum(distinct.values())}


async def _event_ids(place: Stage, names: Sequence[str]) -> int:
    """Different event ids on topics, each read from its beginning to its end of now."""
    found: set[bytes] = set()
    for name in names:
        left = await place.records(name)
        reader = AIOKafkaConsumer(name, bootstrap_servers=place.addresses.kafka, auto_offset_reset="earliest")
        async with reader:
            while left > 0:
                for records in (await reader.getmany(timeout_ms=500)).values():
                    left -= len(records)
                    found.update(dict(record.headers)["ce_id"] for record in records)
    return len(found)
