"""Name tiers of domain 8: each tier by example, symmetric, blind to the Unicode form, fast."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.names import compare, fits_mask, is_masked, plain_key
from shared.words import Finding

STRENGTH = [Finding.T1, Finding.T2, Finding.T3, Finding.T4, Finding.T5, Finding.T6]
WORDS = """Nguyễn Trần Lê Đặng Dặng Thị Văn Hoà Hòa Hoa Thuý Thúy Thúi Lý Lí Mỹ Mĩ Quý Quí
    Đào Dao Tỵ Tị Yến Ý Ðức Đức NGUYEN đào"""
SYLLABLES = st.sampled_from(WORDS.split())
NAMES = st.lists(SYLLABLES, min_size=1, max_size=5).map(" ".join)
FORMS = ("NFC", "NFD")
ANYTHING = st.text(max_size=30)


@pytest.mark.parametrize(
    ("one", "other", "tier"),
    [
        ("Nguyễn Thị Hòa", "Nguyễn Thị Hòa", Finding.T1),
        ("Nguyễn  Thị Hòa ", "NGUYỄN THỊ HÒA", Finding.T1),
        ("Nguyễn Thị Hoà", "Nguyễn Thị Hòa", Finding.T2),
        ("Lê Thị Thuý", "Lê Thị Thúy", Finding.T2),
        ("Trần Văn Lí", "Trần Văn Lý", Finding.T3),
        ("Trần Văn Quí", "Trần Văn Quý", Finding.T3),
        ("Lê Thị Mĩ", "Lê Thị Mỹ", Finding.T3),
        ("Ðặng Văn A", "Đặng Văn A", Finding.T3),
        ("DDặng Văn A", "Đặng Văn A", Finding.T3),
        ("Nguyễn \u200bThị\u00a0Hòa", "Nguyễn Thị Hòa", Finding.T1),
        ("Dặng Văn Hoà", "Đặng Văn Hòa", Finding.T3),
        ("NGUYEN THI DAO", "Nguyễn Thị Đào", Finding.T4),
        ("TRAN VAN LY", "Trần Văn Lí", Finding.T4),
        ("Nguyễn Thị Hoa", "Nguyễn Thị Hòa", Finding.T6),
        ("Nguyễn Thị Hóa", "Nguyễn Thị Hòa", Finding.T6),
        ("Nguyễn Thị Thu", "Nguyễn Thị Thư", Finding.T6),
        ("Lê Thị Doan", "Lê Thị Đoan", Finding.T6),
        ("LE THI DOAN", "Lê Thị Đoan", Finding.T4),
        ("Nguyễn Đào", "Nguyễn Thị Đào", Finding.T5),
        ("Nguyễn Thu Đào", "Nguyễn Thị Thu Đào", Finding.T5),
        ("Thị Đào Nguyễn", "Nguyễn Thị Đào", Finding.T5),
        ("Đào Nguyễn Thị", "Nguyễn Thị Đào", Finding.T5),
        ("Đào Thị Nguyễn", "Nguyễn Thị Đào", Finding.T5),
        ("DAO NGUYEN THI", "Nguyễn Thị Đào", Finding.T5),
        ("Dao Nguyễn Thị", "Nguyễn Thị Đào", Finding.T6),
        ("Lê Hoài Nam", "Lê Nam Hoài", Finding.T6),
        ("Nguyễn Văn Đào", "Nguyễn Thị Đào", Finding.T6),
        ("Trần Đào", "Nguyễn Thị Đào", Finding.T6),
        ("Đào", "Nguyễn Thị Đào", Finding.T6),
        ("Lê Thị Thúi", "Lê Thị Thúy", Finding.T6),
    ],
)
def test_tier(one: str, other: str, tier: Finding) -> None:
    assert compare(one, other) is tier


@given(NAMES | ANYTHING, NAMES | ANYTHING)
def test_symmetric(one: str, other: str) -> None:
    assert compare(one, other) is compare(other, one)


@given(NAMES | ANYTHING, NAMES | ANYTHING)
def test_unicode_form_never_matters(one: str, other: str) -> None:
    forms = [(unicodedata.normalize(left, one), unicodedata.normalize(right, other)) for left in FORMS for right in FORMS]
    assert len({compare(*pair) for pair in forms}) == 1


@given(NAMES)
def test_equal_to_itself_however_written(name: str) -> None:
    assert compare(name, f"  {name.upper()} ") is Finding.T1


@given(NAMES, NAMES)
def test_plain_keys_agree_at_t4_or_better(one: str, other: str) -> None:
    assert plain_key(one) == plain_key(other) or STRENGTH.index(compare(one, other)) > STRENGTH.index(Finding.T4)


@given(NAMES, NAMES)
def test_accents_that_differ_are_never_a_weak_name_in_the_same_order(one: str, other: str) -> None:
    """Without accents only one of the two can have lost them."""
    if compare(one, other) is Finding.T4:
        assert one.isascii() or other.isascii()


@pytest.mark.parametrize(
    ("mask", "fits"),
    [
        ("N*** T** H**", True),
        ("N***** T** HOA", True),
        ("N****N T** H*A", True),
        ("N••••• T•• H••", True),
        ("NGUYEN THI HOA", True),
        ("N*** H**", False),
        ("N*** V** H**", False),
        ("N*** T** HUE", False),
        ("N*** T** H****N", False),
        ("NGUYENTHI*** T** H**", False),
        ("", False),
    ],
)
def test_mask_fits_by_words_and_shown_letters(mask: str, fits: bool) -> None:
    assert fits_mask(mask, "Nguyễn Thị Hoà") is fits


def test_mask_does_not_ask_how_i_is_written() -> None:
    assert fits_mask("T*** V** L*", "Trần Văn Lí")
    assert fits_mask("T*** V** LY", "Trần Văn Lí")
    assert fits_mask("Đ*** T** Y***", "Đặng Thị Yến")


@pytest.mark.parametrize(("holder", "masked"), [("N*** T** H**", True), ("N•• T•• H••", True), ("NGUYEN THI HOA", False)])
def test_masked_holder_is_told(holder: str, masked: bool) -> None:
    assert is_masked(holder) is masked


@given(NAMES)
def test_plain_key_has_no_accents(name: str) -> None:
    assert plain_key(name).isascii()
