"""Money: whole dong and nothing else.

The dong has no minor unit in use (ISO 4217 lists VND with 0 decimals), so an amount is an `int`. No float may come near it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NewType

Dong = NewType("Dong", int)
"""A whole number of Vietnamese dong, 0 or more unless a name says otherwise."""

DONG_MAX = Dong(10**15)
"""No single amount or total of ours comes near this: the country paid 24,385 bn VND in all of 2024 without cash."""

ZERO = Dong(0)


def dong(value: int) -> Dong:
    """A checked amount.

    Raises TypeError for anything but a plain int (a float or a bool is a bug, not an amount) and ValueError outside 0..10^15.
    """
    if type(value) is not int:
        raise TypeError("an amount is a whole number of dong")
    if not 0 <= value <= DONG_MAX:
        raise ValueError("an amount lies between 0 and 10^15 dong")
    return Dong(value)


def total(amounts: Iterable[int]) -> Dong:
    """The checked sum of checked amounts."""
    return dong(sum([dong(amount) for amount in amounts]))


def times_hundredths(standard_vnd: Dong, coefficient_hundredths: int) -> Dong:
    """A standard level times a coefficient written in hundredths (1.5 is 150), rounded half up to whole dong.

    Source of the product: Decree 20/2021/ND-CP Art. 6 (coefficient times standard level). Every coefficient there times 360,000
    or 500,000 is whole, so the rounding never shows on real rates; it only makes the function total.
    """
    if type(coefficient_hundredths) is not int or coefficient_hundredths < 0:
        raise TypeError("a coefficient is a whole number of hundredths, 0 or more")
    return dong((standard_vnd * coefficient_hundredths * 2 + 100) // 200)


def in_words_of_figures(amount: Dong) -> str:
    """`1250000` as `1.250.000`, the way Vietnamese lists group thousands."""
    return f"{amount:,}".replace(",", ".")
