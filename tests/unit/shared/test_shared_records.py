"""Reading a record: what is taken, what is parked and what is dead; and how many dead in a row stop a partition."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadRecord, Parked
from shared.events import WishRecorded
from shared.records import event_id_of, parse, parse_all

WISH = {"source": "molisa", "record": "r-1", "source_sequence": 1, "wish": "account"}
SECRET = "NGUYEN VAN SECRET"
BROKER_TIME = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Record:
    """A record as aiokafka would give it."""

    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    offset: int = 7
    topic: str = "ministry.beneficiary.v1"
    partition: int = 2
    timestamp: int = int(BROKER_TIME.timestamp() * 1000)
    key: bytes | None = field(default=b"k")


def record(body: object = None, *, drop: str = "", offset: int = 7, **headers: str) -> Record:
    names = {"ce_id": "e-1", "ce_type": WishRecorded.TYPE, **headers}
    value = body if isinstance(body, bytes) else json.dumps(body or WISH).encode()
    return Record(value, [(name, text.encode()) for name, text in names.items() if name != drop], offset)


def complaint(bad: Record) -> BadRecord:
    with pytest.raises(BadRecord) as caught:
        parse(bad)
    assert caught.value.offset == bad.offset
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def test_a_good_record_is_taken() -> None:
    received = parse(record())
    assert isinstance(received.message, WishRecorded)
    assert (received.event_id, received.topic, received.partition, received.offset) == ("e-1", "ministry.beneficiary.v1", 2, 7)


@pytest.mark.parametrize("name", ["ce_id", "ce_type"])
def test_a_missing_or_empty_header_is_dead(name: str) -> None:
    for bad in (record(drop=name), record(**{name: ""})):
        found = complaint(bad)
        assert not isinstance(found, Parked)
        assert found.reason == "HEADER_MISSING"


def test_an_unknown_type_is_parked() -> None:
    found = complaint(record(ce_type="vn.ansinh.of.tomorrow.v1"))
    assert isinstance(found, Parked)
    assert found.reason == "TYPE_UNKNOWN"


def test_an_unknown_word_is_parked() -> None:
    found = complaint(record(WISH | {"wish": SECRET}))
    assert isinstance(found, Parked)
    assert found.reason == "WORD_UNKNOWN"


def test_an_unknown_word_in_a_broken_record_is_dead() -> None:
    found = complaint(record(WISH | {"wish": SECRET, "source_sequence": -1}))
    assert not isinstance(found, Parked)
    assert found.reason == "SCHEMA_INVALID"


@pytest.mark.parametrize("value", [b"{", b"\xff\xfe", b"", b'{"a": ' + SECRET.encode()])
def test_what_is_no_json_is_dead(value: bytes) -> None:
    assert complaint(record(value)).reason == "JSON_INVALID"


def test_a_tombstone_is_dead() -> None:
    bad = record()
    bad.value = None
    assert complaint(bad).reason == "JSON_INVALID"


@pytest.mark.parametrize(
    "body",
    [[SECRET], {"source": SECRET}, WISH | {"source_sequence": "1"}, WISH | {"source_sequence": 1.5}, WISH | {"source": SECRET}],
)
def test_what_does_not_fit_the_schema_is_dead(body: object) -> None:
    found = complaint(record(body))
    assert not isinstance(found, Parked)
    assert found.reason == "SCHEMA_INVALID"


def test_a_field_of_a_later_release_is_ignored() -> None:
    assert parse(record(WISH | {"of_tomorrow": {"a": 1}})).message == parse(record()).message


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-31T23:59:59Z", datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-03-31T07:00:00+07:00", datetime(2026, 3, 31, tzinfo=UTC)),
        ("2026-03-31T07:00:00", datetime(2026, 3, 31, 7, tzinfo=UTC)),
        ("yesterday", BROKER_TIME),
        ("", BROKER_TIME),
    ],
)
def test_the_producers_time_wins_and_the_brokers_replaces_it(text: str, moment: datetime) -> None:
    at = parse(record(ce_time=text)).at
    assert at == moment
    assert at.utcoffset() is not None


def test_without_a_time_header_the_brokers_time_stands() -> None:
    assert parse(record()).at - BROKER_TIME == timedelta(0)


def test_an_event_id_is_cut_and_never_fails() -> None:
    assert event_id_of(record(ce_id="x" * 500)) == "x" * 200
    assert event_id_of(record(drop="ce_id")) is None
    assert event_id_of(Record(b"", [("ce_id", b"\xff")])) == "\ufffd"


def test_every_record_is_in_exactly_one_list() -> None:
    records = [record(offset=1), record(b"{", offset=2), record(offset=4, ce_type="new"), record(offset=5)]
    good, bad = parse_all(records)
    assert [one.offset for one in good] == [1, 5]
    assert [(one.offset, one.reason) for one in bad] == [(2, "JSON_INVALID"), (4, "TYPE_UNKNOWN")]


@given(st.binary(max_size=60), st.sampled_from(["ce_id", "ce_type", "ce_time"]), st.binary(max_size=20))
@settings(max_examples=100)
def test_nothing_else_escapes_from_arbitrary_bytes(value: bytes, name: str, header: bytes) -> None:
    headers = {"ce_id": b"e", "ce_type": WishRecorded.TYPE.encode(), name: header}
    good, bad = parse_all([Record(value, list(headers.items()))])
    assert len(good) + len(bad) == 1


def test_regression_a_nul_from_outside_becomes_a_sign_that_a_table_takes() -> None:
    """PostgreSQL refuses NUL in text: unreplaced, one such header would have stopped its partition for good."""
    assert event_id_of(record(ce_id="a\x00b")) == "a\ufffdb"


def test_regression_an_absurd_time_gives_way_to_the_brokers() -> None:
    taken = parse(record(ce_time="0001-01-01T00:00:00+14:00"))
    assert taken.at.year > 1990
