"""Vietnamese names: how alike two spellings are, in the tiers of domain 8. Pure.

T1 Unicode form, case and spaces; T2 tone mark on the other vowel (hoà, hòa); T3 i/y and đ typed on a poor keyboard (Lí, Lý; Ðặng, DDặng);
T4 one of them wholly without accents; T5 other order or a middle name missing; T6 different. A lower tier includes the ones above it.

Accents that differ are another name, not a lost accent: Hòa, Hóa and Hoa may be three children of one house. Only a name that has no
accent at all was typed without them. A plain D stands for Đ in a family name (no family is called Dặng), nowhere else: Doan and Đoan.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from shared.words import Finding

SAME_NAME = (Finding.T1, Finding.T2, Finding.T3)
"""Tiers that count as the same name when number and birth date agree."""

WEAK_NAME = (Finding.T4, Finding.T5)
"""Tiers that need a second proof and never pay a new account."""

SAME_HOLDER = (*SAME_NAME, Finding.T4)
"""Tiers that make an account a person's own. Banks write holders without accents: that loss is the rule here, and another accent is another
person."""

_TONES = {0x0300: None, 0x0301: None, 0x0303: None, 0x0309: None, 0x0323: None}
_TONE_SET = frozenset(map(chr, _TONES))
# đ on keyboards without it: the Icelandic eth and the African d look the same, Telex leaves `dd`, VNI leaves `d9`.
_D_FORMS = ("ð", "ɖ", "dd", "d9")
_VOWELS = frozenset("aeiouy")
# What a copied text carries and nobody sees: zero-width spaces and joiners, marks of direction, soft hyphens.
_UNSEEN = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF))
_MASKS = "*•●"


def compare(one: str, other: str) -> Finding:
    """The strongest tier at which two full names are equal. Symmetric; the Unicode form never matters."""
    if one == other:
        return Finding.T1
    left, right = _syllables(one), _syllables(other)
    for tier, key in _KEYS:
        if key(left) == key(right):
            return tier
    without_accents = _bare(left) or _bare(right)
    if without_accents and _plainly(left) == _plainly(right):
        return Finding.T4
    key = _plainly if without_accents else _spelled
    return Finding.T5 if _reordered_or_shortened(key(left), key(right)) else Finding.T6


@lru_cache(maxsize=10_000)
def plain_key(full_name: str) -> str:
    """The name without accents: names that are T4 or better have the same key. For blind indexes and bank holders."""
    return " ".join(_plainly(_syllables(full_name)))


def is_masked(holder: str) -> bool:
    """Whether a bank hides letters of a name."""
    return any(sign in holder for sign in _MASKS)


def fits_mask(mask: str, full_name: str) -> bool:
    """Whether a masked holder (`N*** V** A**`) may be this name: as many words, and the letters that are shown where they are shown.

    How many stars stand for how many letters differs by bank and says nothing. That a name fits proves nothing either: it is weak (T4m).
    """
    shown, words = _masked_words(mask), [word.replace("y", "i") for word in plain_key(full_name).split()]
    return len(shown) == len(words) > 0 and all(map(_fits, shown, words))


def _masked_words(mask: str) -> list[tuple[str, str, bool]]:
    """Of each word the letters before and after what is hidden, and whether anything is."""
    found = []
    for word in mask.translate(dict.fromkeys(map(ord, _MASKS), "*")).split():
        start, star, rest = word.partition("*")
        found.append((_letters(start), _letters(rest.rpartition("*")[2]), bool(star)))
    return found


def _letters(part: str) -> str:
    return "".join(_plainly(_syllables(part))).replace("y", "i")


def _fits(shown: tuple[str, str, bool], word: str) -> bool:
    start, end, hidden = shown
    if not hidden:
        return start == word
    return len(start) + len(end) <= len(word) and word.startswith(start) and word.endswith(end)


def _syllables(name: str) -> list[str]:
    # Canonical caseless matching (Unicode 3.13): decompose before and after folding.
    seen = name if name.isascii() else name.translate(_UNSEEN)
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", seen).casefold()).split()


def _bare(syllables: Sequence[str]) -> bool:
    """Whether a name has no accent at all."""
    return all(map(str.isascii, syllables))


@lru_cache(maxsize=50_000)
def _toneless_last(syllable: str) -> str:
    """The tone moved to the end: a syllable has at most one, so where it stands is only spelling."""
    tones = "".join(char for char in syllable if char in _TONE_SET)
    return syllable.translate(_TONES) + tones


@lru_cache(maxsize=50_000)
def _spelling(syllable: str) -> str:
    """T2 with one form of đ, and a y that is the whole vowel of its syllable as i (Mỹ, Lý, Quý; not Thúy)."""
    moved = _toneless_last(syllable)
    for form in _D_FORMS:
        if moved.startswith(form):
            moved = "đ" + moved[len(form) :]
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


def _as_is(syllables: Sequence[str]) -> list[str]:
    return list(syllables)


def _toneless(syllables: Sequence[str]) -> list[str]:
    return [_toneless_last(syllable) for syllable in syllables]


def _spelled(syllables: Sequence[str]) -> list[str]:
    return [_spelling(syllable) for syllable in syllables]


def _spelled_as_family(syllables: Sequence[str]) -> list[str]:
    spelled = _spelled(syllables)
    return [spelled[0].replace("đ", "d", 1), *spelled[1:]] if spelled else spelled


def _plainly(syllables: Sequence[str]) -> list[str]:
    return [_plain(syllable) for syllable in syllables]


_KEYS: tuple[tuple[Finding, Callable[[Sequence[str]], list[str]]], ...] = (
    (Finding.T1, _as_is),
    (Finding.T2, _toneless),
    (Finding.T3, _spelled_as_family),
)


def _reordered_or_shortened(left: list[str], right: list[str]) -> bool:
    """Family or given name at the other end, or both; or family and given name equal and the middle of one within the middle of the
    other. Words that change places behind the family name are another name (Lê Hoài Nam, Lê Nam Hoài)."""
    if len(left) == len(right):
        return len(left) > 1 and right in ([*left[1:], left[0]], [left[-1], *left[:-1]], [left[-1], *left[1:-1], left[0]])
    short, long = sorted((left, right), key=len)
    if len(short) < 2 or (short[0], short[-1]) != (long[0], long[-1]):
        return False
    rest = iter(long[1:-1])
    return all(word in rest for word in short[1:-1])
