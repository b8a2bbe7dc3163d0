"""All of payout's SQL, one function per query; the text is in `queries.sql`. Every write is set-based."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from asyncpg import Record

from services.payout.batch import BatchState, Step
from services.payout.channel import Snapshot, Verdict
from services.payout.ledger import Posting
from shared.actors import Actor
from shared.authorisation import Paper
from shared.database import Tx, load_queries
from shared.events import BeneficiarySnapshot, EntitlementLine, ListClosing, VerificationResult
from shared.words import AccountCheck, HeldReason, InstructionState, Life, Outcome, Wish

queries = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Payroll:
    """One payer's list of one period: what its closing promised, and how many builds made batches. `joined`: further months of the payer
    that are paid with it; `lead`: the period of the payroll it joined itself, under which everything about it goes."""

    period: str
    payer: str
    rounds: int
    count: int
    vnd: int
    digest: str
    closed_at: datetime
    lead: str | None = None
    joined: tuple[Payroll, ...] = ()

    @property
    def lists(self) -> tuple[Payroll, ...]:
        """Every closed list that is paid with it, its own first."""
        return (self, *self.joined)

    @property
    def periods(self) -> tuple[str, ...]:
        """The months it pays, in order."""
        return tuple(sorted(one.period for one in self.lists))


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One line to hold from now on. `month`: its own, where the payroll is of several."""

    entitlement_id: UUID
    reason: HeldReason
    vnd: int
    month: str | None = None


Row: TypeAlias = "Record | Mapping[str, Any]"
"""One row, as the database gave it or as a plain copy."""
Postings = Sequence[tuple[str, str, Posting]]
"""(period, payer, posting): the period is the month the money is of."""


async def _all(rows: AsyncIterator[Record]) -> list[Record]:
    return [row async for row in rows]


# --- what is read from the topics ---------------------------------------------------------------------------------------------


async def known_people(tx: Tx, ids: Collection[UUID]) -> list[Record]:
    """Versions and digests held of these people."""
    return await _all(queries.known_people(tx, ids=list(ids)))


async def save_people(tx: Tx, people: Sequence[tuple[BeneficiarySnapshot, str | None, Paper | None]]) -> None:
    """Keep newer snapshots, each with the BIN of the bank its account is at and the authorisation of a holder who is somebody else."""
    rows = sorted(people, key=lambda row: row[0].beneficiary_id.int)
    held = [snapshot for snapshot, _bin, _paper in rows]
    papers = [paper for _snapshot, _bin, paper in rows]
    await queries.save_people(
        tx,
        ids=[s.beneficiary_id for s in held],
        epochs=[s.version.epoch for s in held],
        ns=[s.version.n for s in held],
        payers=[s.payer for s in held],
        areas=[s.area for s in held],
        lives=[s.life for s in held],
        died_ons=[s.died_on for s in held],
        moved_out_ons=[s.moved_out_on for s in held],
        wishes=[s.wish for s in held],
        home_deliveries=[s.home_delivery for s in held],
        payees=[s.payee for s in held],
        deliveries=[s.delivery for s in held],
        bank_bins=[bank_bin for _snapshot, bank_bin, _paper in rows],
        identity_digests=[s.identity_digest for s in held],
        account_digests=[s.account_digest for s in held],
        delivery_digests=[s.delivery_digest for s in held],
        account_sources=[s.account_source for s in held],
        paper_scopes=[paper.scope if paper else None for paper in papers],
        paper_froms=[paper.valid_from if paper else None for paper in papers],
        paper_untils=[paper.valid_until if paper else None for paper in papers],
        mergeds=[s.merged_into is not None for s in held],
    )


async def save_verdicts(tx: Tx, results: Sequence[VerificationResult]) -> None:
    """Keep newer results; at most one per person is given."""
    rows = sorted(results, key=lambda result: result.beneficiary_id.int)
    await queries.save_verdicts(
        tx,
        ids=[r.beneficiary_id for r in rows],
        seqs=[r.result_seq for r in rows],
        identity_digests=[r.identity_digest for r in rows],
        account_digests=[r.account_digest for r in rows],
        outcomes=[r.outcome for r in rows],
        died_ons=[r.died_on for r in rows],
        accounts=[r.account for r in rows],
        checked_ats=[r.checked_at for r in rows],
    )


async def save_lines(tx: Tx, lines: Sequence[tuple[EntitlementLine, str]]) -> int:
    """Keep frozen lines with the SHA-256 of their content; returns how many were known with other content."""
    rows = sorted(lines, key=lambda row: row[0].entitlement_id.int)
    ids, hashes = [line.entitlement_id for line, _hash in rows], [content_hash for _line, content_hash in rows]
    saved = await queries.save_lines(
        tx,
        ids=ids,
        people=[line.beneficiary_id for line, _hash in rows],
        periods=[line.period for line, _hash in rows],
        payers=[line.payer for line, _hash in rows],
        areas=[line.area for line, _hash in rows],
        programmes=[line.line.programme for line, _hash in rows],
        vnds=[line.declared_vnd for line, _hash in rows],
        contents=[line.line.model_dump_json(exclude_none=True) for line, _hash in rows],
        hashes=hashes,
        ages=[",".join(map(str, line.ages)) or None for line, _hash in rows],
        circumstances=[line.circumstances for line, _hash in rows],
    )
    if int(saved["count"]) == len(ids):
        return 0
    return int((await queries.changed_lines(tx, ids=ids, hashes=hashes))["changed"])


