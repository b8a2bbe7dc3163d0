"""What each provider takes: amounts, remark, names. One table, because each bank's rail has its own idea of text (domain 4.2). Pure.

The limits are those of the contract with a provider; the narrow ones of one published rail (300 to 9,999,999 VND a transfer, 5 to 35
characters) stand in the tests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.topics import Provider

NOTHING_TO_SAY = "AN SINH"
_FAMILY = " GIA DINH NHAN"
_D = str.maketrans("đĐ", "dD")


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """One provider's row. Amounts are VND per transfer; `remark_forbidden` is taken out beyond what `remark_allowed` leaves."""

    least_vnd: int
    most_vnd: int
    remark_least: int
    remark_most: int
    remark_allowed: str
    remark_forbidden: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A row that contradicts itself is no row."""
        assert 0 < 2 * self.least_vnd <= self.most_vnd, "whatever is above the least can be cut into parts that all are"
        assert 0 <= self.remark_least <= len(NOTHING_TO_SAY) <= self.remark_most


NAPAS = ProviderRules(2_000, 499_999_999, 1, 35, "A-Z0-9 ")
"""The instant rail between banks: below 500 million a transfer, capital letters without accents, digits, space."""
RULES: Mapping[Provider, ProviderRules] = {
    Provider.BANK_A: NAPAS,
    Provider.BANK_B: NAPAS,
    Provider.POST: ProviderRules(1, 499_999_999, 1, 35, "A-Z0-9 "),
}


def ascii_text(text: str) -> str:
    """Letters without accents, đ as d: NFD without its marks. Other alphabets are left to whoever takes out what is not allowed."""
    marked = unicodedata.normalize("NFD", text.translate(_D))
    return "".join(char for char in marked if not unicodedata.combining(char))


def remark(text: str, rules: ProviderRules) -> str:
    """A remark this provider takes: capital letters, only what is allowed, cut at a word, never empty. The same text for a fitting one."""
    plain = re.sub(f"[^{rules.remark_allowed}]+", " ", ascii_text(text).upper())
    for word in rules.remark_forbidden:
        plain = re.sub(rf"(?<![A-Z0-9]){re.escape(word)}(?![A-Z0-9])", " ", plain)
    words = " ".join(plain.split())
    if len(words) > rules.remark_most:
        cut = words[: rules.remark_most + 1].rpartition(" ")[0]
        words = cut or words[: rules.remark_most]
    return words if len(words) >= max(rules.remark_least, 1) else NOTHING_TO_SAY


def remark_of(periods: Sequence[str], rules: ProviderRules, *, family: bool = False) -> str:
    """The months a payment is for; of more than a remark holds, the first and the last. `family`: they are paid to who is left."""
    months, tail = [period.replace("-", "") for period in periods], _FAMILY if family else ""
    span = f"{months[0]} DEN {months[-1]}{tail}"
    forms = (f"{NOTHING_TO_SAY} {' '.join(months)}{tail}", f"{NOTHING_TO_SAY} {span}", span)
    return remark(next((form for form in forms if len(form) <= rules.remark_most), span), rules)


def fits(text: str, rules: ProviderRules) -> bool:
    """Whether a provider takes a remark as it is."""
    return bool(text) and remark(text, rules) == text


def least_vnd(provider: Provider, rules: Mapping[Provider, ProviderRules] = RULES) -> int:
    """The least one payment through a provider may carry."""
    return rules[provider].least_vnd


def most_vnd(provider: Provider, setting_vnd: int, rules: Mapping[Provider, ProviderRules] = RULES) -> int:
    """The most one payment through a provider may carry: what the contract and the office's setting both allow."""
    return min(rules[provider].most_vnd, setting_vnd)
