"""A Kafka record as a message: CloudEvents headers read, JSON parsed strictly, a bad one told apart from an unknown word. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from pydantic import ValidationError

from shared.errors import BadRecord, Parked
from shared.events import BY_TYPE, Message

M_co = TypeVar("M_co", bound=Message, covariant=True)
# What pydantic calls a word that is not in an enum or literal.
_UNKNOWN_WORD = {"enum", "literal_error"}
_FIRST_YEAR, _LAST_YEAR = 1990, 2200
_NO_TIME = datetime(1, 1, 1, tzinfo=UTC)


class RawRecord(Protocol):
    """The part of aiokafka's record that is used here."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Received(Generic[M_co]):
    """One parsed record. `at` is the producer's business time (`ce_time`), the broker's where that is missing."""

    message: M_co
    event_id: str
    at: datetime
    topic: str
    partition: int
    offset: int


def outside_text(raw: bytes | None) -> str:
    """Text that came from outside, fit for a database column: no broken UTF-8, no NUL (PostgreSQL refuses it), not endless."""
    return (raw or b"").decode("utf-8", "replace").replace("\x00", "\ufffd")[:200]


def event_id_of(record: RawRecord) -> str | None:
    """The `ce_id` header, if there is one."""
    return next((outside_text(value) for name, value in record.headers if name == "ce_id"), None)


def parse(record: RawRecord) -> Received[Message]:
    """Raises BadRecord with a code for what can never be read, Parked for a type or word this release does not know."""
    headers = dict(record.headers)
    event_id, kind = outside_text(headers.get("ce_id")), outside_text(headers.get("ce_type"))
    if not event_id or not kind:
        raise BadRecord(record.offset, "HEADER_MISSING")
    model = BY_TYPE.get(kind)
    if model is None:
        raise Parked(record.offset, "TYPE_UNKNOWN")
    try:
        message = model.model_validate_json(record.value or b"")
    except ValidationError as error:
        raise _complaint(record.offset, error) from None
    at = _time(outside_text(headers.get("ce_time")), record)
    return Received(message, event_id, at, record.topic, record.partition, record.offset)


def parse_all(records: Iterable[RawRecord]) -> tuple[list[Received[Message]], list[BadRecord]]:
    """Every record is in exactly one of the two lists."""
    good: list[Received[Message]] = []
    bad: list[BadRecord] = []
    for record in records:
        try:
            good.append(parse(record))
        except BadRecord as complaint:
            bad.append(complaint)
    return good, bad


def _complaint(offset: int, error: ValidationError) -> BadRecord:
    kinds = {str(detail["type"]) for detail in error.errors(include_input=False, include_url=False, include_context=False)}
    if kinds <= _UNKNOWN_WORD:
        return Parked(offset, "WORD_UNKNOWN")
    return BadRecord(offset, "JSON_INVALID" if "json_invalid" in kinds else "SCHEMA_INVALID")


def _time(text: str, record: RawRecord) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _NO_TIME
    # A missing or absurd time gives way to the broker's: no upstream clock may produce a moment the database cannot hold.
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
