"""A death told after approval takes the person off by a list that two people sign; the approved list stays as it was."""

from datetime import date

import pytest
from office import Office, Person, Refusal

PERIOD, PAYER = "2024-02", "so-18532"
PATH = f"/v1/payrolls/{PERIOD}/{PAYER}"


async def test_late_death_is_withdrawn(office: Office) -> None:
    dead, alive = Person(area="18532"), Person(area="18532")
    await office.people_are_registered(dead, alive)
    await office.enrol(PERIOD, PAYER, dead, alive)
    before = await office.close_and_build(PERIOD, PAYER)
    await office.sign(PERIOD, PAYER, "check", "approve")
    await office.end(dead, "death", date(2024, 1, 20))

    body = {"beneficiary_ids": [await office.beneficiary(dead)], "reason": "LATE_DEATH"}
    proposed = await office.client.post("payout", f"{PATH}/withdraw", actor="checker", body=body)
    with pytest.raises(Refusal):  # the same person cannot sign twice
        await office.client.post(
            "payout",
            f"{PATH}/confirm-withdrawal",
            actor="checker",
            body={"sha256": proposed["sha256"]},
            sha256=proposed["sha256"],
        )
    await office.client.post(
        "payout", f"{PATH}/confirm-withdrawal", actor="approver", body={"sha256": proposed["sha256"]}, sha256=proposed["sha256"]
    )
    await office.sign(PERIOD, PAYER, "release")
    await office.answered()

    after = await office.payroll(PERIOD, PAYER)
    assert after["batches"][0]["sha256"] == before["batches"][0]["sha256"]
    assert after["batches"][0]["withdrawn"] == 1
    assert [payment["state"] for payment in await office.payments(dead)] == ["withdrawn"]
    assert [payment["state"] for payment in await office.payments(alive)] == ["collected"]
