"""Registry erased somebody who was paid: what was paid stays under the random id, who it was does not, and nobody pays the id again."""

import asyncio
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.local.stack import LocalStack
from services.payout.erasing import Emptier
from services.payout.months import plus_months
from shared import crashing
from shared.events import Arrears, BeneficiarySnapshot, Version
from shared.personal import Circumstances
from shared.topics import Provider
from shared.words import LineStatus, Outcome, Wish
from tests.faults.scenarios import ERASES
from tests.integration.payout.months_world import Entry, a_person, closed
from tests.integration.payout.payout_bench import PAYER, PERIOD, Bench, a_line, an_account

ROOT = Path(__file__).parents[3]


def erased(bench: Bench, who: UUID) -> BeneficiarySnapshot:
    nobody = bench.snapshot(who, delivery=None, full_name="-", wish=Wish.NONE)
    return nobody.model_copy(update={"erased_at": bench.clock.now()})


async def rows(bench: Bench, sql: str, *values: Any) -> list[asyncpg.Record]:
    async with bench.database.session() as session:
        return list(await session.fetch(sql, *values))


async def a_paid_month(bench: Bench) -> tuple[UUID, UUID]:
    """Two people, paid on accounts of two banks; files written."""
    one = await bench.enrol(account=an_account())
    other = await bench.enrol(account=an_account(bank_bin="970436"))
    await bench.close()
    await bench.pay()
    for provider in (Provider.BANK_A, Provider.BANK_B):
        if answers := await bench.answers_to(provider, LineStatus.PAID):
            await bench.answer(*answers)
    await bench.print_lists()
    async with bench.database.transaction("test") as tx:
        await tx.execute("UPDATE batch SET state = 'settled' WHERE state = 'sent'")
    return one, other


async def test_the_money_stays_and_nothing_else(bench: Bench, tmp_path: Path) -> None:
    one, _other = await a_paid_month(bench)
    money = ("posting", "instruction_line", "held", "batch", "ledger_link")
    before = {table: [tuple(row) for row in await rows(bench, f"SELECT * FROM {table} ORDER BY 1, 2")] for table in money}
    (was,) = await rows(bench, "SELECT payee, delivery, identity_digest FROM person WHERE beneficiary_id = $1", one)
    files = [tmp_path / "files" / row["path"] for row in await rows(bench, "SELECT path FROM file")]
    assert files
    assert all(file.exists() for file in files)
    await bench.see(erased(bench, one))
    emptier = Emptier(bench.database, bench.clock, folder=tmp_path / "files")
    assert await emptier.empty() == len(files)
    assert await emptier.empty() == 0
    assert not any(file.exists() for file in files)
    assert await rows(bench, "SELECT FROM file_part") == []
    assert {table: [tuple(row) for row in await rows(bench, f"SELECT * FROM {table} ORDER BY 1, 2")] for table in money} == before
    held = str([dict(row) for table in ("person", "verdict") for row in await rows(bench, f"SELECT * FROM {table}")])
    assert [value for value in was if value in held] == []
    (row,) = await rows(bench, "SELECT leaves_files FROM person WHERE beneficiary_id = $1", one)
    assert not row["leaves_files"]
    trace = await bench.trace(one)
    assert [payment["state"] for payment in trace["payments"]] == ["paid"]


async def test_circumstances_leave_every_line_also_those_the_database_marks_by_what_they_declare(bench: Bench) -> None:
    """Columns made from a line's content are not made yet when the guard of frozen lines looks."""
    who = await a_person(bench)
    told = Circumstances(requested=True)
    lines = (
        a_line(arrears=Arrears(periods=("2024-01",), vnd=1)),
        a_line(benefit_code="TET-2024-BT", coefficient_hundredths=None, monthly_vnd=0, one_off_vnd=500_000),
        a_line(benefit_code="MT-BT", coefficient_hundredths=None, monthly_vnd=0, one_off_vnd=7_200_000),
    )
    for number, line in enumerate(lines):
        await closed(bench, plus_months(PERIOD, number), PAYER, Entry(who, line, (), told))
    await bench.see(erased(bench, who.beneficiary_id))
    told_of = [row["told"] for row in await rows(bench, "SELECT circumstances IS NOT NULL AS told FROM line")]
    assert told_of == [False] * len(lines)


