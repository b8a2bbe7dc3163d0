"""One table of banks: whatever bank a list may name, verification knows, under each of its names."""

import csv
from datetime import date

import pytest

from services.registry.banks import BankNames
from services.registry.settings import Settings as RegistrySettings
from services.verification.account_check import Banks
from services.verification.settings import Settings as VerificationSettings
from shared.banks import BANKS_FILE

DAY = date(2026, 1, 1)
with BANKS_FILE.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['bin']} {row['name']}")
def test_bank_is_known_to_both_by_every_name(row):
    banks = Banks.from_file(BANKS_FILE)
    assert banks.on(row["bin"], DAY) is not None
    for name in (row["name"], *filter(None, row["other_names"].split("|"))):
        assert BankNames.from_file(BANKS_FILE).bank_bin(None, name) == row["bin"]
        assert BankNames.from_file(BANKS_FILE).bank_bin(None, f"Ngân hàng {name}") == row["bin"]


def test_both_read_the_same_table():
    files = {RegistrySettings.model_fields["bank_names_file"].default, VerificationSettings.model_fields["banks_file"].default}
    assert files == {BANKS_FILE}


def test_bank_for_social_policies_is_a_bank_that_names_nobody():
    bank = Banks.from_file(BANKS_FILE).on(BankNames.from_file(BANKS_FILE).bank_bin(None, "NHCSXH"), DAY)
    assert bank is not None
    assert not bank.name_check
