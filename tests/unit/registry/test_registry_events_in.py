"""A request body as events: whatever comes, every item is taken or told by place and code, and nothing else is raised."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.events_in import EVENTS_MAX, LINES, MANY, ONE, BadBody, DoorReason, answer, read
from shared.events import WishRecorded
from shared.words import Wish

KINDS = (ONE, MANY, LINES, "application/json", "text/html", "")
MESSAGE = WishRecorded(source="s", record="r", source_sequence=1, wish=Wish.POST)
GOOD = {"specversion": "1.0", "id": "1", "type": MESSAGE.TYPE, "data": MESSAGE.model_dump(mode="json")}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
spoiled = st.builds(lambda field, value: {**GOOD, field: value}, st.sampled_from([*GOOD, "time", "more"]), json_values)
spoiled_data = st.builds(
    lambda field, value: {**GOOD, "data": {**GOOD["data"], field: value}}, st.sampled_from([*GOOD["data"], "more"]), json_values
)


def by(items, kind=MANY):
    return read(json.dumps(items).encode(), kind, at_ms=0)


@given(st.binary(max_size=60), st.sampled_from(KINDS))
def test_any_bytes_are_read_or_refused_by_a_code(body, kind):
    with suppress(BadBody):
        found = read(body, kind, at_ms=0)
        assert not found.events.keys() & found.problems.keys()


@given(st.lists(st.just(GOOD) | spoiled | spoiled_data | json_values, max_size=5))
def test_every_item_is_an_event_or_a_problem_and_every_one_is_answered(items):
    found = by(items)
    assert sorted([*found.events, *found.problems]) == list(range(len(items)))
    told = answer(found, [], {})
    assert [item["index"] for item in told["items"]] == list(range(len(items)))
    assert sum(told["outcomes"].values()) == told["events"] == len(items)
    assert {item["reason"] for item in told["items"]} - {None} <= set(DoorReason)
    json.dumps(told)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"specversion": "0.3"}, DoorReason.EVENT_INCOMPLETE), ({"id": 7}, DoorReason.EVENT_INCOMPLETE),
        ({"data": "x"}, DoorReason.EVENT_INCOMPLETE), ({"type": "vn.ansinh.nothing.v1"}, DoorReason.TYPE_UNKNOWN),
        ({"type": "vn.ansinh.population.person.v1"}, DoorReason.SCHEMA_INVALID),
        ({"data": {**GOOD["data"], "wish": "gold"}}, DoorReason.WORD_UNKNOWN),
        ({"data": {**GOOD["data"], "record": "has space"}}, DoorReason.SCHEMA_INVALID),
    ],
)  # fmt: skip
def test_a_bad_event_is_told_by_the_topics_own_code(changes, code):
    assert by([GOOD | changes]).problems == {0: code}


def test_a_message_that_is_no_ministrys_is_no_event_of_this_door():
    text = {"message_id": "8f0e6a3c-95e1-4f0e-8a56-cb9be6ea02f7", "beneficiary_ids": [], "campaign": "c", "round": 1}
    found = by([GOOD | {"type": "vn.ansinh.notify.message.v1", "data": text}])
    assert found.problems.keys() == {0}


def test_one_id_twice_in_a_request_is_taken_once():
    found = by([GOOD, GOOD])
    assert (found.events.keys(), found.problems) == ({0}, {1: DoorReason.ID_TWICE})


def test_a_time_is_the_events_own_and_else_that_of_the_request():
    found = by([GOOD | {"time": "2024-01-20T08:00:00+07:00"}, GOOD | {"id": "2"}])
    assert [event.at.isoformat() for event in found.events.values()] == ["2024-01-20T08:00:00+07:00", "1970-01-01T00:00:00+00:00"]


def test_there_is_an_end_to_the_size_of_a_request():
    with pytest.raises(BadBody):
        by([1] * (EVENTS_MAX + 1))
    assert len(by([1] * EVENTS_MAX).problems) == EVENTS_MAX
