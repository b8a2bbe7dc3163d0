"""A request body as upstream's events: CloudEvents 1.0 as JSON, one, an array, or one per line. Read by the reader of the topic. Pure.

One that cannot be read is told by its place and a code; the others are taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.registry.records import Outcome
from services.registry.refusals import ADVICE
from shared import topics
from shared.errors import BadRecord
from shared.events import MinistryMessage
from shared.records import Received, outside_text, parse

BODY_BYTES_MAX = 16 * 1024 * 1024
EVENTS_MAX = 2_000
"""Taken in one transaction: about half a second, because a longer one holds back every relay of the server."""
ONE, MANY, LINES = "application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson"
WAITS_FOR_KEY, UNREADABLE = "waits_for_key", "unreadable"


class DoorReason(StrEnum):
    """Why a request, or one event of it, is not taken."""

    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    BODY_UNREADABLE = "BODY_UNREADABLE"
    MEDIA_TYPE_UNKNOWN = "MEDIA_TYPE_UNKNOWN"
    TOO_MANY_EVENTS = "TOO_MANY_EVENTS"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    JSON_INVALID = "JSON_INVALID"
    EVENT_INCOMPLETE = "EVENT_INCOMPLETE"
    TYPE_UNKNOWN = "TYPE_UNKNOWN"
    WORD_UNKNOWN = "WORD_UNKNOWN"
    SCHEMA_INVALID = "SCHEMA_INVALID"
    ID_TWICE = "ID_TWICE"


DOOR_ADVICE: dict[str, str] = {
    DoorReason.BODY_TOO_LARGE: f"At most {BODY_BYTES_MAX >> 20} MB in one request.",
    DoorReason.BODY_UNREADABLE: "The body is not UTF-8 JSON of the media type it names.",
    DoorReason.MEDIA_TYPE_UNKNOWN: f"Content-Type is {ONE}, {MANY}, {LINES} or application/json.",
    DoorReason.TOO_MANY_EVENTS: f"At most {EVENTS_MAX} events in one request.",
    DoorReason.IDEMPOTENCY_KEY_REUSED: "This key was used for another request.",
    DoorReason.JSON_INVALID: "This line is not JSON.",
    DoorReason.EVENT_INCOMPLETE: "An event has specversion 1.0, the texts id and type, and the object data.",
    DoorReason.TYPE_UNKNOWN: "No event of ministries has this type (docs/events/).",
    DoorReason.WORD_UNKNOWN: "A word is in no list of this release (docs/events/).",
    DoorReason.SCHEMA_INVALID: "The data do not fit the schema of the type (docs/events/).",
    DoorReason.ID_TWICE: "Another event of this request has the same id.",
}


class BadBody(Exception):
    """A body of which nothing can be taken."""

    def __init__(self, reason: DoorReason) -> None:
        """Keep the code."""
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Posted:
    """One event as the topic's reader takes it; the offset is its place in the request."""

    offset: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None
    timestamp: int
    topic: str = topics.MINISTRY_BENEFICIARY
    partition: int = -1
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What a request holds: events that can be taken, by place; codes of those that cannot; the id each names, if any."""

    events: dict[int, Received[MinistryMessage]] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)


def read(body: bytes, media_type: str, *, at_ms: int) -> Read:
    """The events of a request in order. `at_ms`: when it came, for events without a time. Raises BadBody."""
    found, seen = Read(), set[str]()
    for place, item in enumerate(_items(body, media_type)):
        if place >= EVENTS_MAX:
            raise BadBody(DoorReason.TOO_MANY_EVENTS)
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            found.ids[place] = outside_text(item["id"].encode("utf-8", "replace"))
        try:
            event = _event(place, item, at_ms=at_ms)
        except BadRecord as bad:
            found.problems[place] = bad.reason
            continue
        if event.event_id in seen:
            found.problems[place] = DoorReason.ID_TWICE
        else:
            found.events[place] = event
        seen.add(event.event_id)
    return found


def answer(found: Read, outcomes: Iterable[Outcome], failed: Mapping[int, str]) -> dict[str, Any]:
    """What became of every event, in the order of the request. `failed`: places the registrar could not take, with codes."""
    by_id = {done.statement.event_id: done for done in outcomes}
    problems = found.problems | dict(failed)
    items = []
    for place in sorted(found.events.keys() | problems.keys()):
        event = found.events.get(place)
        told: dict[str, Any] = {
            "index": place,
            "id": found.ids.get(place),
            "outcome": UNREADABLE,
            "reason": None,
            "notes": [],
            "advice": "",
        }
        if event is not None:
            message = event.message
            told |= {"source": message.source, "record": message.record, "source_sequence": message.source_sequence}
        if place in problems:
            told |= {"reason": problems[place], "advice": DOOR_ADVICE.get(problems[place], "")}
        else:
            told |= _told(by_id.get(found.ids[place]))
        items.append(told)
    return {"events": len(items), "outcomes": _counted(items), "items": items}


def _told(done: Outcome | None) -> dict[str, Any]:
    if done is None:
        return {"outcome": WAITS_FOR_KEY}
    advice = [ADVICE[word] for word in (done.reason, *done.notes) if word]
    return {"outcome": done.fate, "reason": done.reason, "notes": list(done.notes), "advice": " ".join(advice)}


def _counted(items: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    words = [str(item["outcome"]) for item in items]
    return {word: words.count(word) for word in sorted(set(words))}


def _items(body: bytes, media_type: str) -> Iterator[Any]:
    kind = media_type.partition(";")[0].strip().casefold()
    if kind == LINES:
        yield from (_line(line) for line in body.split(b"\n") if line.strip())
        return
    if kind not in (ONE, MANY, "application/json"):
        raise BadBody(DoorReason.MEDIA_TYPE_UNKNOWN)
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        raise BadBody(DoorReason.BODY_UNREADABLE) from None
    if isinstance(whole, dict) and kind != MANY:
        yield whole
    elif isinstance(whole, list) and kind != ONE:
        yield from whole
    else:
        raise BadBody(DoorReason.BODY_UNREADABLE)


def _line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _event(place: int, item: Any, *, at_ms: int) -> Received[MinistryMessage]:
    """Raises BadRecord: with the codes that the topic's reader has for the same."""
    if item is None:
        raise BadRecord(place, DoorReason.JSON_INVALID)
    if not (isinstance(item, dict) and item.get("specversion") == "1.0" and isinstance(item.get("data"), dict)):
        raise BadRecord(place, DoorReason.EVENT_INCOMPLETE)
    event_id, kind = item.get("id"), item.get("type")
    if not (isinstance(event_id, str) and event_id and isinstance(kind, str) and kind):
        raise BadRecord(place, DoorReason.EVENT_INCOMPLETE)
    said = {"ce_id": event_id, "ce_type": kind, "ce_time": item.get("time") or ""}
    headers = [(name, str(text).encode("utf-8", "replace")) for name, text in said.items()]
    event = parse(Posted(place, headers, _value(place, item["data"]), at_ms))
    if not isinstance(event.message, MinistryMessage):
        raise BadRecord(place, DoorReason.TYPE_UNKNOWN)
    return event  # type: ignore[return-value]


def _value(place: int, data: Any) -> bytes:
    try:
        return json.dumps(data).encode()
    except RecursionError:
        raise BadRecord(place, DoorReason.SCHEMA_INVALID) from None
