"""Name tiers of domain 8: each tier by example, symmetric, blind to the Unicode form, fast."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.verification.names import compare, plain_key
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
        ("Dặng Văn Hoà", "Đặng Văn Hòa", Finding.T3),
        ("NGUYEN THI DAO", "Nguyễn Thị Đào", Finding.T4),
        ("TRAN VAN LY", "Trần Văn Lí", Finding.T4),
        ("Nguyễn Thị Hoa", "Nguyễn Thị Hòa", Finding.T4),
        ("Nguyễn Đào", "Nguyễn Thị Đào", Finding.T5),
        ("Nguyễn Thu Đào", "Nguyễn Thị Thu Đào", Finding.T5),
        ("Thị Đào Nguyễn", "Nguyễn Thị Đào", Finding.T5),
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
def test_plain_keys_agree_exactly_at_t4_or_better(one: str, other: str) -> None:
    assert (plain_key(one) == plain_key(other)) == (STRENGTH.index(compare(one, other)) <= STRENGTH.index(Finding.T4))


@given(NAMES)
def test_plain_key_has_no_accents(name: str) -> None:
    assert plain_key(name).isascii()
