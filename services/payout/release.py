"""The release command: the approved list, minus withdrawals and minus what changed since it was approved, leaves exactly once.

In two steps. First everything that leaves is made from one read-only snapshot, with no transaction id taken. Then one transaction asks
whether anything it was made from has changed; if so it starts over, else it writes signatures, states, postings, files and messages
together. So nothing leaves that was not judged, and nothing is half sent.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.payout import store, store_answers, store_life, store_recall, store_sending
from services.payout.against import died_on, is_on_death, to_the_family
from services.payout.batch import BatchState, Step, withdrawal_sha256
from services.payout.channel import TERMS, Terms, way
from services.payout.clerk import Answer
from services.payout.commands import Drop, signature_refused, take_off, take_step
from services.payout.emitting import audited
from services.payout.idempotency import keep
from services.payout.life import Emergency, release_refused
from services.payout.papers import papers
from services.payout.postal_list import HeldRow
from services.payout.refusals import Refusal, Refused
from services.payout.sending import Held, Packer, Shipment
from services.payout.store import Payroll
from services.payout.store_sending import Listed
from shared.actors import Actor
from shared.database import Tx
from shared.outbox import put_events
from shared.process import Runtime
from shared.words import Channel, HeldReason

TRIES = 3
ACCOUNT_CHANGED = "ACCOUNT_CHANGED"
CHANGED = "CHANGED_SINCE_APPROVAL"
_RECHECK = Actor("payout", frozenset(), (), None, "recheck")
"""Proposes what the comparison at release takes off; the releaser's signature is the second."""


@dataclass(frozen=True, slots=True)
class View:
    """What a release was made from: as long as a new look gives an equal one, the shipment is right."""

    batches: Sequence[Record]
    known: str


@dataclass(frozen=True, slots=True)
class Fallen:
    """A payment that falls out at the last comparison."""

    row: Record
    drop: Drop


@dataclass(frozen=True, slots=True)
class Released:
    """What left: per batch count, VND and hash; how many payments fell out at the last comparison."""

    batches: Sequence[Record]
    sent: Mapping[UUID, Listed]
    dropped: int


async def release(
    runtime: Runtime, period: str, payer: str, *, actor: Actor, answer: Answer, emergency: Emergency | None = None
) -> dict[str, Any] | Refused:
    """Send every approved list of a payroll. A refusal changes nothing. `emergency`: in a freeze, why all the same. `answer`: what
    the releaser is told, kept with what left."""
    for _try in range(TRIES):
        with Shipment(period=period, payer=payer, at=runtime.clock.now()) as shipment:
            async with runtime.database.reading() as tx:
                view, fallen = await _pack(tx, runtime, shipment)
            async with runtime.database.transaction("payout.release") as tx:
                payroll = await store.lock_payroll(tx, period, payer)
                if payroll is None:
                    return Refused(Refusal.NOT_CLOSED)
                if payroll.lead:
                    return Refused(Refusal.MONTH_JOINED)
                refusal = await _refused(
                    tx, runtime, payroll, fallen=fallen, actor=actor, emergency=emergency, at=shipment.entries.at
                )
                if refusal:
                    return refusal
                if await _view(tx, payroll) != view:
                    continue
                if emergency:
                    reason, at = emergency.reason, shipment.entries.at
                    await store_life.release_in_emergency(tx, view.batches, reason=reason, actor=actor, at=at)
                await _send(tx, view, fallen, shipment, payroll=payroll, actor=actor)
                told = answer(Released(view.batches, shipment.sent, len(fallen)))
                await keep(tx, told, shipment.entries.at)
                return told
    return Refused(Refusal.TRY_AGAIN)


async def _view(tx: Tx, payroll: Payroll) -> View:
    batches = await store.batches_in_state(tx, payroll.period, payroll.payer, BatchState.APPROVED)
    return View(batches, await store_sending.known_now(tx, payroll, [batch["batch_id"] for batch in batches]))


