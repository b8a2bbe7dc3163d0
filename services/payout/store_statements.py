"""SQL of files providers hand in, breaks and reconciliation. Every write is set-based; the text is in `queries_statements.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Record

from services.payout.breaks import Break
from services.payout.statement_line import Statement, StatementLine
from shared.actors import Actor
from shared.database import Tx, load_queries
from shared.ids import derived_id

queries = load_queries(__file__, "queries_statements.sql")
ROWS = 5_000
BREAKS_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """One file as it is kept: its identity, who handed it in and when."""

    file_id: UUID
    provider: str
    sha256: str
    size: int
    actor: str
    at: datetime


class KeptLine(NamedTuple):
    """A line as it is kept: with its code, our reason, and indexes of the account it names, of ours, and of the one it came from."""

    line: StatementLine
    code: str | None
    reason: str | None
    account_ix: bytes | None
    ours_ix: bytes | None
    from_ix: bytes | None


async def _all(rows: AsyncIterator[Record]) -> list[Record]:
    return [row async for row in rows]


# --- files --------------------------------------------------------------------------------------------------------------------


async def take_turns(tx: Tx, provider: str) -> None:
    """Wait for whoever keeps or books a file of this provider."""
    await queries.take_statement_turns(tx, provider=provider)


async def known_file(tx: Tx, provider: str, sha256: str) -> Record | None:
    """A file that was handed in before."""
    row: Record | None = await queries.statement_file(tx, provider=provider, sha256=sha256)
    return row


async def file_by_id(tx: Tx, file_id: UUID) -> Record | None:
    """A file by its id."""
    row: Record | None = await queries.statement_file_by_id(tx, file_id=file_id)
    return row


async def message_taken(tx: Tx, kept: Kept, statement: Statement) -> bool:
    """Whether this message id was used for other content."""
    names = {"provider": kept.provider, "kind": statement.kind, "message_id": statement.message_id, "sha256": kept.sha256}
    return bool((await queries.message_taken(tx, **names))["count"])


async def save_file(tx: Tx, kept: Kept, statement: Statement | None, *, refusal: str | None) -> None:
    """A file as received, or as refused with its reason."""
    await queries.save_statement_file(
        tx,
        file_id=kept.file_id,
        provider=kept.provider,
        sha256=kept.sha256,
        size=kept.size,
        at=kept.at,
        actor=kept.actor,
        state="refused" if refusal else "received",
        refusal=refusal,
        kind=statement.kind if statement else None,
        message_id=statement.message_id if statement else None,
        to_on=statement.to_on if statement else None,
        lines=0 if refusal or not statement else len(statement.lines),
    )


async def add_parts(tx: Tx, file_id: UUID, sealed: Sequence[str]) -> None:
    """The file itself, sealed."""
    await queries.add_statement_parts(tx, file_id=file_id, parts=list(range(len(sealed))), sealed=list(sealed))


async def add_lines(tx: Tx, file_id: UUID, lines: Sequence[KeptLine]) -> None:
    """What lines say."""
    for start in range(0, len(lines), ROWS):
        some = lines[start : start + ROWS]
        await queries.add_statement_lines(
            tx,
            file_id=file_id,
            lines=[one.line.line for one in some],
            kinds=[one.line.kind for one in some],
            ids=[one.line.end_to_end_id for one in some],
            batches=[one.line.batch_id for one in some],
            vnds=[one.line.vnd for one in some],
            days=[one.line.booked_on for one in some],
            codes=[one.code for one in some],
            reasons=[one.reason for one in some],
            refs=[one.line.bank_ref for one in some],
            accounts=[one.account_ix for one in some],
            ours=[one.ours_ix for one in some],
            sources=[one.from_ix for one in some],
            faults=[one.line.fault for one in some],
        )


async def add_spans(tx: Tx, file_id: UUID, spans: Mapping[bytes, date]) -> None:
    """Per account, by its index: the day up to which a file holds all its bookings."""
    await queries.add_statement_spans(tx, file_id=file_id, accounts=list(spans), days=list(spans.values()))


async def claimed_batches(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Record]:
    """Batches as we sent them."""
    return {row["batch_id"]: row for row in await _all(queries.claimed_batches(tx, ids=list(ids)))}


async def ids_of_ours(tx: Tx, provider: str, ids: Collection[str]) -> int:
    """How many of these ids are payments through this provider."""
    return int((await queries.ids_of_ours(tx, provider=provider, ids=list(ids)))["count"])


async def waiting_files(tx: Tx) -> list[Record]:
    """Files that are not booked to their end."""
    return await _all(queries.waiting_files(tx))


async def waiting_lines(tx: Tx, file_id: UUID) -> list[Record]:
    """The next lines without a fate."""
    return await _all(queries.waiting_lines(tx, file_id=file_id, most=ROWS))


async def told_payments(tx: Tx, ids: Collection[str]) -> list[Record]:
    """Payments as we told providers, by end-to-end id."""
    return await _all(queries.told_payments(tx, ids=list(ids)))


async def earlier_bookings(tx: Tx, file_id: UUID, ids: Collection[str], *, provider: str, kind: str) -> list[Record]:
    """What files of this kind named already."""
    return await _all(queries.earlier_bookings(tx, file_id=file_id, ids=list(ids), provider=provider, kind=kind))


async def set_fates(tx: Tx, file_id: UUID, fates: Sequence[tuple[int, str, UUID | None]]) -> None:
    """What became of lines: (line, fate, break)."""
    await queries.set_fates(
        tx,
        file_id=file_id,
        lines=[line for line, _fate, _break in fates],
        fates=[fate for _line, fate, _break in fates],
        breaks=[one for _line, _fate, one in fates],
    )


async def mark_booked(tx: Tx, file_id: UUID, at: datetime) -> None:
    """A file is dealt with."""
    await queries.mark_booked(tx, file_id=file_id, at=at)


async def fates_of_file(tx: Tx, file_id: UUID) -> list[dict[str, Any]]:
    """Count and VND per fate and kind."""
    return [dict(row) for row in await _all(queries.fates_of_file(tx, file_id=file_id))]


async def funding_of_file(tx: Tx, file_id: UUID) -> list[dict[str, Any]]:
    """What a file says we were funded with, per account of ours."""
    return [dict(row) for row in await _all(queries.funding_of_file(tx, file_id=file_id))]


async def funding_of_payroll(tx: Tx, period: str, payer: str, provider: str | None) -> list[dict[str, Any]]:
    """What we were funded with in the month before a payroll was paid, per account it was debited from."""
    return [dict(row) for row in await _all(queries.funding_of_payroll(tx, period=period, payer=payer, provider=provider))]


async def shown_files(tx: Tx) -> list[dict[str, Any]]:
    """The newest files."""
    return [dict(row) for row in await _all(queries.shown_statement_files(tx))]


# --- breaks -------------------------------------------------------------------------------------------------------------------


async def open_breaks(tx: Tx, breaks: Collection[Break], at: datetime) -> int:
    """Open those that are not known yet, each with its posting; returns how many were new."""
    if not breaks:
        return 0
    rows = sorted({one.break_id: one for one in reversed(list(breaks))}.values(), key=lambda one: one.break_id.int)
    opened = queries.open_breaks(
        tx,
        ids=[one.break_id for one in rows],
        types=[one.type for one in rows],
        providers=[one.provider for one in rows],
        vnds=[one.vnd for one in rows],
        end_to_end_ids=[one.end_to_end_id for one in rows],
        instructions=[one.instruction_id for one in rows],
        batches=[one.batch_id for one in rows],
        files=[one.file_id for one in rows],
        lines=[one.line for one in rows],
        postings=[derived_id("break posting", one.break_id, "opened") for one in rows],
        at=at,
    )
    return len(await _all(opened))


async def shown_breaks(tx: Tx, *, still_open: bool, provider: str | None, kind: str | None) -> list[dict[str, Any]]:
    """Breaks, oldest first."""
    rows = queries.shown_breaks(tx, open=still_open, provider=provider, type=kind, most=BREAKS_SHOWN)
    return [dict(row) for row in await _all(rows)]


async def counted_breaks(tx: Tx) -> list[dict[str, Any]]:
    """Open breaks per provider and type."""
    return [dict(row) for row in await _all(queries.counted_breaks(tx))]


async def break_item(tx: Tx, break_id: UUID) -> Record | None:
    """One break, locked, with what its line says."""
    row: Record | None = await queries.break_item(tx, break_id=break_id)
    return row


async def own(tx: Tx, break_id: UUID, actor: Actor, at: datetime) -> None:
    """Somebody looks after a break."""
    await queries.own_break(tx, break_id=break_id, actor=actor.id, at=at)


async def propose(tx: Tx, break_id: UUID, actor: Actor, *, remedy: str, at: datetime) -> None:
    """How a break would end."""
    await queries.propose_remedy(tx, break_id=break_id, remedy=remedy, actor=actor.id, token=actor.token, at=at)


async def approve(tx: Tx, item: Mapping[str, Any] | Record, actor: Actor, *, debit: str, credit: str, at: datetime) -> UUID:
    """End a break by its posting; returns the posting's id."""
    posting_id = derived_id("break posting", item["break_id"], "resolved")
    names = {"posting_id": posting_id, "break_id": item["break_id"], "at": at}
    await queries.post_break(tx, **names, debit=debit, credit=credit, vnd=item["vnd"])
    await queries.approve_remedy(tx, **names, actor=actor.id, token=actor.token)
    return posting_id


# --- reconciliation -----------------------------------------------------------------------------------------------------------


async def sent_batches(tx: Tx, period: str, payer: str, provider: str | None) -> list[Record]:
    """Sent batches of a payroll, from all sides."""
    return await _all(queries.sent_batches(tx, period=period, payer=payer, provider=provider))


async def missing_payments(tx: Tx, period: str, payer: str, *, provider: str | None, days: int) -> list[Record]:
    """Payments that a whole statement does not name."""
    return await _all(queries.missing_payments(tx, period=period, payer=payer, provider=provider, days=days))


async def files_of_batch(tx: Tx, batch_id: UUID) -> list[Record]:
    """The files that told a provider of a batch."""
    return await _all(queries.files_of_batch(tx, batch_id=batch_id))


async def told_otherwise(tx: Tx, batch_id: UUID, told: Mapping[str, int]) -> int:
    """How many payments the files of a batch tell otherwise than its list."""
    row = await queries.told_otherwise(tx, batch_id=batch_id, ids=list(told), vnds=list(told.values()))
    return int(row["count"])


def days_between(first: datetime, last: datetime) -> int:
    """Whole days, for the age of a break."""
    return max((last - first).days, 0)
