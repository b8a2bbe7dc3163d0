"""Account, counter, home or held; and why an account holder is not paid on the account."""

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payout import channel
from services.payout.channel import Choice, Snapshot, Terms, Verdict, verified, way
from services.payout.contracts import read_contracts
from services.payout.policy import MonthOfMove
from shared.topics import Provider
from shared.words import AccountCheck, Channel, HeldReason, InstructionState, Life, NoAccountReason, Outcome, Wish

HOLDER = Snapshot(
    life=Life.ALIVE, died_on=None, wish=Wish.ACCOUNT, home_delivery=False, can_be_delivered=True, bank_bin="970405",
    identity_digest="i", account_digest="a",
)  # fmt: skip
GOOD = Verdict("i", "a", Outcome.MATCH, None, AccountCheck.USABLE)
NO_ACCOUNT = replace(HOLDER, bank_bin=None, account_digest=None, wish=Wish.NONE)
KNOWN = replace(GOOD, account_digest=None, account=None)
COUNTER = Choice(Provider.POST, Channel.COUNTER)
choose = partial(channel.choose, contracts=read_contracts())


def chosen(snapshot: Snapshot | None = HOLDER, verdict: Verdict | None = GOOD, failed: InstructionState | None = None) -> Choice:
    return choose(snapshot, verdict, period="2024-02", failed=failed)


@pytest.mark.parametrize(
    ("bank_bin", "provider"), [("970405", Provider.BANK_A), ("970436", Provider.BANK_B), ("970499", Provider.BANK_B)]
)
def test_match_with_a_usable_account_is_paid_on_it(bank_bin: str, provider: Provider) -> None:
    assert chosen(replace(HOLDER, bank_bin=bank_bin)) == Choice(provider, Channel.ACCOUNT)


def test_without_an_account_the_post_pays() -> None:
    assert chosen(NO_ACCOUNT, KNOWN) == COUNTER
    assert chosen(replace(NO_ACCOUNT, home_delivery=True), KNOWN) == Choice(Provider.POST, Channel.HOME)
    homeless = replace(NO_ACCOUNT, home_delivery=True, can_be_delivered=False)
    assert chosen(homeless, KNOWN) == Choice(held=HeldReason.NO_DELIVERY)


@pytest.mark.parametrize(
    ("snapshot", "verdict", "failed", "gap"),
    [
        ({"wish": Wish.POST}, {"account": AccountCheck.NUMBER_SHAPE}, None, NoAccountReason.WISHES_POST),
        ({"wish": Wish.NONE}, {}, None, NoAccountReason.WISHES_POST),
        ({"account_digest": "other"}, {}, None, NoAccountReason.NOT_CHECKED),
        ({}, {"account": None}, None, NoAccountReason.NOT_CHECKED),
        ({}, {"account": AccountCheck.SHARED_ACCOUNT, "outcome": Outcome.WEAK_MATCH}, None, NoAccountReason.SHARED_ACCOUNT),
        ({}, {"outcome": Outcome.WEAK_MATCH}, None, NoAccountReason.WEAK_IDENTITY),
        ({}, {"outcome": Outcome.NUMBER_CHANGED}, None, NoAccountReason.WEAK_IDENTITY),
        ({}, {"outcome": Outcome.DEAD, "died_on": date(2024, 2, 3)}, None, NoAccountReason.WEAK_IDENTITY),
        ({}, {}, InstructionState.REJECTED, NoAccountReason.BANK_REJECTED),
        ({}, {}, InstructionState.RETURNED, NoAccountReason.RETURNED),
    ],
)
def test_holder_paid_by_post_has_a_reason(
    snapshot: dict[str, Any], verdict: dict[str, Any], failed: InstructionState | None, gap: NoAccountReason
) -> None:
    assert chosen(replace(HOLDER, **snapshot), replace(GOOD, **verdict), failed) == replace(COUNTER, gap=gap)


