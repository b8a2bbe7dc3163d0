"""Since July 2025 a move between communes is a move between payers (domain 2.2): the old commune stops and sends the file, the new one
decides to continue when the person asks. Every month is paid once, by the right one, whoever was slow."""

from datetime import date

from office import SOURCE, Office, Person, replace
from test_life_events_month_by_month import month, received

from ansinh import life
from shared.events import Arrears
from shared.words import HeldReason

AUGUST, SEPTEMBER, OCTOBER = "2025-08", "2025-09", "2025-10"
OLD, NEW = "xa-18523", "xa-18532"
MOVED_ON, MONTH = date(2025, 8, 20), 750_000


def there(person: Person) -> Person:
    """As the new commune lists somebody."""
    return replace(person, record=f"{person.record}-new", area="18532")


async def test_old_commune_stops_and_the_new_one_continues_when_asked(office: Office) -> None:
    asks, asks_late, on_both, stays = (Person(area="18523", monthly_vnd=MONTH) for _ in range(4))
    everybody = (asks, asks_late, on_both, stays)
    await office.people_are_registered(*everybody)
    await office.enrol(AUGUST, OLD, *everybody)
    assert await month(office, AUGUST, OLD) == {}

    # Two are off the old commune's list in time; of the third its September list had closed before it heard.
    for who in (asks, asks_late):
        await office.end(who, "moved_out", MOVED_ON)
    await office.enrol(SEPTEMBER, OLD, on_both, stays, sequence=20)
    shown = await office.close_and_build(SEPTEMBER, OLD)
    assert shown["held"] == {}
    await office.end(on_both, "moved_out", MOVED_ON, sequence=21)
    await office.sign(SEPTEMBER, OLD)
    assert {one["state"] for one in await office.payments(on_both) if one["period"] == SEPTEMBER} == {"withdrawn"}
    # The new commune lists both. September of the third stands on a closed list already, so its row is refused and told (DUPLICATE_ROW).
    await office.enrol(SEPTEMBER, NEW, there(asks), there(on_both), sequence=30)
    assert await month(office, SEPTEMBER, NEW) == {}
    told = await office.client.get("registry", f"/v1/records/{SOURCE}/{there(on_both).record}")
    assert [one["reason"] for one in told["statements"]] == ["DUPLICATE_ROW"]
    assert await received(office, asks_late) == {AUGUST: MONTH}, "nobody decides to continue what nobody asked for"

    # What the old list held is free for another once that list is finished.
    assert (await life.finish(office.client, SEPTEMBER, OLD))["carried"] == 0
    assert (await office.payroll(SEPTEMBER, OLD))["held"] == {HeldReason.MOVED: {"count": 1, "vnd": MONTH}}

    # September of who asks only in October, and of whom the old list held, is arrears: the new commune continues where the old stopped.
    await office.enrol(OCTOBER, OLD, stays, sequence=40)
    await office.enrol(OCTOBER, NEW, there(asks), sequence=41)
    for who in (asks_late, on_both):
        message = office._enrolled(OCTOBER, NEW, there(who), 41)
        line = message.line.model_copy(update={"arrears": Arrears(periods=(SEPTEMBER,), vnd=MONTH)})
        await office.publish([(there(who).record, message.model_copy(update={"line": line}))])
    for payer in (OLD, NEW):
        assert await month(office, OCTOBER, payer) == {}

    assert await received(office, asks) == {AUGUST: MONTH, SEPTEMBER: MONTH, OCTOBER: MONTH}
    for who in (asks_late, on_both):
        assert await received(office, who) == {AUGUST: MONTH, OCTOBER: 2 * MONTH}
    paid = await office.rows(
        "payout", "SELECT DISTINCT b.period, b.payer FROM instruction i JOIN batch b USING (batch_id) WHERE i.beneficiary_id = $1"
        " AND i.state = 'collected'", await office.beneficiary(asks),
    )  # fmt: skip
    assert {tuple(row) for row in paid} == {(AUGUST, OLD), (SEPTEMBER, NEW), (OCTOBER, NEW)}
