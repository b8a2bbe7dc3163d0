"""A lost answer is unknown, never failed: no second payment is made, and only the bank's statement resolves it."""

import asyncio
import sys
from pathlib import Path

from office import Office, Person

from ansinh.processes import ROOT
from shared.topics import Provider

PERIOD, PAYER = "2024-02", "so-18547"


async def test_answer_lost_is_unknown_until_statement(office: Office) -> None:
    person = Person(area="18547", account="1234567890123", bank_bin="970405")  # bank-a of the stories pays and never says so
    await office.people_are_registered(person)
    await office.enrol(PERIOD, PAYER, person)
    await office.close_and_build(PERIOD, PAYER)
    await office.sign(PERIOD, PAYER)
    await office.answered()
    await office.client.post("payout", f"/v1/payrolls/{PERIOD}/{PAYER}/expire-answers", actor="operator")
    shown = await office.payroll(PERIOD, PAYER)
    assert shown["unknown"] == {"count": 1, "vnd": person.monthly_vnd}

    await office.close_and_build(PERIOD, PAYER)
    assert len(await office.payments(person)) == 1, "an unknown payment is never paid again without proof"

    await emit_statement(office, Provider.BANK_A)
    assert [payment["state"] for payment in await office.payments(person)] == ["paid"]


async def emit_statement(office: Office, provider: Provider) -> None:
    truth = Path(office.addresses.folder) / "truth" / f"{provider}.jsonl"
    command = ["-m", "sandbox.provider", "--provider", provider, "--bootstrap", office.addresses.kafka, "--truth", str(truth)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--emit-statement", cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
    await office.at_rest()
