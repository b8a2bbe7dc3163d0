"""SQL of what happens to a list after it was built: withdrawals, providers' answers, files written. The text is in `queries.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from services.payout.store import Payroll
from shared.actors import Actor
from shared.database import Tx, load_queries
from shared.events import PaymentResult

queries = load_queries(__file__)


async def _all(rows: AsyncIterator[Record]) -> list[Record]:
    return [row async for row in rows]


async def withdrawable(tx: Tx, payroll: Payroll, people: Collection[UUID]) -> list[Record]:
    """Live payments of these people, each with the state of its batch."""
    return await _all(queries.withdrawable(tx, period=payroll.period, payer=payroll.payer, people=list(people)))


async def propose_withdrawal(
    tx: Tx, payroll: Payroll, list_sha256: str, *, reason: str, months: Collection[str] = (), actor: Actor, at: datetime
) -> None:
    """A withdrawal list, about all months of its payments where it names none, waits for its second signature; the same again changes
    nothing."""
    names = {"period": payroll.period, "payer": payroll.payer, "list_sha256": list_sha256}
    named = {"reason": reason, "periods": sorted(months) or None}
    await queries.propose_withdrawal(tx, **names, **named, actor=actor.id, token=actor.token, at=at)


async def add_withdrawals(tx: Tx, list_sha256: str, ids: Collection[UUID]) -> None:
    """The payments of a withdrawal list."""
    await queries.add_withdrawals(tx, list_sha256=list_sha256, ids=sorted(ids))


async def proposed_elsewhere(tx: Tx, list_sha256: str, ids: Collection[UUID]) -> int:
    """How many of these payments another withdrawal list names."""
    return int((await queries.proposed_elsewhere(tx, list_sha256=list_sha256, ids=list(ids)))["count"])


async def withdrawal_list(tx: Tx, payroll: Payroll, list_sha256: str) -> Record | None:
    """One withdrawal list, locked."""
    row: Record | None = await queries.withdrawal_list(tx, list_sha256=list_sha256, period=payroll.period, payer=payroll.payer)
    return row


async def confirm_withdrawal(tx: Tx, list_sha256: str, actor: Actor, at: datetime) -> None:
    """The second signature."""
    await queries.confirm_withdrawal(tx, list_sha256=list_sha256, actor=actor.id, token=actor.token, at=at)


async def withdrawn_lines(tx: Tx, list_sha256: str) -> list[Record]:
    """The lines of the payments of a withdrawal list."""
    return await _all(queries.withdrawn_lines(tx, list_sha256=list_sha256))


async def open_withdrawals(tx: Tx, payroll: Payroll) -> int:
    """How many withdrawal lists still wait for a second signature."""
    return int((await queries.open_withdrawals(tx, period=payroll.period, payer=payroll.payer))["count"])


async def known_results(tx: Tx, ids: Collection[UUID]) -> set[tuple[UUID, str]]:
    """(result_id, SHA-256 of content) of the answers we hold with these ids."""
    return {(row["result_id"], row["content_sha256"]) for row in await _all(queries.known_results(tx, ids=list(ids)))}


async def answered_batches(tx: Tx, ids: Collection[UUID]) -> list[Record]:
    """Batches that answers speak about, locked."""
    return await _all(queries.answered_batches(tx, ids=list(ids)))


async def answered_payments(tx: Tx, end_to_end_ids: Collection[str], refused: Collection[UUID]) -> list[Record]:
    """Payments that answers name, and all sent ones of refused batches, locked."""
    return await _all(queries.answered_payments(tx, end_to_end_ids=list(end_to_end_ids), refused=list(refused)))


async def save_results(tx: Tx, judged: Sequence[tuple[PaymentResult, str, str]], at: datetime) -> None:
    """Every answer as it came: (answer, SHA-256 of its content, fate)."""
    rows = sorted(judged, key=lambda row: (row[0].result_id.int, row[1]))
    answers = [answer for answer, _hash, _fate in rows]
    await queries.save_results(
        tx,
        ids=[a.result_id for a in answers],
        hashes=[content_hash for _answer, content_hash, _fate in rows],
        providers=[a.provider for a in answers],
        batches=[a.batch_id for a in answers],
        kinds=[a.kind for a in answers],
        end_to_end_ids=[a.end_to_end_id for a in answers],
        statuses=[a.status for a in answers],
        outcomes=[a.outcome for a in answers],
        amounts=[a.amount_vnd for a in answers],
        reasons=[a.reason for a in answers],
        bases=[a.basis for a in answers],
        counts=[a.count for a in answers],
        vnds=[a.vnd for a in answers],
        occurred_ats=[a.occurred_at for a in answers],
        fates=[fate for _answer, _hash, fate in rows],
        at=at,
    )


async def mark_received(tx: Tx, batches: Collection[UUID], at: datetime) -> None:
    """The provider has these batches whole."""
    await queries.mark_received(tx, ids=sorted(batches), at=at)


async def mark_completed(tx: Tx, batches: Collection[UUID], at: datetime) -> None:
    """The provider has answered for everything it will."""
    await queries.mark_completed(tx, ids=sorted(batches), at=at)


async def settle(tx: Tx, batches: Collection[UUID]) -> None:
    """Settle those whose every payment has an end."""
    await queries.settle(tx, ids=sorted(batches))


async def unanswered(tx: Tx, payroll: Payroll, sent_before: datetime) -> list[UUID]:
    """Payments without a final answer on batches that are complete or were sent before a moment."""
    rows = queries.unanswered(tx, period=payroll.period, payer=payroll.payer, sent_before=sent_before)
    return [row["instruction_id"] for row in await _all(rows)]
