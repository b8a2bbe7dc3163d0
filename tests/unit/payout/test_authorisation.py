"""Who else may receive a person's money, and how it changes where the money goes."""

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payout import channel
from services.payout.channel import Choice, Snapshot, Verdict
from services.payout.contracts import read_contracts
from shared.authorisation import ACCOUNT, CASH, Paper, may_collect, paper_of, paper_of_holder
from shared.personal import Collector
from shared.topics import Provider
from shared.words import AccountCheck, Channel, Life, NoAccountReason, Outcome, Wish

PERIOD, PAY_DAY = "2024-02", date(2024, 2, 1)
HOLDER = Snapshot(
    life=Life.ALIVE, died_on=None, wish=Wish.ACCOUNT, home_delivery=False, can_be_delivered=True, bank_bin="970405",
    identity_digest="i", account_digest="a",
)  # fmt: skip
ANOTHERS = Verdict("i", "a", Outcome.MATCH, None, AccountCheck.NAME_MISMATCH)
GOOD = replace(ANOTHERS, account=AccountCheck.USABLE)
ON_ACCOUNT = Choice(Provider.BANK_A, Channel.ACCOUNT)
BOTH = Paper("both", date(2024, 1, 1), date(2024, 12, 31))
choose = partial(channel.choose, contracts=read_contracts())


def a_collector(**changes: Any) -> Collector:
    return Collector(**{"full_name": "Nguyễn Văn Đức", "paper_number": "UQ-12/2024", "scope": "both", **changes})


def by_post(gap: NoAccountReason) -> Choice:
    return Choice(Provider.POST, Channel.COUNTER, gap=gap)


@pytest.mark.parametrize("scope", ["account", "both"])
def test_anothers_account_is_paid_by_a_valid_authorisation(scope: Any) -> None:
    assert choose(replace(HOLDER, paper=replace(BOTH, scope=scope)), ANOTHERS, period=PERIOD) == ON_ACCOUNT


@pytest.mark.parametrize(
    "paper",
    [
        None,
        replace(BOTH, scope="cash"),
        replace(BOTH, valid_from=date(2024, 2, 2)),
        replace(BOTH, valid_until=date(2024, 1, 31)),
    ],
)
def test_without_one_the_post_pays(paper: Paper | None) -> None:
    assert choose(replace(HOLDER, paper=paper), ANOTHERS, period=PERIOD) == by_post(NoAccountReason.NAME_MISMATCH)


@pytest.mark.parametrize("check", sorted(set(AccountCheck) - {AccountCheck.USABLE, AccountCheck.NAME_MISMATCH}))
def test_paper_heals_the_name_and_nothing_else(check: AccountCheck) -> None:
    verdict = replace(ANOTHERS, account=check)
    assert choose(replace(HOLDER, paper=BOTH), verdict, period=PERIOD) == by_post(NoAccountReason(check.value))


def test_paper_does_not_heal_a_weak_identity_or_another_wish() -> None:
    paid = replace(HOLDER, paper=BOTH)
    assert choose(paid, replace(ANOTHERS, outcome=Outcome.WEAK_MATCH), period=PERIOD) == by_post(NoAccountReason.WEAK_IDENTITY)
    assert choose(replace(paid, wish=Wish.POST), ANOTHERS, period=PERIOD) == by_post(NoAccountReason.WISHES_POST)


def test_account_issued_in_bulk_waits_for_its_first_use() -> None:
    assert choose(replace(HOLDER, bulk_unused=True), GOOD, period=PERIOD) == by_post(NoAccountReason.BULK_UNUSED)
    assert choose(HOLDER, GOOD, period=PERIOD) == ON_ACCOUNT


def test_collector_needs_a_paper_number_to_stand_for_the_person() -> None:
    assert paper_of(a_collector(paper_number=None)) is None
    assert paper_of(None) is None
    assert paper_of(a_collector(scope=None)) == Paper("cash", None, None)


@pytest.mark.parametrize(
    ("changes", "until"),
    [
        ({}, None),
        ({"valid_until": date(2024, 3, 31)}, date(2024, 3, 31)),
        ({"revoked_on": date(2024, 2, 10)}, date(2024, 2, 9)),
        ({"died_on": date(2024, 1, 5), "valid_until": date(2024, 3, 31)}, date(2024, 1, 4)),
    ],
)
def test_paper_ends_with_what_comes_first(changes: dict[str, Any], until: date | None) -> None:
    paper = paper_of(a_collector(**changes))
    assert paper is not None
    assert paper.valid_until == until


@pytest.mark.parametrize(("holder", "same"), [("NGUYEN VAN DUC", True), ("Nguyễn  Văn Đức", True), ("NGUYEN VAN DUNG", False)])
def test_holder_is_the_collector_as_banks_write_names(holder: str, same: bool) -> None:
    assert (paper_of_holder(a_collector(), holder) is not None) is same


def test_cash_is_handed_to_a_collector_only_in_time_and_scope() -> None:
    assert may_collect(a_collector(scope=None, paper_number=None), PAY_DAY)
    assert may_collect(a_collector(), PAY_DAY)
    assert not may_collect(a_collector(scope="account"), PAY_DAY)
    assert not may_collect(a_collector(valid_until=date(2024, 1, 31)), PAY_DAY)
    assert not may_collect(a_collector(revoked_on=PAY_DAY), PAY_DAY)
    assert not may_collect(a_collector(valid_from=date(2024, 2, 2)), PAY_DAY)


DAYS = st.none() | st.dates(date(2023, 12, 1), date(2024, 4, 1))


@given(st.sampled_from(["cash", "account", "both"]), DAYS, DAYS, st.dates(date(2023, 12, 1), date(2024, 4, 1)))
def test_paper_holds_exactly_between_its_days(scope: Any, first: date | None, last: date | None, on: date) -> None:
    paper = Paper(scope, first, last)
    inside = (first is None or first <= on) and (last is None or on <= last)
    assert paper.holds(on, CASH) == (inside and scope != "account")
    assert paper.holds(on, ACCOUNT) == (inside and scope != "cash")
