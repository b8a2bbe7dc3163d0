"""Events in equal effects out: every record that was taken left exactly its trace, and every reader holds the newest that was told. Pure.

The validity gate of Mojaloop's measurements, asked record by record. Which table remembers what: `source_event`, `waiting` and
`dead_letter` every ministry event; `result` every answer of a provider; the other topics carry a sequence per person, payment or text,
and a reader keeps the highest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from services.registry.opening import kid_of
from services.registry.refusals import RowReason
from shared import topics, words
from shared.errors import BadRecord
from shared.events import MinistryMessage
from shared.records import parse
from shared.topics import Provider, Service, result_topic
from tests.faults.oracle_model import Books, Finding, Kind, Log, Rec, Row, World

LISTS = ("list_opened", "list_closed")
RANK = {word: rank for rank, word in enumerate(words.MessageStatus)}
# A payment on a draft is told to nobody, and `sealed` leaves together with `sending`.
SILENT = MappingProxyType({"sending": frozenset({1, 2}), "withdrawn": frozenset({1})})
# Blocks are sealed again whenever they are told again; their digests stand beside them.
RESEALED = ("identity", "payee", "delivery", "contact", "checked_at")


def compare_effects(world: World) -> Iterator[Finding]:
    """Every comparison of this module; those of readers only hold when everything has come to rest."""
    books, log = world.books, world.log
    yield from set_aside(books.values())
    yield from events_taken(log, books[Service.REGISTRY], settled=world.settled)
    yield from told(log)
    if world.settled:
        yield from answers_taken(log, books[Service.PAYOUT])
        yield from readers(log, books)


# --- the ministry's events -----------------------------------------------------------------------------------------------------


def events_taken(log: Log, registry: Books, *, settled: bool) -> Iterator[Finding]:
    """One trace per delivery of an event: its fate, or that it waits, or that it was set aside; and applied at most once."""
    where = topics.MINISTRY_BENEFICIARY
    next_offset = {row["partition"]: row["next_offset"] for row in registry["consumed"] if row["topic"] == where}
    aside = _places_aside(registry)
    traces: dict[str, Counter[str]] = defaultdict(Counter)
    for row in registry["source_events"]:
        traces[row["event_id"] or ""][_fate(row)] += 1
    # A statement said again while it waits is kept once: whichever event brought it, it speaks for both.
    spoken_for = {(row["source"], row["record"], row["sequence"]) for row in registry["waiting"]}
    spoken_for |= {
        (row["source"], row["record"], row["sequence"]) for row in registry["source_events"] if row["fate"] != "no_person"
    }
    taken = [
        r for r in log.of(where) if r.offset < next_offset.get(r.partition, 0) and (r.topic, r.partition, r.offset) not in aside
    ]
    yield from _applied_twice(registry["source_events"])
    yield from _applied_out_of_order(registry["source_events"])
    for event_id, records in _by_id(taken).items():
        message = _ministry(records[0])
        fates = traces.get(event_id, Counter())
        if message is None:
            yield Finding(Kind.EFFECT_MISSING, where, f"{_at(records[0])} cannot be read and was not set aside")
            continue
        placed = fates[RowReason.AREA_SPLIT]
        ended = fates.total() - fates["no_person"] - placed
        waits = (message.source, message.record, message.source_sequence) in spoken_for
        if max(ended, placed) > len(records):
            yield Finding(Kind.READ_TWICE, where, f"{_at(records[0])} delivered {len(records)} times, {dict(fates)}")
        needs_key = kid_of(message) is not None
        if (not ended and not waits) or (settled and not needs_key and fates.total() < len(records)):
            yield Finding(Kind.EFFECT_MISSING, where, f"{_at(records[0])} delivered {len(records)} times, {dict(fates)}")


def _fate(row: Row) -> str:
    """Its fate; that an enrolment waits for a person to say where somebody lives is one of its own: the decision leaves a second trace."""
    reason: str | None = row["reason"]
    return RowReason.AREA_SPLIT if reason == RowReason.AREA_SPLIT else row["fate"]


def _applied_twice(rows: Iterable[Row]) -> Iterator[Finding]:
    """A statement of a record takes effect at most once, whoever sends it again under whatever event id. Lists only fill totals.

    An act of registry's own reviewers (a merge, its taking back, an erasure) has no record: it takes effect once per person it is about.
    """
    applied = Counter(_what_took_effect(row) for row in rows if row["fate"] == "applied" and row["kind"] not in LISTS)
    for what, times in applied.items():
        if times > 1:
            yield Finding(Kind.EFFECT_TWICE, "registry source_event", f"{what} applied {times} times")


def _what_took_effect(row: Row) -> str:
    if row["record"] is None:
        return f"{row['source']} {row['kind']} {row['event_id']} of {row['beneficiary_id']}"
    return f"{row['source']} {row['record']} {row['sequence']}"


def _applied_out_of_order(rows: Iterable[Row]) -> Iterator[Finding]:
    """Of one record a later statement is never followed by an earlier one taking effect. Rows come in the order they were taken."""
    last: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["source"], row["record"])
        if row["fate"] != "applied" or row["kind"] in LISTS or row["record"] is None:
            continue
        if row["sequence"] < last.get(key, -1):
            what = f"{key[0]} {key[1]}: {row['sequence']} applied after {last[key]}"
            yield Finding(Kind.NON_MONOTONIC, "registry source_event", what)
        last[key] = row["sequence"]


def set_aside(books: Iterable[Books]) -> Iterator[Finding]:
    """A scenario that sends no poison expects none."""
    for book in books:
        for row in book["dead_letters"]:
            where = f"{row['topic']}[{row['partition']}]"
            yield Finding(Kind.SET_ASIDE, where, f"{book.service} offset {row['offset']}: {row['disposition']} {row['reason']}")


def answers_taken(log: Log, payout: Books) -> Iterator[Finding]:
    """Every answer of a provider is kept, once, whatever its fate."""
    kept = Counter(str(row["result_id"]) for row in payout["results"])
    aside = _places_aside(payout)
    for provider in Provider:
        records = [r for r in log.of(result_topic(provider)) if (r.topic, r.partition, r.offset) not in aside]
        contents: dict[str, set[str]] = defaultdict(set)
        for record in records:
            body = record.body
            contents[str(body.get("result_id"))].add(repr(sorted(body.items())))
        for result_id, different in contents.items():
            if kept[result_id] != len(different):
                kind = Kind.EFFECT_MISSING if kept[result_id] < len(different) else Kind.EFFECT_TWICE
                what = f"answer {result_id}: {len(different)} contents, kept {kept[result_id]} times"
                yield Finding(kind, result_topic(provider), what)


# --- sequences that were told ----------------------------------------------------------------------------------------------------


def told(log: Log) -> Iterator[Finding]:
    """Versions, results and states have no hole, and one number never says two things."""
    snapshots = _by_number(log.bodies(topics.REGISTRY_BENEFICIARY), ("beneficiary_id",), _version)
    results = _by_number(log.bodies(topics.VERIFICATION_RESULT), ("beneficiary_id",), lambda body: (1, body["result_seq"]))
    states = _by_number(log.bodies(topics.PAYOUT_PAYMENT), ("instruction_id",), lambda body: (1, body["state_seq"]))
    yield from numbered(topics.REGISTRY_BENEFICIARY, snapshots)
    yield from numbered(topics.VERIFICATION_RESULT, results)
    yield from numbered(topics.PAYOUT_PAYMENT, states, SILENT)


Numbered = Mapping[tuple[str, ...], Mapping[tuple[int, int], Sequence[Mapping[str, Any]]]]
"""key -> (epoch, number) -> what was told under it."""


def numbered(where: str, sequences: Numbered, silent: Mapping[str, frozenset[int]] = MappingProxyType({})) -> Iterator[Finding]:
    """`silent`: state -> numbers that may be missing before it, because nobody is told of them."""
    for key, by_number in sequences.items():
        name, before = " ".join(key), (0, 0)
        for number, bodies in sorted(by_number.items()):
            if len({repr(sorted(_plain(body).items())) for body in bodies}) > 1:
                yield Finding(Kind.SEQUENCE_REPEATED, where, f"{name} {number} says {len(bodies)} things")
            begins_again = number[0] > before[0] and number[1] <= before[1] + 1
            missing = set(range(before[1] + 1, number[1])) - silent.get(str(bodies[0].get("state")), frozenset())
            if missing or not (begins_again or number[1] > before[1]):
                yield Finding(Kind.SEQUENCE_HOLE, where, f"{name} {number} follows {before}")
            before = number


# --- what readers hold ------------------------------------------------------------------------------------------------------------


def readers(log: Log, books: Mapping[Service, Books]) -> Iterator[Finding]:
    """At rest every reader holds the newest that was told, and the writer's own table says the same."""
    yield from _snapshots(log, books)
    yield from _results(log, books)
    payments = _newest(log, topics.PAYOUT_PAYMENT, "instruction_id", lambda body: (1, body["state_seq"]))
    states = {key: (body["state_seq"], body["state"]) for key, body in payments.items()}
    ours = _table(books[Service.PAYOUT], "instructions", "instruction_id", "state_seq", "state")
    on_drafts = {key for key, value in ours.items() if value == (1, "created") and key not in states}
    yield from holds("payout instruction", states, {key: value for key, value in ours.items() if key not in on_drafts})
    yield from holds(
        "registry payment", states, _table(books[Service.REGISTRY], "payments", "instruction_id", "state_seq", "state")
    )
    to_accounts = {key: value for key, value in states.items() if payments[key]["channel"] == "account"}
    yield from holds(
        "notify account_payment",
        to_accounts,
        _table(books[Service.NOTIFY], "account_payments", "instruction_id", "state_seq", "state"),
    )
    texts = _newest(log, topics.NOTIFY_MESSAGE, "message_id", lambda body: (1, RANK[words.MessageStatus(body["status"])]))
    furthest = {key: (body["status"],) for key, body in texts.items()}
    yield from holds("registry text", furthest, _table(books[Service.REGISTRY], "texts", "message_id", "status"))
    sent = _table(books[Service.NOTIFY], "messages", "message_id", "status")
    yield from holds(
        "notify message", furthest, {key: value for key, value in sent.items() if value != ("sending",)}, missing=False
    )


