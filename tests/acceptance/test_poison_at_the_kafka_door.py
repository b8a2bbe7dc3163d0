"""A record nobody can read goes to the dead letters, sealed; the people behind it are taken all the same."""

from aiokafka import AIOKafkaProducer
from office import Office, Person

from ansinh.look import dead_letters
from shared import topics

PERIOD, PAYER = "2024-05", "so-18496"


async def test_poison_at_the_kafka_door(office: Office) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=office.addresses.kafka, acks="all")
    await producer.start()
    for partition in range(4):
        await producer.send_and_wait(
            topics.MINISTRY_BENEFICIARY, b"\xff not json", partition=partition, headers=[("ce_id", b"p")]
        )
    await producer.stop()
    person = Person()
    await office.people_are_registered(person)
    await office.enrol(PERIOD, PAYER, person)
    assert await office.beneficiary(person)
    letters = [letter for letter in await dead_letters(office.addresses) if letter["service"] == "registry"]
    assert {letter["reason"] for letter in letters} == {"HEADER_MISSING"}