@pytest.mark.parametrize(
    ("snapshot", "verdict", "reason"),
    [
        ({}, {"outcome": Outcome.DEAD, "died_on": date(2024, 1, 31)}, HeldReason.DEAD),
        ({}, {"outcome": Outcome.DEAD}, HeldReason.DEAD),
        ({"life": Life.DEAD, "died_on": date(2024, 1, 28)}, {}, HeldReason.DEAD),
        ({"life": Life.MOVED_OUT}, {}, HeldReason.MOVED),
        ({"life": Life.MOVED_OUT, "moved_out_on": date(2024, 1, 31)}, {}, HeldReason.MOVED),
        ({}, {"outcome": Outcome.MOVED}, HeldReason.MOVED),
        ({}, {"outcome": Outcome.DUPLICATE}, HeldReason.DUPLICATE),
        ({"merged": True}, {}, HeldReason.DUPLICATE),
        ({"identity_digest": "newer"}, {}, HeldReason.VERIFICATION_PENDING),
        ({}, {"outcome": Outcome.UNAVAILABLE}, HeldReason.UNAVAILABLE),
        ({}, {"outcome": Outcome.NOT_FOUND}, HeldReason.NOT_FOUND),
        ({}, {"outcome": Outcome.MISMATCH}, HeldReason.IDENTITY_MISMATCH),
    ],
)
def test_doubt_is_held(snapshot: dict[str, Any], verdict: dict[str, Any], reason: HeldReason) -> None:
    assert chosen(replace(HOLDER, **snapshot), replace(GOOD, **verdict)) == Choice(held=reason, gap=NoAccountReason.HELD)


@pytest.mark.parametrize(("month_of_move", "held"), [("old", None), ("new", HeldReason.MOVED)])
def test_the_place_that_was_left_pays_the_month_of_the_move_where_that_is_the_rule(
    month_of_move: MonthOfMove, held: HeldReason | None
) -> None:
    away = replace(HOLDER, life=Life.MOVED_OUT, moved_out_on=date(2024, 2, 1))
    assert choose(away, GOOD, period="2024-02", terms=Terms(month_of_move)).held is held


def test_nothing_known_is_held() -> None:
    assert chosen(None) == Choice(held=HeldReason.VERIFICATION_PENDING)
    assert chosen(NO_ACCOUNT, None) == Choice(held=HeldReason.VERIFICATION_PENDING)


SNAPSHOTS = st.builds(
    Snapshot,
    life=st.sampled_from(Life), died_on=st.none() | st.dates(date(2024, 1, 1), date(2024, 3, 31)), wish=st.sampled_from(Wish),
    home_delivery=st.booleans(), can_be_delivered=st.booleans(), bank_bin=st.just("970405"), identity_digest=st.sampled_from("ij"),
    account_digest=st.none() | st.sampled_from("ab"),
)  # fmt: skip
VERDICTS = st.builds(
    Verdict, st.sampled_from("ij"), st.none() | st.sampled_from("ab"), st.sampled_from(Outcome),
    st.none() | st.dates(date(2024, 1, 1), date(2024, 3, 31)), st.none() | st.sampled_from(AccountCheck),
)  # fmt: skip


@given(st.none() | SNAPSHOTS, st.none() | VERDICTS, st.none() | st.sampled_from(InstructionState))
def test_exactly_one_way_and_every_holder_explained(
    snapshot: Snapshot | None, verdict: Verdict | None, failed: InstructionState | None
) -> None:
    choice = chosen(snapshot, verdict, failed)
    assert (choice.held is None) == (choice.provider is not None) == (choice.channel is not None)
    holder = snapshot is not None and snapshot.account_digest is not None
    assert (choice.gap is not None) == (holder and choice.channel is not Channel.ACCOUNT)
    assert (choice.channel is Channel.ACCOUNT) == (choice.provider in (Provider.BANK_A, Provider.BANK_B))
    if choice.channel is Channel.ACCOUNT:
        assert snapshot is not None
        assert verdict is not None
        assert verified(snapshot, verdict)
        assert (verdict.outcome, verdict.account) == (Outcome.MATCH, AccountCheck.USABLE)


def test_way_is_known_without_contracts() -> None:
    """What is compared again at release: who executes was signed with the list, so no table may take a payment off it or stop it."""
    assert way(HOLDER, GOOD, period="2024-02") == Choice(channel=Channel.ACCOUNT)
    assert way(NO_ACCOUNT, KNOWN, period="2024-02") == Choice(channel=Channel.COUNTER)
