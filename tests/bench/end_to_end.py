"""From a ministry's event to the last effect, for any number of people: intake, verification, closing, build, signatures, release, texts.

A real installation with fsync on and one copy of each service. The clock runs from the moment registry owns its first partition until
every decision is on its topic and read by whoever reads it. Not included: drawing people, filling the register, writing events before;
banks, post and SMS centre after.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from ansinh import pipeline
from ansinh.client import Refusal
from tests.bench import sampling
from tests.bench.gate import judge
from tests.bench.stage import (
    RELEASED,
    Stage,
    fill_register,
    hold_the_door,
    open_lists,
    open_the_door,
    profile,
    queries,
    stage,
    write_events,
)
from tests.bench.world import PERIOD, ROOT, Payer, prepare

OFFICES_AT_ONCE, TRIES = 4, 5
STEADY_SECONDS_MIN = 10.0
IDLE_SECONDS, IDLE_PEOPLE_MIN = 5.0, 2_000
Say = Callable[[str], None]


@dataclass
class Clockwork:
    """Times phases and what each process used in them."""

    place: Stage
    idle: dict[str, float]
    verified: list[tuple[float, int]] = field(default_factory=list)
    windows: dict[str, tuple[float, float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, dict[str, float]] = field(default_factory=dict)

    @asynccontextmanager
    async def phase(self, name: str, began: float | None = None) -> AsyncIterator[None]:
        """One phase; `began` where it started before it was entered."""
        before = self.place.sampler.cpu()
        began = began or time.monotonic()
        yield
        self.windows[name] = began, time.monotonic()
        self.seconds[name] = self.windows[name][1] - began
        after = self.place.sampler.cpu()
        self.cpu[name] = {group: used - before.get(group, 0.0) for group, used in after.items()}


async def run(people: int, say: Say, *, name: str = "bench-end-to-end", profiled: str | None = None) -> dict[str, Any]:
    """Measure once. The result says whether it is valid: events in, equal effects out, every invariant holds."""
    began = time.monotonic()
    payers = await asyncio.to_thread(prepare, people)
    say(f"{people} people drawn in {time.monotonic() - began:.0f} s")
    async with stage(name) as place:
        if profiled:
            await profile(place, profiled, ROOT / ".ansinh" / f"profile-{profiled}.txt")
        events = await _set(place, payers, say)
        clockwork = Clockwork(place, idle=await _idle(place, people))
        started = time.monotonic()
        await _measure(clockwork, payers, say)
        ended = time.monotonic()
        result = _result(people, events, clockwork, place.sampler.between(started, ended))
        result["gate"] = await judge(place, payers)
        result["disk_mb"] = await _disk(place)
    result["valid"] = all(result["gate"]["ok"].values())
    return result


async def _set(place: Stage, payers: Sequence[Payer], say: Say) -> int:
    began = time.monotonic()
    await fill_register(place, payers)
    say(f"register filled in {time.monotonic() - began:.0f} s")
    await open_lists(place, payers)
    await hold_the_door(place)
    began = time.monotonic()
    events = await write_events(place, payers)
    say(f"{events} events written in {time.monotonic() - began:.0f} s")
    return events


async def _idle(place: Stage, people: int) -> dict[str, float]:
    """CPU seconds per second of every process while nothing happens: polling, heartbeats, house-keeping."""
    seconds = IDLE_SECONDS if people >= IDLE_PEOPLE_MIN else 0.1
    await asyncio.sleep(seconds / 2)
    before, began = place.sampler.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    passed = time.monotonic() - began
    return {group: (used - before.get(group, 0.0)) / passed for group, used in place.sampler.cpu().items()}


async def _measure(clockwork: Clockwork, payers: Sequence[Payer], say: Say) -> None:
    place, client = clockwork.place, clockwork.place.client
    names = [payer.name for payer in payers]
    began = await open_the_door(place)
    async with clockwork.phase("intake and verification", began):
        await place.at_rest()
    say(f"intake and verification: {clockwork.seconds['intake and verification']:.1f} s")
    clockwork.verified = [seen for seen in place.verified if seen[0] >= began]
    async with clockwork.phase("closing"):
        await offices(names, lambda payer: pipeline.close_list(client, PERIOD, payer), say)
        await place.at_rest()
    say(f"closing: {clockwork.seconds['closing']:.1f} s")
    async with clockwork.phase("build and sign"):
        await offices(names, lambda payer: _build(place, payer), say)
        await place.at_rest()
    say(f"build and sign: {clockwork.seconds['build and sign']:.1f} s")
    place.installation.set_clock(RELEASED)
    async with clockwork.phase("release"):
        await offices(names, lambda payer: pipeline.sign(client, PERIOD, payer, step="release"), say)
        await place.at_rest()
    say(f"release: {clockwork.seconds['release']:.1f} s")
    async with clockwork.phase("texts decided"):
        await offices(names, lambda payer: _remind(place, payer), say)
        await place.at_rest()
    say(f"texts decided: {clockwork.seconds['texts decided']:.1f} s")


async def offices(payers: Sequence[str], act: Callable[[str], Awaitable[Any]], say: Say) -> None:
    """Every payer's office acts, a few at the same time; one that is told to try again does so at once."""
    desks = asyncio.Semaphore(OFFICES_AT_ONCE)

    async def one(payer: Payer) -> None:
        async with desks:
            for tries in range(TRIES):
                try:
                    await act(payer)
                    return
                except Refusal as refused:
                    if refused.code != "TRY_AGAIN" or tries == TRIES - 1:
                        raise
                    say(f"{payer} is told to try again")

    async with asyncio.TaskGroup() as all_of_them:
        for payer in payers:
            all_of_them.create_task(one(payer))


