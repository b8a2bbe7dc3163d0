"""Money is whole dong within bounds, and nothing a float or a bool has touched."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.money import DONG_MAX, ZERO, dong, in_words_of_figures, times_hundredths, total

AMOUNTS = st.integers(0, DONG_MAX)


@pytest.mark.parametrize("value", [1.0, 0.0, True, False, Decimal(1), "1", None, Fraction(1)])
def test_only_a_plain_int_is_an_amount(value: object) -> None:
    with pytest.raises(TypeError):
        dong(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-1, DONG_MAX + 1])
def test_an_amount_out_of_bounds_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="between 0"):
        dong(value)


@pytest.mark.parametrize("value", [0, 1, DONG_MAX])
def test_the_bounds_themselves_are_amounts(value: int) -> None:
    assert dong(value) == value


@given(st.lists(st.integers(0, 10**12), max_size=30))
@settings(max_examples=50)
def test_a_total_is_the_exact_sum(amounts: list[int]) -> None:
    assert total(amounts) == sum(amounts)


def test_a_total_checks_every_part_and_the_sum() -> None:
    assert total([]) == ZERO
    with pytest.raises(ValueError, match="between 0"):
        total([5, -1])
    with pytest.raises(TypeError):
        total([1, 1.0])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="between 0"):
        total([DONG_MAX, 1])


@given(st.integers(0, 10**9), st.integers(0, 10_000))
@settings(max_examples=100)
def test_a_product_is_rounded_half_up(standard: int, hundredths: int) -> None:
    exact = Fraction(standard * hundredths, 100)
    error = times_hundredths(dong(standard), hundredths) - exact
    assert Fraction(-1, 2) < error <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("standard", "hundredths", "product"),
    [(500_000, 150, 750_000), (360_000, 250, 900_000), (1, 50, 1), (1, 49, 0), (3, 50, 2), (500_000, 0, 0)],
)
def test_products(standard: int, hundredths: int, product: int) -> None:
    assert times_hundredths(dong(standard), hundredths) == product


@pytest.mark.parametrize("coefficient", [1.5, True, -1])
def test_a_coefficient_is_a_whole_number_of_hundredths(coefficient: object) -> None:
    with pytest.raises(TypeError):
        times_hundredths(dong(1), coefficient)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (999, "999"), (1000, "1.000"), (1_250_000, "1.250.000"), (DONG_MAX, "1.000.000.000.000.000")]
)
def test_thousands_are_grouped_by_points(amount: int, text: str) -> None:
    assert in_words_of_figures(dong(amount)) == text


@given(AMOUNTS)
@settings(max_examples=50)
def test_grouped_figures_read_back_as_the_amount(amount: int) -> None:
    assert int(in_words_of_figures(dong(amount)).replace(".", "")) == amount
