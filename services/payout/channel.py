"""How one person is paid this period, or why not now: the order of reasons is the order of precedence in `shared/words.py`. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from services.payout.contracts import Contracts
from services.payout.entitlement import owed_after_death
from services.payout.moving import first_month_after
from services.payout.policy import MonthOfMove
from services.payout.provider_rules import least_vnd
from shared.authorisation import ACCOUNT, Paper
from shared.topics import Provider
from shared.words import AccountCheck, Channel, HeldReason, InstructionState, Life, NoAccountReason, Outcome, Wish

_HELD_BY_OUTCOME = {
    Outcome.MOVED: HeldReason.MOVED,
    Outcome.DUPLICATE: HeldReason.DUPLICATE,
    Outcome.UNAVAILABLE: HeldReason.UNAVAILABLE,
    Outcome.NOT_FOUND: HeldReason.NOT_FOUND,
    Outcome.MISMATCH: HeldReason.IDENTITY_MISMATCH,
}
_GAP_AFTER = {
    InstructionState.REJECTED: NoAccountReason.BANK_REJECTED,
    InstructionState.RETURNED: NoAccountReason.RETURNED,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification said, for the digests it judged."""

    identity_digest: str
    account_digest: str | None
    outcome: Outcome
    died_on: date | None
    account: AccountCheck | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The part of a person's newest snapshot that decides the channel."""

    life: Life
    died_on: date | None
    wish: Wish
    home_delivery: bool
    can_be_delivered: bool
    bank_bin: str | None
    identity_digest: str
    account_digest: str | None
    paper: Paper | None = None
    """The authorisation of the account's holder, who is somebody else."""
    bulk_unused: bool = False
    """The account was issued in bulk, and nothing was ever paid on it."""
    moved_out_on: date | None = None
    """When a person who is away moved out of the payer's area."""
    merged: bool = False
    """The person is known under another id, which stays."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Either a channel, with its provider once chosen, or a reason to hold. `gap`: why an account holder is not paid on the account."""

    provider: Provider | None = None
    channel: Channel | None = None
    held: HeldReason | None = None
    gap: NoAccountReason | None = None


class Terms(NamedTuple):
    """How a month is paid. `month_of_move`: a setting; `paid_in`: the month the money goes out, the month owed itself when none is said;
    `to_the_family`: asked about lines that are owed although the person has died; `on`: the day on which the money moves; `too_little`: the
    sum is below what the account's provider takes; `lapses`: what was owed before a death and not collected is not paid any more."""

    month_of_move: MonthOfMove = "old"
    paid_in: str | None = None
    to_the_family: bool = False
    on: date | None = None
    too_little: bool = False
    lapses: bool = False


TERMS = Terms()


def verified(snapshot: Snapshot | None, verdict: Verdict | None) -> bool:
    """Whether verification has spoken about this very identity and account."""
    if snapshot is None or verdict is None:
        return False
    judged = (verdict.identity_digest, verdict.account_digest)
    return judged == (snapshot.identity_digest, snapshot.account_digest)


def choose(
    snapshot: Snapshot | None,
    verdict: Verdict | None,
    *,
    period: str,
    contracts: Contracts,
    failed: InstructionState | None = None,
    area: str = "",
    terms: Terms = TERMS,
) -> Choice:
    """Decide for one person and period: the way and who executes it. Contracts count as of the first day of the month it is paid in. Raises
    ContractMissing."""
    choice = way(snapshot, verdict, period=period, failed=failed, terms=terms)
    if choice.channel is None:
        return choice
    assert snapshot is not None
    bank_bin = snapshot.bank_bin if choice.channel is Channel.ACCOUNT else None
    provider = contracts.provider(choice.channel, area=area, bank_bin=bank_bin, on=_first_day(period, terms))
    return replace(choice, provider=provider)


