"""Vietnamese alphabetical order."""

import unicodedata
from collections.abc import Iterable

from hypothesis import example, given
from hypothesis import strategies as st

from services.payout.collation import ALPHABET, key, name_key

TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
VOWELS = "aăâeêioôơuưy"


def backwards(words: Iterable[str]) -> list[str]:
    return list(words)[::-1]


def toned(letter: str, tone: str) -> str:
    return unicodedata.normalize("NFC", letter + tone)


def test_all_letters_in_order() -> None:
    assert sorted(backwards(ALPHABET), key=key) == list(ALPHABET)
    assert sorted(backwards(ALPHABET.upper()), key=key) == list(ALPHABET.upper())


def test_all_tones_on_all_vowels() -> None:
    expected = [toned(vowel, tone) for vowel in VOWELS for tone in TONES]
    assert len(set(expected)) == 72
    assert sorted(backwards(expected), key=key) == expected
    assert sorted([unicodedata.normalize("NFD", text) for text in backwards(expected)], key=key) == [
        unicodedata.normalize("NFD", text) for text in expected
    ]


def test_letters_before_tones_within_a_syllable() -> None:
    words = ["ma", "mà", "mả", "mã", "má", "mạ", "mai", "mái", "mạch", "mán", "mẹ"]
    assert sorted(backwards(words), key=key) == ["ma", "mà", "mả", "mã", "má", "mạ", "mạch", "mai", "mái", "mán", "mẹ"]


def test_place_of_the_tone_mark_makes_no_difference() -> None:
    assert key("Hoà") == key("Hòa") == key(unicodedata.normalize("NFD", "HÒA"))


def test_names_by_given_name_then_family() -> None:
    names = ["Nguyễn Văn Ước", "Trần Thị Ánh", "Lê Thị Đào", "Phan Văn Dũng", "Đặng Thị Ánh", "Hồ Thị Ấm", "Bùi Văn An"]
    assert sorted(names, key=name_key) == [
        "Bùi Văn An", "Đặng Thị Ánh", "Trần Thị Ánh", "Hồ Thị Ấm", "Phan Văn Dũng", "Lê Thị Đào", "Nguyễn Văn Ước",
    ]  # fmt: skip


def test_hamlets_with_numbers() -> None:
    assert sorted(["Xóm 3", "Xóm 1", "Tổ 2", "Xóm Đông"], key=key) == ["Tổ 2", "Xóm 1", "Xóm 3", "Xóm Đông"]


@given(st.text(max_size=30))
@example("\u0353\u0302")
@example("x\u0306\u031b")
def test_any_text_has_a_key(text: str) -> None:
    assert key(text) <= key(text)
    assert name_key(text) <= name_key(text)
