"""The ledger is a chain: whatever a superuser does to it behind the triggers is found, and where it can be, impossible."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansinh.audit_verify import START, Anchor, next_hash, text_of, verify
from shared.topics import Provider
from shared.words import LineStatus
from tests.integration.payout.payout_bench import Bench, a_line, a_merit_line, an_account

COLUMNS = {
    "posting_id": f"'{uuid4()}'",
    "instruction_id": f"'{uuid4()}'",
    "period": "'2024-03'",
    "payer": "'huyen-445'",
    "debit": "debit || 'x'",
    "credit": "credit || 'x'",
    "vnd": "vnd + 1",
    "at": "at + interval '1 microsecond'",
}


@pytest.fixture
async def paid(bench: Bench) -> Bench:
    """Postings of a release and of answers: some behind one another in one statement, some later."""
    await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.enrol(home_delivery=True)
    await bench.enrol(account=an_account(bank_bin="970436"))
    await bench.close()
    await bench.pay()
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    await bench.answer(*await bench.answers_to(Provider.BANK_B, LineStatus.REJECTED, reason="AC04"))
    return bench


@pytest.fixture
async def ledger(paid: Bench, stack, migrated) -> AsyncIterator[tuple[str, "asyncpg.Connection[asyncpg.Record]"]]:
    """Its address, and a superuser for whom no trigger fires."""
    async with paid.database.session() as session:
        name = await session.fetchval("SELECT current_database()")
    dsn = stack.postgres_dsn(name)
    session = await asyncpg.connect(dsn)
    await session.execute("SET session_replication_role = replica")
    yield dsn, session
    await session.close()


async def test_every_posting_is_a_link_and_the_chain_is_right(ledger, paid: Bench) -> None:
    dsn, session = ledger
    made = await verify(dsn)
    assert made.findings == []
    assert made.links == await session.fetchval("SELECT count(*) FROM posting") > 5
    assert [seq for seq, _hash in made.chains.values()] == [made.links]


@pytest.mark.parametrize("column", COLUMNS)
async def test_an_edit_of_any_column_is_found(ledger, column: str) -> None:
    dsn, session = ledger
    await session.execute(
        f"UPDATE posting SET {column} = {COLUMNS[column]} WHERE posting_id = (SELECT posting_id FROM ledger_link WHERE seq = 3)"
    )
    assert any(" link 3: " in finding for finding in (await verify(dsn)).findings)


@pytest.mark.parametrize("column", ["sha256", "posting_id", "seq", "payer"])
async def test_an_edit_of_a_link_is_found(ledger, column: str) -> None:
    dsn, session = ledger
    value = {"sha256": "sha256('x')", "posting_id": f"'{uuid4()}'", "seq": "900", "payer": "'huyen-445'"}[column]
    await session.execute(f"UPDATE ledger_link SET {column} = {value} WHERE seq = 2")
    assert (await verify(dsn)).findings


@pytest.mark.parametrize("place", ["1", "3", "(SELECT max(seq) FROM ledger_link)"])
async def test_a_posting_taken_out_is_found_with_or_without_its_link(ledger, place: str) -> None:
    dsn, session = ledger
    await session.execute(f"DELETE FROM posting WHERE posting_id = (SELECT posting_id FROM ledger_link WHERE seq = {place})")
    assert any("is gone" in finding for finding in (await verify(dsn)).findings)
    await session.execute(f"DELETE FROM ledger_link WHERE seq = {place}")
    assert (await verify(dsn)).findings


async def test_a_posting_put_in_is_found_with_or_without_a_link(ledger) -> None:
    dsn, session = ledger
    await session.execute(
        """INSERT INTO posting (posting_id, instruction_id, period, payer, debit, credit, vnd, at)
           SELECT gen_random_uuid(), instruction_id, period, payer, debit, credit, vnd, at FROM posting LIMIT 1"""
    )
    assert any("is in no chain" in finding for finding in (await verify(dsn)).findings)
    await session.execute(
        """INSERT INTO ledger_link SELECT h.payer, h.seq + 1, p.posting_id, h.sha256 FROM ledger_head h, posting p
            WHERE p.posting_id NOT IN (SELECT posting_id FROM ledger_link)"""
    )
    assert (await verify(dsn)).findings


async def test_two_postings_swapped_are_found(ledger) -> None:
    dsn, session = ledger
    await session.execute(
        """UPDATE ledger_link l SET posting_id = (SELECT o.posting_id FROM ledger_link o WHERE o.seq = 5 - l.seq)
            WHERE l.seq IN (2, 3)"""
    )
    assert sum(" link 2: " in f or " link 3: " in f for f in (await verify(dsn)).findings) == 2


async def test_a_chain_made_anew_behind_an_edit_is_found_by_what_was_published(ledger) -> None:
    """The strongest hand: every later hash right again, the end too. Only what was said outside tells."""
    dsn, session = ledger
    before = await verify(dsn)
    [(payer, (seq, sha256))] = before.chains.items()
    await session.execute(
        "UPDATE posting SET vnd = vnd + 1 WHERE posting_id = (SELECT posting_id FROM ledger_link WHERE seq = 1)"
    )
    rows = await session.fetch(
        """SELECT l.seq, p.*, (extract(epoch FROM p.at) * 1000000)::bigint AS micros
             FROM ledger_link l JOIN posting p USING (posting_id) ORDER BY l.seq"""
    )
    last = START
    for row in rows:
        last = next_hash(last, text_of(row))
        await session.execute("UPDATE ledger_link SET sha256 = $1 WHERE seq = $2", last, row["seq"])
    await session.execute("UPDATE ledger_head SET sha256 = $1", last)
    assert (await verify(dsn)).findings == []
    [finding] = (await verify(dsn, [Anchor(payer, seq, sha256)])).findings
    assert "was published with another hash" in finding
    [gone] = (await verify(dsn, [Anchor(payer, seq + 1, sha256)])).findings
    assert "is not there" in gone


@pytest.mark.parametrize(
    ("statement", "by"),
    [
        (
            "INSERT INTO ledger_link SELECT payer, seq + 99, posting_id, sha256 FROM ledger_link LIMIT 1",
            "only a posting makes a link",
        ),
        ("UPDATE ledger_link SET seq = seq + 99", "append"),
        ("DELETE FROM ledger_link", "append"),
        ("TRUNCATE ledger_link", "append"),
        ("TRUNCATE posting CASCADE", "append"),
        ("UPDATE ledger_head SET seq = seq + 1", "only moves on"),
        ("DELETE FROM ledger_head", "append"),
    ],
)
async def test_database_refuses_to_touch_the_chain(paid: Bench, statement: str, by: str) -> None:
    async with paid.database.session() as session:
        with pytest.raises(asyncpg.PostgresError, match=by):
            await session.execute(statement)


async def test_role_that_owns_the_ledger_has_no_right_to_change_it(paid: Bench) -> None:
    """Triggers off and not a superuser: the grants alone refuse."""
    async with paid.database.undone() as tx:
        await tx.execute("CREATE ROLE a_clerk")
        for table in ("posting", "ledger_link"):
            await tx.execute(f"ALTER TABLE {table} OWNER TO a_clerk")
        await tx.execute("GRANT USAGE, CREATE ON SCHEMA public TO a_clerk")
        await tx.execute("SET LOCAL ROLE a_clerk")
        for statement in ("UPDATE posting SET vnd = 1", "DELETE FROM ledger_link", "TRUNCATE posting"):
            savepoint = tx.transaction()
            await savepoint.start()
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tx.execute(statement)
            await savepoint.rollback()


async def test_two_payers_do_not_wait_for_one_another(paid: Bench) -> None:
    """One payer's postings are not committed; another payer's go on, the same payer's wait."""
    add = """INSERT INTO posting (posting_id, instruction_id, period, payer, debit, credit, vnd, at)
             SELECT gen_random_uuid(), instruction_id, period, $1, 'paid', 'returned', 1, $2 FROM posting LIMIT 1"""
    at = paid.clock.now()
    async with paid.database.undone() as first, paid.database.undone() as second:
        await first.execute(add, "huyen-001", at)
        await second.execute("SET LOCAL lock_timeout = '200ms'")
        await second.execute(add, "huyen-002", at + timedelta(seconds=1))
        with pytest.raises(asyncpg.LockNotAvailableError):
            await second.execute(add, "huyen-001", at)


@given(rows=st.lists(st.lists(st.text("ab1-:", max_size=3), min_size=8, max_size=8), min_size=2, max_size=6, unique_by=tuple))
def test_different_rows_or_another_order_never_end_in_one_hash(rows: list[list[str]]) -> None:
    names = ("posting_id", "instruction_id", "period", "payer", "debit", "credit", "vnd", "micros")

    def end(of: list[list[str]]) -> bytes:
        last = START
        for row in of:
            last = next_hash(last, text_of(dict(zip(names, row, strict=True))))
        return last

    assert len({end(rows), end(rows[::-1]), end(rows[1:]), end(rows[:-1]), end([*rows[:-2], rows[-1], rows[-2]])}) >= 4
