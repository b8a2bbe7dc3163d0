"""SQL of the build: open lines read some thousand at a time, payments written by COPY. The text is in `queries.sql`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.payout.batch import Draft
from services.payout.channel import Choice
from services.payout.spool import BULK_SECONDS
from services.payout.store import Payroll
from shared.database import Tx, load_queries

queries = load_queries(__file__)
ROWS = 2_000
INSTRUCTION = (
    "instruction_id", "batch_id", "beneficiary_id", "part", "attempt", "provider", "channel", "area", "vnd", "end_to_end_id",
    "account_digest", "periods",
)  # fmt: skip
INSTRUCTION_LINE = ("instruction_id", "entitlement_id", "piece", "vnd")


async def _pages(tx: Tx, query: Any, *values: object) -> AsyncGenerator[list[Record], None]:
    """The rows of a query, some thousand at a time, as of one moment. Values in the order in which the query first names them.

    While the caller works on one page, PostgreSQL makes the next. Read it under `aclosing`: whoever stops before the end waits for
    that page there; a roll-back that meets it on its way costs the connection, and hides what went wrong.
    """
    cursor = await tx.cursor(query.sql, *values)
    rows = await cursor.fetch(ROWS)
    while rows:
        coming = asyncio.ensure_future(cursor.fetch(ROWS))
        try:
            await asyncio.sleep(0)  # the request leaves before the caller takes the thread
            yield rows
        finally:
            rows = await coming


async def line_canonicals(tx: Tx, period: str, payer: str) -> AsyncGenerator[list[tuple[bytes, int]], None]:
    """(canonical text, declared VND) of every frozen line."""
    async with aclosing(_pages(tx, queries.line_canonicals, period, payer)) as pages:
        async for rows in pages:
            yield [(row["canonical"].encode(), row["declared_vnd"]) for row in rows]


async def undecided_lines(tx: Tx, payroll: Payroll) -> AsyncGenerator[list[Record], None]:
    """Lines with something still to pay, sorted by person; all lines of a person come together, month by month."""
    kept: list[Record] = []
    again = payroll.rounds > 0
    if payroll.joined:
        async with aclosing(of_several_months(tx, payroll)) as whole_people:
            async for rows in whole_people:
                yield rows
        return
    async with aclosing(_pages(tx, queries.undecided_lines, again, payroll.period, payroll.payer)) as pages:
        async for rows in pages:
            last = rows[-1]["beneficiary_id"]
            if whole := [row for row in kept + rows if row["beneficiary_id"] != last]:
                yield whole
            kept = [row for row in kept + rows if row["beneficiary_id"] == last]
    if kept:
        yield kept


async def of_several_months(tx: Tx, payroll: Payroll, page: int = ROWS) -> AsyncGenerator[list[Record], None]:
    """The lines of each month come from a cursor of its own, which goes by the index as for one month; here they are laid side by side. A
    person is whole when every month that has more has got beyond them. `page`: so many rows of a month are asked for at once."""
    months, again = payroll.periods, payroll.rounds > 0
    cursors = {month: await tx.cursor(queries.undecided_lines.sql, again, month, payroll.payer) for month in months}
    waiting: dict[str, list[Record]] = {month: [] for month in months}
    reached: UUID | None = None
    while cursors:
        for month, cursor in list(cursors.items()):
            if len(waiting[month]) < page or waiting[month][-1]["beneficiary_id"] == reached:
                rows = await cursor.fetch(page)
                waiting[month] += rows
                if not rows:
                    del cursors[month]
        reached = min((waiting[month][-1]["beneficiary_id"] for month in cursors), default=None)
        whole = [row for month in months for row in waiting[month] if reached is None or row["beneficiary_id"] < reached]
        for month in months:
            waiting[month] = [row for row in waiting[month] if reached is not None and row["beneficiary_id"] >= reached]
        if whole:
            yield sorted(whole, key=itemgetter("beneficiary_id"))


async def save_choices(
    tx: Tx, payroll: Payroll, choices: Mapping[UUID, Choice], *, on_account: Collection[UUID], at: datetime
) -> None:
    """Account holders who are not paid on the account, with the reason; and those who are, but were not before."""
    names = {"period": payroll.period, "payer": payroll.payer}
    if on_account:
        await queries.drop_choices(tx, **names, ids=sorted(on_account))
    ids = sorted(choices)
    made = [choices[key] for key in ids]
    await queries.save_choices(
        tx,
        **names,
        ids=ids,
        providers=[c.provider for c in made],
        channels=[c.channel for c in made],
        gaps=[c.gap for c in made],
        at=at,
    )


async def save_drafts(tx: Tx, payroll: Payroll, drafts: Sequence[Draft], execution_date: date) -> None:
    """New drafts, which are the next round of their payroll."""
    await queries.next_round(tx, periods=list(payroll.periods), payer=payroll.payer)
    await queries.save_batches(
        tx,
        period=payroll.period,
        payer=payroll.payer,
        round=payroll.rounds + 1,
        ids=[draft.batch_id for draft in drafts],
        providers=[draft.provider for draft in drafts],
        counts=[len(draft.payments) for draft in drafts],
        vnds=[draft.vnd for draft in drafts],
        hashes=[draft.sha256 for draft in drafts],
        execution_date=execution_date,
    )


async def save_payments(tx: Tx, drafts: Sequence[Draft]) -> None:
    """New payments, then what each pays of each line."""
    payments = [payment for draft in drafts for payment in draft.payments]
    await tx.copy_records_to_table(
        "instruction",
        columns=INSTRUCTION,
        records=(
            (
                p.instruction_id, p.batch_id, p.beneficiary_id, p.part, p.attempt, p.provider, p.channel, p.area, p.vnd, p.end_to_end_id,
                p.account_digest, p.periods,
            )
            for p in payments
        ),
        timeout=BULK_SECONDS,
    )  # fmt: skip
    await tx.copy_records_to_table(
        "instruction_line",
        columns=INSTRUCTION_LINE,
        records=((p.instruction_id, s.entitlement_id, s.piece, s.vnd) for p in payments for s in p.shares),
        timeout=BULK_SECONDS,
    )
