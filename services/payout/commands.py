"""Commands on a payroll that was built: check, approve, withdraw, confirm a withdrawal, expire answers. Each locks the payroll first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from asyncpg import Record

from services.payout import store, store_answers, store_sending
from services.payout.batch import BATCH_MOVES, STEP_FROM, BatchState, Step, joint_sha256, withdrawal_sha256
from services.payout.emitting import Entries, moved
from services.payout.refusals import Refusal, Refused
from services.payout.store import HeldLine, Payroll, Row
from services.payout.store_sending import Listed
from shared.actors import Actor
from shared.database import Tx
from shared.outbox import put_events
from shared.words import HeldReason, InstructionState


class Drop(NamedTuple):
    """Why a payment leaves its list: the reason told with it, and the one its lines are held for. `months`: of a payment of several months,
    the months that are held for another reason."""

    told: str
    held: HeldReason
    months: Mapping[str, HeldReason] | None = None

    def of(self, month: str) -> HeldReason:
        """What a line of this month is held for."""
        return self.months.get(month, self.held) if self.months else self.held


@dataclass(frozen=True, slots=True)
class Proposed:
    """A withdrawal list that waits for its second signature."""

    sha256: str
    count: int
    vnd: int


async def sign_step(tx: Tx, step: Step, *, payroll: Payroll, actor: Actor, at: datetime) -> list[Record] | Refused:
    """One person's check or approval of every list that waits for it; returns those lists."""
    batches = await store.batches_in_state(tx, payroll.period, payroll.payer, STEP_FROM[step])
    refusal = await signature_refused(tx, batches, actor)
    if refusal:
        return Refused(refusal)
    await take_step(tx, step, batches, payroll=payroll, actor=actor, at=at)
    return batches


async def signature_refused(tx: Tx, batches: Sequence[Row], actor: Actor) -> Refusal | None:
    """Why this actor may not sign these lists now: nothing to sign, another hash, a second step, or a list that is not as it was built."""
    if not batches:
        return Refusal.NO_BATCH
    if actor.sha256 != joint_sha256(batch["sha256"] for batch in batches):
        return Refusal.SIGNATURE_DIFFERS
    ids = [batch["batch_id"] for batch in batches]
    if actor.id in await store.signers(tx, ids):
        return Refusal.SAME_ACTOR
    stored = await store_sending.lists(tx, ids)
    same = all(stored.get(b["batch_id"]) == Listed(b["count"], b["vnd"], b["sha256"]) for b in batches)
    return None if same else Refusal.LIST_CHANGED


async def take_step(tx: Tx, step: Step, batches: Sequence[Row], *, payroll: Payroll, actor: Actor, at: datetime) -> None:
    """Keep the signature, move the lists one state on and tell the auditors."""
    hashes = {batch["batch_id"]: batch["sha256"] for batch in batches}
    await store.sign(tx, step, hashes, actor, signed=actor.sha256, at=at)
    await store.move_batches(tx, hashes, BATCH_MOVES[STEP_FROM[step]][0])
    entries = Entries(payroll.period, payroll.payer, at)
    signed = [entries.approval(step, (b["batch_id"], b["vnd"], b["sha256"]), actor) for b in batches]
    await put_events(tx, signed, at)


async def withdraw(
    tx: Tx, people: Collection[UUID], reason: str, *, months: Collection[str] = (), payroll: Payroll, actor: Actor, at: datetime
) -> Proposed | Refused:
    """Propose to take these people's payments off lists that are not sent. Nothing happens to them before a second person signs. `months`:
    only payments of these; what else those pay is still owed."""
    payments = await store_answers.withdrawable(tx, payroll, people)
    payments = [payment for payment in payments if not months or not set(payment["periods"]).isdisjoint(months)]
    open_states = (BatchState.DRAFT, BatchState.CHECKED, BatchState.APPROVED)
    found = [payment for payment in payments if payment["batch_state"] in open_states]
    missing = set(people) - {payment["beneficiary_id"] for payment in found}
    if missing & {payment["beneficiary_id"] for payment in payments}:
        return Refused(Refusal.ALREADY_SENT, len(missing))
    if missing or not found:
        return Refused(Refusal.NOT_ON_A_LIST, len(missing))
    ids = [payment["instruction_id"] for payment in found]
    sha256 = withdrawal_sha256(reason, [(payment["sha256"], payment["end_to_end_id"]) for payment in found], months)
    if await store_answers.proposed_elsewhere(tx, sha256, ids):
        return Refused(Refusal.WITHDRAWAL_OPEN)
    await store_answers.propose_withdrawal(tx, payroll, sha256, reason=reason, months=months, actor=actor, at=at)
    await store_answers.add_withdrawals(tx, sha256, ids)
    return Proposed(sha256, len(ids), sum(payment["vnd"] for payment in found))


async def confirm_withdrawal(tx: Tx, sha256: str, *, payroll: Payroll, actor: Actor, at: datetime) -> int | Refused:
    """The second signature: the payments leave their lists, their lines are held. Returns how many payments."""
    proposal = await store_answers.withdrawal_list(tx, payroll, sha256)
    if proposal is None or proposal["confirmed_by"]:
        return Refused(Refusal.WITHDRAWAL_UNKNOWN)
    if actor.sha256 != sha256:
        return Refused(Refusal.SIGNATURE_DIFFERS)
    if actor.id == proposal["proposed_by"]:
        return Refused(Refusal.SAME_ACTOR)
    await store_answers.confirm_withdrawal(tx, sha256, actor, at)
    lines = await store_answers.withdrawn_lines(tx, sha256)
    named = dict.fromkeys(proposal["periods"] or (), HeldReason.WITHDRAWN)
    drop = Drop(proposal["reason"], HeldReason.NEXT_BUILD if named else HeldReason.WITHDRAWN, named)
    drops = {line["instruction_id"]: drop for line in lines}
    await take_off(tx, sha256, drops, payroll=payroll, actor=actor, at=at)
    return len(drops)


async def take_off(tx: Tx, sha256: str, drops: Mapping[UUID, Drop], *, payroll: Payroll, actor: Actor, at: datetime) -> None:
    """Withdraw payments of a confirmed list, each with why."""
    moves = {key: (InstructionState.WITHDRAWN, drop.told) for key, drop in drops.items()}
    rows = await store.move_payments(tx, moves)
    lines = await store_answers.withdrawn_lines(tx, sha256)
    held = [
        HeldLine(line["entitlement_id"], drops[line["instruction_id"]].of(line["period"]), line["vnd"], line["period"])
        for line in lines
    ]
    await store.hold(tx, held, at)
    entries = Entries(payroll.period, payroll.payer, at)
    events = [entries.withdrawal(row, actor.id, sha256) for row in rows]
    events += [entries.held(line) for line in held]
    await put_events(tx, events + moved(rows, payroll.period, payroll.payer), at)


async def expire_answers(tx: Tx, answer_hours: int, *, payroll: Payroll, at: datetime) -> int:
    """No answer is unknown, not failed: payments that a provider left unanswered. Only its later answer or statement resolves them."""
    ids = await store_answers.unanswered(tx, payroll, at - timedelta(hours=answer_hours))
    rows = await store.move_payments(tx, dict.fromkeys(ids, (InstructionState.UNKNOWN, None)))
    await put_events(tx, moved(rows, payroll.period, payroll.payer), at)
    return len(rows)
