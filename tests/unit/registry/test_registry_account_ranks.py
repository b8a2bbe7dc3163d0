"""Ranks of account sources are rows with days: the stronger source holds, whichever account came first."""

from datetime import date
from itertools import permutations
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_workbooks import an_identity

from services.registry import person as rules
from services.registry.account_ranks import AccountRanks, Ranked
from services.registry.person import Person
from services.registry.statements import RegisterAccount
from shared.personal import Account, PersonalData
from shared.words import AccountSource, Wish

CHANGE = date(2026, 1, 1)
ORDERS = [dict(zip(order, range(1, 5), strict=True)) for order in permutations(AccountSource)]


def says(source: AccountSource, number: str) -> RegisterAccount:
    account = Account(bank_bin="970405", number=number, holder="NGUYEN THI HOA")
    return RegisterAccount(
        account_source=source, wish=Wish.ACCOUNT, personal=PersonalData(identity=an_identity(), account=account)
    )


def somebody() -> Person:
    return Person(uuid4(), (1, 0), "huyen-444", "18502", an_identity())


def rows(changed: dict[AccountSource, int] | None = None) -> list[Ranked]:
    """The table of today; with `changed` other ranks from the day of the change on."""
    now = AccountRanks.from_file().on(date.min)
    end = CHANGE if changed else date.max
    later = [Ranked(source, rank, CHANGE, date.max) for source, rank in (changed or {}).items()]
    return [Ranked(source, rank, date.min, end) for source, rank in now.items()] + later


def test_the_table_is_domain_4_3():
    ranks = AccountRanks.from_file().on(date(2024, 1, 20))
    assert sorted(ranks, key=ranks.__getitem__) == list(AccountSource)


@given(st.sampled_from(ORDERS), st.permutations(list(AccountSource)))
def test_the_strongest_source_holds_in_whatever_order_accounts_come(ranks, order):
    person = somebody()
    for place, source in enumerate(order):
        person = rules.account_registered(person, says(source, f"37090000000{place}"), rules.Terms(ranks, CHANGE))
    strongest = min(AccountSource, key=ranks.__getitem__)
    assert (person.account_source, person.account.number) == (strongest, f"37090000000{order.index(strongest)}")


@pytest.mark.parametrize(
    "order", [(AccountSource.BULK, AccountSource.COMMUNE_POLICE), (AccountSource.COMMUNE_POLICE, AccountSource.BULK)]
)
def test_a_reviewed_row_turns_two_sources_round_from_its_day_on(order):
    turned = {AccountSource.VNEID: 1, AccountSource.CONFIRMED: 2, AccountSource.BULK: 3, AccountSource.COMMUNE_POLICE: 4}
    table = AccountRanks(rows(turned))
    for day, wins in ((date(2025, 12, 31), AccountSource.COMMUNE_POLICE), (CHANGE, AccountSource.BULK)):
        person = somebody()
        for place, source in enumerate(order):
            person = rules.account_registered(person, says(source, str(place)), rules.Terms(table.on(day), day))
        assert person.account_source is wins


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        rows()[:-1],
        [*rows(), rows()[0]],
        [*rows()[:-1], Ranked(AccountSource.BULK, 1, date.min, date.max)],
        [*rows()[:-1], Ranked(AccountSource.BULK, 4, CHANGE, date.max)],
        [*rows()[:-1], Ranked(AccountSource.BULK, 4, date.min, CHANGE)],
        [*rows({AccountSource.VNEID: 1, AccountSource.CONFIRMED: 2, AccountSource.BULK: 3}), *rows()[3:]],
    ],
)
def test_no_process_starts_with_a_table_that_leaves_a_day_open(wrong):
    with pytest.raises(ValueError, match="ranks of"):
        AccountRanks(wrong)
