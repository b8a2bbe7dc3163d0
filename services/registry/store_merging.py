"""SQL of merging and separating people; the text is in `queries_merging.sql`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.registry import store_files
from services.registry.keying import Keys
from services.registry.knowing import Said, known
from services.registry.merging import Act, ActKind, Standing
from services.registry.person import Person
from services.registry.sealing import Blocks, Sealer
from shared.actors import Actor
from shared.clock import period_of
from shared.database import Tx, load_queries

queries = load_queries(__file__, "queries_merging.sql")


async def of_one_person(
    tx: Tx, known: Collection[UUID], keys: Collection[Keys], sealer: Sealer
) -> dict[UUID, tuple[Person, Blocks]]:
    """Merged-away people whom these keys mean or who belong to somebody known, and who stays of them. Nobody, most of the time."""
    if not (await queries.anybody_merged(tx))["merged"]:
        return {}
    ixs = [ix for key in keys for ix in _texts(key)]
    leads = {row["beneficiary_id"]: row["survivor_id"] async for row in queries.led_elsewhere(tx, ids=list(known), ixs=ixs)}
    found = await store_files.people_by_id(tx, {*leads, *leads.values()}, sealer)
    return {who: (person._replace(merged_into=leads.get(who)), blocks) for who, (person, blocks) in found.items()}


async def propose(tx: Tx, act: Act, sight_id: UUID, paper: str, *, actor: Actor, at: datetime) -> None:
    """An act that waits for a second person."""
    await queries.propose(tx, **act._asdict(), sight_id=sight_id, paper=paper, actor=actor.id, token=actor.token, at=at)


async def act(tx: Tx, act_id: UUID) -> tuple[Act, str, bool] | None:
    """(the act, who proposed it, whether it was confirmed), ours until the transaction ends."""
    row = await queries.act(tx, act_id=act_id)
    if row is None:
        return None
    found = Act(row["act_id"], ActKind(row["kind"]), row["merged_id"], row["survivor_id"], row["undoes"])
    return found, row["proposed_by"], row["confirmed_at"] is not None


async def whom(tx: Tx, act_id: UUID) -> tuple[UUID, UUID] | None:
    """Whom an act is about; None for an unknown one."""
    row = await queries.whom(tx, act_id=act_id)
    return (row["merged_id"], row["survivor_id"]) if row else None


async def waiting_act(tx: Tx, pair: tuple[UUID, UUID]) -> UUID | None:
    """What waits for a second person about this pair."""
    row = await queries.waiting_act(tx, one=pair[0], other=pair[1])
    return row["act_id"] if row else None


async def withdraw(tx: Tx, act_id: UUID) -> None:
    """Nobody confirmed it, and nobody will."""
    await queries.withdraw(tx, act_id=act_id)


async def confirm(tx: Tx, act_id: UUID, sight_id: UUID, absorbed: Collection[str], *, actor: Actor, at: datetime) -> None:
    """A second person confirmed it."""
    await queries.confirm(tx, act_id=act_id, sight_id=sight_id, actor=actor.id, token=actor.token, at=at, absorbed=list(absorbed))


async def acts_of(tx: Tx, beneficiary_id: UUID) -> list[dict[str, Any]]:
    """What was done and proposed about somebody, in order; nothing personal."""
    return [dict(row) async for row in queries.acts_of(tx, beneficiary_id=beneficiary_id)]


async def standing(tx: Tx, merged_id: UUID, survivor_id: UUID) -> Standing:
    """How the two stand."""
    rows = [row async for row in queries.standing(tx, ids=[merged_id, survivor_id])]
    newest = await queries.last_merge(tx, survivor_id=survivor_id)
    merged_by = next((row["act_id"] for row in rows if row["beneficiary_id"] == merged_id), None)
    leads = {row["beneficiary_id"]: row["survivor_id"] for row in rows}
    return Standing(leads, newest["act_id"] if newest else None, merged_by)


async def taken_over(tx: Tx, survivor_id: UUID) -> list[str]:
    """What was taken over with the newest merge into somebody."""
    return list((await queries.last_merge(tx, survivor_id=survivor_id))["absorbed"])


async def being_closed(tx: Tx, ids: Collection[UUID]) -> bool:
    """Whether a list with a live row of these people is being closed right now."""
    return bool((await queries.lists_being_closed(tx, ids=list(ids)))["closing"])


async def carry_over(tx: Tx, done: Act, keys: Keys) -> None:
    """Rows of open lists and records go to who stays; the merged-away id's keys lead there."""
    pair = _pair(done)
    await queries.end_double_rows(tx, **pair)
    await queries.move_rows(tx, **pair)
    await queries.move_records(tx, **pair)
    await queries.save_merged(tx, **pair, act_id=done.act_id)
    await queries.save_merged_keys(tx, merged_id=done.merged_id, ixs=list(_texts(keys)))
    await queries.drop_pair(tx, merged_id=done.merged_id)
    await queries.drop_keys_of(tx, merged_id=done.merged_id)


async def carry_back(tx: Tx, done: Act) -> int:
    """Rows of open lists and records go back. Returns how many rows had ended with the merge and cannot live again: their list closed."""
    pair = _pair(done)
    await queries.forget_merged(tx, merged_id=done.merged_id)  # first: no merged-away id gets a live row
    await queries.move_rows_back(tx, **pair)
    await queries.revive_rows(tx, merged_id=done.merged_id)
    await queries.move_records_back(tx, merged_id=done.merged_id)
    late = int((await queries.rows_too_late(tx, merged_id=done.merged_id))["rows"])
    await queries.forget_records(tx, merged_id=done.merged_id)
    await queries.forget_looked(tx, ids=[done.merged_id, done.survivor_id])
    return late


async def save_events(tx: Tx, done: Act, at: datetime) -> None:
    """Both people's history says what was done."""
    ids = [done.merged_id, done.survivor_id]
    await queries.save_merge_events(tx, kind=f"{done.kind}d", act_id=str(done.act_id), at=at, ids=ids)


async def known_at(tx: Tx, beneficiary_id: UUID, at: datetime, on: date) -> dict[str, Any] | None:
    """What was known of somebody at a moment, about a day; None when nothing was. Nothing personal."""
    rows = [row async for row in queries.one_person_at(tx, beneficiary_id=beneficiary_id, at=at)]
    into = next((row["survivor_id"] for row in rows if row["merged_id"] == beneficiary_id), None)
    ids = [beneficiary_id, *(row["merged_id"] for row in rows if row["survivor_id"] == beneficiary_id)]
    said = [Said(**dict(row)) async for row in queries.said_by(tx, ids=ids, at=at)]
    if not said:
        return None
    frozen = [dict(row) async for row in queries.frozen_by(tx, ids=ids, period=period_of(on), at=at)]
    return {
        "beneficiary_id": beneficiary_id,
        "known_at": at,
        "merged_into": into,
        "ids": ids,
        **known(said, on),
        "frozen": frozen,
    }


def _pair(done: Act) -> Mapping[str, UUID]:
    return {"merged_id": done.merged_id, "survivor_id": done.survivor_id}


def _texts(keys: Keys) -> list[bytes]:
    return [ix for ix in keys if ix]
