"""Account pre-flight: order of findings, the effective-dated table, shared accounts."""

from datetime import date
from typing import Any

import pytest

from services.verification.account_check import Banks, HolderAnswer, check_account, holder_said, with_claims
from shared.personal import Account
from shared.words import AccountCheck

BANKS, TODAY = Banks.from_file(), date(2024, 2, 1)


def found(person: str = "Nguyễn Thị Hòa", **changes: Any) -> AccountCheck:
    account = Account(**{**{"bank_bin": "970405", "number": "3709000000001", "holder": "NGUYEN THI HOA"}, **changes})
    return check_account(account, holder_said(account.holder, person), banks=BANKS, today=TODAY)


@pytest.mark.parametrize("person", ["Nguyễn Thị Hòa", "NGUYỄN THỊ HOÀ", "Nguyễn  Thị Hoa"])
def test_own_account_is_usable(person: str) -> None:
    assert found(person) is AccountCheck.USABLE


def test_spelling_variant_of_the_list_does_not_hide_the_holder() -> None:
    assert found("Trần Văn Lí", holder="TRAN VAN LY") is AccountCheck.USABLE
    assert found("Đặng Thị Mĩ", holder="Dang Thi My") is AccountCheck.USABLE


def test_relatives_account_is_a_mismatch_also_where_names_are_not_answered() -> None:
    assert found(holder="LE VAN NAM") is AccountCheck.NAME_MISMATCH
    assert found(holder="NGUYEN HOA") is AccountCheck.NAME_MISMATCH
    assert found(holder="LE VAN NAM", bank_bin="970444") is AccountCheck.NAME_MISMATCH


def test_holder_with_other_accents_is_somebody_else() -> None:
    assert found(holder="Nguyễn Thị Hóa") is AccountCheck.NAME_MISMATCH
    assert found(holder="NGUYỄN THỊ HOÀ") is AccountCheck.USABLE


def test_masked_holder_never_becomes_usable() -> None:
    assert found(holder="N***** T** H**") is AccountCheck.CANNOT_VERIFY
    assert found(holder="L* V** N**") is AccountCheck.NAME_MISMATCH
    assert found(holder="N***** H**") is AccountCheck.NAME_MISMATCH


def test_bank_that_answers_no_names_cannot_verify() -> None:
    assert found(bank_bin="970444") is AccountCheck.CANNOT_VERIFY


@pytest.mark.parametrize(
    ("holder", "found"),
    [
        (HolderAnswer.MATCH, AccountCheck.USABLE),
        (HolderAnswer.MISMATCH, AccountCheck.NAME_MISMATCH),
        (HolderAnswer.MASKED, AccountCheck.CANNOT_VERIFY),
        (HolderAnswer.CANNOT_VERIFY, AccountCheck.CANNOT_VERIFY),
        (HolderAnswer.UNAVAILABLE, AccountCheck.UNAVAILABLE),
    ],
)
def test_only_a_match_is_usable(holder: HolderAnswer, found: AccountCheck) -> None:
    account = Account(bank_bin="970405", number="3709000000001", holder="NGUYEN THI HOA")
    assert check_account(account, holder, banks=BANKS, today=TODAY) is found


def test_unknown_bank_comes_first() -> None:
    assert found(bank_bin="970499", number="0", holder="LE VAN NAM") is AccountCheck.BANK_UNKNOWN_BIN


@pytest.mark.parametrize("number", ["12345", "0" * 13, "1" * 20])
def test_number_shape(number: str) -> None:
    assert found(number=number) is AccountCheck.NUMBER_SHAPE


def test_letters_are_possible() -> None:
    assert found(number="NGUYENHOA49") is AccountCheck.USABLE


def test_name_of_a_bank_depends_on_the_day_and_its_bin_does_not() -> None:
    names = {day: BANKS.on("970449", day) for day in (date(2022, 1, 1), TODAY)}
    assert [bank.name for bank in names.values() if bank] == ["LienVietPostBank", "LPBank"]


def test_only_a_usable_account_becomes_shared() -> None:
    assert with_claims(AccountCheck.USABLE, 2) is AccountCheck.SHARED_ACCOUNT
    assert with_claims(AccountCheck.USABLE, 1) is AccountCheck.USABLE
    assert with_claims(AccountCheck.NAME_MISMATCH, 2) is AccountCheck.NAME_MISMATCH
    assert with_claims(None, 2) is None
