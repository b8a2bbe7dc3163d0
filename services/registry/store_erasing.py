"""SQL of erasing people; the text is in `queries_erasing.sql`, and what becomes of every column in docs/erasure.md."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.registry.erasing import Affairs, ErasureCause, Requester
from services.registry.keying import Keys
from services.registry.records import RecordKey
from shared.actors import Actor
from shared.database import Tx, load_queries

queries = load_queries(__file__, "queries_erasing.sql")
HASHED_CHARACTERS = 40
"""Of a keyed index in the name under which a row waits (`handlers.Registrar`)."""


class Asked(NamedTuple):
    """A request to erase somebody."""

    erasure_id: UUID
    beneficiary_id: UUID
    reason: ErasureCause
    asked_by: str
    is_confirmed: bool


class Traces(NamedTuple):
    """Where else these people stand: their records, and the indexes that find them."""

    records: Sequence[RecordKey]
    ixs: Collection[bytes]
    numbers: Collection[bytes]


async def ask(
    tx: Tx, erasure_id: UUID, beneficiary_id: UUID, said: tuple[ErasureCause, Requester, str], *, actor: Actor, at: datetime
) -> None:
    """A request that waits for a second person. `said`: why, who asks the office, and the number of the paper."""
    reason, requester, paper = said
    await queries.ask_erasure(
        tx, erasure_id=erasure_id, beneficiary_id=beneficiary_id, reason=reason, requester=requester, paper=paper, actor=actor.id,
        token=actor.token, at=at,
    )  # fmt: skip


async def asked(tx: Tx, erasure_id: UUID) -> Asked | None:
    """A request, ours until the transaction ends; None for an unknown one."""
    row = await queries.erasure(tx, erasure_id=erasure_id)
    if row is None:
        return None
    return Asked(erasure_id, row["beneficiary_id"], ErasureCause(row["reason"]), row["asked_by"], row["confirmed_at"] is not None)


async def about(tx: Tx, erasure_id: UUID) -> UUID | None:
    """Whom a request is about."""
    row = await queries.erasure_is_about(tx, erasure_id=erasure_id)
    return row["beneficiary_id"] if row else None


async def is_waiting(tx: Tx, beneficiary_id: UUID) -> bool:
    """Whether a request about somebody waits for a second person."""
    return await queries.erasure_waiting(tx, beneficiary_id=beneficiary_id) is not None


async def withdraw(tx: Tx, erasure_id: UUID) -> None:
    """Nobody confirmed it, and nobody will."""
    await queries.withdraw_erasure(tx, erasure_id=erasure_id)


async def confirm(tx: Tx, erasure_id: UUID, with_merged: Collection[UUID], *, actor: Actor, at: datetime) -> None:
    """A second person confirmed it."""
    await queries.confirm_erasure(
        tx, erasure_id=erasure_id, with_merged=sorted(with_merged), actor=actor.id, token=actor.token, at=at
    )


async def requests(tx: Tx, beneficiary_id: UUID | None, *, waiting: bool, most: int) -> list[dict[str, Any]]:
    """Requests, the newest first; nothing personal."""
    return [dict(row) async for row in queries.erasures(tx, beneficiary_id=beneficiary_id, waiting=waiting, most=most)]


async def together(tx: Tx, beneficiary_id: UUID) -> list[UUID]:
    """Who is erased with somebody: themselves, and whoever was merged into them."""
    return [beneficiary_id, *[row["beneficiary_id"] async for row in queries.merged_into(tx, beneficiary_id=beneficiary_id)]]


async def payers_of(tx: Tx, ids: Collection[UUID]) -> set[str]:
    """On whose lists these people are; empty when nobody is known."""
    return {row["payer"] async for row in queries.payers_of_all(tx, ids=list(ids))}


async def affairs(tx: Tx, ids: Sequence[UUID]) -> Affairs:
    """How things stand with people who are erased together; the first of them is the one that was asked for."""
    return Affairs(**dict(await queries.affairs(tx, beneficiary_id=ids[0], ids=list(ids))))


async def traces(tx: Tx, ids: Collection[UUID], keys: Collection[Keys]) -> Traces:
    """Where else these people stand. `keys`: of their identities."""
    records = [(row["source"], row["record"]) async for row in queries.records_of(tx, ids=list(ids))]
    ixs = {ix for key in keys for ix in key if ix} | {row["ix"] async for row in queries.keys_of_merged(tx, ids=list(ids))}
    return Traces(records, ixs, [key.number for key in keys if key.number])


async def erase(tx: Tx, ids: Collection[UUID], found: Traces, *, epoch: int, at: datetime) -> list[Any]:
    """Everything personal of these people, for good; returns them as readers are told of them. The request is confirmed before."""
    who = {"ids": list(ids)}
    named = {"sources": [source for source, _ in found.records], "records": [record for _, record in found.records]}
    await queries.erase_people(tx, **who, epoch=epoch, at=at)
    for gone in (
        queries.erase_lines, queries.erase_people_before, queries.erase_verified, queries.erase_keys, queries.erase_merged_keys,
        queries.erase_placings, queries.erase_looked, queries.erase_candidates, queries.erase_sights, queries.erase_apart,
        queries.erase_records,
    ):  # fmt: skip
        await gone(tx, **who)
    await queries.erase_import_rows(tx, **named)
    await queries.erase_cases(tx, **who, **named, ixs=list(found.ixs))
    await queries.erase_waiting(tx, **named, numbers=list(found.numbers), at=at)
    names, length = [f"unmatched.{ix.hex()[:HASHED_CHARACTERS]}" for ix in found.ixs], len("unmatched.") + HASHED_CHARACTERS
    await queries.erase_unmatched(tx, sources=sorted({source for source, _ in found.records}), names=names, length=length)
    return [row async for row in queries.erased_people(tx, **who)]


async def save_events(tx: Tx, erasure_id: UUID, ids: Collection[UUID], at: datetime) -> None:
    """Their history says that it ends here."""
    await queries.save_erasure_events(tx, erasure_id=str(erasure_id), ids=list(ids), at=at)