async def save_closing(tx: Tx, closing: ListClosing) -> bool:
    """Keep the first closing of a list and open its payroll; False when it was closed with other totals before."""
    content = closing.model_dump_json()
    names = {"period": closing.period, "payer": closing.payer}
    totals = {"count": closing.count, "vnd": closing.vnd, "digest": closing.digest}
    held = await queries.save_closing(tx, **names, **totals, content=content, closed_at=closing.closed_at)
    await queries.open_payroll(tx, **names)
    return {name: held[name] for name in totals} == totals


# --- building -------------------------------------------------------------------------------------------------------------------


async def lock_payroll(tx: Tx, period: str, payer: str) -> Payroll | None:
    """The payroll, kept from other commands until the transaction ends; None before its list closed."""
    await queries.plan_anew(tx)
    await queries.take_turns(tx, period=period, payer=payer)
    return await payroll(tx, period, payer)


async def payroll(tx: Tx, period: str, payer: str) -> Payroll | None:
    """The payroll as it is."""
    found = [Payroll(**row) for row in await _all(queries.payroll(tx, period=period, payer=payer))]
    if not found or found[0].period != period:
        return None
    return replace(found[0], joined=tuple(found[1:]))


async def paid_with(tx: Tx, period: str, payer: str) -> Payroll | None:
    """The payroll that a month is paid with: its own, or the one it joined."""
    found = await payroll(tx, period, payer)
    return await payroll(tx, found.lead, payer) if found and found.lead else found


def snapshot_of(row: Row) -> Snapshot | None:
    """The person part of a row of `undecided_lines` or `people`."""
    if row["life"] is None:
        return None
    return Snapshot(
        life=Life(row["life"]),
        died_on=row["died_on"],
        moved_out_on=row["moved_out_on"],
        wish=Wish(row["wish"]),
        home_delivery=row["home_delivery"],
        can_be_delivered=row["can_be_delivered"],
        bank_bin=row["bank_bin"],
        identity_digest=row["identity_digest"],
        account_digest=row["account_digest"],
        paper=Paper(row["paper_scope"], row["paper_from"], row["paper_until"]) if row["paper_scope"] else None,
        bulk_unused=bool(row["bulk_unused"]),
        merged=row["merged"],
    )


def verdict_of(row: Row) -> Verdict | None:
    """The verification part of a row of `undecided_lines` or `people`."""
    if row["outcome"] is None:
        return None
    account = AccountCheck(row["account"]) if row["account"] else None
    return Verdict(row["judged_identity"], row["judged_account"], Outcome(row["outcome"]), row["judged_died_on"], account)


async def hold(tx: Tx, lines: Sequence[HeldLine], at: datetime) -> None:
    """Hold lines that are not held now."""
    rows = sorted(lines, key=lambda line: line.entitlement_id)
    await queries.hold(
        tx, ids=[r.entitlement_id for r in rows], reasons=[r.reason for r in rows], vnds=[r.vnd for r in rows], at=at
    )


async def release_held(tx: Tx, ids: Collection[UUID], at: datetime) -> None:
    """These lines are not held any more."""
    await queries.release_held(tx, ids=sorted(ids), at=at)


# --- signing and sending --------------------------------------------------------------------------------------------------------


async def sign(tx: Tx, step: Step, batches: Mapping[UUID, str], actor: Actor, *, signed: str | None, at: datetime) -> None:
    """One actor's step on batches, given as batch_id -> list hash."""
    ids = sorted(batches)
    hashes = [batches[key] for key in ids]
    await queries.sign(tx, step=step, ids=ids, hashes=hashes, actor=actor.id, signed_sha256=signed, token=actor.token, at=at)


async def signers(tx: Tx, batches: Collection[UUID]) -> set[str]:
    """Who took a step on any of these batches."""
    return {row["actor"] for row in await _all(queries.signers(tx, ids=list(batches)))}


async def batches_in_state(tx: Tx, period: str, payer: str, state: BatchState) -> list[Record]:
    """The batches of a payroll in one state, locked."""
    return await _all(queries.batches_in_state(tx, period=period, payer=payer, state=state))


async def move_batches(tx: Tx, batches: Collection[UUID], state: BatchState) -> None:
    """One step further."""
    await queries.move_batches(tx, ids=sorted(batches), state=state)


async def move_payments(tx: Tx, moves: Mapping[UUID, tuple[InstructionState, str | None]]) -> list[Record]:
    """One legal move each, with a reason or None; returns what a state message needs."""
    ids = sorted(moves)
    rows = queries.move_payments(tx, ids=ids, states=[moves[key][0] for key in ids], reasons=[moves[key][1] for key in ids])
    return await _all(rows)


async def post(tx: Tx, postings: Postings, at: datetime) -> set[UUID]:
    """Write postings; returns the ids that were not there."""
    rows = sorted(postings, key=lambda row: row[2].posting_id.int)
    new = queries.post(
        tx,
        ids=[p.posting_id for _period, _payer, p in rows],
        instructions=[p.instruction_id for _period, _payer, p in rows],
        periods=[period for period, _payer, _p in rows],
        payers=[payer for _period, payer, _p in rows],
        debits=[p.debit for _period, _payer, p in rows],
        credits=[p.credit for _period, _payer, p in rows],
        vnds=[p.vnd for _period, _payer, p in rows],
        at=at,
    )
    return {row["posting_id"] for row in await _all(new)}


async def returned_shares(tx: Tx, lines: Collection[UUID]) -> list[Record]:
    """Money that came back of these lines, per dead payment and line."""
    return await _all(queries.returned_shares(tx, ids=list(lines)))
