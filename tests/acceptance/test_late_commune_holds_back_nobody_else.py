"""Lists close per payer: a commune that is late holds back nobody else."""

import pytest
from office import Office, Person, Refusal

PERIOD, EARLY, LATE = "2024-03", "so-18502", "so-18550"


async def test_late_commune_holds_back_nobody_else(office: Office) -> None:
    early, late = Person(area="18502"), Person(area="18550")
    await office.people_are_registered(early, late)
    await office.enrol(PERIOD, EARLY, early)
    await office.enrol(PERIOD, LATE, late)
    await office.close_and_build(PERIOD, EARLY)
    await office.sign(PERIOD, EARLY)
    await office.answered()
    assert (await office.payroll(PERIOD, EARLY))["paid"]["count"] == 1
    with pytest.raises(Refusal) as refusal:
        await office.payroll(PERIOD, LATE)
    assert refusal.value.code == "NOT_CLOSED"