async def _build(place: Stage, payer: str) -> None:
    await pipeline.build(place.client, PERIOD, payer)
    for step in ("check", "approve"):
        await pipeline.sign(place.client, PERIOD, payer, step=step)


async def _remind(place: Stage, payer: str) -> None:
    await place.client.post("notify", f"/v1/campaigns/tet-2024-{payer}/rounds/1", actor="operator", payer=payer)


def _result(people: int, events: int, clockwork: Clockwork, samples: Sequence[sampling.Sample]) -> dict[str, Any]:
    total = sum(clockwork.seconds.values())
    groups = sorted({group for used in clockwork.cpu.values() for group in used})
    spent = {group: sum(used.get(group, 0.0) for used in clockwork.cpu.values()) for group in groups}
    return {
        "people": people,
        "events": events,
        "seconds": {name: round(seconds, 2) for name, seconds in clockwork.seconds.items()},
        "total_seconds": round(total, 2),
        "people_per_second": round(people / total),
        "steady_people_per_second": steady_rate(clockwork.verified, people),
        "cpu_us_per_person": {group: round(used / people * 1e6) for group, used in spent.items()},
        "cpu_us_per_person_without_idling": {
            group: round(max(0.0, used - clockwork.idle.get(group, 0.0) * total) / people * 1e6) for group, used in spent.items()
        },
        "cpu_us_per_person_by_phase": {
            phase: {group: round(used / people * 1e6) for group, used in sorted(by_group.items())}
            for phase, by_group in clockwork.cpu.items()
        },
        "peak_mb": sampling.peak_mb(samples),
        "flatness": sampling.flatness(samples),
        "flatness_by_phase": {
            phase: sampling.flatness(clockwork.place.sampler.between(*window)) for phase, window in clockwork.windows.items()
        },
        "memory": [{"at": round(s.at, 1), **{group: round(mb, 1) for group, mb in s.mb.items()}} for s in samples],
    }


def steady_rate(seen: Sequence[tuple[float, int]], people: int) -> int | None:
    """People verified a second between the first and the last tenth of the time: without warm-up and cool-down."""
    if not seen or seen[-1][0] - seen[0][0] < STEADY_SECONDS_MIN:
        return None
    tenth = (seen[-1][0] - seen[0][0]) / 10
    middle = [(at, results) for at, results in seen if seen[0][0] + tenth <= at <= seen[-1][0] - tenth]
    results_per_person = (seen[-1][1] - seen[0][1]) / people
    return round((middle[-1][1] - middle[0][1]) / (middle[-1][0] - middle[0][0]) / results_per_person)


async def _disk(place: Stage) -> dict[str, int]:
    return {service: (await queries.database_bytes(session))["bytes"] // 2**20 for service, session in place.sessions.items()}