def recheck(rows: Iterable[Record], period: str, terms: Terms = TERMS) -> list[Fallen]:
    """Payments that may not leave as approved: the person died before the period, is held now, or the account is not the judged one or not
    to be paid on that day. Of a payment of several months one month is enough: the next build pays the others. Who executes was chosen and
    signed with the list: contracts are not asked again."""
    return [Fallen(row, drop) for row in rows if (drop := _drop(row, period, terms))]


def _drop(row: Record, period: str, terms: Terms) -> Drop | None:
    if row["life"] is None:
        return Drop(HeldReason.VERIFICATION_PENDING, HeldReason.VERIFICATION_PENDING)
    lines = [(month, content) for month, _, content in (text.partition(" ") for text in row["contents"] or ())]
    family = [(month, content, to_the_family({**row, "content": content}, month)) for month, content in lines]
    if any(is_on_death(content) and not owed for _month, content, owed in family):
        return Drop(HeldReason.NOT_OWED, HeldReason.NOT_OWED)
    if terms.lapses and any(owed and not is_on_death(content) for _month, content, owed in family):
        return Drop(HeldReason.NOT_OWED, HeldReason.NOT_OWED)  # what the death brings beside it is paid by the next build
    snapshot, verdict = store.snapshot_of(row), store.verdict_of(row)
    choices = {}
    for month in row["periods"] or (period,):
        owed = [one for of, _content, one in family if of == month]
        asked = terms._replace(paid_in=period, to_the_family=bool(owed) and all(owed))
        choices[month] = way(snapshot, verdict, period=month, terms=asked)
    held = {month: choice.held for month, choice in choices.items() if choice.held}
    if held:
        reason = held[min(held)]
        return Drop(reason, reason if len(held) == len(choices) else HeldReason.NEXT_BUILD, held)
    if row["channel"] != Channel.ACCOUNT:
        return None
    channels = {choice.channel for choice in choices.values()}
    same = channels == {Channel.ACCOUNT} and row["account_digest"] == row["paid_account"]
    return None if same else Drop(ACCOUNT_CHANGED, HeldReason.VERIFICATION_PENDING)


async def _pack(tx: Tx, runtime: Runtime, shipment: Shipment) -> tuple[View, list[Fallen]]:
    period, payer = shipment.entries.period, shipment.entries.payer
    payroll = await store.payroll(tx, period, payer)
    if payroll is None:
        return View((), ""), []
    shipment.periods = payroll.periods
    view = await _view(tx, payroll)
    ids = [batch["batch_id"] for batch in view.batches]
    office = papers(runtime.settings)
    days = [office.execution_date(batch["execution_date"], shipment.entries.at) for batch in view.batches]
    doubtful = await store_sending.doubtful_payments(tx, ids)
    lapses = runtime.settings.unpaid_after_death == "lapses"
    fallen = recheck(doubtful, period, Terms(runtime.settings.month_of_move, on=max(days, default=None), lapses=lapses))
    shipment.family = frozenset(row["instruction_id"] for row in doubtful if died_on(row))
    dropped = {one.row["instruction_id"]: one.row["batch_id"] for one in fallen}
    leaving = await store_sending.leaving_lists(tx, view.batches, dropped)
    packer = Packer(runtime.vault, office, shipment)
    for batch in view.batches:
        parcel = packer.begin(batch, leaving[batch["batch_id"]])
        async for rows in store_sending.leaving_payments(tx, batch["batch_id"], dropped):
            await asyncio.to_thread(parcel.add, rows)
        await asyncio.to_thread(parcel.end)
    if view.batches:
        rounds = max(batch["round"] for batch in view.batches)
        for area, held in sorted((await _held_after(tx, packer, fallen, payroll=payroll)).items()):
            await asyncio.to_thread(packer.hold, held, area, rounds)
    return view, fallen


