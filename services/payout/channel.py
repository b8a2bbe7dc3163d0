"""How one person is paid this period, or why not now: the order of reasons is the order of precedence in `shared/words.py`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.payout.entitlement import owed_after_death
from shared.topics import Provider
from shared.words import AccountCheck, Channel, HeldReason, InstructionState, Life, NoAccountReason, Outcome, Wish

# Which cashless provider pays into which bank. Each could pay into any; giving a bank its own customers saves a transfer between banks.
PROVIDER_BY_BIN: Mapping[str, Provider] = {
    "970405": Provider.BANK_A,  # Agribank
    "970415": Provider.BANK_B,  # VietinBank
    "970418": Provider.BANK_B,  # BIDV
    "970436": Provider.BANK_B,  # Vietcombank
    "970449": Provider.BANK_B,  # LPBank
}
OTHER_BANKS = Provider.BANK_B

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


@dataclass(frozen=True, slots=True)
class Choice:
    """Either a provider and a channel, or a reason to hold. `gap`: why an account holder is not paid on the account."""

    provider: Provider | None = None
    channel: Channel | None = None
    held: HeldReason | None = None
    gap: NoAccountReason | None = None


def verified(snapshot: Snapshot | None, verdict: Verdict | None) -> bool:
    """Whether verification has spoken about this very identity and account."""
    if snapshot is None or verdict is None:
        return False
    judged = (verdict.identity_digest, verdict.account_digest)
    return judged == (snapshot.identity_digest, snapshot.account_digest)


def choose(snapshot: Snapshot | None, verdict: Verdict | None, *, period: str, failed: InstructionState | None = None) -> Choice:
    """Decide for one person and period. `failed`: how the last account payment of these lines died, if one did."""
    holder = snapshot is not None and snapshot.account_digest is not None
    reason = held_reason(snapshot, verdict, period)
    if reason:
        return Choice(held=reason, gap=NoAccountReason.HELD if holder else None)
    assert snapshot is not None
    assert verdict is not None
    gap = _gap(snapshot, verdict, failed) if holder else None
    if holder and gap is None:
        assert snapshot.bank_bin is not None
        return Choice(PROVIDER_BY_BIN.get(snapshot.bank_bin, OTHER_BANKS), Channel.ACCOUNT)
    if snapshot.home_delivery and not snapshot.can_be_delivered:
        return Choice(held=HeldReason.NO_DELIVERY, gap=NoAccountReason.HELD if holder else None)
    return Choice(Provider.POST, Channel.HOME if snapshot.home_delivery else Channel.COUNTER, gap=gap)


def held_reason(snapshot: Snapshot | None, verdict: Verdict | None, period: str) -> HeldReason | None:
    """Why this person's lines are held, judged by life, register and digests; None when they may be paid."""
    if snapshot is None:
        return HeldReason.VERIFICATION_PENDING
    judged = verdict if verdict and verdict.identity_digest == snapshot.identity_digest else None
    if not _lives_long_enough(snapshot, judged, period):
        return HeldReason.DEAD
    if snapshot.life is Life.MOVED_OUT:
        return HeldReason.MOVED
    if judged is None:
        return HeldReason.VERIFICATION_PENDING
    return _HELD_BY_OUTCOME.get(judged.outcome)


def _lives_long_enough(snapshot: Snapshot, verdict: Verdict | None, period: str) -> bool:
    if snapshot.life is Life.DEAD and not owed_after_death(period, snapshot.died_on):
        return False
    return verdict is None or verdict.outcome is not Outcome.DEAD or owed_after_death(period, verdict.died_on)


def _gap(snapshot: Snapshot, verdict: Verdict, failed: InstructionState | None) -> NoAccountReason | None:
    """The first reason that keeps a holder off the account; None: pay on it."""
    if snapshot.wish is not Wish.ACCOUNT:
        return NoAccountReason.WISHES_POST
    if verdict.account is None or verdict.account_digest != snapshot.account_digest:
        return NoAccountReason.NOT_CHECKED
    if verdict.account is not AccountCheck.USABLE:
        return NoAccountReason(verdict.account.value)
    # A dead person's account is blocked; what is owed for the month of death goes through the post like any weak identity.
    if verdict.outcome is not Outcome.MATCH or snapshot.life is Life.DEAD:
        return NoAccountReason.WEAK_IDENTITY
    return _GAP_AFTER.get(failed) if failed else None
