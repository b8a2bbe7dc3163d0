"""Steps on a break: somebody owns it, proposes how it ends, a second person approves; then one posting ends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.payout import store_statements
from services.payout.breaks import BELIEVABLE, BreakRefusal, BreakType, Remedy, Told, accounts, proposal_sha256
from services.payout.emitting import Entries, by_file
from services.payout.handlers import Handlers
from services.payout.proving import answer_of
from services.payout.results import Fate
from services.payout.statement_line import LineKind, StatementLine
from shared.actors import Actor
from shared.clock import LOCAL, period_of
from shared.database import Tx
from shared.outbox import put_events
from shared.topics import Provider
from shared.words import InstructionState


async def take(tx: Tx, break_id: UUID, *, actor: Actor, at: datetime) -> Record | BreakRefusal:
    """This person looks after it from now on; another may take it over until it ended."""
    item = await _open(tx, break_id)
    if isinstance(item, BreakRefusal):
        return item
    await store_statements.own(tx, break_id, actor, at)
    return item


async def propose(tx: Tx, break_id: UUID, remedy: Remedy, *, actor: Actor, at: datetime) -> str | BreakRefusal:
    """Its owner says how it ends; returns the hash that the second person signs. A new proposal replaces the last."""
    item = await _open(tx, break_id)
    if isinstance(item, BreakRefusal):
        return item
    if item["owner"] != actor.id:
        return BreakRefusal.NOT_THE_OWNER
    if remedy is Remedy.BELIEVED and not _believable(item):
        return BreakRefusal.NOT_BELIEVABLE
    await store_statements.propose(tx, break_id, actor, remedy=remedy, at=at)
    return proposal_sha256(break_id, item["type"], item["vnd"], remedy=remedy, proposed_by=actor.id)


async def approve(tx: Tx, break_id: UUID, handlers: Handlers, *, actor: Actor, at: datetime) -> UUID | BreakRefusal:
    """The second person agrees; returns the posting that ends it. The caller rolls back when this refuses."""
    item = await _open(tx, break_id)
    if isinstance(item, BreakRefusal):
        return item
    if item["remedy"] is None:
        return BreakRefusal.NOTHING_PROPOSED
    if item["proposed_by"] == actor.id:
        return BreakRefusal.PROPOSER_APPROVES
    signed = proposal_sha256(break_id, item["type"], item["vnd"], remedy=item["remedy"], proposed_by=item["proposed_by"])
    if actor.sha256 != signed:
        return BreakRefusal.PROPOSAL_DIFFERS
    remedy = Remedy(item["remedy"])
    if remedy is Remedy.BELIEVED and not await _believe(tx, item, handlers, at):
        return BreakRefusal.NOT_BELIEVABLE
    debit, credit = accounts(remedy, item["provider"])
    posting_id = await store_statements.approve(tx, item, actor, debit=debit, credit=credit, at=at)
    told = Entries(*_payroll(item, at), at).ended(item, posting_id, actor, debit=debit, credit=credit)
    await put_events(tx, [told], at)
    return posting_id


def _payroll(item: Record, at: datetime) -> tuple[str, str]:
    """(period, payer) under which the end of a break is told; about no list of ours: its provider, in the month it ended."""
    return (item["period"], item["payer"]) if item["period"] else (period_of(at.astimezone(LOCAL).date()), item["provider"])


async def _open(tx: Tx, break_id: UUID) -> Record | BreakRefusal:
    item = await store_statements.break_item(tx, break_id)
    if item is None:
        return BreakRefusal.BREAK_UNKNOWN
    return BreakRefusal.BREAK_ENDED if item["approved_by"] else item


def _believable(item: Mapping[str, Any] | Record) -> bool:
    return BreakType(item["type"]) in BELIEVABLE and item["instruction_id"] is not None and item["said"] is not None


async def _believe(tx: Tx, item: Record, handlers: Handlers, at: datetime) -> bool:
    """The payment moves as the line says. False when it cannot."""
    rows = await store_statements.told_payments(tx, [item["end_to_end_id"]])
    if not _believable(item) or not rows:
        return False
    row = rows[0]
    told = Told(
        row["instruction_id"], row["batch_id"], Provider(row["provider"]), row["vnd"], row["execution_on"],
        InstructionState(row["state"]), (row["period"], row["payer"]),
    )  # fmt: skip
    line = StatementLine(
        item["line"], LineKind(item["said"]), item["end_to_end_id"], row["vnd"], item["booked_on"], code=item["code"]
    )
    if item["type"] == BreakType.REVERSAL:  # whatever word it came with: what had left is back
        line = replace(line, kind=LineKind.REVERSAL)
    answer = answer_of(line, told, file_id=item["file_id"], kind=None, received_at=at)
    ((fate, _state),) = await handlers.take_answers(tx, [answer])
    if fate is Fate.APPLIED:
        await put_events(tx, list(Entries(*told.payroll, at).books(by_file([answer], item["sha256"]))), at)
    return fate in (Fate.APPLIED, Fate.REPEAT)
