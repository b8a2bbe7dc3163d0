"""The sandbox ministry at the Kafka door: account registrations, a move and a late death, as any
foreign producer sends them. CloudEvents 1.0 in binary mode, `personal` as a compact JWE to the
registry's public key; only public libraries.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from aiokafka import AIOKafkaProducer
from joserfc import jwe
from joserfc.jwk import ECKey

from sandbox.model import District, Person, Wish

TOPIC = "ministry.beneficiary.v1"
SOURCE = "sandbox/hk-district-office"
FIRST_EVENT_AT = datetime(2024, 1, 25, 1, 0, tzinfo=UTC)
LATE_DEATH_AT = datetime(2024, 2, 1, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DoorEvent:
    """One event before sealing. `personal` is in the clear here and never leaves the process so.

    `after_closing` marks the late death: publish it once the list is closed.
    """

    kind: str
    at: datetime
    record: str
    source_sequence: int
    fields: Mapping[str, object]
    personal: Mapping[str, object] | None = None
    after_closing: bool = False


def door_events(district: District) -> list[DoorEvent]:
    """All events of the door in the order they happen: registrations (with a wish where it is the
    post), move, death.

    Records are the door's own (`tk-0001` ...). Move and death name the record of that person's
    registration, so that a reader who keeps records apart from people finds the person.
    """
    holders = [district.person(record) for record in district.door_records]
    events: list[DoorEvent] = []
    for number, person in enumerate(holders, start=1):
        events += _registration(number, person)
    records = dict(zip(district.door_records, map(_record, range(1, len(holders) + 1)), strict=True))
    mover = district.person(district.move.record)
    events.append(_move(records[mover.record], mover, district))
    death = {"reason": "death", "on": district.died_on.isoformat()}
    dead = records[district.late_death]
    events.append(DoorEvent("ended", LATE_DEATH_AT, dead, source_sequence=3, fields=death, after_closing=True))
    return events


def _record(number: int) -> str:
    return f"tk-{number:04d}"


def _registration(number: int, person: Person) -> list[DoorEvent]:
    at, account = FIRST_EVENT_AT + timedelta(minutes=number), person.account
    assert account is not None
    personal = {
        "identity": _identity(person),
        "account": {"bank_bin": account.bank_bin, "number": account.number, "holder": account.holder_name},
        **({"phone": person.phone} if person.phone else {}),
    }
    fields = {"account_source": "commune_police", "wish": "account"}
    events = [DoorEvent("account_registered", at, _record(number), 1, fields, personal)]
    if person.wish is Wish.POST:
        wish = {"wish": "post", "reason": "R_HABIT"}
        events.append(DoorEvent("wish_recorded", at + timedelta(hours=2), _record(number), 2, wish))
    return events


def _identity(person: Person) -> dict[str, str]:
    identity = {
        "full_name": person.full_name, "birth_date": person.birth_date.isoformat(), "sex": person.sex.value,
        "personal_number": person.personal_number,
    }  # fmt: skip
    return identity | ({"old_number": person.old_number} if person.old_number else {})


def _move(record: str, person: Person, district: District) -> DoorEvent:
    personal = {"identity": _identity(person), "delivery": {"hamlet": district.move.to_hamlet}}
    at = FIRST_EVENT_AT + timedelta(hours=5)
    return DoorEvent("changed", at, record, 3, {"area": district.move.to_commune_code}, personal)


async def publish_door(bootstrap: str, registry_public_jwk: Mapping[str, str], events: Sequence[DoorEvent]) -> int:
    """Seal and publish the events in order; returns how many the broker acknowledged.

    The same event always has the same `ce_id`, so publishing twice is a replay. Raises what aiokafka
    raises when the broker cannot be reached.
    """
    key = ECKey.import_key({**registry_public_jwk})
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for event in events:
            message = sealed_message(event, key)
            await producer.send_and_wait(TOPIC, message.value, key=message.key, headers=message.headers)
    finally:
        await producer.stop()
    return len(events)


@dataclass(frozen=True, slots=True)
class KafkaMessage:
    """One record as it goes to Kafka."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def sealed_message(event: DoorEvent, registry_key: ECKey) -> KafkaMessage:
    """The event with `personal` sealed (ECDH-ES, A256GCM) and the CloudEvents attributes as headers."""
    data: dict[str, object] = {
        "source": SOURCE, "record": event.record, "source_sequence": event.source_sequence, **event.fields,
    }  # fmt: skip
    if event.personal is not None:
        data["personal"] = _seal(event.personal, registry_key)
    name = f"{SOURCE}:{event.record}"
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid5(NAMESPACE_URL, f"{name}:{event.source_sequence}")),
        "ce_source": SOURCE,
        "ce_type": f"vn.ansinh.ministry.{event.kind}.v1",
        "ce_time": event.at.isoformat().replace("+00:00", "Z"),
        "ce_dataschema": f"urn:ansinh:schema:vn.ansinh.ministry.{event.kind}.v1:1.0",
        "content-type": "application/json",
    }
    value = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return KafkaMessage(name.encode(), value, [(word, text.encode()) for word, text in headers.items()])


def _seal(personal: Mapping[str, object], registry_key: ECKey) -> str:
    header = {"alg": "ECDH-ES", "enc": "A256GCM"}
    if registry_key.kid:
        header["kid"] = registry_key.kid
    text = json.dumps(personal, ensure_ascii=False, separators=(",", ":"))
    return jwe.encrypt_compact(header, text.encode(), registry_key)
