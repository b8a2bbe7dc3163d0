"""Synthetic identity and phone numbers with the right structure.

Personal number: 3 digits province of birth registration, 1 digit century and sex, 2 digits birth year, 6
digits; the six start with 99 here so that a synthetic number is recognised. Old number: 9 digits, Hà Tĩnh
prefixes 183 and 184, then a 9. Mobile numbers: a real prefix, then 00. Nobody is meant to have any of
them.
"""

from random import Random

from sandbox.model import Sex

PROVINCES = ("042", "040", "044", "038", "001", "079")
PROVINCE_WEIGHTS = (940, 25, 15, 8, 6, 6)
MOBILE_PREFIXES = (
    "032", "033", "034", "035", "036", "037", "038", "039", "086", "096", "097", "098", "070", "076",
    "077", "078",
    "079", "081", "082", "083", "084", "085", "088", "091", "094", "056", "058",
)  # fmt: skip
# Prefixes before the change of autumn 2018 (package vn-phone-number 0.1), new to old.
OLD_PREFIX = {
    "032": "0162", "033": "0163", "034": "0164", "035": "0165", "036": "0166", "037": "0167", "038": "0168",
    "039": "0169", "070": "0120", "079": "0121", "077": "0122", "076": "0126", "078": "0128", "083": "0123",
    "084": "0124", "085": "0125", "081": "0127", "082": "0129", "056": "0186", "058": "0188",
}  # fmt: skip


class NumberMaker:
    """Gives numbers out once each; the same seed gives the same numbers in the same order."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def personal(self, sex: Sex, birth_year: int) -> str:
        """A new personal number of 12 digits for a person born in 1900..2099."""
        century_and_sex = 2 * (birth_year // 100 - 19) + (sex is Sex.FEMALE)
        province = self._rng.choices(PROVINCES, PROVINCE_WEIGHTS)[0]
        return self._fresh(f"{province}{century_and_sex}{birth_year % 100:02d}99", 4)

    def old(self) -> str:
        """A new 9-digit number."""
        return self._fresh(self._rng.choice(("1839", "1849")), 5)

    def phone(self) -> str:
        """A new mobile number in today's 10-digit form."""
        return self._fresh(self._rng.choice(MOBILE_PREFIXES) + "00", 5)

    def digits(self, start: str, length: int) -> str:
        """A new text of `length` digits beginning with `start`."""
        return self._fresh(start, length - len(start))

    def _fresh(self, start: str, tail: int) -> str:
        while True:
            number = f"{start}{self._rng.randrange(10**tail):0{tail}d}"
            if number not in self._given:
                self._given.add(number)
                return number


def written_phone(rng: Random, phone: str | None) -> str | int | None:
    """How a list writes the number: mostly as it is, else the old 11 digits, +84, dots, or a numeric cell."""
    if phone is None:
        return None
    roll = rng.randrange(100)
    if roll < 6 and phone[:3] in OLD_PREFIX:
        return OLD_PREFIX[phone[:3]] + phone[3:]
    if roll < 9:
        return "+84" + phone[1:]
    if roll < 13:
        return f"{phone[:4]}.{phone[4:7]}.{phone[7:]}"
    return int(phone) if roll < 15 else phone
