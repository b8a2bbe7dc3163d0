"""What the labelled corpus says of verification's rules. Figures are floors: a change that recognises fewer people must be seen."""

from dataclasses import replace

import pytest

from ansinh.corpus import Counted, as_json, lines, measure, measure_masks
from sandbox.identity_pairs import HALVES, PAIRS, SEED

MADE, MASKED = measure(PAIRS, SEED), measure_masks(400, SEED)


@pytest.mark.parametrize("half", HALVES)
def test_nobody_elses_account_is_ever_paid(half: str) -> None:
    assert MADE[half].account.false == 0
    assert MADE[half].account.other >= 600


@pytest.mark.parametrize("half", HALVES)
def test_whoever_can_be_told_apart_is(half: str) -> None:
    assert MADE[half].decidable.false == 0


@pytest.mark.parametrize("half", HALVES)
def test_most_people_are_recognised_however_they_are_written(half: str) -> None:
    assert MADE[half].recognised.recall >= 0.85
    assert MADE[half].recognised.precision >= 0.88  # what nobody could tell apart counts against it
    assert MADE[half].decidable.precision == 1.0


def test_mask_of_the_person_always_fits() -> None:
    assert MASKED["own_fit"] == MASKED["own"] == 200
    assert MASKED["foreign_fit"] < MASKED["foreign"]


def test_kinds_are_shown_of_the_tuning_half_only() -> None:
    told = as_json(MADE, MASKED)
    assert "kinds" in told["tuning"]
    assert "kinds" not in told["held_out"]
    assert sum(map(len, [list(lines(MADE, MASKED))])) == 7


def test_bound_is_three_out_of_n_and_only_where_none_was_false() -> None:
    counted = Counted(right=90, false=0, same=100, other=300)
    assert (counted.precision, counted.recall, counted.bound) == (1.0, 0.9, 0.01)
    assert replace(counted, false=10).bound is None
    assert replace(counted, false=10).precision == 0.9
    assert (Counted().precision, Counted().recall, Counted().bound) == (1.0, 1.0, None)
