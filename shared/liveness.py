"""Whether consumers still read. A client may lose its group for good, or stop polling, while everything around it answers
(aiokafka#44, #1101; FastStream ends its loop over an error it does not know): nothing raises, records wait, nobody is told.

A consumer that neither took a record nor tried again for a while is looked at with a second client. When the broker answers that one,
and the first is in no group or leaves records lying, the process ends; its supervisor starts a fresh one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from time import monotonic

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.consuming import Progress, TopicConsumer
from shared.topics import BY_NAME

PATIENCE_SECONDS = 60.0  # well above a session and a rebalance
PROBE_SECONDS = 10.0
GRACE_SECONDS = 2.0  # at least, for a record that arrived while we looked: a busy machine takes its time
NEVER_JOINED = "CONSUMER_NEVER_JOINED"
STANDS_STILL = "CONSUMER_STANDS_STILL"


class Liveness:
    """Looks after the consumers of one process."""

    def __init__(
        self,
        consumers: Sequence[TopicConsumer],
        bootstrap: str,
        *,
        fatal: Callable[[str], None],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """`fatal` ends the process. `patience`: seconds without any progress before a consumer is looked at."""
        self._consumers = consumers
        self._bootstrap = bootstrap
        self._fatal = fatal
        self._patience = patience
        self._seen: dict[str, tuple[Progress, float]] = {}

    async def watch(self, stop: asyncio.Event) -> None:
        """Look again and again until told to stop."""
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._patience / 6)
            for consumer in self._consumers:
                if self._quiet_for_long(consumer):
                    await self._look_at(consumer)

    def _quiet_for_long(self, consumer: TopicConsumer) -> bool:
        progress, since = self._seen.get(consumer.topic, (None, 0.0))
        if progress != consumer.progress:
            self._seen[consumer.topic] = (consumer.progress, monotonic())
            return False
        return monotonic() - since >= self._patience

    async def _look_at(self, consumer: TopicConsumer) -> None:
        before = consumer.progress
        reason = await self._reason(consumer.topic, before)
        await asyncio.sleep(max(self._patience / 12, GRACE_SECONDS))  # what arrived this moment is perhaps being taken now
        if reason and consumer.progress == before:
            self._fatal(reason)
        self._seen[consumer.topic] = (consumer.progress, monotonic())

    async def _reason(self, topic: str, progress: Progress) -> str | None:
        probe = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False, isolation_level="read_committed")
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await probe.start()
                if not progress.joined:
                    places = [TopicPartition(topic, n) for n in range(BY_NAME[topic].partitions if topic in BY_NAME else 1)]
                    return NEVER_JOINED if await probe.end_offsets(places) else None
                return STANDS_STILL if await _records_wait(probe, progress) else None
        except (KafkaError, OSError, TimeoutError):
            return None  # the broker is away: everybody waits
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(probe.stop(), PROBE_SECONDS)


async def _records_wait(probe: AIOKafkaConsumer, progress: Progress) -> bool:
    """Whether there is anything to read where we stand: the end alone does not tell, foreign transactions leave offsets without records."""
    ends = await probe.end_offsets([place for place, _ in progress.owned])
    behind = {place: offset for place, offset in progress.owned if offset < ends[place]}
    if not behind:
        return False
    probe.assign(list(behind))
    for place, offset in behind.items():
        probe.seek(place, offset)
    return any((await probe.getmany(timeout_ms=2_000, max_records=1)).values())
