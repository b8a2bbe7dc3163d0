"""All of notify's SQL, one function per query; the text is in `queries.sql`. Every write is set-based."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.notify.audience import Audience, PersonFacts, why_left_out
from services.notify.texts import Wording
from shared.database import Tx, load_queries
from shared.events import PaymentState, TextState, VerificationResult
from shared.words import MessageStatus, Outcome

queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Person:
    """One snapshot to keep. `contact` is the sealed block, `phone_ix` the index of the phone in it."""

    beneficiary_id: UUID
    version: tuple[int, int]
    payer: str
    life: str
    has_account: bool
    cannot: bool
    contact: str | None
    phone_ix: bytes | None


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a round before it is stored: to the phone in `contact`, which is sealed for `owner`."""

    message_id: UUID
    phone_ix: bytes
    contact: str
    owner: UUID
    people: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ToSend:
    """One text the sender holds."""

    message_id: UUID
    round: int
    contact: str
    owner: UUID
    accented: bool


@dataclass(frozen=True, slots=True)
class Round:
    """Which round, drawn by whom and when."""

    campaign: str
    number: int
    payer: str | None
    actor: str
    at: datetime


async def save_people(tx: Tx, people: Sequence[Person]) -> None:
    """Keep newer snapshots; one per person in `people`."""
    rows = sorted(people, key=lambda person: person.beneficiary_id)
    await queries.save_people(
        tx,
        ids=[p.beneficiary_id for p in rows],
        epochs=[p.version[0] for p in rows],
        ns=[p.version[1] for p in rows],
        payers=[p.payer for p in rows],
        lives=[p.life for p in rows],
        has_accounts=[p.has_account for p in rows],
        cannots=[p.cannot for p in rows],
        contacts=[p.contact for p in rows],
        phone_ixs=[p.phone_ix for p in rows],
    )


async def save_verdicts(tx: Tx, results: Sequence[VerificationResult]) -> None:
    """Keep newer results; one per person in `results`."""
    rows = sorted(results, key=lambda result: result.beneficiary_id)
    await queries.save_verdicts(
        tx,
        ids=[r.beneficiary_id for r in rows],
        seqs=[r.result_seq for r in rows],
        deads=[r.outcome is Outcome.DEAD for r in rows],
    )


async def save_payments(tx: Tx, payments: Sequence[PaymentState]) -> None:
    """Keep newer states of payments; one per instruction in `payments`."""
    rows = sorted(payments, key=lambda payment: payment.instruction_id)
    await queries.save_payments(
        tx,
        instruction_ids=[p.instruction_id for p in rows],
        ids=[p.beneficiary_id for p in rows],
        seqs=[p.state_seq for p in rows],
        states=[p.state for p in rows],
    )


async def facts(tx: Tx, payer: str | None) -> tuple[list[PersonFacts], dict[UUID, str]]:
    """Facts of everybody, and the sealed contact of those who have one."""
    rows = [row async for row in queries.facts(tx, payer=payer)]
    return [_facts(row) for row in rows], {row["beneficiary_id"]: row["contact"] for row in rows if row["contact"]}


async def needed(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these texts still serve somebody to be reminded."""
    rows = [row async for row in queries.facts_of_texts(tx, ids=list(ids))]
    return {row["message_id"] for row in rows if why_left_out(_facts(row)) is None}


async def add_opt_out(tx: Tx, beneficiary_id: UUID, *, actor: str, at: datetime) -> None:
    """No more texts to this person's phone."""
    await queries.add_opt_out(tx, beneficiary_id=beneficiary_id, actor=actor, at=at)


async def add_round(tx: Tx, drawn: Round, audience: Audience) -> bool:
    """Whether the round is new; a second drawing changes nothing."""
    row = await queries.add_round(
        tx,
        campaign=drawn.campaign,
        round=drawn.number,
        payer=drawn.payer,
        people=audience.people,
        texts=len(audience.by_phone),
        left_out=json.dumps(dict(audience.left_out)),
        actor=drawn.actor,
        at=drawn.at,
    )
    return row is not None


async def add_texts(tx: Tx, drawn: Round, *, texts: Sequence[Text], words: Wording) -> None:
    """Store texts and whom they serve."""
    ids = [text.message_id for text in texts]
    key = {"campaign": drawn.campaign, "round": drawn.number}
    columns = {
        "phone_ixs": [t.phone_ix for t in texts],
        "contacts": [t.contact for t in texts],
        "owners": [t.owner for t in texts],
    }
    await queries.add_texts(tx, **key, **columns, ids=ids, accented=words.accented, parts=words.parts, at=drawn.at)
    served = [(person, text.message_id) for text in texts for person in text.people]
    await queries.add_served(tx, **key, people=[person for person, _ in served], ids=[message for _, message in served])


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
    )
