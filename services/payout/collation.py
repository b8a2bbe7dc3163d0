"""Vietnamese alphabetical order: letters first, then tones, syllable by syllable; names by given name first. Pure.

Alphabet: a ă â b c d đ e ê g h i k l m n o ô ơ p q r s t u ư v x y, with f j w z in their Latin places for foreign names.
Tones in dictionary order: level, grave, hook, tilde, acute, dot below.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_RANK = {letter: rank for rank, letter in enumerate(ALPHABET, 1)}
# Combining marks that make another letter, and those that are tones.
_LETTER_MARKS = {"\u0306", "\u0302", "\u031b"}
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
OTHER = 100

Key = tuple[tuple[tuple[int, ...], int], ...]


def key(text: str) -> Key:
    """The sort key of a text. Case, Unicode form and the place of a tone mark within a syllable make no difference."""
    return tuple(_syllable(word) for word in text.casefold().split())


def name_key(full_name: str) -> tuple[Key, Key]:
    """The sort key of a person's name: given name (the last word), then the rest from the family name on."""
    words = full_name.split()
    return key(" ".join(words[-1:])), key(" ".join(words[:-1]))


@lru_cache(maxsize=8192)
def _syllable(word: str) -> tuple[tuple[int, ...], int]:
    letters: list[str] = []
    tone = 0
    for char in unicodedata.normalize("NFD", word):
        if char in _TONES:
            tone = _TONES[char]
        elif char in _LETTER_MARKS and letters and len(made := unicodedata.normalize("NFC", letters[-1] + char)) == 1:
            letters[-1] = made
        else:  # a mark that makes no letter of what stands before it counts by itself
            letters.append(char)
    return tuple(_rank(letter) for letter in letters), tone


def _rank(letter: str) -> int:
    """Digits and signs come before letters, unknown letters after them."""
    if letter in _RANK:
        return _RANK[letter]
    return ord(letter) - OTHER * 10 if letter < "a" else OTHER + ord(letter)
