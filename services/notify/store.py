"""All of notify's SQL, one function per query; the text is in `queries.sql`. Every write is set-based."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Record

from services.notify.audience import Audience, PersonFacts, why_left_out
from services.notify.texts import Wording
from shared.database import Tx, load_queries
from shared.events import PaymentState, TextState, VerificationResult
from shared.words import MessageStatus, Outcome

queries = load_queries(__file__)
_FIRST = UUID(int=0)


class Person(NamedTuple):
    """One snapshot to keep. `contact` is the sealed block, `phone_ix` the index of the phone in it."""

    beneficiary_id: UUID
    version: tuple[int, int]
    payer: str
    life: str
    has_account: bool
    cannot: bool
    contact: str | None
    phone_ix: bytes | None
    merged: bool


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a round before it is stored: to the phone in `contact`, which is sealed for `owner`."""

    message_id: UUID
    phone_ix: bytes
    contact: str
    owner: UUID


@dataclass(frozen=True, slots=True)
class Round:
    """Which round, drawn by whom and when."""

    campaign: str
    number: int
    payer: str | None
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """A round that is being drawn: reasons counted so far, the last person looked at, the last phone told of."""

    round: Round
    left_out: Counter[str]
    drawn_up_to: UUID | None
    told_up_to: bytes | None


@dataclass(frozen=True, slots=True)
class ToSend:
    """One text the sender holds."""

    message_id: UUID
    round: int
    contact: str
    owner: UUID
    accented: bool


async def save_people(tx: Tx, people: Sequence[Person]) -> None:
    """Keep newer snapshots; one per person in `people`. Rows are the columns of the table in their order, here and below."""
    rows = [
        (p.beneficiary_id, *p.version, p.payer, p.life, p.has_account, p.cannot, p.contact, p.phone_ix, p.merged, None)
        for p in sorted(people, key=lambda person: person.beneficiary_id.int)
    ]
    await queries.save_people(tx, people=rows)


async def save_verdicts(tx: Tx, results: Sequence[VerificationResult]) -> None:
    """Keep newer results; one per person in `results`."""
    rows = sorted(results, key=lambda result: result.beneficiary_id.int)
    await queries.save_verdicts(tx, verdicts=[(r.beneficiary_id, r.result_seq, r.outcome is Outcome.DEAD) for r in rows])


async def save_payments(tx: Tx, payments: Sequence[PaymentState]) -> None:
    """Keep newer states of payments; one per instruction in `payments`."""
    rows = sorted(payments, key=lambda payment: payment.instruction_id.int)
    await queries.save_payments(tx, payments=[(p.instruction_id, p.beneficiary_id, p.state_seq, p.state) for p in rows])


async def facts(tx: Tx, payer: str | None, *, after: UUID | None, most: int) -> list[tuple[PersonFacts, str | None]]:
    """Facts and sealed contact of the next people, of one payer or of all, in order of their ids."""
    place = {"after": after or _FIRST, "most": most}
    found = queries.facts_of_payer(tx, payer=payer, **place) if payer else queries.facts_of_all(tx, **place)
    return [(_facts(row), row["contact"]) async for row in found]


