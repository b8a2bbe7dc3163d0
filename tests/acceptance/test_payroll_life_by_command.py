"""A payroll's whole life by the command line, as an operator types it late on the 24th: each step and refusal says what comes next."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import openpyxl
from office import Office, Person

from ansinh.processes import ROOT

PERIOD, PAYER = "2024-02", "xa-18556"
WHOSE = (PERIOD, PAYER)


class Terminal:
    """Types commands into one installation."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def type(self, *words: str, code: int | None = 0, says: str = "", then: str = "") -> Any:
        """One command: its exit code (None: any), words it says, what it tells to do next. Returns its JSON, or its text."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ansinh", "payroll", *words, "--name", self.name, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = (stream.decode() for stream in await process.communicate())
        assert code in (None, process.returncode), (words, out, err)
        assert says in out + err, (words, out, err)
        assert not then or [line for line in err.splitlines() if line.startswith("Next:") and then in line], (words, err)
        try:
            return json.loads(out)
        except ValueError:
            return out

    async def sheet(self, code: int | None) -> Any:
        """Our row of the go / no-go sheet. `code` None: other payers decide it."""
        command = ("go-no-go", "--period", PERIOD, "--json")
        shown = await self.type(*command, code=code)
        return next(row for row in shown["payers"] if row["payer"] == PAYER)


async def test_a_payroll_from_the_opened_month_to_the_settlement(office: Office, tmp_path: Path) -> None:
    paid = Person(area="18556")
    rejected = Person(area="18556", account="0012345678956", bank_bin="970436")  # bank-b of the stories rejects everything
    await office.people_are_registered(paid, rejected)
    await office.enrol(PERIOD, PAYER, paid, rejected)
    at = Terminal(office.installation.name)

    await at.type("budget", *WHOSE, "--programme", "merit=1", code=1, says="PERIOD_NOT_OPEN", then=f"payroll open {PERIOD}")
    await at.type("open", PERIOD, then="payroll budget")
    await at.type("confirm", *WHOSE, code=1, says="BUDGET_UNKNOWN", then="payroll close")
    await at.type("budget", *WHOSE, "--programme", "social_assistance=1000000", then="payroll confirm")
    await at.type("build", *WHOSE, code=1, says="NOT_CLOSED", then="payroll confirm")
    await at.type("confirm", *WHOSE, then="payroll close")
    await at.type("close", *WHOSE, then="payroll preview")
    shown = await at.type("preview", *WHOSE, "--csv", str(tmp_path / "differences.csv"), then="payroll build")
    assert (shown["people_who_differ"], shown["preview"]) == (2, True)
    assert len((tmp_path / "differences.csv").read_text().splitlines()) == 3
    built = await at.type("build", *WHOSE, then="payroll check")
    assert sorted((batch["provider"], batch["vnd"]) for batch in built["batches"]) == [("bank-b", 540_000), ("post", 540_000)]
    await at.type("release", *WHOSE, code=1, says="NO_BATCH", then="payroll check")
    await at.type("check", *WHOSE, then="payroll approve")
    await at.type("tier", PAYER, PERIOD, "--above-vnd", "1000000")
    await at.type("approve", *WHOSE, then="payroll endorse")
    await at.type("release", *WHOSE, code=1, says="ENDORSEMENT_MISSING", then="payroll endorse")
    await at.type("endorse", *WHOSE, then="payroll release")
    higher = "--programme social_assistance=1080000"
    await at.type("release", *WHOSE, code=1, says="BUDGET_EXCEEDED", then=higher)
    assert (await at.sheet(code=1))["budget"] is False
    await at.type("budget", *WHOSE, *higher.split(), then="payroll confirm")
    await at.type("confirm", *WHOSE, then="payroll release")
    await at.type("release", *WHOSE, then="payroll settle")
    await office.answered()
    assert (await at.sheet(code=None))["go"] is True

    assert await at.type("settle", *WHOSE, then="payroll build") == {"unknown": 0}
    assert await at.type("finish", *WHOSE, then="payroll settlement") == {"carried": 1, "vnd": 540_000}
    await at.type("build", *WHOSE, code=1, says="PAYROLL_CLOSED", then="payroll settlement")
    workbook = tmp_path / "settlement.xlsx"
    await at.type("settlement", *WHOSE, "--xlsx", str(workbook), says="1 people to carry into next month, 540.000 VND")
    assert openpyxl.load_workbook(workbook, read_only=True)["Quyết toán"]["A1"].value.endswith("Khớp")
    report = await at.type("settlement", *WHOSE, "--json")
    assert (report["balanced"], report["total"]["paid_counter"]["vnd"], report["total"]["carried"]["vnd"]) == (
        True,
        540_000,
        540_000,
    )

    await at.type("build", "2024-2", PAYER, code=2, says="2024-02")
    await Terminal("nobody").type("show", *WHOSE, code=3, says="make up")
