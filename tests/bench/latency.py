"""How long one event takes from the ministry to its verification result on the topic, at a fixed rate.

The producer is not slowed by the system: every event has a time at which it is meant to be sent; its latency counts from then, also when
it was sent late (no coordinated omission). The time ends when the result is read from the topic by a reader of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared import topics
from shared.events import VerificationResult
from tests.bench.stage import Stage, fill_register, open_lists, queries, stage
from tests.bench.world import SOURCE, Event, Payer, prepare

RATES = (50, 200, 1_000)
WARM_UP_SECONDS, SECONDS, DRAIN_SECONDS = 5, 30, 30
Say = Callable[[str], None]


async def run(say: Say, rates: Sequence[int] = RATES, seconds: int = SECONDS) -> list[dict[str, Any]]:
    """Latency at each rate, one after the other on one installation."""
    needed = sum(rate * (WARM_UP_SECONDS + seconds) for rate in rates)
    payers = await asyncio.to_thread(prepare, needed)
    events = _enrolments(payers)
    async with stage("bench-latency") as place:
        await fill_register(place, payers)
        await open_lists(place, payers)
        found = []
        for rate in rates:
            found.append(await _at(place, list(itertools.islice(events, rate * (WARM_UP_SECONDS + seconds))), rate))
            say(", ".join(f"{name} {value}" for name, value in found[-1].items()))
        return found


def _enrolments(payers: Sequence[Payer]) -> Iterator[Event]:
    """First benefits only: a second one of the same person gives no result of its own."""
    return (event for payer in payers for event in payer.events() if event.kind == "enrolled" and event.key.endswith(b"-0"))


async def _at(place: Stage, events: Sequence[Event], rate: int) -> dict[str, Any]:
    reader = AIOKafkaConsumer(
        topics.VERIFICATION_RESULT, bootstrap_servers=place.addresses.kafka, auto_offset_reset="latest", fetch_max_wait_ms=20
    )
    out = AIOKafkaProducer(bootstrap_servers=place.addresses.kafka, acks="all")
    await reader.start()
    await reader.seek_to_end()
    await out.start()
    arrived: dict[str, float] = {}
    reading = asyncio.create_task(_read(reader, arrived))
    try:
        meant, late = await _send(out, events, rate)
        deadline = time.monotonic() + DRAIN_SECONDS
        while len(arrived) < len(events) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
    finally:
        reading.cancel()
        await out.stop()
        await reader.stop()
    return _told(rate, meant, await _by_record(place, arrived), late)


async def _send(out: AIOKafkaProducer, events: Sequence[Event], rate: int) -> tuple[dict[str, float], list[float]]:
    """When each record was meant to be sent, and by how much each was sent late."""
    meant, late = {}, []
    start = time.monotonic() + 0.1
    for place, event in enumerate(events):
        at = start + place / rate
        while (ahead := at - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        await out.send(topics.MINISTRY_BENEFICIARY, event.value, key=event.key, headers=event.headers)
        late.append(time.monotonic() - at)
        meant[event.key.decode().removeprefix(f"{SOURCE}:")] = at
    return meant, late


async def _read(reader: AIOKafkaConsumer, arrived: dict[str, float]) -> None:
    while True:
        batches = await reader.getmany(timeout_ms=50)
        now = time.monotonic()
        for record in itertools.chain.from_iterable(batches.values()):
            result = VerificationResult.model_validate_json(record.value)
            arrived.setdefault(str(result.beneficiary_id), now)


async def _by_record(place: Stage, arrived: dict[str, float]) -> dict[str, float]:
    rows = queries.records_of(place.sessions["registry"], ids=list(arrived))
    return {row["record"]: arrived[str(row["beneficiary_id"])] async for row in rows}


def _told(rate: int, meant: dict[str, float], arrived: dict[str, float], late: Sequence[float]) -> dict[str, Any]:
    """Milliseconds over what came after the warm-up. Valid when everything sent has its result."""
    first = min(meant.values()) + WARM_UP_SECONDS
    waits = sorted(arrived[record] - at for record, at in meant.items() if at >= first and record in arrived)
    return {
        "rate": rate,
        "sent": len(meant),
        "measured": len(waits),
        "p50_ms": round(statistics.median(waits) * 1000, 1),
        "p99_ms": round(waits[int(len(waits) * 0.99)] * 1000, 1),
        "max_ms": round(waits[-1] * 1000, 1),
        "producer_late_p99_ms": round(sorted(late)[int(len(late) * 0.99)] * 1000, 1),
        "valid": set(meant) <= set(arrived),
    }
