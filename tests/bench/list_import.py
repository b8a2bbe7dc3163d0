"""A payroll list of any length as CSV or as a workbook, handed in at registry's door: seconds until the answer with the fate of every row.

Registry runs as a process of its own on real servers with fsync on; the other services are stopped, so that only the import is measured.
"""

from __future__ import annotations

import asyncio
import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import xlsxwriter

from sandbox.areas import COMMUNE_BY_CODE
from sandbox.ministry import PAYROLL_HEADER
from sandbox.workbooks import SYNTHETIC
from shared.topics import Service
from tests.bench import sampling
from tests.bench.people import PEOPLE_PER_PAYER, Recipient, recipients
from tests.bench.stage import queries, stage
from tests.bench.world import PERIOD, ROOT, SEED

Say = Callable[[str], None]


async def run(rows: int, say: Say, *, workbook: bool = False) -> dict[str, Any]:
    """Import once. Valid when every row was taken and stands in registry's tables with its amount."""
    path = ROOT / ".ansinh" / f"bench-list-{rows}.{'xlsx' if workbook else 'csv'}"
    count, vnd = await asyncio.to_thread(write_workbook if workbook else write_list, path, rows)
    say(f"a list of {count} rows, {path.stat().st_size // 2**20} MB")
    async with stage("bench-import") as place:
        for child in place.installation.supervisor.children:
            if child.name in {str(service) for service in Service if service is not Service.REGISTRY}:
                await asyncio.to_thread(child.end)
        began = time.monotonic()
        query = {"period": PERIOD, "payer": "huyen-444", "source": "bench/list"}
        answer = await place.client.send("registry", "/v1/lists/payroll", path, actor="officer", **query)
        seconds = time.monotonic() - began
        totals = await queries.registry_totals(place.sessions["registry"])
        valid = (answer["accepted"], totals["rows"], totals["vnd"]) == (count, count, vnd)
        peak = sampling.peak_mb(place.sampler.samples)
    path.unlink()
    told = {
        "rows": count,
        "seconds": round(seconds, 1),
        "rows_per_second": round(count / seconds),
        "peak_mb": peak.get("registry"),
    }
    say(", ".join(f"{name} {value}" for name, value in told.items()))
    return {**told, "refused": answer["refused"], "valid": valid}


def write_list(path: Path, rows: int) -> tuple[int, int]:
    """A list of `rows` people with one benefit each, in the ministry's columns; returns rows and VND."""
    vnd = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([SYNTHETIC])
        writer.writerow(PAYROLL_HEADER)
        for number, person in enumerate(_people(rows), start=1):
            writer.writerow((number, *_cells(person)))
            vnd += person.lines[0]["monthly_vnd"]
    return rows, vnd


def write_workbook(path: Path, rows: int) -> tuple[int, int]:
    """The same list as a workbook, written row by row; a sheet holds 1,048,576 rows."""
    vnd = 0
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_string(0, 0, SYNTHETIC)
        sheet.write_row(1, 0, PAYROLL_HEADER)
        for number, person in enumerate(_people(rows), start=1):
            sheet.write_row(number + 1, 0, (number, *_cells(person)))
            vnd += person.lines[0]["monthly_vnd"]
    return rows, vnd


def _people(count: int) -> Iterator[Recipient]:
    for start in range(0, count, PEOPLE_PER_PAYER):
        yield from recipients(SEED, start // PEOPLE_PER_PAYER, min(PEOPLE_PER_PAYER, count - start))


def _cells(person: Recipient) -> tuple[object, ...]:
    identity, line = person.identity, person.lines[0]
    birth = "/".join(reversed(identity["birth_date"].split("-")))
    hundredths = line.get("coefficient_hundredths")
    way = "Tại nhà" if person.details.get("home_delivery") else "Điểm bưu điện"
    return (
        identity["full_name"], birth, "Nữ" if identity["sex"] == "female" else "Nam", identity.get("personal_number", ""),
        identity.get("old_number", ""), person.details["delivery"]["hamlet"], COMMUNE_BY_CODE[person.area].name,
        person.details.get("phone", ""), line["benefit_code"], f"{hundredths / 100:.2f}" if hundredths else "", line["monthly_vnd"],
        "", "", "", "", "", "", line["monthly_vnd"], way, "", "", "", "", "", "", "", "",
        "scaled (quy đổi từ mức 7/2024, số giả lập)" if line.get("scaled") else "",
    )  # fmt: skip
