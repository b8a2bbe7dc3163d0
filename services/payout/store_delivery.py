"""SQL of deliveries. The text is in `queries_delivery.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from asyncpg import Record

from shared.database import Tx, load_queries
from shared.topics import Provider

queries = load_queries(__file__, "queries_delivery.sql")
FOLDERS_MAX = 20


class State(StrEnum):
    """Where one file is; the legal moves are in the trigger `delivery_guard`."""

    WAITING = "waiting"
    SENDING = "sending"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Planned:
    """One file that is to be delivered."""

    path: str
    folder: str
    provider: str
    manifest: bool
    sha256: str
    size: int


async def _all(rows: AsyncIterator[Record]) -> list[Record]:
    return [row async for row in rows]


async def undelivered(tx: Tx, providers: Iterable[Provider], *, printed: bool) -> list[Record]:
    """Files of whole folders that nobody planned to deliver, folder by folder; with `printed` none before its prints are there."""
    return await _all(queries.undelivered_files(tx, providers=sorted(providers), printed=printed, most=FOLDERS_MAX))


async def plan(tx: Tx, files: Sequence[Planned], at: datetime) -> None:
    """These are to be delivered."""
    await queries.plan_deliveries(
        tx,
        paths=[f.path for f in files],
        folders=[f.folder for f in files],
        providers=[f.provider for f in files],
        manifests=[f.manifest for f in files],
        hashes=[f.sha256 for f in files],
        sizes=[f.size for f in files],
        at=at,
    )


async def due(tx: Tx, providers: Iterable[Provider], at: datetime) -> list[Record]:
    """Everything open in folders of which nothing has to wait longer."""
    return await _all(queries.due_deliveries(tx, providers=sorted(providers), at=at))


async def move(tx: Tx, paths: Collection[str], state: State, *, trouble: str | None, at: datetime) -> None:
    """One state for these files."""
    await queries.move_deliveries(tx, paths=list(paths), state=state, trouble=trouble, at=at)


async def no_answer(tx: Tx, paths: Collection[str], trouble: str, next_try_at: datetime) -> None:
    """A call about these files ended badly."""
    await queries.no_answer(tx, paths=list(paths), trouble=trouble, next_try_at=next_try_at)


async def conflicts(tx: Tx) -> dict[str, int]:
    """How many files of each provider wait for a person."""
    return {row["provider"]: row["count"] for row in await _all(queries.delivery_conflicts(tx))}


async def shown(tx: Tx, period: str, payer: str) -> list[Record]:
    """The deliveries of one payroll."""
    return await _all(queries.shown_deliveries(tx, period=period, payer=payer))
