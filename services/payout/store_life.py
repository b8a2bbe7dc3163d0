"""SQL of the life of a payroll around its build: budgets, signatures above a tier, freezes, closing. The text is in `queries_life.sql`."""

from __future__ import annotations

from services.payout.emitting import Entries
from shared.database import Tx, load_queries
from shared.outbox import OutEvent

queries = load_queries(__file__, "queries_life.sql")


async def head(tx: Tx, entries: Entries) -> list[OutEvent]:
    """The end of the payer's ledger chain as a message; nothing before its first posting."""
    row = await queries.chain_end(tx, payer=entries.payer)
    return [entries.head(row["seq"], row["sha256"], row["posting_id"])] if row else []
