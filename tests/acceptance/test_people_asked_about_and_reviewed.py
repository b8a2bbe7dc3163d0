"""A province without a replica, by the command line: the register and the banks are asked about each person, and what stays unclear is
decided by a reviewer who has seen both sides."""

import asyncio
import csv
import io
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from office import COLUMNS, STACKS, InMemory, Office, Person

from ansinh import pipeline
from ansinh.client import Client
from ansinh.installation import Installation
from ansinh.processes import ROOT
from shared.clock import LOCAL

PERIOD, PAYER = "2024-02", "xa-18556"


@pytest.fixture
async def asking_office() -> AsyncIterator[Office]:
    """An installation of its own that asks."""
    start = datetime(2024, 1, 28, 9, 0, tzinfo=LOCAL)
    name = f"{STACKS}asks-{os.getpid()}"
    installation = Installation(name, business_time=start, fresh=True, asking=True, routes=InMemory())
    addresses = await installation.start(lambda _what: None)
    client = Client(addresses)
    yield Office(installation, addresses, client)
    await client.close()
    installation.end()
    installation.stack.remove()


async def typed(name: str, *words: str, code: int = 0) -> str:
    """What a command of `ansinh` prints. Exit code as expected."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ansinh", *words, "--name", name, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = (stream.decode() for stream in await process.communicate())
    assert process.returncode == code, (words, out, err)
    return out + err


async def told(office: Office, partner: str, path: str, body: bytes) -> None:
    """The sandbox's register or banks learn who there is."""
    async with httpx.AsyncClient() as client:
        headers = {"Content-Type": "application/json"}
        (await client.put(office.addresses.url(partner) + path, content=body, headers=headers)).raise_for_status()


def renamed(row: str, given: str) -> str:
    """A register row under another given name."""
    cells = next(csv.reader(io.StringIO(row)))
    return ",".join([*cells[:4], given, *cells[5:]])


async def outcomes(office: Office) -> dict[str, Any]:
    """People by outcome."""
    return dict(await office.client.get("verification", "/v1/progress"))


async def test_who_is_asked_about_is_judged_and_what_is_unclear_is_decided(asking_office: Office) -> None:
    office, name = asking_office, asking_office.installation.name
    banked = Person(area="18556", account="0012345670001", bank_bin="970436")
    refused = Person(area="18556", account="0012345670002", bank_bin="970436")
    misspelt = Person(area="18556")
    rows = [banked.register_row(), refused.register_row(), renamed(misspelt.register_row(), "Thữ")]
    await told(office, "register", "/sandbox/extract", "\n".join([COLUMNS, *rows]).encode())
    holder = banked.personal()["account"]["holder"]
    accounts = [
        {"bank": "970436", "number": "0012345670001", "holder": holder},
        {"bank": "970436", "number": "0012345670002", "result": "CLOSED"},
    ]
    await told(office, "holders", "/sandbox/accounts", json.dumps(accounts).encode())
    await office.enrol(PERIOD, PAYER, banked, refused, misspelt)

    async def all_judged() -> bool:
        return await outcomes(office) == {"match": 2, "mismatch": 1}

    await pipeline.until(all_judged)
    status = await typed(name, "verification", "status")
    assert "Register: asked" in status

    async def banks_answered() -> bool:
        return "holder: 2 answered, 0 open" in await typed(name, "verification", "status")

    await pipeline.until(banks_answered)
    await office.at_rest()
    found = [(await office.rows("payout", "SELECT account FROM verdict WHERE beneficiary_id = $1", await office.beneficiary(p)))
             for p in (banked, refused)]  # fmt: skip
    assert [row["account"] for (row,) in found] == ["usable", "cannot_verify"]

    listed = await typed(name, "review", "list", "--payer", PAYER)
    who = await office.beneficiary(misspelt)
    assert listed.splitlines()[0].startswith(who)
    assert misspelt.given not in listed
    shown = await typed(name, "review", "show", who)
    assert misspelt.given in shown
    assert "Thữ" in shown
    of = re.findall(r"--of (\S+)", shown)[0]
    decision = ("--verdict", "same", "--reason", "SPELLING", "--evidence", "BIRTH_CERTIFICATE")
    assert "NOT_SEEN" in await typed(name, "review", "decide", await office.beneficiary(banked), "--of", of, *decision, code=1)
    await typed(name, "review", "decide", who, "--of", of, *decision)
    assert "0 of 0 cases" in await typed(name, "review", "list")
    assert re.search(r"Decided \S+ by reviewer: same SPELLING BIRTH_CERTIFICATE", await typed(name, "review", "show", who))
    assert await outcomes(office) == {"match": 3}


async def test_extract_is_handed_in_and_its_age_is_told_by_command(office: Office, tmp_path: Path) -> None:
    name = office.installation.name
    path = tmp_path / "people.csv"
    everybody = [COLUMNS, Person().register_row(), *office._known]
    path.write_text("\n".join([*everybody, Person(birth="4.3.50").register_row()]))
    assert f'"row": {len(everybody) + 1}' in await typed(name, "verification", "extract", str(path), code=1)
    path.write_text("\n".join(everybody))
    await typed(name, "verification", "extract", str(path), "--whole")
    assert "CURRENT" in await typed(name, "verification", "status")
