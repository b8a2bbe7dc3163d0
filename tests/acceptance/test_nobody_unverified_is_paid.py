"""Nobody is paid on doubt and nobody is dropped: who the register does not know is held with the reason."""

from office import Office, Person

PERIOD, PAYER = "2024-06", "so-18496"


async def test_nobody_unverified_is_paid(office: Office) -> None:
    known, stranger = Person(), Person()
    dead = Person(status="dead", status_date="2024-01-02")
    await office.people_are_registered(known, dead)
    await office.enrol(PERIOD, PAYER, known, stranger, dead)
    shown = await office.close_and_build(PERIOD, PAYER)
    assert {reason: value["count"] for reason, value in shown["held"].items()} == {"NOT_FOUND": 1, "DEAD": 1}
    assert shown["postal"]["payments"] == 1
    total = sum(shown["lines"][kind]["vnd"] for kind in ("cashless", "postal", "held"))
    assert total == shown["closing"]["vnd"]
