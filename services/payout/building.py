"""The build command: every frozen line that is not paid yet goes into a draft or is held with a reason. Nothing is left over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from asyncpg import Record

from services.payout import store
from services.payout.batch import Draft, OpenLine, Order, Step, pay
from services.payout.channel import Choice, choose, verified
from services.payout.emitting import Entries, created
from services.payout.entitlement import differs
from services.payout.ledger import Posting, on_paying_again
from services.payout.refusals import Refusal, Refused
from services.payout.settings import Settings
from services.payout.store import HeldLine, Payroll
from shared.actors import Actor
from shared.clock import LOCAL
from shared.database import Tx
from shared.events import DeclaredLine
from shared.ids import add_to_digest, derived_id, digest_hex
from shared.money import Dong
from shared.outbox import OutEvent, put_events
from shared.topics import Provider
from shared.words import HeldReason, InstructionState


@dataclass
class Plan:
    """What a build decided. `freed` lines were held and are not any more; a line held for the same reason as before is in neither list."""

    orders: dict[Provider, list[Order]] = field(default_factory=lambda: defaultdict(list))
    held: list[HeldLine] = field(default_factory=list)
    freed: list[UUID] = field(default_factory=list)
    choices: dict[UUID, tuple[bool, Choice]] = field(default_factory=dict)
    considered: int = 0


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made."""

    drafts: Sequence[Draft]
    lines: int
    held: int


def execution_date(settings: Settings, period: str) -> date:
    """The day on which providers pay a period."""
    return date.fromisoformat(f"{period}-{settings.execution_day:02d}")


async def build(tx: Tx, settings: Settings, key: bytes, *, payroll: Payroll, actor: Actor, at: datetime) -> Built | Refused:
    """Prove the totals, decide every open line, make one draft per provider. `key` makes end-to-end ids. Repeating it changes nothing."""
    refusal = await _totals_refused(tx, payroll)
    if refusal:
        return refusal
    rows = await store.undecided_lines(tx, payroll.period, payroll.payer)
    late = at.astimezone(LOCAL).date() >= execution_date(settings, payroll.period) - timedelta(days=settings.verification_days)
    missing = 0 if late else _unverified(rows)
    if missing:
        return Refused(Refusal.VERIFICATION_MISSING, missing)
    plan = decide(rows, payroll.period, settings.tolerance_vnd)
    drafts = _drafts(plan, payroll, limit_vnd=settings.limit_vnd, key=key)
    await _save(tx, plan, drafts, payroll=payroll, day=execution_date(settings, payroll.period), at=at)
    postings = await _fund_again(tx, payroll, drafts, at)
    await store.sign(tx, Step.MAKE, {draft.batch_id: draft.sha256 for draft in drafts}, actor, signed=None, at=at)
    await put_events(tx, _events(plan, drafts, postings, entries=Entries(payroll.period, payroll.payer, at), actor=actor), at)
    return Built(drafts, plan.considered, len(plan.held))


async def _totals_refused(tx: Tx, payroll: Payroll) -> Refused | None:
    """The frozen lines must equal the closing by count, VND and digest before any of them is paid."""
    lines = await store.line_canonicals(tx, payroll.period, payroll.payer)
    if len(lines) < payroll.count:
        return Refused(Refusal.LINES_MISSING, payroll.count - len(lines))
    digest = 0
    for canonical, _vnd in lines:
        digest = add_to_digest(digest, canonical.encode())
    found = (len(lines), sum(vnd for _canonical, vnd in lines), digest_hex(digest))
    return None if found == (payroll.count, payroll.vnd, payroll.digest) else Refused(Refusal.TOTALS_DIFFER)


def _unverified(rows: Sequence[Record]) -> int:
    people = {row["beneficiary_id"]: row for row in rows}
    return sum(not verified(store.snapshot_of(row), store.verdict_of(row)) for row in people.values())


def decide(rows: Sequence[Record], period: str, tolerance_vnd: int) -> Plan:
    """Each open line ends in exactly one of: an order to a provider, held with a reason. Rows come sorted by person."""
    plan = Plan()
    for beneficiary_id, lines in groupby(rows, key=itemgetter("beneficiary_id")):
        _decide_person(plan, beneficiary_id, list(lines), period=period, tolerance_vnd=tolerance_vnd)
    return plan