async def _held_after(tx: Tx, packer: Packer, fallen: Sequence[Fallen], *, payroll: Payroll) -> dict[str, list[HeldRow]]:
    """Lines held already and those of payments that fall out now, per area."""
    areas: dict[str, list[HeldRow]] = defaultdict(list)
    drops = {one.row["instruction_id"]: one.drop for one in fallen}
    async for rows in store_sending.held_lines(tx, payroll):
        _show(areas, packer, zip(rows, (HeldReason(row["reason"]) for row in rows), strict=True))
    rows = await store_sending.falling_lines(tx, drops)
    _show(areas, packer, zip(rows, (drops[row["instruction_id"]].of(row["period"]) for row in rows), strict=True))
    return areas


def _show(areas: dict[str, list[HeldRow]], packer: Packer, lines: Iterable[tuple[Record, HeldReason]]) -> None:
    for row, reason in lines:
        line = Held(row["beneficiary_id"], row["area"], reason, row["vnd"], row["payee"], row["delivery"])
        areas[line.area].append(packer.held_row(line))


async def _refused(
    tx: Tx,
    runtime: Runtime,
    payroll: Payroll,
    *,
    fallen: Sequence[Fallen],
    actor: Actor,
    emergency: Emergency | None,
    at: datetime,
) -> Refused | None:
    batches = await store.batches_in_state(tx, payroll.period, payroll.payer, BatchState.APPROVED)
    refusal = await signature_refused(tx, batches, actor)
    if refusal:
        return Refused(refusal)
    waiting = await store_answers.open_withdrawals(tx, payroll)
    if waiting:
        return Refused(Refusal.WITHDRAWAL_OPEN, waiting)
    doubtful = await store_recall.lines_in_doubt(tx, payroll)
    if doubtful:
        return Refused(Refusal.CANCEL_DISPUTED, doubtful)
    dropped, required = {one.row["instruction_id"] for one in fallen}, runtime.settings.budget_required
    return await release_refused(tx, payroll, batches, dropped=dropped, at=at, emergency=emergency, budget_required=required)


async def _send(tx: Tx, view: View, fallen: Sequence[Fallen], shipment: Shipment, *, payroll: Payroll, actor: Actor) -> None:
    at = shipment.entries.at
    await _take_off(tx, view, fallen, shipment, payroll=payroll, actor=actor)
    await take_step(tx, Step.RELEASE, view.batches, payroll=payroll, actor=actor, at=at)
    left = await store_sending.send_payments(tx, shipment.sent)
    assert left == sum(leaving.count for leaving in shipment.sent.values()), "what was packed is what leaves"
    await store_sending.mark_sent(tx, shipment.sent, shipment.told, at=at)
    await store_answers.settle(tx, shipment.sent)  # a list from which everybody was taken off has nothing to wait for
    await shipment.postings.copy(tx)
    await store_sending.save_files(tx, payroll, shipment.files, at)
    await shipment.parts.copy(tx)
    told = [audited(actor, "payroll_release", shipment.entries), *await store_life.head(tx, shipment.entries)]
    await put_events(tx, told, at)
    await shipment.events.copy(tx)


async def _take_off(tx: Tx, view: View, fallen: Sequence[Fallen], shipment: Shipment, *, payroll: Payroll, actor: Actor) -> None:
    if not fallen:
        return
    at = shipment.entries.at
    hashes = {batch["batch_id"]: batch["sha256"] for batch in view.batches}
    drops = {one.row["instruction_id"]: one.drop for one in fallen}
    sha256 = withdrawal_sha256(CHANGED, [(hashes[one.row["batch_id"]], one.row["end_to_end_id"]) for one in fallen])
    await store_answers.propose_withdrawal(tx, payroll, sha256, reason=CHANGED, actor=_RECHECK, at=at)
    await store_answers.add_withdrawals(tx, sha256, drops)
    await store_answers.confirm_withdrawal(tx, sha256, actor, at)
    await take_off(tx, sha256, drops, payroll=payroll, actor=actor, at=at)