def way(
    snapshot: Snapshot | None,
    verdict: Verdict | None,
    *,
    period: str,
    failed: InstructionState | None = None,
    terms: Terms = TERMS,
) -> Choice:
    """How the money goes, whoever executes it. `failed`: how the last account payment of these lines died, if one did. Papers count on the
    day the money moves, or on the first of the month it is paid in where none is said."""
    holder = snapshot is not None and snapshot.account_digest is not None
    reason = held_reason(snapshot, verdict, period, terms=terms)
    if reason:
        return Choice(held=reason, gap=NoAccountReason.HELD if holder else None)
    assert snapshot is not None
    assert verdict is not None
    gap = _gap(snapshot, verdict, failed, on=terms.on or _first_day(period, terms)) if holder else None
    if holder and gap is None and terms.too_little:
        gap = NoAccountReason.BELOW_LEAST
    if holder and gap is None:
        return Choice(channel=Channel.ACCOUNT)
    if snapshot.home_delivery and not snapshot.can_be_delivered:
        return Choice(held=HeldReason.NO_DELIVERY, gap=NoAccountReason.HELD if holder else None)
    return Choice(channel=Channel.HOME if snapshot.home_delivery else Channel.COUNTER, gap=gap)


def _first_day(period: str, terms: Terms) -> date:
    return date.fromisoformat(f"{terms.paid_in or period}-01")


def too_little(choice: Choice, vnd: int) -> bool:
    """Whether a sum is below what the provider chosen takes as one payment."""
    return choice.provider is not None and vnd < least_vnd(choice.provider)


def held_reason(snapshot: Snapshot | None, verdict: Verdict | None, period: str, *, terms: Terms = TERMS) -> HeldReason | None:
    """Why this person's lines are held, judged by life, register and digests; None when they may be paid."""
    if snapshot is None:
        return HeldReason.VERIFICATION_PENDING
    judged = verdict if verdict and verdict.identity_digest == snapshot.identity_digest else None
    if not terms.to_the_family and not _lives_long_enough(snapshot, judged, period):
        return HeldReason.DEAD
    if snapshot.life is Life.MOVED_OUT and not _owed_before_the_move(snapshot.moved_out_on, period, terms.month_of_move):
        return HeldReason.MOVED
    if snapshot.merged:
        return HeldReason.DUPLICATE
    if judged is None:
        return HeldReason.VERIFICATION_PENDING
    return _HELD_BY_OUTCOME.get(judged.outcome)


def _lives_long_enough(snapshot: Snapshot, verdict: Verdict | None, period: str) -> bool:
    if snapshot.life is Life.DEAD and not owed_after_death(period, snapshot.died_on):
        return False
    return verdict is None or verdict.outcome is not Outcome.DEAD or owed_after_death(period, verdict.died_on)


def _owed_before_the_move(moved_out_on: date | None, period: str, month_of_move: MonthOfMove) -> bool:
    """An unknown day owes nothing until somebody has looked."""
    return moved_out_on is not None and period < first_month_after(moved_out_on, month_of_move)


def _gap(snapshot: Snapshot, verdict: Verdict, failed: InstructionState | None, *, on: date) -> NoAccountReason | None:
    """The first reason that keeps a holder off the account; None: pay on it. Of several accounts registry kept the one that comes first:
    VNeID, confirmed for this benefit, the commune's list, issued in bulk (domain 4.3)."""
    if snapshot.wish is not Wish.ACCOUNT:
        return NoAccountReason.WISHES_POST
    if verdict.account is None or verdict.account_digest != snapshot.account_digest:
        return NoAccountReason.NOT_CHECKED
    if verdict.account is not AccountCheck.USABLE and not _by_paper(snapshot, verdict.account, on):
        return NoAccountReason(verdict.account.value)
    if snapshot.bulk_unused:
        return NoAccountReason.BULK_UNUSED
    # A dead person's account is blocked; what is owed for the month of death goes through the post like any weak identity.
    if verdict.outcome is not Outcome.MATCH or snapshot.life is Life.DEAD:
        return NoAccountReason.WEAK_IDENTITY
    return _GAP_AFTER.get(failed) if failed else None


def _by_paper(snapshot: Snapshot, check: AccountCheck, on: date) -> bool:
    """Another's account: nothing is wrong with it but the name, and that name holds an authorisation for accounts."""
    return check is AccountCheck.NAME_MISMATCH and snapshot.paper is not None and snapshot.paper.holds(on, ACCOUNT)
