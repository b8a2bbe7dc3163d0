"""Parts are counted as the network bills them; the words keep to the rules."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.texts import GSM_BASIC, GSM_EXTENSION, is_gsm, parts_of, render, wording

ROUNDS = [(number, accented) for number in (1, 2, 3, 9) for accented in (True, False)]
GSM_TEXTS = st.text(st.sampled_from(sorted(GSM_BASIC | GSM_EXTENSION)), max_size=500)


def reference_parts(text: str) -> int:
    """Straightforward: lay septets or code units out one by one, never starting a pair in a part's last place."""
    gsm = all(char in GSM_BASIC or char in GSM_EXTENSION for char in text)
    pair = (lambda char: char in GSM_EXTENSION) if gsm else (lambda char: len(char.encode("utf-16-be")) == 4)
    units = [unit for char in text for unit in ([char, "+"] if pair(char) else [char])]
    single, size = (160, 153) if gsm else (70, 67)
    if len(units) <= single:
        return 1
    parts = 0
    while units:
        cut = size - 1 if len(units) > size and units[size] == "+" and pair(units[size - 1]) else size
        units = units[cut:]
        parts += 1
    return parts


@given(GSM_TEXTS | st.text(max_size=300))
def test_parts_agree_with_the_reference(text: str) -> None:
    assert parts_of(text) == reference_parts(text)


PLAIN_LIMITS = [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2)]
ACCENTED_LIMITS = [("ạ" * 70, 1), ("ạ" * 71, 2), ("ạ" * 134, 2), ("ạ" * 135, 3)]


@pytest.mark.parametrize(("text", "parts"), PLAIN_LIMITS + ACCENTED_LIMITS)
def test_limits(text: str, parts: int) -> None:
    assert parts_of(text) == parts


def test_one_vietnamese_letter_turns_everything_to_ucs2() -> None:
    assert parts_of("a" * 100) == 1
    assert parts_of("a" * 99 + "ạ") == 2
    assert all(not is_gsm(letter) for letter in "ạđươăâêôễ")
    assert all(is_gsm(letter) for letter in "àèéìòù")


@pytest.mark.parametrize(("number", "accented"), ROUNDS)
def test_words_keep_to_the_rules(number: int, accented: bool) -> None:
    text = render(number, accented=accented)
    assert "UBND" in text
    assert not re.search(r"\d|https?|www|\.vn|₫|VND|OTP", text)
    assert not re.search(r"bank|ngân hàng|ngan hang|agri|khuyết tật|khuyet tat|liệt sĩ|liet si|nghèo|ngheo", text, re.IGNORECASE)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_unaccented_wording_is_one_part_and_plain(number: int) -> None:
    text = render(number, accented=False)
    assert text.isascii()
    assert parts_of(text) == 1


def test_accents_only_where_the_budget_allows() -> None:
    assert not wording(1, parts_max=1).accented
    assert wording(1, parts_max=4).accented
    assert wording(1, parts_max=1).parts == 1
    assert all(wording(number, parts_max=limit).parts <= limit for number in (1, 2, 3) for limit in (1, 2, 3, 4))
