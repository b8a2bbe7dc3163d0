"""What a person decided: for exactly two sides, never over death, never over two."""

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.verification.matching import Judgement, RegisterPerson
from services.verification.reviewing import Decision, ReviewRefusal, Sameness, holding, refused, with_decisions
from shared.personal import Identity
from shared.words import Outcome

LIST, SAYS = "l" * 64, "r" * 64
HOA = Identity(full_name="Nguyễn Thị Hòa", birth_date="1949-03-02", personal_number="042149990001")


def an_entry(token: str = "r1", **changes: object) -> RegisterPerson:
    return RegisterPerson(token, HOA, "alive", digest=SAYS)._replace(**changes)


def a_decision(sameness: Sameness = Sameness.SAME, token: str = "r1") -> Decision:
    return Decision(uuid4(), LIST, token, SAYS, sameness)


def test_holds_only_for_both_sides_as_they_were() -> None:
    decision = a_decision()
    assert holding([decision], LIST, [an_entry()]) == [decision]
    assert holding([decision], "x", [an_entry()]) == []
    assert holding([decision], LIST, [an_entry(digest="x")]) == []
    assert holding([decision], LIST, [an_entry("r2")]) == []


@pytest.mark.parametrize("outcome", [Outcome.MISMATCH, Outcome.WEAK_MATCH, Outcome.NOT_FOUND])
def test_same_is_a_match_unless_dead_or_moved(outcome: Outcome) -> None:
    said = Judgement(outcome)
    assert with_decisions(said, [a_decision()], [an_entry()])[::3] == (Outcome.MATCH, "r1")
    dead = an_entry(status="dead", status_on=date(2024, 1, 1))
    assert with_decisions(said, [a_decision()], [dead])[::2] == (Outcome.DEAD, date(2024, 1, 1))
    assert with_decisions(said, [a_decision()], [an_entry(status="moved")]).outcome is Outcome.MOVED


def test_different_takes_a_weak_match_away_and_leaves_the_rest() -> None:
    weak = Judgement(Outcome.WEAK_MATCH, token="r1")
    assert with_decisions(weak, [a_decision(Sameness.DIFFERENT)], [an_entry()])[::3] == (Outcome.MISMATCH, None)
    assert with_decisions(weak, [a_decision(Sameness.DIFFERENT, "r2")], [an_entry(), an_entry("r2")]) == weak


def test_two_confirmed_are_none() -> None:
    said = Judgement(Outcome.NOT_FOUND)
    assert with_decisions(said, [a_decision(), a_decision(token="r2")], [an_entry(), an_entry("r2")]) == said


@given(st.sampled_from(Outcome), st.booleans(), st.booleans())
def test_refusals_are_in_order(outcome: Outcome, same_identity: bool, seen: bool) -> None:
    entries = {"r1": SAYS} if seen else {}
    reason = refused(outcome, entries, [an_entry()], token="r1", same_identity=same_identity)
    if not same_identity:
        assert reason is ReviewRefusal.CHANGED_MEANWHILE
    elif outcome in (Outcome.MATCH, Outcome.DEAD, Outcome.MOVED, Outcome.UNAVAILABLE, Outcome.DUPLICATE):
        assert reason is ReviewRefusal.NOT_UNDER_REVIEW
    else:
        assert reason is (None if seen else ReviewRefusal.NOT_A_CANDIDATE)
