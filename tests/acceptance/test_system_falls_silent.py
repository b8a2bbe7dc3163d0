"""The system falls silent when input stops, and an event sent again changes nothing anywhere (design 3)."""

import asyncio

from office import Office, Person

from shared import topics

PERIOD, PAYER = "2024-04", "so-18496"


async def test_system_falls_silent(office: Office) -> None:
    person = Person(account="1234567890123")
    await office.people_are_registered(person)
    await office.enrol(PERIOD, PAYER, person)
    before = await office.ends()
    await asyncio.sleep(2)
    assert await office.ends() == before

    await office.enrol(PERIOD, PAYER, person)  # the same statements under new event ids
    after = await office.ends()
    changed = {topic for topic in after if after[topic] != before[topic]}
    assert changed == {topics.MINISTRY_BENEFICIARY}
