"""Closing a list in short transactions: begun once, frozen part by part, then closed and published with its totals.

From the beginning on nothing changes a row of the list (`store.closed_lists`). A crash half way leaves a list that is `closing`: whoever
asks again, or the loop that looks for such lists, goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

import asyncpg
import structlog

from services.registry import store, store_files, store_imports, store_lists
from services.registry.list_closing import freeze
from services.registry.refusals import CloseReason
from services.registry.sealing import Sealer
from services.registry.store_lists import HeldList
from shared.clock import Clock
from shared.database import Database, Tx
from shared.errors import code_of, is_trouble
from shared.events import AuditRecord, ListClosing
from shared.outbox import OutEvent, put_events

# Lines frozen in one transaction: well under a second, because a longer one holds back every relay of the server.
PART_LINES = 2_000
LOOK_SECONDS = 5.0


class ListCloser:
    """Closes lists."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        log: structlog.stdlib.BoundLogger,
        *,
        sealer: Sealer,
        part_lines: int = PART_LINES,
    ) -> None:
        """The sealer opens birth dates, of which a line carries the ages reached. Nothing is opened before the first list."""
        self._database = database
        self._clock = clock
        self._log = log
        self._sealer = sealer
        self._part_lines = part_lines

    async def close(self, period: str, payer: str, *, actor: str) -> ListClosing | CloseReason:
        """Freeze the list and publish lines and totals, or say why not. A list that is closed gives the same closing again."""
        async with self._database.transaction("registry.begin_closing") as tx:
            refused = await _begin(tx, period, payer, actor=actor, now=self._clock.now(), sealer=self._sealer)
        if refused:
            return refused
        done = None
        while done is None:
            done = await self._freeze_part(period, payer)
        return done

    async def finish(self, stop: asyncio.Event) -> None:
        """Go on with lists whose closing was interrupted."""
        while not stop.is_set():
            try:
                await self._finish_all()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not is_trouble(error):
                    raise
                self._log.warning("closing_waits", code=code_of(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def _finish_all(self) -> None:
        async with self._database.reading() as tx:
            begun = await store_lists.lists_closing(tx)
        for period, payer in begun:
            while await self._freeze_part(period, payer) is None:
                pass

    async def _freeze_part(self, period: str, payer: str) -> ListClosing | None:
        """Freeze the next lines; the closing when there are no more."""
        now = self._clock.now()
        async with self._database.transaction("registry.close_list") as tx:
            held = await store_lists.lock_list(tx, period, payer)
            assert held, "closing was begun"
            if held.closed_at:
                return held.totals.closing(period, payer, closed_at=held.closed_at)
            return await _freeze_next(tx, held, self._part_lines, now=now, sealer=self._sealer)


async def _begin(tx: Tx, period: str, payer: str, *, actor: str, now: datetime, sealer: Sealer) -> CloseReason | None:
    await store.one_registrar_at_a_time(tx)
    held = await store_lists.lock_list(tx, period, payer)
    if held is None:
        return CloseReason.LIST_EMPTY
    if held.state != "open":
        return None
    if refused := await _not_ready(tx, held, sealer):
        return refused
    await store_lists.begin_closing(tx, held, actor)
    record = AuditRecord(actor=actor, act="close_list", subject=f"{period}:{payer}", at=now)
    await put_events(tx, [OutEvent(record.TOPIC, actor, record)], now)
    return None


async def _not_ready(tx: Tx, held: HeldList, sealer: Sealer) -> CloseReason | None:
    period, payer = held.period, held.payer
    if await store_imports.half_taken(tx, period, payer):
        return CloseReason.FILE_HALF_TAKEN
    if not await store_lists.rows_to_freeze(tx, held, 1, sealer=sealer):
        return CloseReason.LIST_EMPTY
    if await store_lists.undeclared(tx, period, payer):
        return CloseReason.TOTALS_DIFFER
    if await store_files.undecided(tx, period, payer):
        return CloseReason.GONE_UNDECIDED
    return None


async def _freeze_next(tx: Tx, held: HeldList, most: int, *, now: datetime, sealer: Sealer) -> ListClosing | None:
    rows = await store_lists.rows_to_freeze(tx, held, most, sealer=sealer)
    lines = freeze(rows, held.period, held.payer)
    totals = held.totals.plus(lines)
    await store_lists.freeze_lines(tx, lines, rows)
    await put_events(tx, [OutEvent(line.TOPIC, str(line.beneficiary_id), line) for line in lines], now)
    if len(rows) == most:
        await store_lists.save_totals(tx, held, totals, after=rows[-1], closed_at=None)
        return None
    closing = totals.closing(held.period, held.payer, closed_at=now)
    await store_lists.save_totals(tx, held, totals, after=None, closed_at=now)
    await put_events(tx, [OutEvent(closing.TOPIC, f"{held.period}:{held.payer}", closing)], now)
    return closing
