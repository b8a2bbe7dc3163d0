"""Receipts move texts forward, and every change of a text is told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notify import store
from shared.database import Database, Tx
from shared.outbox import OutEvent, put_events
from shared.words import MessageStatus


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the gateway says became of a text: `delivered` or `failed`, at its own time."""

    message_id: UUID
    status: MessageStatus
    at: datetime


async def book(database: Database, receipts: Sequence[Receipt], now: datetime) -> int:
    """Keep receipts and apply those that say something new; returns how many texts changed. A repeated or later contradicting
    receipt changes nothing; one of an id we never made is dropped."""
    first: dict[UUID, MessageStatus] = {}
    for receipt in receipts:
        first.setdefault(receipt.message_id, receipt.status)
    async with database.transaction("notify.receipts") as tx:
        await store.save_receipts(tx, [(r.message_id, r.status, r.at) for r in receipts], now)
        changed = await store.settle(tx, first, now)
        await tell(tx, changed, now)
    return len(changed)


async def tell(tx: Tx, ids: Sequence[UUID], at: datetime) -> None:
    """Publish the present state of these texts."""
    states = await store.text_states(tx, ids) if ids else []
    await put_events(tx, [OutEvent(state.TOPIC, str(state.message_id), state) for state in states], at)
