"""A bank that never answers over its topic and only writes files: they are taken, proven lines are paid, a stray booking is a break that
two people end, and ledger, instruction and statement agree."""

import asyncio
import json
import sys
from pathlib import Path

from office import Office, Person

from ansinh import statements
from ansinh.processes import ROOT
from shared.topics import Provider

PERIOD, PAYER = "2024-02", "so-18553"
OURS = ("--account", "9990000000001", "--bank-bin", "970405")


async def test_bank_that_answers_by_file_only(office: Office, tmp_path: Path) -> None:
    first = Person(area="18553", account="1234567890131", bank_bin="970405")  # bank-a of the stories pays and never says so
    second = Person(area="18553", account="1234567890132", bank_bin="970405")
    await office.people_are_registered(first, second)
    await office.enrol(PERIOD, PAYER, first, second)
    await office.close_and_build(PERIOD, PAYER)
    await office.sign(PERIOD, PAYER)
    await office.answered()
    assert [payment["state"] for payment in await office.payments(first)] == ["sending"]

    await written(office, tmp_path)
    statement = tmp_path / "camt.053.001.08.xml"
    taken = await statements.take_file(office.client, Provider.BANK_A, statement)
    assert taken["state"] == "booked"
    for person in (first, second):
        assert [payment["state"] for payment in await office.payments(person)] == ["paid"]
    assert await statements.take_file(office.client, Provider.BANK_A, statement) == taken, "the same file again changes nothing"
    told_again = await statements.take_file(office.client, Provider.BANK_A, tmp_path / "statement.mt940")
    assert {row["fate"] for row in told_again["fates"]} <= {"repeat", "applied"}
    assert (await statements.reconcile(office.client, PERIOD, PAYER, provider=Provider.BANK_A))["agrees"]

    fee = tmp_path / "fee.mt940"
    fee.write_text(
        ":20:FEE1\n:25:970405/9990000000001\n:28C:901/1\n:60F:C240202VND50000,\n"
        ":61:240202D11000,NCHGNONREF//FEE1\n:86:PHI DICH VU\n:62F:C240202VND39000,\n"
    )
    await statements.take_file(office.client, Provider.BANK_A, fee)
    found = await office.client.get("payout", "/v1/breaks", provider="bank-a")
    (one,) = [row for row in found["breaks"] if row["vnd"] == 11_000]
    assert one["type"] == "extra"
    await office.client.post("payout", f"/v1/breaks/{one['break_id']}/take", actor="operator")
    proposed = await statements.resolve_break(office.client, one["break_id"], "accepted")
    await office.client.post("payout", f"/v1/breaks/{one['break_id']}/approve", actor="approver", sha256=proposed["sha256"])
    assert not [row for row in (await office.client.get("payout", "/v1/breaks"))["breaks"] if row["vnd"] == 11_000]
    await office.at_rest()


async def written(office: Office, folder: Path) -> None:
    """Bank-a writes its files, of everything that really happened there."""
    truth = Path(office.addresses.folder) / "truth" / "bank-a.jsonl"
    command = ["-m", "sandbox.provider", "--provider", "bank-a", "--truth", str(truth), "--write-files", str(folder), *OURS]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(out)["count"] >= 5
