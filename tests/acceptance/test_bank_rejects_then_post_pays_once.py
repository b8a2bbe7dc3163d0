"""A bank that rejects sends the person to the post in the same period, under the next attempt; money moves once."""

from office import Office, Person

PERIOD, PAYER = "2024-02", "so-18544"


async def test_bank_rejects_then_post_pays_once(office: Office) -> None:
    person = Person(area="18544", account="0012345678901", bank_bin="970436")  # bank-b of the stories rejects everything
    await office.people_are_registered(person)
    await office.enrol(PERIOD, PAYER, person)
    shown = await office.close_and_build(PERIOD, PAYER)
    assert shown["cashless"]["payments"] == 1
    await office.sign(PERIOD, PAYER)
    await office.answered()
    assert [payment["state"] for payment in await office.payments(person)] == ["rejected"]

    await office.close_and_build(PERIOD, PAYER)  # closing again changes nothing; building again finds the unpaid line
    await office.sign(PERIOD, PAYER)
    await office.answered()
    payments = sorted(await office.payments(person), key=lambda payment: payment["attempt"])
    assert [(payment["attempt"], payment["state"]) for payment in payments] == [(1, "rejected"), (2, "collected")]
    shown = await office.payroll(PERIOD, PAYER)
    assert shown["paid"] == {"count": 1, "vnd": person.monthly_vnd}
    assert shown["account_gap"] == {"bank_rejected": 1}
