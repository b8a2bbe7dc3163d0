"""Stopwatch of recovery: people entered at the Kafka door after a fault, and how long until every service knows what became of them."""

from __future__ import annotations

import asyncio
from random import Random
from time import monotonic
from typing import Any

from shared import topics
from tests.faults import people
from tests.faults.ministry import SOURCE, Ministry
from tests.faults.world import World

PER_PARTITION = 2
LOOK_SECONDS = 0.1
PAUSE_SECONDS = 0.05
GIVE_UP_SECONDS = 150.0


class Probe:
    """Publishes people of a payer whose list never closes, two on every partition of the door."""

    def __init__(self, world: World, trial: str) -> None:
        """`trial`: new to this world."""
        self._world = world
        self._trial = f"p-{trial}"
        self._ministry = Ministry(world.folder, Random(self._trial))
        self._number = 0

    async def seconds(self, since: float) -> float:
        """From `since` (monotonic) until payout and notify hold a result for each of them. Raises TimeoutError."""
        self._number += 1
        partitions = topics.BY_NAME[topics.MINISTRY_BENEFICIARY].partitions
        trial = f"{self._trial}-{self._number}"
        drawn = people.draw(Random(trial), trial, partitions * PER_PARTITION, kinds={"post": 1})
        records = [
            (*self._ministry.enrolment("2024-02", "probe", person)[0][0][:3], number % partitions)
            for number, person in enumerate(drawn)
        ]
        await self._world.publish(topics.MINISTRY_BENEFICIARY, records)
        names = [f"{person.record}.0" for person in drawn]
        async with asyncio.timeout(GIVE_UP_SECONDS):
            ids = await self._until_known(names)
            for service in ("payout", "notify"):
                while len(await self._world.rows(service, "judged", ids=ids)) < len(names):
                    await asyncio.sleep(LOOK_SECONDS)
        return monotonic() - since

    async def _until_known(self, names: list[str]) -> list[Any]:
        while True:
            rows = await self._world.rows("registry", "beneficiaries", source=SOURCE, records=names)
            if len(rows) == len(names):
                return [row["beneficiary_id"] for row in rows]
            await asyncio.sleep(LOOK_SECONDS)


class Trickle:
    """Statements about people of another list, one every few hundredths of a second, until cancelled."""

    def __init__(self, world: World, trial: str) -> None:
        """`trial`: new to this world."""
        self._world = world
        self._trial = f"d-{trial}"
        self._ministry = Ministry(world.folder, Random(self._trial))
        self.published = 0

    async def run(self) -> None:
        """Publish; while the broker is away, wait for it."""
        rng = Random(self._trial)
        while True:
            some = people.draw(rng, f"{self._trial}-{self.published}", 4, kinds={"bank-a": 1, "post": 1})
            said = [record for person in some for record in self._ministry.enrolment("2024-02", "trickle", person)]
            await self._world.publish(topics.MINISTRY_BENEFICIARY, [record for records in said for record in records])
            self.published += len(some)
            await asyncio.sleep(PAUSE_SECONDS)
