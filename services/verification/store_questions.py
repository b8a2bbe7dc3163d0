"""SQL about questions to others, register and banks; the text is in `queries_questions.sql`. Set-based, as everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.verification.store import Row
from shared.database import Tx, load_queries

NO_REFUSALS: Mapping[UUID, str] = {}
queries = load_queries(__file__, "queries_questions.sql")


class About(StrEnum):
    """What a question is about: who a person is, or whose an account is."""

    PERSON = "person"
    HOLDER = "holder"


async def one_asker_at_a_time(tx: Tx) -> None:
    """Wait for other askers: who counts the quota uses it before the next one counts."""
    await queries.one_asker_at_a_time(tx)


async def make_questions(tx: Tx, officer: str, procedure: str, *, renew_before: datetime, at: datetime, most: int) -> None:
    """Questions about people of whom nothing is known, then about those whose answer is to be renewed; ids are stored with them."""
    said = {"officer": officer, "procedure": procedure, "at": at, "most": most}
    await queries.make_urgent_questions(tx, **said)
    await queries.make_renewals(tx, **said, before=renew_before)


async def make_holder_questions(tx: Tx, officer: str, procedure: str, *, renew_before: datetime, at: datetime, most: int) -> None:
    """Questions about accounts whose holder nobody has answered about, then about those whose answer ends before a moment."""
    said = {"officer": officer, "procedure": procedure, "at": at, "most": most}
    await queries.make_holder_questions(tx, **said)
    await queries.make_holder_renewals(tx, **said, before=renew_before)


async def sent_since(tx: Tx, about: About, since: datetime) -> int:
    """How many questions went out since a moment."""
    return int((await queries.sent_since(tx, about=about, since=since))["sent"])


async def due_questions(tx: Tx, about: About, at: datetime, *, most: int, also_renewals: bool) -> list[Row]:
    """Open questions to send now, with the sealed blocks they are about."""
    found = queries.due_questions(tx, about=about, at=at, most=most, all_of_them=also_renewals)
    return [row async for row in found]


async def count_sending(tx: Tx, due_again: Mapping[UUID, datetime], at: datetime) -> None:
    """These go out; without an answer they are due again at these moments."""
    if due_again:
        await queries.count_sending(tx, ids=list(due_again), due_ats=list(due_again.values()), at=at)


async def end_questions(
    tx: Tx, answers: Mapping[UUID, str | None], at: datetime, *, refusals: Mapping[UUID, str] = NO_REFUSALS
) -> set[UUID]:
    """What was answered, with the codes of banks that refused; None for a question that is asked no more. Returns the people whose
    questions these were."""
    if not answers:
        return set()
    codes = [refusals.get(key) for key in answers]
    ended = queries.end_questions(tx, ids=list(answers), answers=list(answers.values()), refusals=codes, at=at)
    return {row["beneficiary_id"] async for row in ended}


async def answers(tx: Tx, about: About, digests: Mapping[UUID, str], *, not_before: datetime) -> dict[UUID, tuple[str, datetime]]:
    """What was last answered about these people as they are now, and when; without those nobody answered about."""
    found = queries.answers(tx, about=about, ids=list(digests), digests=list(digests.values()), not_before=not_before)
    return {row["beneficiary_id"]: (row["answer"], row["answered_at"]) async for row in found}


async def questions_by_state(tx: Tx) -> list[dict[str, Any]]:
    """Counts per kind, and since when the oldest waits."""
    return [dict(row) async for row in queries.questions_by_state(tx)]


async def holder_answers(tx: Tx, beneficiary_id: UUID) -> list[dict[str, Any]]:
    """What banks answered about one person's accounts; `holds`: it is about the account and name of now."""
    return [dict(row) async for row in queries.holder_answers(tx, beneficiary_id=beneficiary_id)]


async def refusals(tx: Tx) -> dict[str, int]:
    """Accounts that their bank names no holder of, by its code."""
    return {row["refusal"]: row["accounts"] async for row in queries.refusals(tx)}
