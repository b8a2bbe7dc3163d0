"""One person with two benefits gets one transfer that covers both lines (design 3)."""

from dataclasses import replace

from office import Office, Person

PERIOD, PAYER = "2024-02", "so-18502"


async def test_two_benefits_are_one_transfer_and_both_paid(office: Office) -> None:
    first = Person(area="18502")
    second = replace(
        first, record=f"{first.record}-2", benefit_code="NCC-LS1", monthly_vnd=2_055_000, coefficient_hundredths=None
    )
    await office.people_are_registered(first)
    await office.enrol(PERIOD, PAYER, first, second)
    shown = await office.close_and_build(PERIOD, PAYER)
    assert shown["lines"]["count"] == 2
    assert shown["postal"] == {"payments": 1, "vnd": 2_595_000}
    await office.sign(PERIOD, PAYER)
    await office.answered()
    payments = await office.payments(first)
    assert [payment["vnd"] for payment in payments] == [2_595_000]
