"""Account pre-flight: what can be known about an account before money is sent to it (domain 4.2). Pure.

The bank's own answer comes later; passing here is not a promise. BINs and whether a bank answers name questions stand in the table of
`shared/banks.py`, effective-dated.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from shared.banks import BANKS_FILE
from shared.names import SAME_HOLDER, compare, fits_mask, is_masked
from shared.personal import Account
from shared.words import AccountCheck


@dataclass(frozen=True, slots=True)
class Bank:
    """One bank under one name. Days are inclusive below, exclusive above; `name_check`: it answers whose an account is."""

    bin: str
    name: str
    valid_from: date
    valid_until: date
    name_check: bool
    number_min: int
    number_max: int


class Banks:
    """The effective-dated table of banks, keyed by BIN: names change, the BIN stays."""

    def __init__(self, banks: Iterable[Bank]) -> None:
        """Group by BIN."""
        self._by_bin: dict[str, list[Bank]] = {}
        for bank in banks:
            self._by_bin.setdefault(bank.bin, []).append(bank)

    @classmethod
    def from_file(cls, path: Path = BANKS_FILE) -> Banks:
        """Read the table. Raises KeyError or ValueError for a file of another shape: the process must not start with it."""
        with path.open(encoding="utf-8", newline="") as file:
            return cls(_bank(row) for row in csv.DictReader(file))

    def on(self, bank_bin: str, day: date) -> Bank | None:
        """The bank that has this BIN on a day."""
        return next((b for b in self._by_bin.get(bank_bin, ()) if b.valid_from <= day < b.valid_until), None)


class HolderAnswer(StrEnum):
    """What is known of an account's holder: the person, somebody else, a masked name that fits, nothing, or no answer yet."""

    MATCH = "match"
    MISMATCH = "mismatch"
    MASKED = "masked"
    CANNOT_VERIFY = "cannot_verify"
    UNAVAILABLE = "unavailable"


_CHECK = {
    HolderAnswer.MATCH: AccountCheck.USABLE,
    HolderAnswer.MISMATCH: AccountCheck.NAME_MISMATCH,
    HolderAnswer.MASKED: AccountCheck.CANNOT_VERIFY,  # initials prove nothing
    HolderAnswer.CANNOT_VERIFY: AccountCheck.CANNOT_VERIFY,
    HolderAnswer.UNAVAILABLE: AccountCheck.UNAVAILABLE,
}


def holder_said(holder: str, person_name: str) -> HolderAnswer:
    """A holder's name, whole or masked, beside the person's."""
    if is_masked(holder):
        return HolderAnswer.MASKED if fits_mask(holder, person_name) else HolderAnswer.MISMATCH
    return HolderAnswer.MATCH if compare(holder, person_name) in SAME_HOLDER else HolderAnswer.MISMATCH


def check_account(account: Account, holder: HolderAnswer, *, banks: Banks, today: date) -> AccountCheck:
    """The first finding in order of precedence. Whether several people claim the account is not visible here.

    A relative's account is NAME_MISMATCH: paying on it needs an authorisation that pre-flight cannot judge.
    """
    bank = banks.on(account.bank_bin, today)
    if bank is None:
        return AccountCheck.BANK_UNKNOWN_BIN
    if not _number_fits(account.number, bank):
        return AccountCheck.NUMBER_SHAPE
    if not bank.name_check and holder is not HolderAnswer.MISMATCH:
        return AccountCheck.CANNOT_VERIFY
    return _CHECK[holder]


def with_claims(found: AccountCheck | None, claimants: int) -> AccountCheck | None:
    """An account that would be usable is not when more than one person claims it."""
    return AccountCheck.SHARED_ACCOUNT if found is AccountCheck.USABLE and claimants > 1 else found


def _number_fits(number: str, bank: Bank) -> bool:
    """Letters are possible (accounts named by their holder); a number of zeros only is a spreadsheet's leftover."""
    return number.isascii() and number.isalnum() and bank.number_min <= len(number) <= bank.number_max and number.strip("0") != ""


def _bank(row: dict[str, str]) -> Bank:
    return Bank(
        bin=row["bin"],
        name=row["name"],
        valid_from=date.fromisoformat(row["valid_from"]) if row["valid_from"] else date.min,
        valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else date.max,
        name_check={"yes": True, "no": False}[row["name_check"]],
        number_min=int(row["number_min"]),
        number_max=int(row["number_max"]),
    )
