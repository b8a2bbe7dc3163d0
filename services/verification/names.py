"""Vietnamese names: how alike two spellings are, in the tiers of domain 8. Pure.

T1 Unicode form, case and spaces; T2 tone mark on the other vowel (hoà, hòa); T3 i/y and đ typed on a poor keyboard (Lí, Lý; Dặng, Đặng);
T4 equal only without accents; T5 other order or a middle name missing; T6 different. A lower tier includes the ones above it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from shared.words import Finding

SAME_NAME = (Finding.T1, Finding.T2, Finding.T3)
"""Tiers that count as the same name when number and birth date agree."""

WEAK_NAME = (Finding.T4, Finding.T5)
"""Tiers that need a second proof and never pay a new account."""

_TONES = {0x0300: None, 0x0301: None, 0x0303: None, 0x0309: None, 0x0323: None}
_TONE_SET = frozenset(map(chr, _TONES))
# đ on keyboards without it: the Icelandic eth looks the same, Telex leaves `dd`, VNI leaves `d9`.
_D_FORMS = ("đ", "ð", "dd", "d9")
_VOWELS = frozenset("aeiouy")


def compare(one: str, other: str) -> Finding:
    """The strongest tier at which two full names are equal. Symmetric; the Unicode form never matters."""
    if one == other:
        return Finding.T1
    left, right = _syllables(one), _syllables(other)
    for tier, key in _KEYS:
        if [key(syllable) for syllable in left] == [key(syllable) for syllable in right]:
            return tier
    same = _reordered_or_shortened([_plain(s) for s in left], [_plain(s) for s in right])
    return Finding.T5 if same else Finding.T6


@lru_cache(maxsize=10_000)
def plain_key(full_name: str) -> str:
    """The name at tier T4: two names have the same key exactly when they are T4 or better. For blind indexes and bank holders."""
    return " ".join(_plain(syllable) for syllable in _syllables(full_name))


def _syllables(name: str) -> list[str]:
    # Canonical caseless matching (Unicode 3.13): decompose before and after folding.
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold()).split()


@lru_cache(maxsize=50_000)
def _toneless_last(syllable: str) -> str:
    """The tone moved to the end: a syllable has at most one, so where it stands is only spelling."""
    tones = "".join(char for char in syllable if char in _TONE_SET)
    return syllable.translate(_TONES) + tones


@lru_cache(maxsize=50_000)
def _spelling(syllable: str) -> str:
    """T2 with đ as d, and a y that is the whole vowel of its syllable as i (Mỹ, Lý, Quý; not Thúy)."""
    moved = _toneless_last(syllable)
    for form in _D_FORMS:
        if moved.startswith(form):
            moved = "d" + moved[len(form) :]
            break
    body = moved.rstrip("".join(_TONE_SET))
    onset = body[:-1].removesuffix("u") if body.startswith("qu") else body[:-1]
    if body.endswith("y") and not _VOWELS.intersection(onset):
        return f"{body[:-1]}i{moved[len(body) :]}"
    return moved


@lru_cache(maxsize=50_000)
def _plain(syllable: str) -> str:
    """T3 without any accent."""
    return "".join(char for char in _spelling(syllable) if not unicodedata.combining(char)).replace("đ", "d")


def _as_is(syllable: str) -> str:
    return syllable


_KEYS = (
    (Finding.T1, _as_is),
    (Finding.T2, _toneless_last),
    (Finding.T3, _spelling),
    (Finding.T4, _plain),
)


def _reordered_or_shortened(left: list[str], right: list[str]) -> bool:
    """Same words in another order; or family and given name equal and the middle of one within the middle of the other."""
    if sorted(left) == sorted(right):
        return bool(left)
    short, long = sorted((left, right), key=len)
    if len(short) < 2 or len(short) == len(long) or (short[0], short[-1]) != (long[0], long[-1]):
        return False
    rest = iter(long[1:-1])
    return all(word in rest for word in short[1:-1])
