"""Closing a list: load, decide, save, emit, in the caller's transaction."""

from __future__ import annotations

import json
from datetime import datetime

from services.registry import store, store_lists
from services.registry.list_closing import closing_of, freeze
from services.registry.refusals import CloseReason
from shared.database import Tx
from shared.events import ListClosing, ProgrammeTotal
from shared.outbox import OutEvent, put_events


async def close_list(tx: Tx, period: str, payer: str, *, actor: str, now: datetime) -> ListClosing | CloseReason:
    """Freeze the list and publish lines and totals, or say why not. A list that is closed gives the same closing again."""
    await store.one_registrar_at_a_time(tx)
    held = await store_lists.lock_list(tx, period, payer)
    if held is None:
        return CloseReason.LIST_EMPTY
    if held["state"] == "closed":
        programmes = tuple(ProgrammeTotal.model_validate(part, strict=False) for part in json.loads(held["programmes"]))
        return ListClosing(
            period=period, payer=payer, count=held["count"], vnd=held["vnd"], digest=held["digest"], programmes=programmes,
            closed_at=held["closed_at"],
        )  # fmt: skip
    rows = await store_lists.rows_to_freeze(tx, period, payer)
    if not rows:
        return CloseReason.LIST_EMPTY
    if await store_lists.undeclared(tx, period, payer):
        return CloseReason.TOTALS_DIFFER
    lines = freeze(rows, period, payer)
    closing = closing_of(lines, period, payer, closed_at=now)
    await store_lists.save_closing(tx, closing, actor, lines=lines, rows=rows)
    await put_events(tx, [OutEvent(line.TOPIC, str(line.beneficiary_id), line) for line in lines], now)
    await put_events(tx, [OutEvent(closing.TOPIC, f"{period}:{payer}", closing)], now)
    return closing
