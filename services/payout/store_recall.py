"""SQL of cancelling what was sent. Every write is set-based; the text is in `queries_recall.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Record

from services.payout import store
from services.payout.recalling import CancelState, Wish
from services.payout.store import HeldLine, Payroll
from shared.actors import Actor
from shared.database import Tx, load_queries
from shared.words import HeldReason

queries = load_queries(__file__, "queries_recall.sql")


class Asked(NamedTuple):
    """One message to a provider: its id, the batch, and the payments it names."""

    cancel_id: UUID
    batch_id: UUID
    payments: Sequence[Record]


async def _all(rows: AsyncIterator[Record]) -> list[Record]:
    return [row async for row in rows]


async def take_turns(tx: Tx, end_to_end_ids: Collection[str], refused: Collection[UUID]) -> None:
    """Before these answers are judged: wait for commands on payrolls of which they may end a cancel."""
    await _all(queries.take_turns_of_cancels(tx, end_to_end_ids=list(end_to_end_ids), refused=list(refused)))


async def cancellable(tx: Tx, payroll: Payroll, people: Collection[UUID]) -> list[Record]:
    """Payments of these people that are not dead, locked."""
    return await _all(queries.cancellable(tx, period=payroll.period, payer=payroll.payer, people=list(people)))


async def propose(
    tx: Tx, payroll: Payroll, sha256: str, *, wish: Wish, ids: Collection[UUID], actor: Actor, at: datetime
) -> None:
    """A cancel waits for its second signature."""
    names = {"period": payroll.period, "payer": payroll.payer, "list_sha256": sha256, "at": at}
    wished = {"reason": wish.reason, "after": wish.after, "periods": sorted(wish.months) or None}
    await queries.propose_cancel(tx, **names, **wished, actor=actor.id, token=actor.token)
    await queries.add_cancels(tx, list_sha256=sha256, ids=sorted(ids), at=at)


async def cancel_list(tx: Tx, payroll: Payroll, sha256: str) -> Record | None:
    """One proposed cancel, locked."""
    row: Record | None = await queries.cancel_list(tx, list_sha256=sha256, period=payroll.period, payer=payroll.payer)
    return row


async def cancels_of_list(tx: Tx, sha256: str) -> list[Record]:
    """The payments a cancel names, locked."""
    return await _all(queries.cancels_of_list(tx, list_sha256=sha256))


async def confirm(tx: Tx, sha256: str, messages: Sequence[Asked], *, actor: Actor, at: datetime) -> None:
    """The second signature: these messages are about to be sent."""
    await queries.confirm_cancel(tx, list_sha256=sha256, actor=actor.id, token=actor.token, at=at)
    await queries.add_cancel_messages(
        tx,
        list_sha256=sha256,
        ids=[message.cancel_id for message in messages],
        batches=[message.batch_id for message in messages],
        counts=[len(message.payments) for message in messages],
        at=at,
    )
    named = {row["instruction_id"]: message.cancel_id for message in messages for row in message.payments}
    await queries.ask_back(tx, ids=sorted(named), cancels=[named[key] for key in sorted(named)], at=at)


async def move_cancels(tx: Tx, moves: Mapping[UUID, CancelState], at: datetime) -> None:
    """One legal move each."""
    ids = sorted(moves)
    await queries.move_cancels(tx, ids=ids, states=[moves[key] for key in ids], at=at)


async def unanswered(tx: Tx, payroll: Payroll, asked_before: datetime) -> list[UUID]:
    """Payments asked back before a moment without a word."""
    rows = queries.unanswered_cancels(tx, period=payroll.period, payer=payroll.payer, asked_before=asked_before)
    return [row["instruction_id"] for row in await _all(rows)]


async def keep_back(tx: Tx, payments: Collection[UUID], disputed: Collection[UUID], at: datetime) -> list[Record]:
    """Hold whatever of the lines of these payments is in no live payment, as two people signed, and all of it of those in dispute; returns
    what is held now, with reason, period, payer and payroll."""
    rows = await _all(queries.lines_to_keep(tx, ids=list(payments), disputed=list(disputed)))
    await store.release_held(tx, [row["entitlement_id"] for row in rows], at)
    await store.hold(tx, [HeldLine(row["entitlement_id"], HeldReason(row["reason"]), row["vnd"]) for row in rows], at)
    return rows


async def lines_in_doubt(tx: Tx, payroll: Payroll) -> int:
    """Lines on lists that have not left whose cancelled payment may have been paid all the same."""
    return int((await queries.lines_in_doubt(tx, period=payroll.period, payer=payroll.payer))["count"])


async def shown(tx: Tx, period: str, payer: str) -> list[dict[str, Any]]:
    """Cancels of a payroll, a row per state of their payments."""
    return [dict(row) for row in await _all(queries.shown_cancels(tx, period=period, payer=payer))]
