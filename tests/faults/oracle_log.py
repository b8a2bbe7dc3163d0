"""Outbox against topics against stored offsets, in the manner of Jepsen's Kafka workload (`jepsen.tests.kafka`). Pure.

There lost-write, duplicate, inconsistent-offsets, int-poll-skip and int-nonmonotonic-poll speak about what a client was told; here the
outbox says what was decided and `consumed` what was read, so each has a stricter form.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from shared.topics import BY_NAME, Service
from tests.faults.oracle_model import Books, Finding, Kind, Log, Out, Place, Rec

FEEDS = {"population-feed": Service.VERIFICATION}
OURS = frozenset(map(str, Service))


def writers(topic: str) -> frozenset[Service]:
    """Which of our services may write a topic; none when it is written from outside."""
    writer = BY_NAME[topic].writer
    if writer == "all":
        return frozenset(Service)
    return frozenset({FEEDS.get(writer) or Service(writer)}) if writer in OURS or writer in FEEDS else frozenset()


def compare_log(log: Log, books: Mapping[Service, Books], *, settled: bool) -> Iterator[Finding]:
    """Every comparison of this module."""
    decided = {(service, row.event_id): row for service, book in books.items() for row in book.outbox}
    for service, book in books.items():
        yield from lost(service, book, log, settled=settled)
        yield from ids_used_again(service, book.outbox)
        yield from offsets(service, book, log, settled=settled)
    yield from keys_apart(log)
    for place, records in log.records.items():
        if writers(place[0]):
            if settled:  # else it may have been decided and published after the outbox was read
                yield from phantoms(place, records, decided)
            yield from out_of_order(place, records, decided)
            yield from holes(place, records, log.begin[place])


def lost(service: Service, book: Books, log: Log, *, settled: bool) -> Iterator[Finding]:
    """An outbox row at or below the cursor was acknowledged, so it is on its topic; at rest every row is."""
    topics = {row.topic for row in book.outbox}
    there = {(topic, record.event_id) for topic in topics for record in log.of(topic)}
    for row in book.outbox:
        acknowledged = row.order <= book.cursor
        if (row.topic, row.event_id) in there:
            continue
        if acknowledged:
            yield Finding(Kind.LOST, row.topic, f"{service} event {row.event_id} at {row.order}, cursor {book.cursor}")
        elif settled:
            yield Finding(Kind.UNPUBLISHED, row.topic, f"{service} event {row.event_id} at {row.order}, cursor {book.cursor}")


def ids_used_again(service: Service, outbox: Sequence[Out]) -> Iterator[Finding]:
    """One decision has one id."""
    for event_id, times in Counter(row.event_id for row in outbox).items():
        if times > 1:
            yield Finding(Kind.DUPLICATE_DIFFERS, f"{service} outbox", f"event {event_id} stands for {times} decisions")


def phantoms(place: Place, records: Sequence[Rec], decided: Mapping[tuple[Service, str], Out]) -> Iterator[Finding]:
    """What lies on a topic of ours was decided by one of its writers, and says exactly that, however often it lies there.

    An erasure takes out what was published before: then the decision says nothing any more.
    """
    for record in records:
        rows = [decided[service, record.event_id] for service in writers(place[0]) if (service, record.event_id) in decided]
        at = f"offset {record.offset} event {record.event_id}"
        if not rows:
            yield Finding(Kind.PHANTOM, _name(place), at)
        elif not any((row.topic, row.key) == (record.topic, record.key) and row.payload in (b"", record.value) for row in rows):
            yield Finding(Kind.DUPLICATE_DIFFERS, _name(place), f"{at}: other topic, key or bytes than decided")


def out_of_order(place: Place, records: Sequence[Rec], decided: Mapping[tuple[Service, str], Out]) -> Iterator[Finding]:
    """Repeats folded, the records of one key by one writer follow the order of its decisions."""
    last: dict[tuple[Service, str], Out] = {}
    seen: set[str] = set()
    for record in records:
        if record.event_id in seen:
            continue
        seen.add(record.event_id)
        for service in writers(place[0]):
            row = decided.get((service, record.event_id))
            if row is None:
                continue
            before = last.get((service, record.key))
            if before is not None and row.order < before.order:
                what = f"offset {record.offset} event {row.event_id} {row.order} after {before.event_id} {before.order}"
                yield Finding(Kind.NON_MONOTONIC, _name(place), what)
            last[service, record.key] = row


def keys_apart(log: Log) -> Iterator[Finding]:
    """A key of a topic of ours lies on one partition: on two, no reader could know the order of its records."""
    places: dict[tuple[str, str], set[int]] = defaultdict(set)
    for (topic, partition), records in log.records.items():
        for record in records if writers(topic) else ():
            places[topic, record.key].add(partition)
    for (topic, key), partitions in places.items():
        if len(partitions) > 1:
            yield Finding(Kind.NON_MONOTONIC, topic, f"key {key} lies on partitions {sorted(partitions)}")


def holes(place: Place, records: Sequence[Rec], begin: int) -> Iterator[Finding]:
    """Nobody writes our topics in transactions, so their offsets have no holes. (Foreign ones may: see `oracle_read`.)"""
    expected = begin
    for record in records:
        if record.offset != expected:
            yield Finding(Kind.GAP, _name(place), f"offset {record.offset} follows {expected - 1}")
        expected = record.offset + 1


def offsets(service: Service, book: Books, log: Log, *, settled: bool) -> Iterator[Finding]:
    """A stored offset lies inside its log and names the record before it; at rest nothing lies above it."""
    for row in book["consumed"]:
        place, after = (row["topic"], row["partition"]), row["next_offset"]
        where = f"{service} consumed {_name(place)}"
        if row["stopped_reason"]:
            yield Finding(Kind.STOPPED, where, f"at {after}: {row['stopped_reason']}")
        if not log.begin[place] <= after <= log.end[place]:
            yield Finding(Kind.INCONSISTENT_OFFSETS, where, f"{after} is outside {log.begin[place]}..{log.end[place]}")
            continue
        above = [record for record in log.records.get(place, ()) if record.offset >= after]
        if above and settled:
            yield Finding(Kind.UNREAD, where, f"{len(above)} records at and above {after}")
        before = next((r for r in reversed(log.records.get(place, ())) if r.offset < after), None)
        if before and row["last_event_id"] is not None and before.event_id != row["last_event_id"]:
            yield Finding(Kind.INCONSISTENT_OFFSETS, where, f"{after}: another record lies before it than the one remembered")


def repeats(log: Log) -> int:
    """How many records stand on their topic again under an event id that was there already."""
    again: dict[str, Counter[str]] = defaultdict(Counter)
    for (topic, _), records in log.records.items():
        again[topic].update(record.event_id for record in records)
    return sum(times - 1 for counted in again.values() for times in counted.values())


def _name(place: Place) -> str:
    return f"{place[0]}[{place[1]}]"
