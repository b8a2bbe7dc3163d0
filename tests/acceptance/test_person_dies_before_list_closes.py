"""A death before the period, told before the list closes, ends the row: nothing is frozen, nothing is paid."""

from datetime import date

from office import Office, Person

PERIOD, PAYER = "2024-02", "so-18523"


async def test_person_dies_before_list_closes(office: Office) -> None:
    dead, alive = Person(area="18523"), Person(area="18523")
    await office.people_are_registered(dead, alive)
    await office.enrol(PERIOD, PAYER, dead, alive)
    await office.end(dead, "death", date(2024, 1, 10))
    shown = await office.close_and_build(PERIOD, PAYER)
    assert shown["closing"]["count"] == 1
    assert (
        await office.rows("registry", "SELECT 1 FROM entitlement_line WHERE beneficiary_id = $1", await office.beneficiary(dead))
        == []
    )
