"""Months that are paid in one go: what the post is handed, payments above a limit, and the drill."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader

from ansinh.drill import drill
from ansinh.installation import Addresses
from shared.topics import Provider
from shared.words import LineStatus
from tests.integration.payout.joined_world import APRIL, BOTH, MAY, ONE, answers, joined, rows, settlement, sums
from tests.integration.payout.months_world import Entry, a_person, closed, pay, step
from tests.integration.payout.payout_bench import PAYER, Bench, a_line, an_account


async def test_postal_lists_say_which_months_each_payment_is_for(bench: Bench, tmp_path: Path) -> None:
    both, second = await a_person(bench), await a_person(bench)
    await closed(bench, APRIL, PAYER, Entry(both, a_line()))
    await closed(bench, MAY, PAYER, Entry(both, a_line()), Entry(second, a_line()))
    await joined(bench)
    await pay(bench, APRIL, PAYER)
    place = tmp_path / "files" / APRIL / PAYER / "round-1" / "post"
    found = list(openpyxl.load_workbook(place / "18496.xlsx").active.iter_rows(values_only=True))
    assert f"{APRIL}, {MAY}" in str(found[0][0])
    assert (found[2][10], sorted(str(row[10]) for row in found[3:5])) == ("Kỳ chi trả", ["tháng 4, 5/2024", "tháng 5/2024"])
    assert await bench.print_lists() == 1
    printed = " ".join(sheet.extract_text() for sheet in PdfReader(place / "18496.pdf").pages)
    assert "KỲ 04/2024, 05/2024" in printed
    assert "tháng 4, 5/2024" in printed


@pytest.mark.parametrize("bench", [{"limit_vnd": 500_000}], indirect=True)
async def test_a_payment_above_the_limit_is_cut_and_each_part_names_its_months(bench: Bench) -> None:
    who = await a_person(bench)
    await closed(bench, APRIL, PAYER, Entry(who, a_line()))
    await closed(bench, MAY, PAYER, Entry(who, a_line()))
    await joined(bench)
    built = await step(bench, APRIL, PAYER, "build")
    assert [(batch["count"], batch["vnd"]) for batch in built["batches"]] == [(2, 2 * ONE)]
    parts = await rows(bench, "SELECT vnd, periods FROM instruction ORDER BY part")
    assert sum(row["vnd"] for row in parts) == 2 * ONE
    assert (parts[0]["vnd"], parts[0]["periods"], len(parts[1]["periods"])) == (500_000, BOTH, 1)
    for act in ("check", "approve", "release"):
        await step(bench, APRIL, PAYER, act)
    await answers(bench, Provider.POST, LineStatus.PAID)
    for month in BOTH:
        assert sums(await settlement(bench, month))["paid_counter"] == ONE


async def test_a_drill_replays_all_months_of_a_payroll(bench: Bench, keys: Path, stack: Any, tmp_path: Path) -> None:
    who = await a_person(bench, account=an_account())
    for month in BOTH:
        await closed(bench, month, PAYER, Entry(who, a_line()))
    await joined(bench)
    await pay(bench, APRIL, PAYER)
    (tmp_path / "keys").symlink_to(keys)
    dsn = stack.postgres_dsn((await rows(bench, "SELECT current_database() AS name"))[0]["name"])
    done = await drill(Addresses(str(tmp_path), "nowhere:1", {"payout": dsn}, {}), APRIL, PAYER, settings={})
    assert done.lists == done.then == {"bank-a": (1, 2 * ONE)}
