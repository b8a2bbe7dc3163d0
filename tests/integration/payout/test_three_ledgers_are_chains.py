"""`ansinh audit verify` walks the ledgers of claims and of breaks too: whatever is edited behind the triggers is found."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from ansinh.audit_verify import verify
from sandbox.provider_files import camt053
from services.payout.recovering import RecoveryDesk
from shared.words import Life, Outcome
from tests.integration.payout.payout_bench import Bench
from tests.integration.payout.statement_world import MADE_AT, OURS, booked, breaks, facts, hand_in, moved, resolved, sent

MIGRATION = Path(__file__).parents[3] / "services/payout/migrations/0241_breaks_are_a_chain.sql"
EDITS = {
    "posting_id": f"'{uuid4()}'", "debit": "debit || 'x'", "credit": "credit || 'x'", "vnd": "vnd + 1", "seq": "seq + 9",
    "at": "at + interval '1 microsecond'", "sha256": "sha256('x')",
}  # fmt: skip
EDITED = [("break_posting", name) for name in (*EDITS, "break_id", "provider")]
EDITED += [("recovery_posting", name) for name in (*EDITS, "case_id", "payer")]


@pytest.fixture
async def ledgers(bench: Bench, stack, migrated) -> AsyncIterator[tuple[str, "asyncpg.Connection[asyncpg.Record]"]]:
    """Three breaks of which one has ended, two claims; the address, and a superuser for whom no trigger fires."""
    lines = await sent(bench, 2)
    one, two = booked(*facts(lines))
    strays = [moved(one, end_to_end_id="NOTPROVIDED", bank_ref=f"X{number}", vnd=number) for number in (7, 8, 9)]
    await hand_in(bench, camt053([one, two, *strays], OURS, message_id="S1", made_at=MADE_AT))
    assert (await resolved(bench, (await breaks(bench))[0]["break_id"], "accepted")).status_code == 200
    async with bench.database.session() as session:
        name = await session.fetchval("SELECT current_database()")
        people = [row["beneficiary_id"] for row in await session.fetch("SELECT beneficiary_id FROM person")]
    for who in people:
        gone = bench.snapshot(who, life=Life.DEAD, died_on=date(2024, 1, 20))
        await bench.see(gone)
        await bench.verify(bench.result(gone, Outcome.DEAD, died_on=date(2024, 1, 20)))
    assert await RecoveryDesk(bench.database, bench.clock).look() == 2
    dsn = stack.postgres_dsn(name)
    session = await asyncpg.connect(dsn)
    await session.execute("SET session_replication_role = replica")
    yield dsn, session
    await session.close()


async def test_all_three_are_walked_and_right(ledgers) -> None:
    made = await verify(ledgers[0])
    assert made.findings == []
    assert {name: seq for name, (seq, _hash) in made.chains.items() if " of " in name} == {
        "breaks of bank-a": 4, "recoveries of huyen-444": 2,
    }  # fmt: skip
    assert made.links == sum(seq for seq, _hash in made.chains.values())


@pytest.mark.parametrize(("table", "column"), EDITED)
async def test_an_edit_of_either_is_found(ledgers, table: str, column: str) -> None:
    dsn, session = ledgers
    value = EDITS.get(column, f"'{uuid4()}'")
    await session.execute(f"UPDATE {table} SET {column} = {value} WHERE seq = 1")
    assert (await verify(dsn)).findings


@pytest.mark.parametrize("table", ["break_posting", "recovery_posting"])
async def test_a_posting_taken_out_of_either_is_found(ledgers, table: str) -> None:
    dsn, session = ledgers
    await session.execute(f"DELETE FROM {table} WHERE seq = 1")
    assert any("links between are gone" in finding for finding in (await verify(dsn)).findings)


async def test_the_role_that_writes_may_not_change_a_break_posting(ledgers) -> None:
    _dsn, session = ledgers
    for right in ("UPDATE", "DELETE", "TRUNCATE"):
        granted = "SELECT has_table_privilege(tableowner, 'break_posting', $1) FROM pg_tables WHERE tablename = 'break_posting'"
        owner = "SELECT rolsuper FROM pg_roles JOIN pg_tables ON tableowner = rolname WHERE tablename = 'break_posting'"
        assert await session.fetchval(owner) or not await session.fetchval(granted, right)


async def test_what_was_posted_before_there_was_a_chain_is_chained(ledgers) -> None:
    """The migration taken back and made again over the same postings."""
    dsn, _session = ledgers
    up, _, down = MIGRATION.read_text("utf-8").partition("-- migrate:down")
    owner = await asyncpg.connect(dsn)
    try:
        await owner.execute(down)
        await owner.execute(up)
    finally:
        await owner.close()
    made = await verify(dsn)
    assert made.findings == []
    assert made.chains["breaks of bank-a"][0] == 4
