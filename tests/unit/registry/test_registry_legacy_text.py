"""Text of before Unicode: whatever is typed under TCVN3 or VNI comes back, and Unicode is never taken for either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.legacy_text import TABLES, TextCode, code_of, decoded, is_syllable, share, words_of

NAMES = (
    "Nguyễn Thị Hòa", "Trần Văn Ân", "Phạm Thị Hường", "Đặng Văn Lượng", "Võ Thị Quỳnh", "Bùi Đức Thắng", "Hoàng Thị Tuyết",
    "Ngô Văn Dưỡng", "Lê Thị Sáu", "Huỳnh Ngọc Bích", "Đỗ Thị Thuý", "Vũ Xuân Trường", "Cao Thị Phượng", "Phan Đình Giót",
    "Hồ Thị Kỷ", "Mai Thị Lựu", "Trịnh Quốc Việt", "Lương Thị Nghĩa", "Đinh Thị Gấm", "Tạ Quang Bửu",
)  # fmt: skip
names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=12)
codes = st.sampled_from(list(TextCode))


def typed(text, code):
    """As it stands in a file of before Unicode."""
    back = {new: old for old, new in TABLES[code].items()}
    return "".join(back.get(char, char) for char in text)


@pytest.mark.parametrize(
    ("written", "code", "text"),
    [
        ("NguyÔn ThÞ Hßa", TextCode.TCVN3, "Nguyễn Thị Hòa"), ("TrÇn V¨n ¢n", TextCode.TCVN3, "Trần Văn Ân"),
        ("§Æng V\u00a8n Hïng", TextCode.TCVN3, "Đặng Văn Hùng"), ("hép møt tÕt", TextCode.TCVN3, "hộp mứt tết"),
        ("Nguyeãn Thò Hoøa", TextCode.VNI, "Nguyễn Thị Hòa"), ("Xin chaøo caùc baïn", TextCode.VNI, "Xin chào các bạn"),
        ("Ñaëng Vaên Huøng", TextCode.VNI, "Đặng Văn Hùng"), ("TRAÀN THÒ ÔÛ", TextCode.VNI, "TRẦN THỊ Ở"),
        ("NGUYÔN ThÞ", TextCode.TCVN3, "NGUYễN Thị"), ("NGUYÔN THÞ HßA", TextCode.TCVN3, "NGUYỄN THỊ HÒA"),
    ],
)  # fmt: skip
def test_texts_as_they_stand_in_old_files(written, code, text):
    assert decoded(written, code) == text


@given(names, codes)
def test_whatever_is_typed_comes_back(texts, code):
    assert [decoded(typed(text, code), code) for text in texts] == texts


@given(names, codes)
def test_the_code_of_a_column_is_found_and_unicode_is_left_alone(texts, code):
    assert code_of(texts) == (None, True)
    assert code_of(typed(text, code) for text in texts) == (code, True)


@given(st.lists(st.text(max_size=12), max_size=30))
def test_any_text_is_looked_at_without_harm(texts):
    code_of(texts)
    for text in texts:
        for code in TextCode:
            decoded(text, code)


@given(st.text(st.characters(max_codepoint=127)), codes)
def test_ascii_is_the_same_in_every_code(text, code):
    assert decoded(text, code) == text


def test_a_letter_has_one_place_in_each_table():
    for table in TABLES.values():
        assert all(len(old) <= 2 for old in table)
        lower = [new for new in table.values() if new == new.lower()]
        assert len(set(lower)) >= 67  # the accented letters of Vietnamese


@pytest.mark.parametrize("word", ["Nguyễn", "Quỳnh", "Thuý", "Thúy", "giếng", "Khuyên", "yêu", "ướt", "nghiêng", "Đỗ"])
def test_syllables(word):
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["NguyÔn", "Hßa", "Thß", "straße", "Ångström", "bạạn", "x\u0301\u0300a", "Đàmm", ""])
def test_no_syllables(word):
    assert not is_syllable(word)


def test_only_words_with_other_letters_tell():
    assert words_of("Hoa, Thị 3/4 \u200bĐào\u00a0Lê") == ["Thị", "Đào", "Lê"]
    assert share([]) == 0
    assert code_of(["", "ABC", "12"]) == (None, True)


def test_a_column_of_no_known_code_is_not_sure_once_it_is_long():
    strange = "Źdźbło Ħåß"
    assert code_of([strange] * 3) == (None, True)
    assert code_of([strange] * 30) == (None, False)
