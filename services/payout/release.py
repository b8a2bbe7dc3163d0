"""The release command: the approved list, minus withdrawals and minus what changed since it was approved, leaves exactly once.

In two steps. First everything that leaves is made from a read-only snapshot, in a thread, with no transaction open. Then one
transaction reads the same rows again; if any differs it starts over, else it writes signatures, states, postings, files and
messages together. So nothing leaves that was not judged, and nothing is half sent.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.payout import ledger, store, store_answers
from services.payout.bank_file import Debtor
from services.payout.batch import BatchState, Payment, Step, withdrawal_sha256
from services.payout.channel import choose
from services.payout.commands import signature_refused, take_off, take_step
from services.payout.emitting import Entries, audited, moved
from services.payout.refusals import Refusal, Refused
from services.payout.sending import Held, Packer, Shipment
from services.payout.store import Payroll
from shared.actors import Actor
from shared.database import Database, Tx
from shared.outbox import put_events
from shared.process import Runtime
from shared.topics import Provider
from shared.words import Channel, HeldReason, InstructionState

TRIES = 3
ACCOUNT_CHANGED = "ACCOUNT_CHANGED"
CHANGED = "CHANGED_SINCE_APPROVAL"
_RECHECK = Actor("payout", frozenset(), (), None, "recheck")
"""Proposes what the comparison at release takes off; the releaser's signature is the second."""

Drop = tuple[str, HeldReason]
"""(reason told with the payment, reason its lines are held for)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One consistent view of what is about to leave. Equal views lead to equal shipments."""

    batches: list[dict[str, Any]]
    payments: list[tuple[Payment, InstructionState]]
    people: dict[UUID, dict[str, Any]]
    held: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Released:
    """What left: per batch count, VND and hash; how many payments fell out at the last comparison."""

    batches: Sequence[Mapping[str, Any]]
    sent: Mapping[UUID, tuple[int, int, str]]
    dropped: int


async def release(runtime: Runtime, period: str, payer: str, *, actor: Actor) -> Released | Refused:
    """Send every approved list of a payroll. A refusal changes nothing."""
    for _try in range(TRIES):
        at = runtime.clock.now()
        loaded = await _read(runtime.database, period, payer)
        dropped = recheck(loaded, period)
        shipment = await asyncio.to_thread(_pack, runtime, loaded, dropped, period=period, payer=payer, at=at)
        async with runtime.database.transaction("payout.release") as tx:
            payroll = await store.lock_payroll(tx, period, payer)
            if payroll is None:
                return Refused(Refusal.NOT_CLOSED)
            refusal = await _refused(tx, payroll, actor)
            if refusal:
                return refusal
            if await _load(tx, period, payer) != loaded:
                continue
            await _send(tx, loaded, dropped, shipment, payroll=payroll, actor=actor, at=at)
            return Released(loaded.batches, shipment.sent, len(dropped))
    return Refused(Refusal.TRY_AGAIN)


async def _read(database: Database, period: str, payer: str) -> Loaded:
    async with database.reading() as tx:
        return await _load(tx, period, payer)


async def _load(tx: Tx, period: str, payer: str) -> Loaded:
    batches = await store.approved_batches(tx, period, payer)
    payments = await store.payments_of(tx, [batch["batch_id"] for batch in batches])
    people = await store.people(tx, {payment.beneficiary_id for payment, _state in payments})
    held = await store.held_lines(tx, period, payer)
    return Loaded(_plain(batches), payments, {key: dict(row) for key, row in people.items()}, _plain(held))


def _plain(rows: Sequence[Record]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]


def recheck(loaded: Loaded, period: str) -> dict[UUID, Drop]:
    """Payments that may not leave as approved: the person died before the period, is held now, or the account is not the judged one."""
    drops = {}
    for payment, state in loaded.payments:
        drop = _drop(payment, loaded.people.get(payment.beneficiary_id), period)
        if drop and state is InstructionState.CREATED:
            drops[payment.instruction_id] = drop
    return drops


def _drop(payment: Payment, person: Mapping[str, Any] | None, period: str) -> Drop | None:
    if person is None:
        return HeldReason.VERIFICATION_PENDING, HeldReason.VERIFICATION_PENDING
    choice = choose(store.snapshot_of(person), store.verdict_of(person), period=period)
    if choice.held:
        return choice.held, choice.held
    if payment.provider is Provider.POST:
        return None
    same = choice.channel is Channel.ACCOUNT and person["account_digest"] == payment.account_digest
    return None if same else (ACCOUNT_CHANGED, HeldReason.VERIFICATION_PENDING)


