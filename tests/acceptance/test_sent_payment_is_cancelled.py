"""A death is told when the money is on its way: the post is asked back in time, the bank too late; what was paid wrongly becomes a case."""

from datetime import date

from office import Office, Person

from ansinh import pipeline, recall
from shared.topics import Provider

PERIOD, PAYER = "2024-02", "xa-18559"
DIED = date(2024, 1, 20)


async def test_sent_payment_is_cancelled_or_claimed_back(office: Office) -> None:
    stopped, late, alive = (Person(area="18559") for _number in range(3))
    await office.people_are_registered(stopped, late, alive)
    await office.enrol(PERIOD, PAYER, stopped, late, alive)
    await office.close_and_build(PERIOD, PAYER)
    post = office.installation.supervisor.child(Provider.POST)
    post.held = True
    post.end()  # its counters open tomorrow
    try:
        await office.sign(PERIOD, PAYER)
        await office.at_rest()
        await office.end(stopped, "death", DIED)
        who = await office.beneficiary(stopped)
        asked = await recall.cancel(office.client, PERIOD, PAYER, beneficiary_ids=[who], reason="LATE_DEATH")
        assert (asked["asked"], asked["ended"]) == (1, 0)
        await office.at_rest()
        assert await states(office, stopped) == ["sending"], "asking stops nothing"
        await office.close_and_build(PERIOD, PAYER)
        assert len(await office.payments(stopped)) == 1, "an open cancel frees nothing"
    finally:
        post.start()
        post.held = False
    await office.answered()

    assert await states(office, stopped) == ["cancelled"]
    assert await states(office, late) == await states(office, alive) == ["collected"]
    shown = await office.payroll(PERIOD, PAYER)
    assert shown["held"]["WITHDRAWN"] == {"count": 1, "vnd": stopped.monthly_vnd}
    assert len((await office.close_and_build(PERIOD, PAYER))["batches"]) == 1, "what two people kept back is not paid by itself"

    await office.end(late, "death", DIED)
    await pipeline.until(lambda: claimed(office), within_seconds=60)
    (case,) = (await office.client.get("payout", "/v1/recoveries", payer=PAYER))["recoveries"]
    assert (case["beneficiary_id"], case["vnd"]) == (await office.beneficiary(late), late.monthly_vnd)
    await office.client.post("payout", f"/v1/recoveries/{case['case_id']}/take", actor="operator")
    proposed = await recall.resolve(office.client, case["case_id"], ending="recovered", why="PAID_AT_COMMUNE")
    assert (await recall.approve(office.client, case["case_id"], proposed["sha256"]))["ending"] == "recovered"
    assert (await office.client.get("payout", "/v1/recoveries", payer=PAYER))["recoveries"] == []
    assert await states(office, late) == ["collected"], "what was paid stays paid: the claim has books of its own"


async def states(office: Office, person: Person) -> list[str]:
    return [payment["state"] for payment in await office.payments(person)]


async def claimed(office: Office) -> bool:
    return bool((await office.client.get("payout", "/v1/recoveries", payer=PAYER))["recoveries"])