async def test_files_of_a_list_that_has_not_settled_wait(bench: Bench, tmp_path: Path) -> None:
    one = await bench.enrol(account=an_account())
    await bench.close()
    await bench.pay()
    await bench.print_lists()
    await bench.see(erased(bench, one))
    emptier = Emptier(bench.database, bench.clock, folder=tmp_path / "files")
    await emptier.empty()
    assert await rows(bench, "SELECT FROM file_part") != []
    async with bench.database.transaction("test") as tx:
        await tx.execute("UPDATE batch SET state = 'settled'")
    await emptier.empty()
    assert await rows(bench, "SELECT FROM file_part") == []


async def test_an_erased_person_is_not_paid_even_where_a_line_was_frozen(bench: Bench) -> None:
    one = await bench.enrol(a_line())
    await bench.close()
    await bench.see(erased(bench, one))
    bench.clock.move(timedelta(days=3))
    await bench.step("build")
    assert [row["reason"] for row in await rows(bench, "SELECT reason FROM held WHERE until IS NULL")] == ["VERIFICATION_PENDING"]
    assert await rows(bench, "SELECT FROM instruction") == []


async def test_a_payment_on_a_draft_falls_out_at_release(bench: Bench) -> None:
    one = await bench.enrol(a_line())
    await bench.enrol(a_line())
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    await bench.see(erased(bench, one))
    await bench.step("release")
    states = await rows(bench, "SELECT beneficiary_id, state FROM instruction")
    assert [row["state"] for row in states if row["beneficiary_id"] == one] == ["withdrawn"]


async def test_no_snapshot_old_or_new_brings_anybody_back(bench: Bench) -> None:
    first = bench.snapshot(account=an_account())
    who = first.beneficiary_id
    await bench.see(first)
    gone = erased(bench, who)
    later = bench.snapshot(who, account=an_account())
    await bench.see(gone)
    await bench.see(first)
    await bench.see(gone, later)
    await bench.see(later.model_copy(update={"version": Version(epoch=2, n=1)}))
    await bench.see(gone)
    await bench.verify(bench.result(first, Outcome.MATCH))
    (row,) = await rows(bench, "SELECT n, payee, account_digest, bank_bin FROM person")
    assert tuple(row) == (gone.version.n, None, None, None)
    assert await rows(bench, "SELECT FROM verdict") == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE person SET erased_at = NULL, payee = 'v1', identity_digest = 'd', n = n + 1 WHERE beneficiary_id = $1",
        "UPDATE person SET payee = 'v1', n = n + 1 WHERE beneficiary_id = $1",
        "UPDATE line SET declared_vnd = 1 WHERE beneficiary_id = $1",
        "DELETE FROM line WHERE beneficiary_id = $1",
        "DELETE FROM file_part WHERE $1::uuid IS NOT NULL",  # the file is not emptied
        "UPDATE file_part SET sealed = '' WHERE $1::uuid IS NOT NULL",
        "UPDATE instruction SET account_digest = NULL WHERE beneficiary_id = $1",
    ],
)
async def test_database_lets_an_erasure_through_and_nothing_else(statement: str, bench: Bench) -> None:
    one, _other = await a_paid_month(bench)
    await bench.see(erased(bench, one))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(statement, one)


# --- dying -------------------------------------------------------------------------------------------------------------------------

POINTS = [point for point in crashing.inventory() if point.startswith(ERASES) and not point.startswith("registry.")]


@pytest.mark.parametrize("point", POINTS)
async def test_the_next_process_empties_what_this_one_began(point: str, bench: Bench, stack: LocalStack, tmp_path: Path) -> None:
    one, _other = await a_paid_month(bench)
    await bench.see(erased(bench, one))
    async with bench.database.session() as session:
        dsn = stack.postgres_dsn(await session.fetchval("SELECT current_database()"))
    given = [dsn, str(tmp_path / "files"), bench.clock.now().isoformat(), point]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.payout.empty_once", *given, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL, "it died where it was told to"
    await Emptier(bench.database, bench.clock, folder=tmp_path / "files").empty()
    paths = await rows(bench, "SELECT path, removed_at FROM file")
    assert all(row["removed_at"] and not (tmp_path / "files" / row["path"]).exists() for row in paths)
    assert await rows(bench, "SELECT FROM file_part") == []


def test_points_are_those_of_the_code() -> None:
    assert len(POINTS) == 6
