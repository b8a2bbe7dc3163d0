"""Phone numbers: the prefixes of before autumn 2018 moved first, then judged, then E.164 (domain 5). Pure."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneMetadata

# Facts: package vn-phone-number 0.1. `phonenumbers` calls every old number invalid, so they are moved before it is asked.
_NEW_PREFIX = {
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78", "123": "83", "124": "84", "125": "85",
    "127": "81", "129": "82", "186": "56", "188": "58", "199": "59",
}  # fmt: skip


def _mobile_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The library's own two rules for a mobile number here: what any number looks like, what a mobile one looks like."""
    facts = PhoneMetadata.metadata_for_region("VN")
    assert facts is not None
    assert facts.general_desc is not None
    assert facts.mobile is not None
    looks, mobile = facts.general_desc.national_number_pattern, facts.mobile.national_number_pattern
    assert looks is not None
    assert mobile is not None
    return re.compile(looks), re.compile(mobile)


_ANY, _MOBILE = _mobile_patterns()
_NO_DIGIT = re.compile(r"[^0-9]+")


def e164(written: str) -> str | None:
    """`+84` and nine digits, or None for what cannot be a Vietnamese phone number.

    A cell that lost its first zero has nine digits (or ten of the old kind); both are read as national numbers.
    """
    digits = written.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):  # nearly every phone is digits alone
        digits = _NO_DIGIT.sub("", written)
    if len(digits) > 14 or (digits != written and any(char.isalpha() for char in written)):
        return None
    national = digits.removeprefix("00").removeprefix("84") if len(digits) > 10 else digits
    national = national.lstrip("0")
    if len(national) == 10 and national[:3] in _NEW_PREFIX:
        national = _NEW_PREFIX[national[:3]] + national[3:]
    return _valid(national) if len(national) == 9 else None


def _valid(national: str) -> str | None:
    number = f"+84{national}"
    # Nearly every number is a mobile one: the library's own patterns say yes at a hundredth of the price; only it says no.
    if _MOBILE.fullmatch(national) and _ANY.fullmatch(national):
        return number
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(parsed) else None
