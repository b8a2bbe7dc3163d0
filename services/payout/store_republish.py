"""What payout tells again for a new reader: the state of every payment that the world has heard of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.payout.emitting import moved
from services.payout.store import queries
from shared import topics
from shared.database import Tx
from shared.outbox import OutEvent
from shared.republishing import Pages

_FIRST = UUID(int=0)


async def payments(tx: Tx, after: str, most: int) -> Sequence[tuple[str, OutEvent]]:
    """Payments in order of their ids."""
    rows = [row async for row in queries.payments_after(tx, after=UUID(after) if after else _FIRST, most=most)]
    return [(str(row["instruction_id"]), event) for row in rows for event in moved([row], row["period"], row["payer"])]


PAGES: Mapping[str, Pages] = {topics.PAYOUT_PAYMENT: payments}
