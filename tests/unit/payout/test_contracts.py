"""Who executes what."""

from datetime import date
from pathlib import Path

import pytest
from test_authorisation import GOOD, HOLDER, PERIOD

from services.payout.channel import choose
from services.payout.contracts import Contract, ContractMissing, Contracts, read_contracts
from shared.topics import Provider
from shared.words import Channel

ON = date(2024, 2, 1)
SHIPPED = read_contracts()


def a_row(provider: Provider, area: str = "*", bank_bin: str = "*", **changes: date) -> Contract:
    days = {"valid_from": date.min, "valid_until": date.max, **changes}
    return Contract(provider, Channel.ACCOUNT, area, bank_bin, **days)


@pytest.mark.parametrize(
    ("bank_bin", "provider"), [("970405", Provider.BANK_A), ("970436", Provider.BANK_B), ("970499", Provider.BANK_B)]
)
def test_shipped_contracts(bank_bin: str, provider: Provider) -> None:
    assert SHIPPED.provider(Channel.ACCOUNT, area="18496", bank_bin=bank_bin, on=ON) is provider
    assert SHIPPED.provider(Channel.HOME, area="18496", bank_bin=None, on=ON) is Provider.POST
    assert not SHIPPED.by_area


def test_commune_comes_before_bank_and_bank_before_any() -> None:
    rows = [a_row(Provider.BANK_B), a_row(Provider.BANK_A, bank_bin="970405"), a_row(Provider.POST, area="18499")]
    table = Contracts(rows)
    assert table.provider(Channel.ACCOUNT, area="18499", bank_bin="970405", on=ON) is Provider.POST
    assert table.provider(Channel.ACCOUNT, area="18496", bank_bin="970405", on=ON) is Provider.BANK_A
    assert table.provider(Channel.ACCOUNT, area="18496", bank_bin="970436", on=ON) is Provider.BANK_B
    assert table.by_area


def test_contract_ends_and_the_next_begins() -> None:
    table = Contracts([a_row(Provider.BANK_A, valid_until=ON), a_row(Provider.BANK_B, valid_from=ON)])
    assert table.provider(Channel.ACCOUNT, area="", bank_bin="970405", on=date(2024, 1, 31)) is Provider.BANK_A
    assert table.provider(Channel.ACCOUNT, area="", bank_bin="970405", on=ON) is Provider.BANK_B


def test_nobody_is_paid_without_a_contract() -> None:
    with pytest.raises(ContractMissing):
        Contracts([a_row(Provider.BANK_A, valid_from=date(2024, 3, 1))]).provider(
            Channel.ACCOUNT, area="", bank_bin="970405", on=ON
        )


@pytest.mark.parametrize(
    "rows",
    [
        "bank-a,account,*,*,,\nbank-b,account,*,*,2024-01-01,\n",
        "bank-a,counter,*,*,,\n",
        "bank-x,account,*,*,,\n",
        "bank-a,cheque,*,*,,\n",
    ],
)
def test_table_that_makes_no_sense_is_refused(rows: str, tmp_path: Path) -> None:
    path = tmp_path / "contracts.csv"
    path.write_text(f"provider,channel,area,bank_bin,valid_from,valid_until\n{rows}")
    with pytest.raises(ValueError, match=r"."):
        read_contracts(path)


def test_post_pays_into_accounts_where_its_contract_says_so() -> None:
    table = Contracts([a_row(Provider.BANK_B), a_row(Provider.POST, area="18499")])
    by_the_post = choose(HOLDER, GOOD, period=PERIOD, area="18499", contracts=table)
    assert (by_the_post.provider, by_the_post.channel, by_the_post.gap) == (Provider.POST, Channel.ACCOUNT, None)
    assert choose(HOLDER, GOOD, period=PERIOD, area="18496", contracts=table).provider is Provider.BANK_B