async def needed(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these texts still serve somebody to be reminded."""
    rows = [row async for row in queries.facts_of_texts(tx, ids=list(ids))]
    return {row["message_id"] for row in rows if why_left_out(_facts(row)) is None}


async def add_opt_out(tx: Tx, beneficiary_id: UUID, *, actor: str, at: datetime) -> None:
    """No more texts to this person's phone."""
    await queries.add_opt_out(tx, beneficiary_id=beneficiary_id, actor=actor, at=at)


async def begin_round(tx: Tx, begun: Round) -> bool:
    """Whether the round is new; begun a second time it stays as it is."""
    row = await queries.add_round(
        tx, campaign=begun.campaign, round=begun.number, payer=begun.payer, actor=begun.actor, at=begun.at
    )
    return row is not None


async def lock_round(tx: Tx, campaign: str, number: int) -> Progress | None:
    """A round that is being drawn, held by this transaction; None when it is drawn."""
    row = await queries.lock_round(tx, campaign=campaign, round=number)
    if row is None:
        return None
    round_ = Round(campaign, number, row["payer"], row["actor"], row["at"])
    return Progress(round_, Counter(json.loads(row["left_out"])), row["drawn_up_to"], row["told_up_to"])


async def rounds_not_drawn(tx: Tx) -> list[tuple[str, int]]:
    """Rounds whose drawing is not finished."""
    return [(row["campaign"], row["round"]) async for row in queries.rounds_not_drawn(tx)]


async def round_went_on(tx: Tx, progress: Progress, audience: Audience, *, texts: int, up_to: UUID) -> None:
    """Add a part to a round's totals."""
    left_out = json.dumps(progress.left_out + Counter(audience.left_out))
    key = {"campaign": progress.round.campaign, "round": progress.round.number}
    await queries.round_went_on(tx, **key, people=audience.people, texts=texts, left_out=left_out, drawn_up_to=up_to)


async def round_told(tx: Tx, begun: Round, up_to: bytes) -> None:
    """Texts up to this phone are told."""
    await queries.round_told(tx, campaign=begun.campaign, round=begun.number, told_up_to=up_to)


async def round_drawn(tx: Tx, begun: Round) -> None:
    """The round is whole."""
    await queries.round_drawn(tx, campaign=begun.campaign, round=begun.number)


async def texts_to_phones(tx: Tx, begun: Round, phones: Collection[bytes]) -> dict[bytes, UUID]:
    """Texts this round has for these phones already."""
    found = queries.texts_to_phones(tx, campaign=begun.campaign, round=begun.number, phone_ixs=list(phones))
    return {row["phone_ix"]: row["message_id"] async for row in found}


async def texts_to_tell(tx: Tx, begun: Round, *, after: bytes | None, most: int) -> list[tuple[bytes, UUID]]:
    """The next texts of a round, in order of their phones."""
    found = queries.texts_to_tell(tx, campaign=begun.campaign, round=begun.number, after=after or b"", most=most)
    return [(row["phone_ix"], row["message_id"]) async for row in found]


async def add_texts(tx: Tx, begun: Round, *, texts: Sequence[Text], words: Wording) -> None:
    """Store texts."""
    await queries.add_texts(
        tx,
        campaign=begun.campaign,
        round=begun.number,
        ids=[text.message_id for text in texts],
        phone_ixs=[text.phone_ix for text in texts],
        contacts=[text.contact for text in texts],
        owners=[text.owner for text in texts],
        accented=words.accented,
        parts=words.parts,
        at=begun.at,
    )


async def add_served(tx: Tx, begun: Round, served: Sequence[tuple[UUID, UUID]]) -> None:
    """Whom texts serve: pairs of person and text."""
    people, ids = [person for person, _ in served], [message for _, message in served]
    await queries.add_served(tx, campaign=begun.campaign, round=begun.number, people=people, ids=ids)


async def created_texts(tx: Tx, most: int) -> list[ToSend]:
    """The next texts never sent yet, locked for this transaction."""
    return [ToSend(**row) async for row in queries.created_texts(tx, most=most)]


async def unknown_texts(tx: Tx, most: int, *, asked_max: int, pause: timedelta, at: datetime) -> list[ToSend]:
    """The next texts to ask about again, locked for this transaction."""
    found = queries.unknown_texts(tx, most=most, asked_max=asked_max, pause=pause, at=at)
    return [ToSend(**row) async for row in found]


async def ask(tx: Tx, ids: Sequence[UUID], at: datetime) -> None:
    """These texts are about to be handed over."""
    await queries.ask(tx, ids=list(ids), at=at)


async def skip(tx: Tx, ids: Sequence[UUID], at: datetime) -> list[UUID]:
    """Texts that nobody needs any more."""
    return [row["message_id"] async for row in queries.skip(tx, ids=list(ids), at=at)]


async def give_up_waiting(tx: Tx, *, before: datetime, at: datetime) -> list[UUID]:
    """Texts whose sender is gone become unknown."""
    return [row["message_id"] async for row in queries.give_up_waiting(tx, before=before, at=at)]


async def settle(tx: Tx, statuses: Mapping[UUID, MessageStatus], at: datetime) -> list[UUID]:
    """Apply what the gateway or receipts say, forward only; returns the texts that changed."""
    ids = sorted(statuses)
    found = queries.settle(tx, ids=ids, statuses=[statuses[key] for key in ids], at=at)
    return [row["message_id"] async for row in found]


async def save_receipts(tx: Tx, receipts: Sequence[tuple[UUID, MessageStatus, datetime]], received_at: datetime) -> None:
    """Keep receipts as they came."""
    rows = sorted(receipts)
    await queries.save_receipts(
        tx, ids=[r[0] for r in rows], statuses=[r[1] for r in rows], ats=[r[2] for r in rows], received_at=received_at
    )


async def text_states(tx: Tx, ids: Sequence[UUID]) -> list[TextState]:
    """These texts as messages to others."""
    return [
        TextState(
            message_id=row["message_id"],
            campaign=row["campaign"],
            round=row["round"],
            beneficiary_ids=tuple(row["people"]),
            status=MessageStatus(row["status"]),
            parts=row["parts"],
            at=row["changed_at"],
        )
        async for row in queries.text_states(tx, ids=list(ids))
    ]


async def campaign(tx: Tx, name: str) -> list[dict[str, Any]]:
    """The rounds of a campaign with texts by status."""
    drawn = [row async for row in queries.rounds(tx, campaign=name)]
    rounds: dict[int, dict[str, Any]] = {r["round"]: {**r, "left_out": json.loads(r["left_out"]), "states": {}} for r in drawn}
    async for row in queries.states_of_rounds(tx, campaign=name):
        rounds[row["round"]]["states"][row["status"]] = row["texts"]
    return list(rounds.values())


async def trace(tx: Tx, beneficiary_id: UUID) -> dict[str, Any] | None:
    """What is known of one person and every text that serves them; None for somebody unknown."""
    person = await queries.facts_of_person(tx, beneficiary_id=beneficiary_id)
    if person is None:
        return None
    texts = [dict(row) async for row in queries.texts_of_person(tx, beneficiary_id=beneficiary_id)]
    facts = {"version": [person["epoch"], person["n"]], "payer": person["payer"], "left_out": why_left_out(_facts(person))}
    return {"beneficiary_id": beneficiary_id, **facts, "texts": texts}


def _facts(row: Record) -> PersonFacts:
    return PersonFacts(
        beneficiary_id=row["beneficiary_id"],
        life=row["life"],
        found_dead=row["found_dead"],
        has_account=row["has_account"],
        paid_on_account=row["paid_on_account"],
        cannot=row["cannot"],
        opted_out=row["opted_out"],
        phone_ix=row["phone_ix"],
        merged=row["merged"],
    )
