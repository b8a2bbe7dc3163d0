"""An office pays two closed months in one go (Thừa Thiên Huế took April and May 2020 to people's doors together): one payment a person,
each month's money in its own settlement, and conservation proved from what was said on the topics alone."""

import asyncio
from datetime import date
from pathlib import Path

from office import Office, Person
from test_payroll_life_by_command import Terminal

from ansinh import check, life, pipeline
from ansinh.audit_books import Place
from ansinh.audit_export import export
from ansinh.audit_prove import prove

BEFORE, PAID_IN, PAYER = "2023-12", "2024-01", "xa-18517"
WHOSE, ONE = (PAID_IN, PAYER), 540_000


async def test_december_and_january_are_one_payroll(office: Office, tmp_path: Path) -> None:
    both, december, january, dead = (Person(area="18517") for _ in range(4))
    # bank-b of the stories rejects everything; the register hears of the second of them only after the first round
    rejected, late = (Person(area="18517", account=f"001234567891{n}", bank_bin="970436") for n in range(2))
    await office.people_are_registered(both, december, january, dead, rejected)
    await office.enrol(BEFORE, PAYER, both, december, dead, late, rejected)
    await office.enrol(PAID_IN, PAYER, both, january, dead, late, rejected, sequence=2)
    for period in (BEFORE, PAID_IN):
        await pipeline.close_list(office.client, period, PAYER)
    await office.at_rest()
    await office.end(dead, "death", date(2023, 12, 20))  # told after both lists had closed: December is owed, January is not
    await _joined_and_built(office)

    await office.sign(*WHOSE)
    await office.answered()
    assert await _paid(office, both) == [("collected", [BEFORE, PAID_IN], 2 * ONE)]
    assert await _paid(office, december) == [("collected", [BEFORE], ONE)]
    assert await _paid(office, january) == [("collected", [PAID_IN], ONE)]
    assert await _paid(office, dead) == [("collected", [BEFORE], ONE)]
    assert await _paid(office, rejected) == [("rejected", [BEFORE, PAID_IN], 2 * ONE)]
    await office.people_are_registered(late)
    await pipeline.build(office.client, *WHOSE)  # what the bank rejected goes to the post, with the same payroll
    await office.sign(*WHOSE)
    await office.answered()
    assert (await _paid(office, rejected))[-1] == ("collected", [BEFORE, PAID_IN], 2 * ONE)
    assert await _paid(office, late) == [("rejected", [BEFORE, PAID_IN], 2 * ONE)]

    assert await life.finish(office.client, *WHOSE) == {"carried": 2, "vnd": 2 * ONE}
    for period, paid in ((BEFORE, 4), (PAID_IN, 3)):
        report = await office.client.get("payout", f"/v1/settlements/{period}/{PAYER}")
        total = report["total"]
        assert (report["balanced"], total["paid_counter"]["vnd"], total["carried"]["vnd"]) == (True, paid * ONE, ONE)
        assert total["held_by_reason"] == ({} if period == BEFORE else {"DEAD": {"count": 1, "vnd": ONE}})
        assert [one["beneficiary_id"] for one in report["carry_over"]] == [await office.beneficiary(late)]
    await _proved(office, tmp_path / "audit")


async def _joined_and_built(office: Office) -> None:
    at = Terminal(office.installation.name)
    await at.type("join", *WHOSE, BEFORE, then="payroll preview")
    await at.type("build", BEFORE, PAYER, code=1, says="MONTH_JOINED", then=f"payroll status {PAID_IN} {PAYER}")
    built = await at.type("build", *WHOSE, then="payroll check")
    assert sorted((batch["provider"], batch["count"], batch["vnd"]) for batch in built["batches"]) == [
        ("bank-b", 1, 2 * ONE), ("post", 4, 5 * ONE),
    ]  # fmt: skip
    await at.type("join", *WHOSE, BEFORE, says='"joined_now": false')
    sheet = await office.client.get("payout", f"/v1/periods/{PAID_IN}/go-no-go")
    row = next(row for row in sheet["payers"] if row["payer"] == PAYER)
    assert (row["closed"], row["totals"], row["verified"], row["checked"]) == (True, True, True, False)


async def _paid(office: Office, person: Person) -> list[tuple[str, list[str], int]]:
    """State, months and VND of a person's payments, attempt by attempt."""
    payments = sorted(await office.payments(person), key=lambda one: int(one["attempt"]))
    return [(one["state"], one["periods"], one["vnd"]) for one in payments]


async def _proved(office: Office, folder: Path) -> None:
    """Every invariant of the running world, and conservation from the topics: each month by itself."""
    await office.at_rest()
    await export(folder, office.addresses.kafka, follow=False, stop=asyncio.Event())
    proof = await asyncio.to_thread(prove, folder)
    places = [
        (key[0], place, total[1]) for key, found in proof.places.items() if key[1] == PAYER for place, total in found.items()
    ]
    assert {(period, place): vnd for period, place, vnd in places} == {
        (BEFORE, Place.PAID): 4 * ONE, (BEFORE, Place.RETURNED): ONE,
        (PAID_IN, Place.PAID): 3 * ONE, (PAID_IN, Place.RETURNED): ONE, (PAID_IN, Place.HELD): ONE,
    }  # fmt: skip
    lines = await office.rows("payout", "SELECT entitlement_id::text FROM line WHERE payer = $1", PAYER)
    assert [text for text in proof.findings if PAYER in text or any(row["entitlement_id"] in text for row in lines)] == []
    truth = [path for path in sorted((Path(office.addresses.folder) / "truth").glob("*.jsonl")) if path.stem != "sms"]
    verdicts = await check.run_checks(office.addresses.databases.__getitem__, truth)
    # Other stories of this world send poison, which is set aside (I11).
    assert [verdict for verdict in verdicts if not verdict.ok and verdict.id != "I11"] == []
