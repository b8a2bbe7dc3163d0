"""A partition stops at the very record that makes too many dead, wherever batches end."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadRecord, Parked
from shared.stopping import IN_A_ROW_MAX, WINDOW, Count, TooManyDead, count

FRESH = Count(0, 0, ())
GAP = 3  # offsets have gaps, as in a transactional topic


def verdicts(word: str, first: int = 0) -> tuple[list[int], list[BadRecord]]:
    """`d` dead, `p` parked, `.` good."""
    offsets = [GAP * (first + place) for place in range(len(word))]
    kinds: dict[str, type[BadRecord]] = {"d": BadRecord, "p": Parked}
    return offsets, [kinds[letter](offset, "X") for offset, letter in zip(offsets, word, strict=True) if letter in kinds]


def run(word: str, cuts: Sequence[int] = ()) -> tuple[int, str | None, Count]:
    """(records taken, why it stopped, the count) of a partition read in batches that end at the cuts; the rest after a stop is not read."""
    now = FRESH
    for start, end in pairwise([0, *sorted(cuts), len(word)]):
        batch = word[start:end]
        try:
            now = count(now, *verdicts(batch, start))
        except TooManyDead as limit:
            batch = batch[: limit.offset // GAP - start + 1]
            now = count(now, *verdicts(batch, start))  # raises again were the limit not at its end
        if now.reason:
            return start + len(batch), now.reason, now
    return len(word), None, now


def plain(word: str) -> tuple[int, str | None]:
    """The rule as a sentence, record by record."""
    for end in range(1, len(word) + 1):
        read = word[:end]
        in_a_row = read.replace("p", "")
        if in_a_row.endswith("d" * IN_A_ROW_MAX):
            return end, "DEAD_IN_A_ROW"
        window = read[-WINDOW:]
        if len(window) >= 1_000 and window.count("d") > len(window) / 100:
            return end, "DEAD_OVER_ONE_PERCENT"
    return len(word), None


@pytest.mark.parametrize(
    ("before", "word", "after"),
    [(0, "", 0), (5, "", 5), (0, "ddd", 3), (4, "d", 5), (4, ".", 0), (0, "dd.d", 1), (0, "dpppd", 2), (3, "ppp", 3), (19, "d", 20)],
)  # fmt: skip
def test_how_many_dead_stand_in_a_row(before: int, word: str, after: int) -> None:
    assert count(Count(0, before, ()), *verdicts(word)).in_a_row == after


@pytest.mark.parametrize("rest", ["", "d", ".", "p", "..d"])
def test_twenty_in_a_row_stop_at_the_twentieth(rest: str) -> None:
    assert run("." + "d" * 20 + rest)[:2] == (21, "DEAD_IN_A_ROW")


def test_nineteen_do_not() -> None:
    assert run("." + ("d" * 19 + ".") * 2)[1] is None


@pytest.mark.parametrize(
    ("word", "taken", "reason"),
    [
        ("d." * 10 + "." * 980, 1_000, None),  # 10 of 1,000 is one per cent, not over it
        ("d." * 11 + "." * 5_000, 1_000, "DEAD_OVER_ONE_PERCENT"),  # judged once 1,000 were read
        ("." * 990 + ".d" * 15, 1_012, "DEAD_OVER_ONE_PERCENT"),  # the record that reaches the limit is the last one taken
        ("." * 50_000 + ".d" * 101, 50_202, "DEAD_OVER_ONE_PERCENT"),  # 101 of the last 10,000, however many came before
        ("." * 50_000 + ".d" * 100, 50_200, None),
        (("." * 99 + "d") * 200, 20_000, None),  # exactly one per cent for ever
        ("." * 1_000 + "p" * 500, 1_500, None),
    ],
)
def test_over_one_per_cent_of_the_last_ten_thousand_stops(word: str, taken: int, reason: str | None) -> None:
    assert run(word)[:2] == (taken, reason)
    assert run(word, range(0, len(word), 2_000))[:2] == (taken, reason)


words = st.lists(
    st.tuples(st.sampled_from([".", "d", "p", ".d", "d" * 19 + "."]), st.integers(1, 400)), min_size=1, max_size=6
).map(lambda parts: "".join(letters * times for letters, times in parts)[:2_500])


@given(words, st.lists(st.integers(0, 2_500), max_size=5))
@settings(max_examples=60, deadline=None)
def test_it_stops_where_the_rule_says_wherever_batches_end(word: str, cuts: list[int]) -> None:
    assert run(word, [cut for cut in cuts if cut <= len(word)])[:2] == plain(word)


@given(words)
@settings(max_examples=30, deadline=None)
def test_what_is_remembered_stays_small(word: str) -> None:
    now = run(word)[2]
    assert list(now.recent) == sorted(set(now.recent))
    assert len(now.recent) <= 1_000