def _pack(runtime: Runtime, loaded: Loaded, dropped: Mapping[UUID, Drop], *, period: str, payer: str, at: datetime) -> Shipment:
    if not loaded.batches:
        return Shipment()
    settings = runtime.settings
    debtor = Debtor(settings.debtor_name, settings.debtor_account)
    packer = Packer(runtime.vault, debtor, period=period, payer=payer, made_at=at)
    return packer.pack(loaded.batches, _leaving(loaded, dropped), people=loaded.people, held=_held_after(loaded, dropped))


def _leaving(loaded: Loaded, dropped: Mapping[UUID, Drop]) -> list[Payment]:
    return [p for p, state in loaded.payments if state is InstructionState.CREATED and p.instruction_id not in dropped]


def _held_after(loaded: Loaded, dropped: Mapping[UUID, Drop]) -> list[Held]:
    """Lines held already and those of payments that fall out now."""
    held = [
        Held(row["beneficiary_id"], row["area"], HeldReason(row["reason"]), row["vnd"], row["payee"], row["delivery"])
        for row in loaded.held
    ]
    for payment, _state in loaded.payments:
        if payment.instruction_id in dropped:
            person = loaded.people.get(payment.beneficiary_id, {})
            reason, blocks = dropped[payment.instruction_id][1], (person.get("payee"), person.get("delivery"))
            held += [Held(payment.beneficiary_id, payment.area, reason, share.vnd, *blocks) for share in payment.shares]
    return held


async def _refused(tx: Tx, payroll: Payroll, actor: Actor) -> Refused | None:
    batches = await store.batches_in_state(tx, payroll.period, payroll.payer, BatchState.APPROVED)
    refusal = await signature_refused(tx, batches, actor)
    if refusal:
        return Refused(refusal)
    waiting = await store_answers.open_withdrawals(tx, payroll)
    return Refused(Refusal.WITHDRAWAL_OPEN, waiting) if waiting else None


async def _send(
    tx: Tx, loaded: Loaded, dropped: Mapping[UUID, Drop], shipment: Shipment, *, payroll: Payroll, actor: Actor, at: datetime
) -> None:
    await _take_off_dropped(tx, loaded, dropped, payroll=payroll, actor=actor, at=at)
    await take_step(tx, Step.RELEASE, loaded.batches, payroll=payroll, actor=actor, at=at)
    leaving = _leaving(loaded, dropped)
    await store.move_payments(tx, {payment.instruction_id: (InstructionState.SEALED, None) for payment in leaving})
    rows = await store.move_payments(tx, {payment.instruction_id: (InstructionState.SENDING, None) for payment in leaving})
    await store.mark_sent(tx, shipment.sent, at)
    await store_answers.settle(tx, shipment.sent)  # a list from which everybody was taken off has nothing to wait for
    postings = [posting for payment in leaving for posting in _postings(payment)]
    await store.post(tx, [(payroll.period, payroll.payer, posting) for posting in postings], at)
    await store.save_files(tx, payroll, shipment.files, at)
    entries = Entries(payroll.period, payroll.payer, at)
    told = [audited(actor, "payroll_release", entries)] + [entries.posting(posting) for posting in postings]
    told += moved(rows, payroll.period, payroll.payer)
    await put_events(tx, told + shipment.messages, at)


def _postings(payment: Payment) -> list[ledger.Posting]:
    shares: dict[str, int] = defaultdict(int)
    for share in payment.shares:
        shares[share.programme] += share.vnd
    return ledger.on_sent(payment.instruction_id, payment.provider, shares)


async def _take_off_dropped(
    tx: Tx, loaded: Loaded, dropped: Mapping[UUID, Drop], *, payroll: Payroll, actor: Actor, at: datetime
) -> None:
    if not dropped:
        return
    hashes = {batch["batch_id"]: batch["sha256"] for batch in loaded.batches}
    taken = [(hashes[p.batch_id], p.end_to_end_id) for p, _state in loaded.payments if p.instruction_id in dropped]
    sha256 = withdrawal_sha256(CHANGED, taken)
    await store_answers.propose_withdrawal(tx, payroll, sha256, reason=CHANGED, actor=_RECHECK, at=at)
    await store_answers.add_withdrawals(tx, sha256, dropped)
    await store_answers.confirm_withdrawal(tx, sha256, actor, at)
    await take_off(tx, sha256, dropped, payroll=payroll, actor=actor, at=at)