def _snapshots(log: Log, books: Mapping[Service, Books]) -> Iterator[Finding]:
    newest = _newest(log, topics.REGISTRY_BENEFICIARY, "beneficiary_id", _version)
    versions = {key: _version(body) for key, body in newest.items()}
    for service, book in books.items():
        aside = {r.body.get("beneficiary_id") for r in _records_aside(log, book, topics.REGISTRY_BENEFICIARY)}
        expected = {key: version for key, version in versions.items() if key not in aside}
        held = {key: value for key, value in _table(book, "people", "beneficiary_id", "epoch", "n").items() if key not in aside}
        yield from holds(f"{service} person", expected, held)


def _results(log: Log, books: Mapping[Service, Books]) -> Iterator[Finding]:
    erased = {body["beneficiary_id"] for body in log.bodies(topics.REGISTRY_BENEFICIARY) if body.get("erased_at")}
    newest = _newest(log, topics.VERIFICATION_RESULT, "beneficiary_id", lambda body: (1, body["result_seq"]))
    newest = {key: body for key, body in newest.items() if key not in erased}
    said = {key: (body["result_seq"], body["outcome"]) for key, body in newest.items()}
    yield from holds(
        "registry verified", said, _table(books[Service.REGISTRY], "verified", "beneficiary_id", "result_seq", "outcome")
    )
    yield from holds("payout verdict", said, _table(books[Service.PAYOUT], "verdicts", "beneficiary_id", "result_seq", "outcome"))
    dead = {key: (body["result_seq"], body["outcome"] == "dead") for key, body in newest.items()}
    yield from holds("notify verdict", dead, _table(books[Service.NOTIFY], "verdicts", "beneficiary_id", "result_seq", "dead"))
    told_all = {
        f"{body['beneficiary_id']} {body['result_seq']}": (body["outcome"], body["identity_digest"], body.get("account_digest"))
        for body in log.bodies(topics.VERIFICATION_RESULT)
        if body["beneficiary_id"] not in erased
    }
    judged = {
        f"{row['beneficiary_id']} {row['result_seq']}": (row["outcome"], row["identity_digest"], row["account_digest"])
        for row in books[Service.VERIFICATION]["verdicts"]
        if str(row["beneficiary_id"]) not in erased
    }
    yield from holds("verification verdict", told_all, judged)


