"""What the database refuses about files, their lines and breaks, whatever the code does."""

from typing import Any

import asyncpg
import pytest

from sandbox.provider_files import camt053
from tests.integration.payout.payout_bench import Bench
from tests.integration.payout.statement_world import MADE_AT, OURS, booked, breaks, facts, hand_in, moved, resolved, sent

REFUSED = (asyncpg.CheckViolationError, asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError, asyncpg.RaiseError)
ENDED = "approved_by = 'b', approved_at = '2024-02-10Z', approved_token = 't'"
PROPOSED = "owner = 'a', owned_at = '2024-02-10Z', remedy = 'accepted', proposed_at = '2024-02-10Z', proposed_token = 't', proposed_by = "
POSTED = "INSERT INTO break_posting SELECT '{id}', break_id, 'accepted:bank-a', {credit}, {vnd}, '2024-02-10Z' FROM break_item"
ONE = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
async def world(bench: Bench) -> Bench:
    """A booked statement with one break about a payment and one about nothing we sent."""
    lines = await sent(bench, 2)
    one, two = booked(*facts(lines))
    stray = moved(one, end_to_end_id="NOTPROVIDED", bank_ref="X", vnd=7)
    await hand_in(bench, camt053([one, moved(two, vnd=1), stray], OURS, message_id="S1", made_at=MADE_AT))
    assert {row["type"] for row in await breaks(bench)} == {"amount", "extra"}
    return bench


async def does(bench: Bench, *statements: str, **names: Any) -> None:
    async with bench.database.session() as session, session.transaction():
        for statement in statements:
            await session.execute(statement.format(**names))


FORBIDDEN = {
    "a file is removed": ["DELETE FROM statement_file"],
    "all files are removed at once": ["TRUNCATE statement_file CASCADE"],
    "a booked file is booked again": ["UPDATE statement_file SET booked_at = '2024-03-01Z'"],
    "a file gets other content": ["UPDATE statement_file SET sha256 = repeat('b', 64)"],
    "a message is taken twice": [
        "INSERT INTO statement_file SELECT gen_random_uuid(), provider, repeat('b', 64), size, received_at, 'op', 'received', NULL, kind,"
        " message_id, to_on, lines FROM statement_file"
    ],
    "evidence is changed": ["UPDATE statement_part SET sealed = 'other'"],
    "a line says something else": ["UPDATE statement_line SET vnd = vnd + 1"],
    "a line gets a second fate": ["UPDATE statement_line SET fate = 'repeat' WHERE fate = 'applied'"],
    "a line is removed": ["DELETE FROM statement_line"],
    "a line breaks without a break": [
        "INSERT INTO statement_line (file_id, line, kind, vnd, fate) SELECT file_id, 99, 'paid', 1, 'break' FROM statement_file"
    ],
    "a break is removed": ["DELETE FROM break_item"],
    "all breaks are removed at once": ["TRUNCATE break_item CASCADE"],
    "a break is about something else": ["UPDATE break_item SET vnd = vnd + 1"],
    "a type nobody knows": ["UPDATE break_item SET type = 'odd'"],
    "a break ends by itself": [f"UPDATE break_item SET {ENDED}"],
    "a break ends without a posting": [f"UPDATE break_item SET {PROPOSED}'a'", f"UPDATE break_item SET {ENDED}"],
    "one person proposes and approves": [
        f"UPDATE break_item SET {PROPOSED}'b'",
        POSTED.format(id=ONE, credit="'breaks:bank-a'", vnd="vnd") + " WHERE type = 'extra'",
        f"UPDATE break_item SET {ENDED}, posting_id = '{ONE}' WHERE type = 'extra'",
    ],
    "a break ends by the posting of another": [
        f"UPDATE break_item SET {PROPOSED}'a'",
        POSTED.format(id=ONE, credit="'breaks:bank-a'", vnd="vnd") + " WHERE type = 'amount'",
        f"UPDATE break_item SET {ENDED}, posting_id = '{ONE}' WHERE type = 'extra'",
    ],
    "a break ends by a posting of less": [
        f"UPDATE break_item SET {PROPOSED}'a'",
        POSTED.format(id=ONE, credit="'breaks:bank-a'", vnd="vnd - 1") + " WHERE type = 'extra'",
        f"UPDATE break_item SET {ENDED}, posting_id = '{ONE}' WHERE type = 'extra'",
    ],
    "a break ends by a posting that takes nothing out": [
        f"UPDATE break_item SET {PROPOSED}'a'",
        POSTED.format(id=ONE, credit="'claimed:bank-a'", vnd="vnd") + " WHERE type = 'extra'",
        f"UPDATE break_item SET {ENDED}, posting_id = '{ONE}' WHERE type = 'extra'",
    ],
    "the proposal changes with the approval": [
        f"UPDATE break_item SET {PROPOSED}'a'",
        POSTED.format(id=ONE, credit="'breaks:bank-a'", vnd="vnd") + " WHERE type = 'extra'",
        f"UPDATE break_item SET {ENDED}, posting_id = '{ONE}', remedy = 'claimed' WHERE type = 'extra'",
    ],
    "what a file is whole for is changed": ["UPDATE statement_span SET to_on = to_on + 1"],
    "what a file is whole for is removed": ["DELETE FROM statement_span"],
    "a list gets another day after it left": ["UPDATE batch SET told_on = told_on - 1"],
    "a posting about a break is changed": ["UPDATE break_posting SET vnd = vnd + 1"],
    "a posting about a break is removed": ["DELETE FROM break_posting"],
}


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_never(world: Bench, what: str) -> None:
    with pytest.raises(REFUSED):
        await does(world, *FORBIDDEN[what])


async def test_break_that_ended_stays_as_it_ended(world: Bench) -> None:
    (one,) = await breaks(world, type="extra")
    assert (await resolved(world, one["break_id"], "accepted")).status_code == 200
    for change in ("remedy = 'claimed'", "owner = 'other'", "approved_by = 'c'"):
        with pytest.raises(REFUSED):
            await does(world, f"UPDATE break_item SET {change} WHERE type = 'extra'")
