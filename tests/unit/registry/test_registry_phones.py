"""Phones as lists write them become E.164 or nothing."""

import phonenumbers
import pytest

from services.registry.phones import e164


@pytest.mark.parametrize(
    ("written", "number"),
    [("0912345678", "+84912345678"), ("+84912345678", "+84912345678"), ("84912345678", "+84912345678"), ("912345678", "+84912345678"),
     ("0912.345.678", "+84912345678"), ("01627000001", "+84327000001"), ("+841627000001", "+84327000001"),
     ("841627000001", "+84327000001"), ("1627000001", "+84327000001"), ("0084912345678", "+84912345678")],
)  # fmt: skip
def test_phones_of_all_times(written, number):
    assert e164(written) == number


@pytest.mark.parametrize("written", ["", "091234567", "09123456789", "123", "0912345678x", "không có", "00000000000"])
def test_what_is_no_phone_is_nothing(written):
    assert e164(written) is None


def test_what_is_a_phone_is_what_the_library_says():
    """The short way for mobile numbers says yes exactly where the library does: every beginning of four digits."""
    for beginning in range(1000, 10_000):
        number = f"+84{beginning}56789"
        valid = phonenumbers.is_valid_number(phonenumbers.parse(number, None))
        assert e164(number) == (number if valid else None)
