"""What happens to a payroll before it is built and after it is sent: period, budget, the province's signature, freeze, closing.

Each command leaves everything as it was when it refuses. What must never happen stands in migration 0111; here it is said in words first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from services.payout import store, store_life
from services.payout.batch import BatchState, Step, joint_sha256
from services.payout.commands import signature_refused
from services.payout.emitting import Entries
from services.payout.refusals import Refusal, Refused
from services.payout.store import Payroll, Row
from shared.actors import Actor
from shared.database import Tx
from shared.outbox import put_events


@dataclass(frozen=True, slots=True)
class BudgetProposed:
    """A budget sheet that waits for its second signature."""

    sha256: str
    version: int
    vnd: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A payroll that is over: lines and VND carried into a later month."""

    carried: int
    vnd: int


@dataclass(frozen=True, slots=True)
class Emergency:
    """The reason, a code, for which an actor with the emergency role releases in a freeze."""

    reason: str


def budget_sha256(period: str, payer: str, version: int, *, rows: Mapping[str, int]) -> str:
    """What both signatures of a budget name: period, payer, version and each programme's VND, a line each."""
    text = [f"{period}|{payer}|{version}", *(f"{programme}|{vnd}" for programme, vnd in sorted(rows.items()))]
    return hashlib.sha256("".join(line + "\n" for line in text).encode()).hexdigest()


async def propose_budget(
    tx: Tx, period: str, payer: str, *, rows: Mapping[str, int], actor: Actor, at: datetime
) -> BudgetProposed | Refused:
    """Write the next version of a payer's budget. VND per programme; what is not named has nothing to spend."""
    if await store_life.opened(tx, period) is None:
        return Refused(Refusal.PERIOD_NOT_OPEN)
    version = 1 + await store_life.confirmed_budgets(tx, period, payer)
    sha256 = budget_sha256(period, payer, version, rows=rows)
    await store_life.propose_budget(tx, sha256, rows, where=(period, payer), version=version, actor=actor, at=at)
    return BudgetProposed(sha256, version, sum(rows.values()))


async def confirm_budget(tx: Tx, sha256: str, *, period: str, payer: str, actor: Actor, at: datetime) -> int | Refused:
    """The second signature: the budget is in force. Returns its VND over all programmes."""
    sheet = await store_life.budget_sheet(tx, sha256, period, payer)
    stale = sheet is not None and sheet.version != 1 + await store_life.confirmed_budgets(tx, period, payer)
    if sheet is None or sheet.confirmed_by or stale:
        return Refused(Refusal.BUDGET_UNKNOWN)
    if actor.sha256 != sha256:
        return Refused(Refusal.SIGNATURE_DIFFERS)
    if actor.id == sheet.proposed_by:
        return Refused(Refusal.SAME_ACTOR)
    if below := await store_life.budget_below_use(tx, sha256, period, payer):
        return Refused(Refusal.BUDGET_BELOW_USE, below)
    rows = await store_life.confirm_budget(tx, sha256, actor, at)
    entries = Entries(period, payer, at)
    await put_events(tx, [entries.budget(row["programme"], row["vnd"], actor=actor, sha256=sha256) for row in rows], at)
    return sum(int(row["vnd"]) for row in rows)


async def endorse(tx: Tx, *, payroll: Payroll, actor: Actor, at: datetime) -> list[Record] | Refused:
    """The province's signature on every approved list that needs it; returns those lists."""
    batches = await waiting_for_province(tx, payroll)
    if not batches:
        return Refused(Refusal.ENDORSEMENT_NOT_NEEDED)
    refusal = await signature_refused(tx, batches, actor)
    if refusal:
        return Refused(refusal)
    hashes = {batch["batch_id"]: batch["sha256"] for batch in batches}
    await store.sign(tx, Step.ENDORSE, hashes, actor, signed=actor.sha256, at=at)
    entries = Entries(payroll.period, payroll.payer, at)
    signed = [entries.approval(Step.ENDORSE, (b["batch_id"], b["vnd"], b["sha256"]), actor) for b in batches]
    await put_events(tx, signed, at)
    return batches


async def waiting_for_province(tx: Tx, payroll: Payroll) -> list[Record]:
    """Approved lists above the tier that the province has not signed."""
    approved = await store.batches_in_state(tx, payroll.period, payroll.payer, BatchState.APPROVED)
    return await store_life.to_endorse(tx, payroll, approved) if approved else []


def to_sign(batches: Sequence[Record]) -> str | None:
    """The hash that the province's token must name; None when nothing waits."""
    return joint_sha256(batch["sha256"] for batch in batches) if batches else None


