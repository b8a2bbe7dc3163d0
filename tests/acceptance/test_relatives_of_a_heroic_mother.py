"""A Heroic Mother dies (domain 2.2): the month of her death is hers, her relatives get three months of her allowance and burial money by
post, each once whatever later lists say. Another sum than three months waits for somebody to look."""

from datetime import date

from office import Office, Person, replace
from test_life_events_month_by_month import month, received

from shared.events import DeclaredLine
from shared.words import HeldReason, Programme

SEPTEMBER, OCTOBER, NOVEMBER, PAYER = "2024-09", "2024-10", "2024-11", "so-18505"
ALLOWANCE, BURIAL = 8_367_000, 23_400_000


async def test_relatives_get_three_months_and_burial_money_once(office: Office) -> None:
    mother, other = (
        Person(area="18505", benefit_code="NCC-BM", coefficient_hundredths=None, monthly_vnd=ALLOWANCE) for _ in range(2)
    )
    await office.people_are_registered(mother, other)
    await office.enrol(SEPTEMBER, PAYER, mother, other)
    assert await month(office, SEPTEMBER, PAYER) == {}

    for who in (mother, other):
        await office.end(who, "death", date(2024, 9, 20))
    await listed(
        office, OCTOBER, 20, (mother, RELATIVES), (mother, BURIED), (other, DeclaredLine(**on_death("MT-BM", 2 * ALLOWANCE)))
    )
    assert await month(office, OCTOBER, PAYER) == {HeldReason.AMOUNT_DIFFERS: 1}

    await listed(office, NOVEMBER, 30, (mother, RELATIVES), (other, RELATIVES))
    assert await month(office, NOVEMBER, PAYER) == {HeldReason.PAID_ELSEWHERE: 1}

    assert await received(office, mother) == {SEPTEMBER: ALLOWANCE, OCTOBER: 3 * ALLOWANCE + BURIAL}
    assert await received(office, other) == {SEPTEMBER: ALLOWANCE, NOVEMBER: 3 * ALLOWANCE}
    assert {one["channel"] for who in (mother, other) for one in await office.payments(who)} == {"counter"}


def on_death(code: str, vnd: int) -> dict[str, object]:
    """What a death brings."""
    return {"programme": Programme.MERIT, "benefit_code": code, "monthly_vnd": 0, "one_off_vnd": vnd}


RELATIVES = DeclaredLine(**on_death("MT-BM", 3 * ALLOWANCE))
BURIED = DeclaredLine(**on_death("MT-NCC", BURIAL))


async def listed(office: Office, period: str, sequence: int, *lines: tuple[Person, DeclaredLine]) -> None:
    """Lines of their own on a month's list, each under a record of its own."""
    said = []
    for person, line in lines:
        record = replace(person, record=f"{person.record}-{line.benefit_code.lower()}")
        message = office._enrolled(period, PAYER, record, sequence)
        said.append((record.record, message.model_copy(update={"line": line})))
    await office.publish(said)
