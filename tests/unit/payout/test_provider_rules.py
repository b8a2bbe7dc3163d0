"""Remarks and limits of providers."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payout.provider_rules import (
    NAPAS,
    NOTHING_TO_SAY,
    RULES,
    ProviderRules,
    ascii_text,
    fits,
    most_vnd,
    remark,
    remark_of,
)
from shared.personal import ProviderLine
from shared.topics import Provider

AGGREGATOR = ProviderRules(300, 9_999_999, 5, 35, "A-Z0-9 ", ("SELECT", "DROP"))
VIETNAMESE = "aáàảãạăắằẳẵặâấầẩẫậbcdđeéèẻẽẹêếềểễệghiíìỉĩịklmnoóòỏõọôốồổỗộơớờởỡợpqrstuúùủũụưứừửữựvxyýỳỷỹỵ"


@pytest.mark.parametrize(
    ("given_text", "made"),
    [
        ("Trợ cấp xã hội tháng 02/2024", "TRO CAP XA HOI THANG 02 2024"),
        ("Đặng Thị Ẩn", "DANG THI AN"),
        ("AN SINH 202402", "AN SINH 202402"),
        ("  nhiều   khoảng\ttrắng\n", "NHIEU KHOANG TRANG"),
        ("₫₫₫", NOTHING_TO_SAY),
        ("", NOTHING_TO_SAY),
        ("Chi trả trợ cấp ưu đãi người có công tháng hai", "CHI TRA TRO CAP UU DAI NGUOI CO"),
        ("X" * 60, "X" * 35),
        ("X" * 35 + " Y", "X" * 35),
    ],
)
def test_remark(given_text: str, made: str) -> None:
    assert remark(given_text, NAPAS) == made


@pytest.mark.parametrize(
    ("periods", "family", "made"),
    [
        (["2024-04"], False, "AN SINH 202404"),
        (["2024-04", "2024-05"], False, "AN SINH 202404 202405"),
        (["2024-02", "2024-03", "2024-04", "2024-05"], False, "AN SINH 202402 202403 202404 202405"),
        ([f"2024-0{month}" for month in range(1, 7)], False, "AN SINH 202401 DEN 202406"),
        (["2024-04"], True, "AN SINH 202404 GIA DINH NHAN"),
        (["2024-04", "2024-05"], True, "AN SINH 202404 202405 GIA DINH NHAN"),
        (["2024-03", "2024-04", "2024-05"], True, "202403 DEN 202405 GIA DINH NHAN"),
    ],
)
def test_a_remark_names_the_months_and_the_family(periods: list[str], family: bool, made: str) -> None:
    for rules in RULES.values():
        assert remark_of(periods, rules, family=family) == made


def test_forbidden_words_are_taken_out_and_a_short_rest_is_none() -> None:
    assert remark("drop table luong", AGGREGATOR) == "TABLE LUONG"
    assert remark("dropped", AGGREGATOR) == "DROPPED"
    assert remark("drop ab", AGGREGATOR) == NOTHING_TO_SAY


def test_all_vietnamese_letters_have_an_ascii_one() -> None:
    assert set(ascii_text(VIETNAMESE + VIETNAMESE.upper())) <= set(string.ascii_letters)


@given(st.text(max_size=200), st.sampled_from([NAPAS, AGGREGATOR, *RULES.values()]))
def test_every_remark_is_taken(text: str, rules: ProviderRules) -> None:
    made = remark(text, rules)
    assert re.fullmatch("[A-Z0-9]([A-Z0-9 ]*[A-Z0-9])?", made)
    assert rules.remark_least <= len(made) <= rules.remark_most
    assert fits(made, rules), "made again it is the same"
    assert not set(rules.remark_forbidden) & set(made.split())


@given(st.text(alphabet=VIETNAMESE + VIETNAMESE.upper() + " ", max_size=60))
def test_remark_fits_the_contract_of_a_line(text: str) -> None:
    pattern = ProviderLine.model_fields["remark"].metadata[0].pattern
    assert re.fullmatch(pattern, remark(text, NAPAS))


def test_lower_limit_counts() -> None:
    assert most_vnd(Provider.BANK_A, 10_000_000) == 10_000_000
    assert most_vnd(Provider.BANK_A, 10**12) == 499_999_999
    assert most_vnd(Provider.BANK_A, 10**12, {Provider.BANK_A: AGGREGATOR}) == 9_999_999


def test_every_provider_has_a_row() -> None:
    assert RULES.keys() == set(Provider)
