"""SQL of signing and sending: lists hashed as they are stored, what leaves read some thousand at a time. The text is in `queries.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from asyncpg import Record

from services.payout.store import Payroll
from shared.database import Tx, load_queries

queries = load_queries(__file__)
ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as the rows in the database make it: payments, VND, and the SHA-256 of its canonical text."""

    count: int
    vnd: int
    sha256: str


EMPTY = Listed(0, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
"""A list from which everything was taken off: SHA-256 of nothing."""


async def _all(rows: AsyncIterator[Record]) -> list[Record]:
    return [row async for row in rows]


async def lists(tx: Tx, batches: Collection[UUID]) -> dict[UUID, Listed]:
    """The lists of batches as they were made, with what was withdrawn since."""
    return await _lists(tx, batches, leaving=False, dropped=())


async def leaving_lists(tx: Tx, batches: Sequence[Record], dropped: Mapping[UUID, UUID]) -> dict[UUID, Listed]:
    """What leaves of batches when payments are dropped too, given as instruction_id -> batch_id. A list that nothing was taken off
    leaves as it was built; that its rows still make its hash is asked in the transaction that sends it."""
    await queries.plan_anew(tx)
    ids = [batch["batch_id"] for batch in batches]
    shortened = {row["batch_id"] for row in await _all(queries.shortened(tx, ids=ids))} | set(dropped.values())
    found = await _lists(tx, shortened, leaving=True, dropped=dropped) if shortened else {}
    whole = {b["batch_id"]: Listed(b["count"], b["vnd"], b["sha256"]) for b in batches}
    return {key: found.get(key, EMPTY) if key in shortened else whole[key] for key in ids}


async def _lists(tx: Tx, batches: Collection[UUID], *, leaving: bool, dropped: Collection[UUID]) -> dict[UUID, Listed]:
    rows = await _all(queries.lists(tx, ids=list(batches), leaving=leaving, dropped=list(dropped)))
    return {row["batch_id"]: Listed(row["count"], row["vnd"], row["sha256"]) for row in rows}


async def known_now(tx: Tx, payroll: Payroll, batches: Collection[UUID]) -> str:
    """Another text whenever anything changed that these batches are sent from: payments, people, results, held lines."""
    row = await queries.known_now(tx, periods=list(payroll.periods), payer=payroll.payer, ids=list(batches))
    return str(row["sha256"])


async def doubtful_payments(tx: Tx, batches: Collection[UUID]) -> list[Record]:
    """Payments not withdrawn whose person is not plainly as a payment needs it, with all that decides."""
    return await _all(queries.doubtful_payments(tx, ids=list(batches)))


async def leaving_payments(tx: Tx, batch: UUID, dropped: Collection[UUID]) -> AsyncIterator[list[Record]]:
    """What leaves of a batch, area by area, some thousand at a time."""
    cursor = await tx.cursor(queries.leaving_ids.sql, batch, list(dropped))
    while ids := [row["instruction_id"] for row in await cursor.fetch(ROWS)]:
        yield await _all(queries.leaving_payments(tx, ids=ids))


async def held_lines(tx: Tx, payroll: Payroll) -> AsyncIterator[list[Record]]:
    """Lines held now, some thousand at a time."""
    cursor = await tx.cursor(queries.held_lines.sql, list(payroll.periods), payroll.payer)
    while rows := await cursor.fetch(ROWS):
        yield rows


async def falling_lines(tx: Tx, payments: Collection[UUID]) -> list[Record]:
    """The lines of payments that fall out, as `held_lines` shows held ones."""
    return await _all(queries.falling_lines(tx, ids=list(payments)))


async def send_payments(tx: Tx, batches: Collection[UUID]) -> int:
    """Everything on these batches that was not withdrawn is sealed and on its way; returns how many."""
    return int(str(await queries.send_payments(tx, ids=sorted(batches))).rsplit(" ", 1)[1])


async def mark_sent(tx: Tx, sent: Mapping[UUID, Listed], told: Mapping[UUID, tuple[date, bytes]], *, at: datetime) -> None:
    """What left per batch, for which day, and the index of the account it is debited from."""
    ids = sorted(sent)
    await queries.mark_sent(
        tx,
        ids=ids,
        counts=[sent[key].count for key in ids],
        vnds=[sent[key].vnd for key in ids],
        hashes=[sent[key].sha256 for key in ids],
        days=[told[key][0] for key in ids],
        debtors=[told[key][1] for key in ids],
        at=at,
    )


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file before it exists; its parts are sealed for `owner` and part number."""

    path: str
    batch_id: UUID | None
    kind: str
    owner: UUID
    sha256: str
    size: int
    count: int
    vnd: int


async def save_files(tx: Tx, payroll: Payroll, files: Collection[FileRow], at: datetime) -> None:
    """Files before they exist."""
    await queries.save_files(
        tx,
        period=payroll.period,
        payer=payroll.payer,
        paths=[f.path for f in files],
        batches=[f.batch_id for f in files],
        kinds=[f.kind for f in files],
        owners=[f.owner for f in files],
        hashes=[f.sha256 for f in files],
        sizes=[f.size for f in files],
        counts=[f.count for f in files],
        vnds=[f.vnd for f in files],
        at=at,
    )


async def unwritten_files(tx: Tx) -> list[Record]:
    """Some files that do not exist yet."""
    return await _all(queries.unwritten_files(tx))


async def unprinted_lists(tx: Tx, postponed: Collection[str]) -> list[Record]:
    """Some lists of the post without their print."""
    return await _all(queries.unprinted_lists(tx, postponed=list(postponed)))


async def save_print(tx: Tx, path: str, made: FileRow) -> bool:
    """The print of the list at `path`; False when another process was first."""
    row = await queries.save_print(tx, list=path, path=made.path, owner=made.owner, sha256=made.sha256, size=made.size)
    return row is not None


async def file_part(tx: Tx, path: str, part: int) -> str | None:
    """One part of a file's sealed content; None behind the last."""
    row = await queries.file_part(tx, path=path, part=part)
    return str(row["sealed"]) if row else None


async def mark_written(tx: Tx, paths: Collection[str], at: datetime) -> None:
    """These files exist."""
    await queries.mark_written(tx, paths=sorted(paths), at=at)
