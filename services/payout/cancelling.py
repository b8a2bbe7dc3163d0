"""Commands on payments that were sent and must not be paid: two people ask the provider, and only its word ends anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from services.payout import store_recall
from services.payout.batch import DEAD
from services.payout.emitting import Entries
from services.payout.recalling import IN_FLIGHT, After, CancelState, Wish, by_month, cancel_sha256, follows, refused
from services.payout.refusals import Refusal, Refused
from services.payout.store import HeldLine, Payroll
from services.payout.store_recall import Asked
from shared.actors import Actor
from shared.cancels import IDS_MAX, CancelRequest
from shared.database import Tx
from shared.events import BatchMessage
from shared.ids import derived_id
from shared.outbox import OutEvent, put_events
from shared.topics import Provider, batch_topic
from shared.vault import Vault
from shared.words import HeldReason, InstructionState


@dataclass(frozen=True, slots=True)
class CancelProposed:
    """A cancel that waits for its second signature. `kept_back`, `owed`: VND by month, what of it is back for good when the payments are
    cancelled, and what the next build may pay."""

    sha256: str
    count: int
    vnd: int
    kept_back: dict[str, int]
    owed: dict[str, int]


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """What a confirmed cancel did: payments asked back, and those that had ended while it waited for the second signature; with what
    becomes of the months of both, unless they were paid."""

    asked: int
    ended: int
    kept_back: dict[str, int]
    owed: dict[str, int]


async def propose(
    tx: Tx, people: Collection[UUID], wish: Wish, *, payroll: Payroll, actor: Actor, at: datetime
) -> CancelProposed | Refused:
    """Propose to ask back every payment of these people that is on its way; where months are named, those that pay one of them."""
    rows = await store_recall.cancellable(tx, payroll, people)
    rows = [row for row in rows if not wish.months or not wish.months.isdisjoint(row["months"])]
    found = [row for row in rows if row["state"] in IN_FLIGHT]
    sha256 = cancel_sha256(wish, [(row["sent_sha256"], row["end_to_end_id"]) for row in found])
    refusal = refused(people, rows, sha256)
    if refusal:
        return Refused(refusal, len(people))
    ids = [row["instruction_id"] for row in found]
    await store_recall.propose(tx, payroll, sha256, wish=wish, ids=ids, actor=actor, at=at)
    return CancelProposed(sha256, len(found), sum(row["vnd"] for row in found), *by_month(found, wish))


async def confirm(tx: Tx, vault: Vault, sha256: str, *, payroll: Payroll, actor: Actor, at: datetime) -> CancelAsked | Refused:
    """The second signature: providers are asked. What ended meanwhile is not asked back; nothing else happens to any payment. Of one that
    died meanwhile the lines are kept back as both signed: else the next build would pay them another way."""
    proposal = await store_recall.cancel_list(tx, payroll, sha256)
    if proposal is None or proposal["confirmed_by"]:
        return Refused(Refusal.CANCEL_UNKNOWN)
    if actor.sha256 != sha256:
        return Refused(Refusal.SIGNATURE_DIFFERS)
    if actor.id == proposal["proposed_by"]:
        return Refused(Refusal.SAME_ACTOR)
    named = await store_recall.cancels_of_list(tx, sha256)
    rows = [row for row in named if row["cancel"] == CancelState.PROPOSED]
    asked = [row for row in rows if row["state"] in IN_FLIGHT]
    ended = {row["instruction_id"]: goes for row in rows if (goes := _ended(row))}
    wish = Wish(proposal["reason"], After(proposal["after"]), frozenset(proposal["periods"] or ()))
    died = [row for row in named if row["state"] in DEAD] if wish.after is After.KEEP else []
    messages = list(_messages(sha256, asked))
    await store_recall.confirm(tx, sha256, messages, actor=actor, at=at)
    await store_recall.move_cancels(tx, ended, at)
    entries = Entries(payroll.period, payroll.payer, at)
    events = [
        entries.cancel(row, ended.get(row["instruction_id"], CancelState.ASKED), actor=actor.id, sha256=sha256) for row in rows
    ]
    events += [_told(vault, message, sha256, at=at) for message in messages]
    kept = await store_recall.keep_back(tx, [row["instruction_id"] for row in died], (), at) if died else []
    await put_events(tx, [*events, *held_back(kept, at)], at)
    of_those = [{"months": [line["period"]], "vnds": [line["vnd"]]} for line in kept]
    return CancelAsked(len(asked), len(named) - len(asked), *by_month([*asked, *of_those], wish))


def held_back(lines: Iterable[Record], at: datetime) -> Iterator[OutEvent]:
    """What is told of lines that are held because a payment died under a cancel."""
    for line in lines:
        held = HeldLine(line["entitlement_id"], HeldReason(line["reason"]), line["vnd"], line["period"])
        yield Entries(line["payroll"], line["payer"], at).held(held)


async def expire(tx: Tx, answer_hours: int, *, payroll: Payroll, at: datetime) -> int:
    """No word on a cancel is unknown, never an answer: the payment stays as it is. Returns how many."""
    ids = await store_recall.unanswered(tx, payroll, at - timedelta(hours=answer_hours))
    await store_recall.move_cancels(tx, dict.fromkeys(ids, CancelState.UNKNOWN), at)
    return len(ids)


def _ended(row: Record) -> CancelState | None:
    return follows(CancelState.PROPOSED, InstructionState(row["state"]))


def _messages(sha256: str, rows: Sequence[Record]) -> Iterator[Asked]:
    """A message per batch, more where it would name too many payments."""
    of_batch: dict[UUID, list[Record]] = defaultdict(list)
    for row in rows:
        of_batch[row["batch_id"]].append(row)
    for batch_id, payments in sorted(of_batch.items()):
        for number, first in enumerate(range(0, len(payments), IDS_MAX)):
            page = payments[first : first + IDS_MAX]
            yield Asked(derived_id("cancel message", sha256, batch_id, number), batch_id, page)


def _told(vault: Vault, message: Asked, sha256: str, *, at: datetime) -> OutEvent:
    provider = Provider(message.payments[0]["provider"])
    request = CancelRequest(
        cancel_id=message.cancel_id,
        batch_id=message.batch_id,
        provider=provider,
        end_to_end_ids=tuple(row["end_to_end_id"] for row in message.payments),
        list_sha256=sha256,
        made_at=at,
    )
    jws = vault.sign(request.model_dump_json().encode())
    told = BatchMessage(batch_id=message.batch_id, kind="cancel", jws=jws)
    return OutEvent(batch_topic(provider), str(message.batch_id), told)
