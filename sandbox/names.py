"""Material for synthetic Vietnamese names by sex and age cohort, and the ways lists spell one name
differently.

Words are common; combinations are drawn at random, so a resemblance to anybody is chance. Words that
would give the name of a well-known public figure were left out.
"""

import unicodedata
from random import Random

from sandbox.model import Name, Sex


def _words(text: str) -> list[str]:
    return text.split()


FAMILY = _words("Nguyễn Trần Lê Phan Phạm Hoàng Võ Đặng Bùi Đinh Hồ Ngô Dương Thái Cao Đoàn Hà Mai Lưu Kiều Trịnh Cù Đậu")
FAMILY_WEIGHTS = [34, 15, 13, 8, 5, 5, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]

MIDDLE_MALE = _words("Văn Văn Văn Đình Xuân Hữu Quang Trọng Viết Bá Sỹ Hồng Khắc Ngọc")
MIDDLE_FEMALE_OLD = ["Thị"] * 14 + ["Thị Thu", "Thị Mỹ", ""]
MIDDLE_FEMALE_YOUNG = [
    "Thị",
    "Thị",
    "Thị Thu",
    "Thị Ngọc",
    "Ngọc",
    "Thu",
    "Khánh",
    "Bảo",
    "Thị Mỹ",
    "Thị Hoài",
]

GIVEN_MALE_OLD = _words("Tứ Ngũ Lục Cảnh Thuận Hòe Hóa Hòa Kỷ Nhâm Quý Bính Ất Khoan Tường Thìn Mùi Hợi Sửu Tỵ Mão Tuất")
GIVEN_MALE_MID = _words("Hùng Tuấn Hạnh Sinh Hòa Hóa Thành Trung Tiến Nam Hoàn Hiếu Chiến Quý Cảnh Dần Toàn Bảy Tám")
GIVEN_MALE_YOUNG = _words("Huy Khôi Bảo Nhật Quân Khang Đạt Hiếu Kiên Nam Long Tùng Vinh Hòa")
GIVEN_FEMALE_OLD = _words("Tứ Ngũ Lựu Đào Mận Lài Hòe Thúy Hòa Lý Nhàn Xoan Thìn Mùi Quý Lan Cúc Liễu Hường Ba Bốn Năm")
GIVEN_FEMALE_MID = _words("Hoa Hương Thủy Thúy Hòa Lan Nga Hằng Tâm Lý Hiền Nhung Oanh Thanh Thảo Loan Vân Huệ Hoài")
GIVEN_FEMALE_YOUNG = _words("Vy Trang My Chi Thùy Thủy Nhi Uyên Diệp Thảo Quỳnh Hân Ly")

# Both spellings are correct Vietnamese: the mark on the first or on the second vowel of an open syllable.
TONE_NEW_TO_OLD = {
    "òa": "oà", "óa": "oá", "ỏa": "oả", "ọa": "oạ", "òe": "oè", "óe": "oé",
    "úy": "uý", "ùy": "uỳ", "ủy": "uỷ", "ụy": "uỵ",
}  # fmt: skip
I_FOR_Y = {"Mỹ": "Mĩ", "Lý": "Lí", "Kỷ": "Kỉ", "Sỹ": "Sĩ", "Quý": "Quí", "Tỵ": "Tị"}


def draw_name(rng: Random, sex: Sex, birth_year: int) -> Name:
    """A synthetic name fitting sex and birth year."""
    cohort = 0 if birth_year < 1960 else 1 if birth_year < 1992 else 2
    family = rng.choices(FAMILY, FAMILY_WEIGHTS)[0]
    if sex is Sex.MALE:
        given = (GIVEN_MALE_OLD, GIVEN_MALE_MID, GIVEN_MALE_YOUNG)[cohort]
        return Name(family, rng.choice(MIDDLE_MALE), rng.choice(given))
    given = (GIVEN_FEMALE_OLD, GIVEN_FEMALE_MID, GIVEN_FEMALE_YOUNG)[cohort]
    middle = MIDDLE_FEMALE_YOUNG if cohort == 2 else MIDDLE_FEMALE_OLD
    return Name(family, rng.choice(middle), rng.choice(given))


def without_accents(text: str) -> str:
    """The text in plain letters: NFD without marks, đ as d."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return plain.replace("đ", "d").replace("Đ", "D")


def decomposed(text: str) -> str:
    """The same text in Unicode NFD, as some programs store it."""
    return unicodedata.normalize("NFD", text)


def old_tone_placement(name: str) -> str:
    """Hòa -> Hoà, Thúy -> Thuý; unchanged when no open syllable has a second spelling."""
    return " ".join(_old_tone_syllable(syllable) for syllable in name.split())


def _old_tone_syllable(syllable: str) -> str:
    if syllable.lower().startswith("qu"):
        return syllable
    return syllable[:-2] + TONE_NEW_TO_OLD.get(syllable[-2:], syllable[-2:])


def i_for_y(name: str) -> str:
    """Lý -> Lí, Mỹ -> Mĩ; unchanged when the name has no such word."""
    return " ".join(I_FOR_Y.get(word, word) for word in name.split())
