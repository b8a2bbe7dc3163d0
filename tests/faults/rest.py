"""Whether everything has come to rest, asked often: the same question as `ansinh.pipeline.settled`, over connections that stay open."""

from __future__ import annotations

import asyncio
import contextlib
from time import monotonic
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ansinh.installation import Addresses
from ansinh.installation import shared_queries as queries
from shared import topics

QUIET_ROUNDS = 3
ROUND_SECONDS = 0.12
AWAY = (OSError, TimeoutError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError)
PLACES = [TopicPartition(topic.name, n) for topic in topics.TOPICS for n in range(topic.partitions)]


class Stopped(Exception):
    """A partition waits for a person, so nothing will come to rest. The text says which and why."""


class Rest:
    """Looks past the proxies. What is away is waited for."""

    def __init__(self, addresses: Addresses) -> None:
        """Connections are opened when they are needed."""
        self._addresses = addresses
        self._consumer: AIOKafkaConsumer | None = None
        self._sessions: dict[str, Any] = {}
        self._last = ""

    async def wait(self, within_seconds: float) -> None:
        """Until nothing waits to be read or published, several times in a row with no new record.

        Raises TimeoutError that says what waits, or Stopped.
        """
        deadline = monotonic() + within_seconds
        quiet, before = 0, -1
        while quiet < QUIET_ROUNDS:
            if monotonic() > deadline:
                raise TimeoutError(f"did not come to rest: {self._last}")
            try:
                waiting, total = await asyncio.wait_for(self._look(), 10.0)
            except AWAY as error:
                self._last, waiting, total = type(error).__name__, 1, -1
                await self.close()
            quiet, before = (quiet + 1 if waiting == 0 and total == before else 0), total
            await asyncio.sleep(ROUND_SECONDS)

    async def close(self) -> None:
        """Let connections go."""
        consumer, self._consumer = self._consumer, None
        sessions, self._sessions = self._sessions, {}
        with contextlib.suppress(Exception):
            if consumer:
                await asyncio.wait_for(consumer.stop(), 5.0)
        for session in sessions.values():
            session.terminate()

    async def _look(self) -> tuple[int, int]:
        ends = await (await self._kafka()).end_offsets(PLACES)
        waiting = await asyncio.gather(*(self._waiting(name, ends) for name in self._addresses.databases))
        self._last = ", ".join(said for _count, said in waiting if said)
        return sum(count for count, _said in waiting), sum(ends.values())

    async def _kafka(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(bootstrap_servers=self._addresses.kafka)
            await self._consumer.start()
        return self._consumer

    async def _waiting(self, name: str, ends: dict[TopicPartition, int]) -> tuple[int, str]:
        session = self._sessions.get(name)
        if session is None or session.is_closed():
            session = self._sessions[name] = await asyncpg.connect(self._addresses.databases[name])
        rows = [row async for row in queries.partitions_expected(session)]
        stopped = [f"{name} {row['topic']} {row['partition']}: {row['stopped_reason']}" for row in rows if row["stopped_reason"]]
        if stopped:
            raise Stopped("; ".join(stopped))
        unpublished = int((await queries.outbox_behind(session))["waiting"])
        lags = {
            (row["topic"], row["partition"]): ends[TopicPartition(row["topic"], row["partition"])] - row["next_offset"]
            for row in rows
        }
        behind = {place: lag for place, lag in lags.items() if lag}
        said = f"{name}: {unpublished} unpublished, {behind}" if unpublished or behind else ""
        return unpublished + sum(map(abs, behind.values())), said
