"""Planted identity numbers, names, phones and accounts are searched for in every log, topic, header, table and dead letter (design 3).

Searched plain, lower case, without accents, in base64 at its three alignments, hex, URL and JSON escapes, and UTF-16.
"""

import base64
import json
import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from office import Office, Person, Refusal

from ansinh.look import connection
from shared import topics

PERIOD, PAYER = "2024-02", "so-18550"
CANARY = Person(number="042055987654", account="7788990011223", bank_bin="970405", record="canary")
PHONE = "+84987123987"
SECRETS = (CANARY.number, CANARY.full_name, CANARY.account or "", PHONE, PHONE[3:])


def needles(secret: str) -> set[bytes]:
    """Every form in which a careless line of code could write a secret down."""
    plain = unicodedata.normalize("NFD", secret).encode("ascii", "ignore").decode()
    forms = {secret, secret.lower(), secret.upper(), plain, quote(secret), json.dumps(secret)[1:-1], secret.encode().hex()}
    raw = {form.encode() for form in forms} | {secret.encode("utf-16-le")}
    for pad in range(3):
        encoded = base64.b64encode(b"\0" * pad + secret.encode())
        raw.add(encoded[4 if pad else 0 : -4])  # the part that does not depend on the neighbours
    return {form for form in raw if len(form) >= 8}


def leaks(where: str, content: bytes) -> list[str]:
    """Which secrets stand in some content; named by number, not by value."""
    return [f"{where}: secret {n}" for n, secret in enumerate(SECRETS) if any(needle in content for needle in needles(secret))]


async def in_topics(office: Office) -> list[str]:
    consumer = AIOKafkaConsumer(bootstrap_servers=office.addresses.kafka)
    await consumer.start()
    found: list[str] = []
    try:
        for topic in topics.TOPICS:
            places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            ends = await consumer.end_offsets(places)
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        headers = b" ".join(value for _, value in record.headers)
                        found += leaks(topic.name, (record.key or b"") + b" " + (record.value or b"") + b" " + headers)
    finally:
        await consumer.stop()
    return found


async def in_tables(office: Office) -> list[str]:
    found: list[str] = []
    for service, dsn in office.addresses.databases.items():
        async with connection(dsn) as tx:
            tables = await tx.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for table in (row["tablename"] for row in tables):
                for row in await tx.fetch(f'SELECT t::text AS line FROM "{table}" t'):
                    found += leaks(f"{service}.{table}", row["line"].encode())
    return found


async def test_personal_data_leaks_nowhere(office: Office) -> None:
    await office.people_are_registered(CANARY)
    await office.enrol(PERIOD, PAYER, CANARY)
    await publish_garbage(office)
    bad_csv = f"wrong,{CANARY.number},{CANARY.full_name}\n".encode()
    with pytest.raises(Refusal) as refusal:
        await office.client.post("verification", "/v1/population/extract", actor="operator", body=bad_csv)
    assert leaks("refusal", str(refusal.value).encode()) == []
    shown = await office.close_and_build(PERIOD, PAYER)
    assert shown["held"] == {}
    await office.sign(PERIOD, PAYER)
    await office.answered()

    assert await in_topics(office) == []
    assert await in_tables(office) == []
    folder = Path(office.addresses.folder)
    files = [path for name in ("logs", "truth") for path in (folder / name).iterdir()] + list(folder.glob("*/log*"))
    assert [leak for path in files if path.is_file() for leak in leaks(path.name, path.read_bytes())] == []


async def publish_garbage(office: Office) -> None:
    """Records that fail to parse, with secrets where errors like to quote them. They are set aside sealed."""
    producer = AIOKafkaProducer(bootstrap_servers=office.addresses.kafka, acks="all")
    await producer.start()
    for topic, name in (("payment.result.post.v1", "payment.result"), ("registry.beneficiary.v1", "registry.beneficiary")):
        value = json.dumps({"beneficiary_id": CANARY.number, "name": CANARY.full_name, "phone": PHONE}).encode()
        sealed = [("ce_id", b"garbage"), ("ce_type", f"vn.ansinh.{name}.v1".encode())]
        await producer.send_and_wait(topic, base64.b85encode(value), headers=sealed, partition=0)
    await producer.stop()
    await office.at_rest()


def test_the_search_finds_what_it_should() -> None:
    for secret in SECRETS:
        for form in (secret.encode(), secret.encode().hex().encode(), base64.b64encode(b"ab" + secret.encode() + b"cd")):
            assert leaks("somewhere", b'{"x": "' + form + b'"}'), "a search that finds nothing proves nothing"
