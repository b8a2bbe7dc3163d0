"""Who is owed what, by the rules we know."""

from datetime import date

import pytest
from entitlement_cases import rules
from hypothesis import given
from hypothesis import strategies as st

from services.payout.entitlement import differs, monthly_by_rule, owed_after_death
from shared.events import DeclaredLine
from shared.words import Programme


def a_line(code: str, monthly_vnd: int, *, hundredths: int | None = None, scaled: bool = False) -> DeclaredLine:
    programme = (
        Programme.MERIT
        if code.startswith("NCC")
        else Programme.SOCIAL_PENSION
        if code.startswith("HT")
        else Programme.SOCIAL_ASSISTANCE
    )
    return DeclaredLine(
        programme=programme, benefit_code=code, coefficient_hundredths=hundredths, monthly_vnd=monthly_vnd, scaled=scaled
    )


@pytest.mark.parametrize(
    ("code", "hundredths", "period", "vnd"),
    [
        ("BT-5c", 100, "2024-02", 360_000),
        ("BT-5c", 100, "2024-06", 360_000),
        ("BT-5c", 100, "2024-07", 500_000),
        ("BT-6b", 250, "2024-02", 900_000),
        ("BT-6b", 100, "2024-02", 900_000),  # the decree's coefficient, not the list's
        ("BT-1a", None, "2025-01", 1_250_000),
        ("NCC-LS1", None, "2024-02", 2_055_000),
        ("NCC-LS2", None, "2024-02", 4_110_000),
        ("NCC-LS3", None, "2024-02", 6_165_000),
        ("NCC-LS3", None, "2024-07", 8_367_000),
        ("NCC-LS1", None, "2023-06", 1_624_000),
        ("HT-1", None, "2025-07", 500_000),
    ],
)
def test_rule_of_the_period(code: str, hundredths: int | None, period: str, vnd: int) -> None:
    assert monthly_by_rule(a_line(code, 1, hundredths=hundredths), period, rules()) == vnd


@pytest.mark.parametrize(
    ("line", "period"),
    [
        (a_line("NCC-TB-21", 1_384_000), "2024-02"),
        (a_line("NCC-LS1", 1_000, scaled=True), "2024-02"),
        (a_line("BT-5c", 360_000), "2024-02"),
        (a_line("HT-1", 500_000), "2025-06"),
        (a_line("BT-6b", 270_000), "2020-01"),
    ],
    ids=["no rule for the code", "scaled", "no coefficient", "before the pension", "before the oldest standard"],
)
def test_without_a_rule_the_declared_amount_is_accepted(line: DeclaredLine, period: str) -> None:
    assert monthly_by_rule(line, period, rules()) is None
    assert not differs(line, period, 0, rules=rules())


@given(st.integers(0, 2_000_000), st.integers(0, 500_000))
def test_only_more_than_the_tolerance_differs(monthly_vnd: int, tolerance_vnd: int) -> None:
    line = a_line("BT-5c", monthly_vnd, hundredths=100)
    assert differs(line, "2024-02", tolerance_vnd, rules=rules()) == (abs(monthly_vnd - 360_000) > tolerance_vnd)


@pytest.mark.parametrize(
    ("died_on", "owed"),
    [(date(2024, 1, 31), False), (date(2024, 2, 1), True), (date(2024, 2, 29), True), (date(2024, 3, 1), True), (None, False)],
)
def test_month_of_death_is_still_owed(died_on: date | None, owed: bool) -> None:
    assert owed_after_death("2024-02", died_on) is owed