async def release_refused(
    tx: Tx, payroll: Payroll, batches: Sequence[Record], *, dropped: Collection[UUID], at: datetime, emergency: Emergency | None,
    budget_required: bool,
) -> Refused | None:  # fmt: skip
    """Why these approved lists may not leave now, beyond their signatures: no province, a freeze, no budget or too little. Against a
    budget counts what really would leave: of these lists, without what was withdrawn and what falls out now (`dropped`)."""
    if missing := await store_life.to_endorse(tx, payroll, batches):
        return Refused(Refusal.ENDORSEMENT_MISSING, len(missing))
    if emergency is None and await store_life.frozen(tx, payroll.payer, at):
        return Refused(Refusal.FROZEN)
    bound = [month for month in payroll.periods if await store_life.confirmed_budgets(tx, month, payroll.payer)]
    if not (bound or budget_required):
        return None
    rows = await store_life.leaving_budgets(tx, payroll, batches, dropped)
    if budget_required and any(row["budget_vnd"] is None for row in rows):
        return Refused(Refusal.BUDGET_MISSING)
    over = over_budget([row for row in rows if row["period"] in bound])
    return Refused(Refusal.BUDGET_EXCEEDED, over) if over else None


def over_budget(rows: Sequence[Row]) -> int:
    """VND by which what leaves would go above the budgets, over all months and programmes; one without a budget has nothing to spend."""
    return sum(max(row["used_vnd"] + row["leaving_vnd"] - (row["budget_vnd"] or 0), 0) for row in rows)


async def finish(tx: Tx, *, payroll: Payroll, actor: Actor, at: datetime) -> Finished | Refused:
    """Finish a payroll: every line is paid, carried over (it came back) or held with a reason, and then nothing moves."""
    if left := await store_life.unfinished(tx, payroll):
        return Refused(Refusal.NOT_FINISHED, left)
    rows = await store_life.close(tx, payroll, actor, at)
    entries = Entries(payroll.period, payroll.payer, at)
    events = list(entries.carried(rows))
    for month in payroll.periods:
        events.append(entries.closed(month, actor, sum(row["vnd"] for row in rows if row["period"] == month)))
    await put_events(tx, [*events, *await store_life.head(tx, entries)], at)
    return Finished(len(rows), sum(row["vnd"] for row in rows))


# --- several months -------------------------------------------------------------------------------------------------------------


async def join(tx: Tx, period: str, payer: str, *, joined: str, actor: Actor, at: datetime) -> bool | Refused:
    """Pay a further closed month with this payroll, before anything of either was built. False when it is so already."""
    found = {month: await store.lock_payroll(tx, month, payer) for month in sorted({period, joined})}
    payroll, other = found[period], found[joined]
    if payroll is None or other is None:
        return Refused(Refusal.NOT_CLOSED)
    if other.lead == period:
        return False
    for month in found:
        if await store_life.closed(tx, month, payer):
            return Refused(Refusal.PAYROLL_CLOSED)
    if refusal := join_refused(payroll, other):
        return Refused(refusal)
    parted = await store_life.join_month(tx, payroll, joined, actor=actor, at=at)
    await put_events(tx, [Entries(period, payer, at).joined(joined, actor, parted)], at)
    return True


async def unjoin(tx: Tx, period: str, payer: str, *, joined: str, actor: Actor, at: datetime) -> Refused | None:
    """Take a join back, before anything of its months was built: each is paid by itself again, or with another."""
    found = {month: await store.lock_payroll(tx, month, payer) for month in sorted({period, joined})}
    payroll, other = found[period], found[joined]
    if payroll is None or other is None:
        return Refused(Refusal.NOT_CLOSED)
    if other.lead != period:
        return Refused(Refusal.NOT_JOINED)
    if payroll.rounds or await store_life.decided_since_joined(tx, payroll, joined):
        return Refused(Refusal.ALREADY_BUILT)
    parted = await store_life.part_month(tx, payroll, joined, actor=actor, at=at)
    await put_events(tx, [Entries(period, payer, at).parted(joined, actor, parted)], at)
    return None


def join_refused(payroll: Payroll, other: Payroll) -> Refusal | None:
    """Why one month may not be paid with another. Pure."""
    if payroll.lead or other.lead:
        return Refusal.MONTH_JOINED
    if other.joined or payroll.period == other.period:
        return Refusal.MONTH_LEADS
    return Refusal.ALREADY_BUILT if payroll.rounds or other.rounds else None
