"""A message goes where every Kafka client would send it, and says in local time when it was decided."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from shared.events import AuditRecord
from shared.outbox import OutEvent
from shared.publishing import hashes, headers_of


@given(st.lists(st.binary(max_size=80) | st.binary(min_size=36, max_size=36), max_size=40))
def test_hashes_are_those_of_the_java_client(keys):
    assert hashes(keys) == [murmur2(key) & 0x7FFFFFFF for key in keys]


def test_the_largest_numbers_do_not_reach_into_their_neighbours():
    keys = [b"\xff" * 36, b"\x00" * 36, b"\xff" * 36, b"\xff" * 7, b"\x00" * 7]
    assert hashes(keys) == [murmur2(key) & 0x7FFFFFFF for key in keys]


@given(st.integers(2**30, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_headers_name_the_decision_and_its_local_time(at):
    event_id = UUID("0af76519-16cd-43dd-8448-eb211c80319c")
    row = {"event_id": event_id, "at": at, "epoch": 1, "xid": "77", "id": 5, "type": "some.type.v1"}
    headers = dict(headers_of(row, "payout"))
    assert headers["ce_id"] == str(event_id).encode()
    assert headers["traceparent"] == b"00-0af7651916cd43dd8448eb211c80319c-0af7651916cd43dd-01"
    told = datetime.fromisoformat(headers["ce_time"].decode())
    assert (told, told.utcoffset()) == (at, timedelta(hours=7))
    assert headers["ce_outbox"] == b"1.77.5"
    assert headers_of({**row, "at": at.astimezone(timezone(timedelta(hours=1)))}, "payout") == headers_of(row, "payout")


def test_every_message_has_a_random_id_of_its_own():
    message = AuditRecord(actor="a", act="b", subject="c", at=datetime(2024, 1, 20, tzinfo=UTC))
    ids = {OutEvent("t", "k", message).event_id for _ in range(100)}
    assert len(ids) == 100
    assert {(one.version, one.variant) for one in ids} == {(4, RFC_4122)}
