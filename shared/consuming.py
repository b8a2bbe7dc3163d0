"""How a record takes effect exactly once: at-least-once delivery, and the offset written first in the transaction of its effects.

Order of one batch of one partition: fence (`take`), handler, set-aside records, outbox rows, commit. A crash before the commit leaves
no trace, one after it leaves everything; the offset Kafka keeps is for lag displays only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared import metrics
from shared.applying import Handler, apply
from shared.crashing import point
from shared.database import Database, load_queries
from shared.errors import Fenced, code_of, is_trouble
from shared.raw_batches import raw, unread
from shared.records import event_id_of, parse_all
from shared.setting_aside import SetAside
from shared.stopping import Count, TooManyDead, count

queries = load_queries(__file__)
RECORDS_MAX = 2_000
# Room for that many records of one partition: with a megabyte a full batch would never come, and a transaction costs the same for a half.
FETCH_BYTES_MAX = 2 * 1024 * 1024
PAUSE_MAX_SECONDS = 5.0
WATCH_SECONDS = 1.0
METADATA_MAX_AGE_MS = 10_000
"""For every broker that consumers attach to: a topic made anew is noticed within ten seconds, not within the default five minutes."""
# How long a rebalance waits for a member that lives and is busy taking up what it was given. aiokafka's default is the session: two slow
# copies then throw each other out for ever. A dead one is noticed by its session all the same.
REBALANCE_SECONDS = 30


@dataclass
class Owned:
    """A partition this process may read. `unproven`: the record before `next_offset` must still be compared with `last_event_id`."""

    next_offset: int
    last_event_id: str | None
    unproven: bool = False
    gap_at: int | None = None


class Progress(NamedTuple):
    """Where a consumer stands: equal twice means that it did nothing in between. `tries`: how often trouble was waited out."""

    joined: bool
    tries: int
    owned: tuple[tuple[TopicPartition, int], ...]


class TopicConsumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """One topic of one service: registers a FastStream batch subscriber and keeps offsets in the service's own database."""

    def __init__(
        self,
        topic: str,
        handler: Handler,
        *,
        database: Database,
        set_aside: SetAside,
        fatal: Callable[[str], None],
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """`fatal` ends the process: used where going on could skip a record."""
        self.topic = topic
        self._handler = handler
        self._database = database
        self._set_aside = set_aside
        self._fatal = fatal
        self._log = log.bind(topic=topic)
        self._owned: dict[TopicPartition, Owned] = {}
        self._told: set[TopicPartition] = set()
        self._assignments = 0
        self._joined = False
        self._tries = 0
        self._subscriber: Any = None

    def subscribe(self, broker: KafkaBroker, group: str, *, session_seconds: float = 6.0) -> None:
        """Attach to a broker that is not started yet. One consumer group per service and topic."""
        self._subscriber = broker.subscriber(
            self.topic,
            group_id=f"{group}.{self.topic}",
            batch=True,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            parser=unread,
            decoder=raw,
            listener=self,
            auto_offset_reset="earliest",  # only the gap rule decides what that means
            isolation_level="read_committed",
            max_records=RECORDS_MAX,
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            batch_timeout_ms=100,
            session_timeout_ms=int(session_seconds * 1000),
            heartbeat_interval_ms=int(session_seconds * 1000 / 3),
            rebalance_timeout_ms=REBALANCE_SECONDS * 1000,
        )
        self._subscriber(self._take_batch)

    @property
    def owned(self) -> dict[int, int]:
        """Partition -> next offset of what this process reads now."""
        return {place.partition: state.next_offset for place, state in self._owned.items()}

    @property
    def progress(self) -> Progress:
        """For `shared.liveness`."""
        return Progress(self._joined, self._tries, tuple((place, state.next_offset) for place, state in self._owned.items()))

    @property
    def ready(self) -> bool:
        """Whether the group has given this process its share and it reads of it; beside another copy the share may be nothing."""
        return self._joined and (bool(self._owned) or not self._consumer().assignment())

    # --- assignment ------------------------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing is ours until the next assignment: what is in our hands is dropped, and who is about to own gives up. In between Kafka's
        own positions count: a partition owned there is read twice from behind the seek, as if its topic had been made anew."""
        self._joined = False
        self._assignments += 1
        self._owned.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Seek to the database's offsets; only then is a partition owned. aiokafka merely logs what this raises, so a failure ends us."""
        try:
            await self._retrying(lambda: self._own(*assigned))
        except Exception as error:
            self._fatal(code_of(error))
            return
        self._joined = True

    async def _own(self, *places: TopicPartition) -> None:
        """All in three round trips: until this returns we cannot take part in the group's next rebalance."""
        if not places:
            return
        consumer, assignments = self._consumer(), self._assignments
        async with self._database.session() as session:
            found = queries.next_offsets(session, topic=self.topic, partitions=[place.partition for place in places])
            rows = {row["partition"]: row async for row in found}
        begin, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        for place in places:
            if assignments == self._assignments:
                await self._own_one(place, rows.get(place.partition), begin=begin[place], end=end[place])

    async def _own_one(self, place: TopicPartition, row: Any, *, begin: int, end: int) -> None:
        if row is None:
            raise LookupError("NO_CONSUMED_ROW")
        if row["stopped_reason"]:
            self._stopped(place, row["stopped_reason"])
            return
        consumer, before = self._consumer(), row["next_offset"]
        if begin > before or end < before:
            await self._stop(place, before, "LOG_STARTS_ABOVE" if begin > before else "TOPIC_RECREATED")
            return
        unproven = before > begin and row["last_event_id"] is not None
        consumer.seek(place, before - 1 if unproven else before)
        consumer.resume(place)
        self._owned[place] = Owned(before, row["last_event_id"], unproven)
        metrics.STOPPED.labels(place.topic, place.partition).set(0)
        self._told.discard(place)

    async def watch(self, stop: asyncio.Event) -> None:
        """Take up a stopped partition again once a person has cleared it."""
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WATCH_SECONDS)
            consumer = self._subscriber.consumer if self._joined else None
            for place in consumer.assignment() - set(self._owned) if consumer else ():
                try:
                    await self._own(place)
                except Exception as error:
                    if not (is_trouble(error) or isinstance(error, KafkaError)):
                        self._fatal(code_of(error))

    # --- one batch -------------------------------------------------------------------------------------------------------

    async def _take_batch(self, records: Sequence[ConsumerRecord]) -> None:
        by_place: dict[TopicPartition, list[ConsumerRecord]] = {}
        for record in records:
            by_place.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
        for place, batch in by_place.items():
            try:
                await self._retrying(lambda place=place, batch=batch: self._take_partition(place, batch), place)  # type: ignore[misc]
            except Exception as error:  # FastStream would swallow it and go on behind the record
                self._fatal(code_of(error))

    async def _take_partition(self, place: TopicPartition, records: list[ConsumerRecord]) -> None:
        state = self._owned.get(place)
        if state is None:
            return
        if state.unproven:
            if not await self._prove(place, state, records):
                return
        elif records[0].offset < state.next_offset:  # fetched before our seek, or the log begins anew under us
            await self._own_again(place)
            return
        fresh = [record for record in records if record.offset >= state.next_offset]
        if not fresh or not await self._no_gap(place, state, fresh[0].offset):
            return
        started = monotonic()
        try:
            taken, stopped = await self._commit_up_to_limit(state, fresh)
        except Fenced:
            metrics.FENCED.labels(place.topic).inc()
            await self._own_again(place)
            return
        state.next_offset, state.last_event_id, state.gap_at = taken.offset + 1, event_id_of(taken), None
        metrics.RECORDS.labels(place.topic).inc(len(fresh))
        metrics.NEXT_OFFSET.labels(place.topic, place.partition).set(state.next_offset)
        metrics.BATCH_SECONDS.labels(place.topic).observe(monotonic() - started)
        if stopped:
            self._stopped(place, stopped)
        point("consuming.before_advisory")
        with contextlib.suppress(KafkaError):  # advisory: lag displays only
            await self._consumer().commit({place: state.next_offset})
        point("consuming.after_advisory")

    async def _own_again(self, place: TopicPartition) -> None:
        self._owned.pop(place, None)
        await self._own(place)

    async def _prove(self, place: TopicPartition, state: Owned, records: list[ConsumerRecord]) -> bool:
        """The record before ours must be the one we remember, else this is another topic under the old name.

        A slow listener lets a batch through that was fetched before the seek. It proves nothing: only a second fetch that still begins
        above that record does.
        """
        before = state.next_offset - 1
        found = next((record for record in records if record.offset >= before), None)
        if found is None:
            await self._own_again(place)
            return False
        if found.offset == before and event_id_of(found) == state.last_event_id:
            state.unproven, state.gap_at = False, None
            return True
        if found.offset in (before, state.gap_at):
            await self._stop(place, state.next_offset, "TOPIC_RECREATED")
            return False
        state.gap_at = found.offset
        self._consumer().seek(place, before)
        return False

    async def _no_gap(self, place: TopicPartition, state: Owned, first: int) -> bool:
        """Offsets without records come from foreign transactions: accepted only when a second fetch begins at the same place."""
        if first == state.next_offset:
            return True
        if state.gap_at != first:
            state.gap_at = first
            self._consumer().seek(place, state.next_offset)
            return False
        begin = (await self._consumer().beginning_offsets([place]))[place]
        if begin > state.next_offset:
            await self._stop(place, state.next_offset, "LOG_STARTS_ABOVE")
            return False
        return True

    async def _commit_up_to_limit(self, state: Owned, records: list[ConsumerRecord]) -> tuple[ConsumerRecord, str | None]:
        """Take a batch, or only the part up to where too many are dead: (last record taken, why the partition stops here)."""
        try:
            return await self._commit(state, records)
        except TooManyDead as limit:
            return await self._commit(state, [record for record in records if record.offset <= limit.offset])

    async def _commit(self, state: Owned, records: list[ConsumerRecord]) -> tuple[ConsumerRecord, str | None]:
        good, bad = parse_all(records)
        last = records[-1]
        place = {"topic": last.topic, "partition": last.partition}
        async with self._database.transaction("consuming.batch") as tx:
            then = {"next_offset": last.offset + 1, "last_event_id": event_id_of(last), "records": len(records)}
            row = await queries.take(tx, **place, before=state.next_offset, **then)
            if row is None:
                raise Fenced
            bad += await apply(self._handler, tx, good, log=self._log)
            before = Count(row["read"], row["dead_in_a_row"], tuple(row["recent_dead"]))
            now = count(before, [record.offset for record in records], bad)
            if bad or (now.in_a_row, now.recent) != (before.in_a_row, before.recent) or now.reason:
                await self._set_aside.save(tx, records, bad)
                dead = {"dead_in_a_row": now.in_a_row, "recent_dead": now.recent}
                await queries.count_dead(tx, **place, **dead, stopped_reason=now.reason)
        return last, now.reason

    # --- trouble ---------------------------------------------------------------------------------------------------------

    async def _retrying(self, step: Callable[[], Awaitable[None]], place: TopicPartition | None = None) -> None:
        """Trouble is waited out with growing pauses for as long as the partition is ours; anything else goes up."""
        pause = 0.1
        while True:
            try:
                await step()
                return
            except Exception as error:
                if not (is_trouble(error) or isinstance(error, KafkaError)):
                    raise
                self._tries += 1
                metrics.RETRIES.labels(self.topic, code_of(error)).inc()
                self._log.warning("batch_waits", code=code_of(error))
            if place is not None and place not in self._owned:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_MAX_SECONDS)

    async def _stop(self, place: TopicPartition, before: int, reason: str) -> None:
        """The fence holds for a stop, too: what is not at `before` any more has another owner, who knows better."""
        async with self._database.transaction("consuming.stop") as tx:
            at = {"topic": place.topic, "partition": place.partition, "before": before}
            row = await queries.stop_partition(tx, **at, reason=reason)
        if row is None:
            self._owned.pop(place, None)
        else:
            self._stopped(place, row["stopped_reason"])

    def _stopped(self, place: TopicPartition, reason: str) -> None:
        if self._owned.pop(place, None) or place not in self._told:
            self._log.error("partition_stopped", partition=place.partition, reason=reason)
        self._told.add(place)
        metrics.STOPPED.labels(place.topic, place.partition).set(1)
        self._consumer().pause(place)

    def _consumer(self) -> AIOKafkaConsumer:
        consumer = self._subscriber.consumer
        if consumer is None:
            raise TimeoutError("consumer is not running")
        return consumer
