"""SQL of who may be one: keys, candidates, sights, decisions. The text is in `queries_people.sql`; writes are set-based."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Record as Row

from services.registry.pairs import Pair, PairSight, Paper
from services.registry.person import Place
from services.registry.scoring import Evidence, Side
from services.registry.sealing import Sealer
from shared.actors import Actor
from shared.database import Tx, load_queries

queries = load_queries(__file__, "queries_people.sql")


class Seen(NamedTuple):
    """One person as compared: `identity_digest` names what was compared, `state` everything that matters for it."""

    side: Side
    identity_digest: str
    payer: str
    state: str = ""


class Candidate(NamedTuple):
    """A pair that may be one person."""

    pair: Pair
    points: int
    evidence: Evidence
    digests: tuple[str, str]


async def one_looker_at_a_time(tx: Tx) -> None:
    """Wait for who looks already."""
    await queries.one_looker_at_a_time(tx)


async def to_look_at(tx: Tx, after: UUID, most: int, sealer: Sealer) -> dict[UUID, Seen]:
    """The next people to look at, in order of their ids. Raises VaultError when a stored block does not open."""
    return {row["beneficiary_id"]: _seen(row, sealer) async for row in queries.to_look_at(tx, after=after, most=most)}


async def sides(tx: Tx, ids: Collection[UUID], sealer: Sealer) -> dict[UUID, Seen]:
    """People as compared. Raises VaultError when a stored block does not open."""
    if not ids:
        return {}
    return {row["beneficiary_id"]: _seen(row, sealer) async for row in queries.sides(tx, ids=list(ids))}


async def save_keys(tx: Tx, keys: Mapping[UUID, Collection[bytes]]) -> None:
    """The keys of these people, in place of the ones they had."""
    await queries.drop_keys(tx, ids=list(keys))
    rows = sorted((ix, who) for who, ixs in keys.items() for ix in ixs)
    await queries.save_keys(tx, ixs=[row[0] for row in rows], owners=[row[1] for row in rows])


async def save_looked(tx: Tx, seen: Mapping[UUID, Seen]) -> None:
    """These people were looked at as they are."""
    await queries.save_looked(tx, ids=list(seen), states=[one.state for one in seen.values()])


async def pairs(tx: Tx, ids: Collection[UUID], most: int) -> tuple[list[Pair], int]:
    """(whom these people share a key with, how many keys more than `most` people share)."""
    found = [Pair(row["one"], row["other"]) async for row in queries.pairs(tx, ids=list(ids), most=most)]
    return found, int((await queries.wide_keys(tx, ids=list(ids), most=most))["wide"])


async def save_candidates(tx: Tx, ids: Collection[UUID], found: Iterable[Candidate], at: datetime) -> None:
    """The candidates these people are part of, in place of the ones they were."""
    rows = sorted(found)
    names = {"ones": [row.pair.one for row in rows], "others": [row.pair.other for row in rows]}
    await queries.drop_candidates(tx, ids=list(ids), **names)
    await queries.save_candidates(
        tx,
        **names,
        points=[row.points for row in rows],
        evidence=[json.dumps(row.evidence._asdict()) for row in rows],
        one_digests=[row.digests[0] for row in rows],
        other_digests=[row.digests[1] for row in rows],
        at=at,
    )


class PairAfter(NamedTuple):
    """The last pair of the page before."""

    points: int | None = None
    found_at: datetime | None = None
    one: UUID | None = None
    other: UUID | None = None


async def open_candidates(tx: Tx, payer: str | None, after: PairAfter, most: int) -> list[dict[str, Any]]:
    """What waits for a person behind a pair, the likeliest first; nothing personal."""
    behind = {f"after_{name}": value for name, value in after._asdict().items()}
    found = [dict(row) async for row in queries.open_candidates(tx, payer=payer, **behind, most=most)]
    return [{**row, "evidence": json.loads(row["evidence"])} for row in found]


async def save_sight(tx: Tx, sight: PairSight, at: datetime) -> None:
    """Somebody saw both sides."""
    (one, other), (one_digest, other_digest) = sight.pair, sight.digests
    await queries.save_sight(
        tx, sight_id=sight.sight_id, one=one, other=other, one_digest=one_digest, other_digest=other_digest, actor=sight.actor,
        seen_at=at,
    )  # fmt: skip


async def sight(tx: Tx, sight_id: UUID) -> PairSight | None:
    """What was seen; None for an unknown one."""
    row = await queries.sight(tx, sight_id=sight_id)
    if row is None:
        return None
    return PairSight(row["sight_id"], Pair(row["one"], row["other"]), (row["one_digest"], row["other_digest"]), row["actor"])


async def told_apart(tx: Tx, seen: PairSight) -> bool:
    """Whether the two, as they were seen, were told apart."""
    (one, other), (one_digest, other_digest) = seen.pair, seen.digests
    row = await queries.told_apart(tx, one=one, other=other, one_digest=one_digest, other_digest=other_digest)
    return bool(row["apart"])


async def tell_apart(tx: Tx, decision_id: UUID, seen: PairSight, paper: Paper, *, actor: Actor, at: datetime) -> None:
    """Two are two, as somebody decided who saw them."""
    (one, other), (one_digest, other_digest) = seen.pair, seen.digests
    await queries.tell_apart(
        tx, decision_id=decision_id, one=one, other=other, one_digest=one_digest, other_digest=other_digest, sight_id=seen.sight_id,
        paper=paper, decider=actor.id, decider_token=actor.token, decided_at=at,
    )  # fmt: skip


def _seen(row: Row, sealer: Sealer) -> Seen:
    owner = str(row["beneficiary_id"])
    place = Place(row["area"], sealer.open_delivery(owner, row["delivery"]).hamlet, row["payer"])
    side = Side(sealer.open_identity(owner, row["identity"]), place, row["account_digest"])
    return Seen(side, row["identity_digest"], row["payer"], row.get("state", ""))