def _decide_person(plan: Plan, beneficiary_id: UUID, rows: list[Record], *, period: str, tolerance_vnd: int) -> None:
    snapshot, verdict = store.snapshot_of(rows[0]), store.verdict_of(rows[0])
    failed = next((InstructionState(row["failed"]) for row in rows if row["failed"]), None)
    choice = choose(snapshot, verdict, period=period, failed=failed)
    payable = []
    for row in rows:
        plan.considered += 1
        wrong = row["open_vnd"] == 0 or differs(DeclaredLine.model_validate_json(row["content"]), period, tolerance_vnd)
        reason = _first(choice.held, HeldReason.AMOUNT_DIFFERS if wrong else None)
        if reason is None:
            payable.append(
                OpenLine(row["entitlement_id"], Dong(row["open_vnd"]), row["programme"], row["pieces"], row["attempts"])
            )
        if row["held"] and row["held"] != reason:
            plan.freed.append(row["entitlement_id"])
        if reason and row["held"] != reason:
            plan.held.append(HeldLine(row["entitlement_id"], reason, row["open_vnd"]))
    plan.choices[beneficiary_id] = (snapshot is not None and snapshot.account_digest is not None, choice)
    if payable:
        assert snapshot is not None
        assert choice.provider is not None
        assert choice.channel is not None
        digest = snapshot.account_digest if choice.provider is not Provider.POST else None
        plan.orders[choice.provider].append(Order(beneficiary_id, choice.channel, rows[0]["area"], digest, tuple(payable)))


def _first(*reasons: HeldReason | None) -> HeldReason | None:
    """The one that takes precedence, in the order of the word list."""
    order = list(HeldReason)
    return min((reason for reason in reasons if reason), key=order.index, default=None)


def _drafts(plan: Plan, payroll: Payroll, *, limit_vnd: int, key: bytes) -> list[Draft]:
    drafts = []
    for provider, orders in sorted(plan.orders.items()):
        batch_id = derived_id("batch", payroll.period, payroll.payer, provider, payroll.rounds + 1)
        parts = [pay(order, batch_id=batch_id, provider=provider, limit_vnd=limit_vnd, key=key) for order in orders]
        drafts.append(Draft.of([payment for payments in parts for payment in payments]))
    return drafts


async def _save(tx: Tx, plan: Plan, drafts: Sequence[Draft], *, payroll: Payroll, day: date, at: datetime) -> None:
    await store.release_held(tx, plan.freed, at)
    await store.hold(tx, plan.held, at)
    await store.save_choices(tx, payroll, plan.choices, at)
    if drafts:
        await store.save_drafts(tx, payroll, drafts, day)
        await store.save_payments(tx, [payment for draft in drafts for payment in draft.payments])


async def _fund_again(tx: Tx, payroll: Payroll, drafts: Sequence[Draft], at: datetime) -> list[Posting]:
    """Money that came back of these lines returns to the budgets it came from, once."""
    payments = [payment for draft in drafts for payment in draft.payments if payment.attempt > 1]
    again = [share.entitlement_id for payment in payments for share in payment.shares]
    rows = await store.returned_shares(tx, again) if again else []
    postings = [
        on_paying_again(row["instruction_id"], row["entitlement_id"], programme=row["programme"], vnd=row["vnd"]) for row in rows
    ]
    new = await store.post(tx, [(payroll.period, payroll.payer, posting) for posting in postings], at)
    return [posting for posting in postings if posting.posting_id in new]


def _events(
    plan: Plan, drafts: Sequence[Draft], postings: Sequence[Posting], *, entries: Entries, actor: Actor
) -> list[OutEvent]:
    events = [entries.held(line.entitlement_id, line.reason, line.vnd) for line in plan.held]
    events += [entries.posting(posting) for posting in postings]
    for draft in drafts:
        events.append(entries.approval(Step.MAKE, (draft.batch_id, draft.vnd, draft.sha256), actor))
        events += [event for payment in draft.payments for event in entries.assigned(payment)]
        events += [created(payment, entries.period, entries.payer) for payment in draft.payments]
    return events
