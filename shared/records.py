"""A Kafka record as a message: CloudEvents headers read, JSON parsed strictly, a bad one told apart from an unknown word. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadRecord, Parked
from shared.events import BY_TYPE, Message

M_co = TypeVar("M_co", bound=Message, covariant=True)
# What pydantic calls a word that is not in an enum or literal.
_UNKNOWN_WORD = {"enum", "literal_error"}
_FIRST_YEAR, _LAST_YEAR = 1990, 2200
# By the bytes of the type's header; without the checks of arguments that `model_validate_json` makes for every call.
_READERS = {kind.encode(): TypeAdapter(model).validator.validate_json for kind, model in BY_TYPE.items()}


class RawRecord(Protocol):
    """The part of aiokafka's record that is used here."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(slots=True)  # not frozen: that makes it three times as dear, and there is one for every record
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
    event_id, kind = outside_text(headers.get("ce_id")), headers.get("ce_type")
    if not event_id or not kind:
        raise BadRecord(record.offset, "HEADER_MISSING")
    read = _READERS.get(kind)
    if read is None:
        raise Parked(record.offset, "TYPE_UNKNOWN")
    try:
        message: Message = read(record.value or b"")
    except ValidationError as error:
        raise _complaint(record.offset, error) from None
    at = _time(headers.get("ce_time")) or datetime.fromtimestamp(record.timestamp / 1000, UTC)
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


@lru_cache(maxsize=1_000)
def _time(raw: bytes | None) -> datetime | None:
    """What was decided together has one time. A missing or absurd one is None and gives way to the broker's: no upstream clock may
    produce a moment the database cannot hold."""
    try:
        moment = datetime.fromisoformat(outside_text(raw))
    except ValueError:
        return None
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
