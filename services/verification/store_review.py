"""SQL of the review queue; the text is in `queries_review.sql`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.verification.reviewing import QUESTION_ADVICE, UNCLEAR, Decision, Sameness, question_of
from shared.database import Tx, load_queries
from shared.words import Outcome

queries = load_queries(__file__, "queries_review.sql")


class Sight(NamedTuple):
    """What somebody saw: the identity and the entries, by their digests."""

    sight_id: UUID
    beneficiary_id: UUID
    actor: str
    identity_digest: str
    entries: Mapping[str, str]


class Page(NamedTuple):
    """A page of cases, and how many wait in all."""

    cases: list[dict[str, Any]]
    waiting: int


async def cases(tx: Tx, payer: str | None, after: tuple[datetime, UUID] | None, *, most: int) -> Page:
    """Undecided unclear cases, of one payer or of all, behind a case that was shown; nothing personal."""
    outcomes = [*map(str, UNCLEAR), "duplicate"]
    after_at, after_id = after or (None, None)
    found = queries.cases(tx, payer=payer, outcomes=outcomes, after_at=after_at, after_id=after_id, most=most)
    rows = [dict(row) async for row in found]
    waiting = rows[0]["waiting"]
    return Page([_case(row) for row in rows if row["beneficiary_id"]], waiting)


def _case(row: dict[str, Any]) -> dict[str, Any]:
    evidence = json.loads(row["evidence"])
    question = question_of(Outcome(row["outcome"]), birth_known=row["birth_known"], was_answered=bool(evidence))
    shown = {name: row[name] for name in ("beneficiary_id", "payer", "outcome", "checked_at")}
    return {**shown, "evidence": evidence, "question": question, "advice": QUESTION_ADVICE[question] if question else ""}


async def shared_with(tx: Tx, beneficiary_id: UUID) -> list[UUID]:
    """Whom else of ours the register entry of this person belongs to, as judged now."""
    return [row["beneficiary_id"] async for row in queries.shared_with(tx, beneficiary_id=beneficiary_id)]


async def decisions(tx: Tx, ids: Collection[UUID]) -> Mapping[UUID, Sequence[Decision]]:
    """What was decided of these people, whether or not it still holds."""
    found: dict[UUID, list[Decision]] = defaultdict(list)
    async for row in queries.decisions(tx, ids=list(ids)):
        decision = Decision(
            row["decision_id"], row["identity_digest"], row["person_token"], row["register_digest"], Sameness(row["verdict"])
        )
        found[row["beneficiary_id"]].append(decision)
    return found


async def save_sight(tx: Tx, sight: Sight, at: datetime) -> None:
    """Somebody saw both sides."""
    said = {**sight._asdict(), "entries": json.dumps(dict(sight.entries))}
    await queries.save_sight(tx, **said, seen_at=at)


async def sight(tx: Tx, sight_id: UUID) -> Sight | None:
    """What was seen; None for an unknown one."""
    row = await queries.sight(tx, sight_id=sight_id)
    if row is None:
        return None
    return Sight(row["sight_id"], row["beneficiary_id"], row["actor"], row["identity_digest"], json.loads(row["entries"]))


async def save_decision(tx: Tx, **columns: Any) -> None:
    """What a person decided."""
    await queries.save_decision(tx, **columns)


async def decision_history(tx: Tx, beneficiary_id: UUID) -> list[dict[str, Any]]:
    """Everything that was decided of one person."""
    return [dict(row) async for row in queries.decision_history(tx, beneficiary_id=beneficiary_id)]
