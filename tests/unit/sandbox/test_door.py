"""What the sandbox ministry sends through the Kafka door follows the contract and hides personal data."""

import json
from collections import Counter

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from sandbox.district import make_district
from sandbox.door import DoorEvent, door_events, sealed_message
from sandbox.model import District, Wish
from shared.events import AccountRegistered, Changed, Ended, MinistryMessage, WishRecorded
from shared.personal import PersonalData

MODELS: dict[str, type[MinistryMessage]] = {model.TYPE: model for model in (AccountRegistered, Changed, Ended, WishRecorded)}


@pytest.fixture(scope="module")
def district() -> District:
    return make_district(7)


@pytest.fixture(scope="module")
def events(district: District) -> list[DoorEvent]:
    return door_events(district)


@pytest.fixture(scope="module")
def key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "registry-test"})


def test_door_brings_55_accounts_one_move_and_one_late_death(district: District, events: list[DoorEvent]) -> None:
    counts = Counter(event.kind for event in events)
    by_post = sum(district.person(r).wish is Wish.POST for r in district.door_records)
    assert counts == {"account_registered": 55, "changed": 1, "ended": 1, "wish_recorded": by_post}
    assert [event.kind for event in events if event.after_closing] == ["ended"]
    assert events[-1].fields == {"reason": "death", "on": "2024-01-28"}


def test_messages_follow_the_contract(events: list[DoorEvent], key: ECKey) -> None:
    for event in events:
        message = sealed_message(event, key)
        headers = {word: text.decode() for word, text in message.headers}
        model = MODELS[headers["ce_type"]].model_validate_json(message.value)
        assert message.key.decode() == f"{model.source}:{model.record}"
        assert headers["ce_time"].endswith("Z")


def test_personal_data_opens_with_the_registry_key_alone(events: list[DoorEvent], key: ECKey) -> None:
    for event in events:
        if event.personal is not None:
            value = json.loads(sealed_message(event, key).value)
            opened = jwe.decrypt_compact(value["personal"], key).plaintext
            assert opened is not None
            data = PersonalData.model_validate_json(opened)
            assert data.identity is not None


def test_nothing_personal_is_in_the_clear(district: District, events: list[DoorEvent], key: ECKey) -> None:
    for event in events:
        message = sealed_message(event, key)
        text = message.value.decode() + message.key.decode() + str(message.headers)
        for record in district.door_records:
            person = district.person(record)
            assert person.personal_number not in text
            assert person.full_name not in text


def test_the_same_event_keeps_its_id_and_sequences_rise(events: list[DoorEvent], key: ECKey) -> None:
    ids = [dict(sealed_message(event, key).headers)["ce_id"] for event in events]
    assert ids == [dict(sealed_message(event, key).headers)["ce_id"] for event in events]
    assert len(set(ids)) == len(ids)
    last: dict[str, int] = {}
    for event in events:
        assert event.source_sequence > last.get(event.record, 0)
        last[event.record] = event.source_sequence