def holds(
    where: str, expected: Mapping[str, tuple[Any, ...]], held: Mapping[str, tuple[Any, ...]], *, missing: bool = True
) -> Iterator[Finding]:
    """What a table holds against the newest that was told; ids and words only."""
    for key, value in expected.items():
        if key not in held:
            if missing:
                yield Finding(Kind.STALE, where, f"{key}: told {value}, holds nothing")
        elif held[key] != value:
            yield Finding(Kind.STALE, where, f"{key}: told {value}, holds {held[key]}")
    for key in held.keys() - expected.keys():
        yield Finding(Kind.STALE, where, f"{key}: holds {held[key]}, which nobody told")


# --- helpers ----------------------------------------------------------------------------------------------------------------------


def _ministry(record: Rec) -> MinistryMessage | None:
    try:
        message = parse(_Raw.of(record)).message
    except BadRecord:
        return None
    return message if isinstance(message, MinistryMessage) else None


@dataclass
class _Raw:
    """A record as `shared.records.parse` reads it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    @classmethod
    def of(cls, record: Rec) -> _Raw:
        headers = [("ce_id", record.event_id.encode()), ("ce_type", record.type.encode())]
        return cls(record.topic, record.partition, record.offset, 0, record.key.encode(), record.value, headers)


def _by_id(records: Iterable[Rec]) -> dict[str, list[Rec]]:
    found: dict[str, list[Rec]] = defaultdict(list)
    for record in records:
        found[record.event_id].append(record)
    return found


def _at(record: Rec) -> str:
    return f"event {record.event_id} at {record.partition}:{record.offset}"


def _places_aside(book: Books) -> set[tuple[str, int, int]]:
    return {(row["topic"], row["partition"], row["offset"]) for row in book["dead_letters"]}


def _records_aside(log: Log, book: Books, topic: str) -> list[Rec]:
    places = _places_aside(book)
    return [record for record in log.of(topic) if (record.topic, record.partition, record.offset) in places]


def _version(body: Mapping[str, Any]) -> tuple[int, int]:
    return body["version"]["epoch"], body["version"]["n"]


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in RESEALED}


def _by_number(
    bodies: Iterable[Mapping[str, Any]], key: tuple[str, ...], number: Callable[[Mapping[str, Any]], tuple[int, int]]
) -> Numbered:
    found: dict[tuple[str, ...], dict[tuple[int, int], list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for body in bodies:
        if all(name in body for name in key):
            found[tuple(body[name] for name in key)][number(body)].append(body)
    return found


def _newest(
    log: Log, topic: str, key: str, number: Callable[[Mapping[str, Any]], tuple[int, int]]
) -> dict[str, Mapping[str, Any]]:
    newest: dict[str, Mapping[str, Any]] = {}
    for body in log.bodies(topic):
        if key in body and (body[key] not in newest or number(body) > number(newest[body[key]])):
            newest[body[key]] = body
    return newest


def _table(book: Books, name: str, key: str, *columns: str) -> dict[str, tuple[Any, ...]]:
    return {str(row[key]): tuple(row[column] for column in columns) for row in book[name]}
