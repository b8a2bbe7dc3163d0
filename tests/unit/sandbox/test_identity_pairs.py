"""The labelled corpus: the same for a seed, both halves alike and apart, adversarial twins in it, labels that can be true."""

from collections import Counter

from sandbox.holder_masks import STYLES, masks
from sandbox.identity_pairs import HALVES, KINDS, PAIRS, SAME, pairs

CASES = list(pairs())


def test_there_are_enough_of_them_and_every_kind_is_in_both_halves() -> None:
    assert len(CASES) == PAIRS >= 2_000
    counts = Counter((pair.kind, pair.half) for pair in CASES)
    assert set(counts) == {(kind, half) for kind in KINDS for half in HALVES}
    assert max(counts.values()) - min(counts.values()) <= 1


def test_same_seed_same_cases_and_another_seed_others() -> None:
    assert list(pairs(200)) == CASES[:200]
    assert list(pairs(200, seed=7)) != CASES[:200]


def test_halves_have_no_case_in_common() -> None:
    texts = {half: {str((pair.written, pair.register)) for pair in CASES if pair.half == half} for half in HALVES}
    assert not texts["tuning"] & texts["held_out"]


def test_truth_is_an_entry_of_the_same_person() -> None:
    for pair in CASES:
        assert (pair.truth is not None) == (pair.kind in SAME)
        tokens = [entry["token"] for entry in pair.register]
        assert pair.truth is None or pair.truth in tokens
        assert len(set(tokens)) == len(tokens)


def test_twins_have_the_others_number_and_day_and_another_name() -> None:
    twins = [pair for pair in CASES if pair.kind.startswith("other_twin_")]
    assert len(twins) >= 200
    for pair in twins:
        (entry,) = pair.register
        assert (pair.written["personal_number"], pair.written["birth_date"]) == (entry["personal_number"], entry["birth_date"])
        assert pair.written["full_name"] != entry["full_name"]


def test_numbers_are_recognisably_synthetic() -> None:
    assert all(entry["personal_number"][6:8] == "99" for pair in CASES for entry in pair.register)


def test_masks_hide_every_style_and_half_of_them_are_somebody_elses() -> None:
    made = list(masks(400, seed=1))
    assert {mask.kind for mask in made} == set(STYLES)
    assert sum(mask.same for mask in made) == 200
    assert all("*" in mask.mask for mask in made)
