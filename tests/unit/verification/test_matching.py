"""One identity against the register: every outcome, and what never becomes one."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.verification.matching import Judgement, RegisterPerson, birth_finding, fits_structure, judge
from shared.personal import Identity
from shared.words import Finding, IdentityField, Outcome

NUMBER, NEW_NUMBER = "042149990001", "042149990009"


def ours(**changes: Any) -> Identity:
    same = {"full_name": "Nguyễn Thị Hòa", "birth_date": "1949-03-02", "sex": "female", "personal_number": NUMBER}
    return Identity(**{**same, **changes})


def theirs(token: str = "r1", **changes: Any) -> RegisterPerson:
    place = {key: changes.pop(key) for key in ("status", "status_on", "replaced_by") if key in changes}
    return RegisterPerson(token, ours(**changes), **{"status": "alive", **place})


def finding(judgement: Judgement, field: IdentityField) -> Finding:
    return next(part.finding for part in judgement.evidence if part.field is field)


@pytest.mark.parametrize("name", ["Nguyễn Thị Hòa", "NGUYỄN THỊ HOÀ"])
@pytest.mark.parametrize("birth", ["1949-03-02", "1949-03", "1949"])
def test_match(name: str, birth: str) -> None:
    judgement = judge(ours(full_name=name, birth_date=birth), [theirs()])
    assert (judgement.outcome, judgement.token) == (Outcome.MATCH, "r1")


def test_register_knows_only_the_year() -> None:
    judgement = judge(ours(), [theirs(birth_date="1949")])
    assert judgement.outcome is Outcome.MATCH
    assert finding(judgement, IdentityField.BIRTH_DATE) is Finding.YEAR_ONLY


@pytest.mark.parametrize("name", ["NGUYEN THI HOA", "Nguyễn Hòa", "Thị Hòa Nguyễn"])
def test_weak_name_with_number_and_birth_is_weak(name: str) -> None:
    assert judge(ours(full_name=name), [theirs()]).outcome is Outcome.WEAK_MATCH


@pytest.mark.parametrize("changes", [{"full_name": "Lê Văn Nam"}, {"birth_date": "1946-03-02"}, {"birth_date": None}])
def test_mismatch_names_the_field_and_nobody(changes: dict[str, Any]) -> None:
    judgement = judge(ours(**changes), [theirs()])
    assert (judgement.outcome, judgement.token) == (Outcome.MISMATCH, None)


def test_number_nobody_has_is_not_found_even_with_a_namesake() -> None:
    assert judge(ours(), [theirs(personal_number=NEW_NUMBER)]).outcome is Outcome.NOT_FOUND


def test_sex_is_told_and_decides_nothing() -> None:
    judgement = judge(ours(sex="male"), [theirs()])
    assert (judgement.outcome, finding(judgement, IdentityField.SEX)) == (Outcome.MATCH, Finding.DIFFERENT)


def test_dead_and_moved() -> None:
    day = date(2024, 1, 15)
    dead = judge(ours(), [theirs(status="dead", status_on=day)])
    assert (dead.outcome, dead.died_on) == (Outcome.DEAD, day)
    assert judge(ours(), [theirs(status="moved", status_on=day)]).outcome is Outcome.MOVED
    assert judge(ours(personal_number=None), [theirs(status="dead", status_on=day)]).outcome is Outcome.DEAD


def test_number_of_a_dead_stranger_is_a_mismatch() -> None:
    assert judge(ours(), [theirs(full_name="Lê Văn Nam", status="dead")]).outcome is Outcome.MISMATCH


def test_changed_number_is_the_person_of_the_new_one() -> None:
    signpost = theirs("old", replaced_by=NEW_NUMBER)
    assert judge(ours(), [signpost]) == judge(ours(), [signpost])
    assert (judge(ours(), [signpost]).outcome, judge(ours(), [signpost]).token) == (Outcome.NUMBER_CHANGED, "old")
    both = judge(ours(), [signpost, theirs("new", personal_number=NEW_NUMBER)])
    assert (both.outcome, both.token) == (Outcome.NUMBER_CHANGED, "new")
    assert judge(ours(), [signpost, theirs("new", personal_number=NEW_NUMBER, status="dead")]).outcome is Outcome.DEAD
    assert judge(ours(full_name="Lê Văn Nam"), [signpost]).outcome is Outcome.MISMATCH
    stranger = theirs("new", personal_number=NEW_NUMBER, full_name="Lê Văn Nam", status="dead")
    assert judge(ours(), [signpost, stranger]).outcome is Outcome.MISMATCH


def test_number_replaced_twice_leads_to_the_last_and_a_circle_ends() -> None:
    notes = [theirs("a", replaced_by="042149990002"), theirs("b", personal_number="042149990002", replaced_by=NEW_NUMBER)]
    assert judge(ours(), [*notes, theirs("c", personal_number=NEW_NUMBER, status="dead")]).token == "c"
    assert judge(ours(), notes).token == "b"
    circle = [theirs("a", replaced_by="042149990002"), theirs("b", personal_number="042149990002", replaced_by=NUMBER)]
    assert judge(ours(), circle).token == "b"


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"birth_date": "1949"}, True),
        ({"birth_date": "1950"}, False),
        ({"sex": "male"}, False),
        ({"sex": None, "birth_date": None}, True),
        ({"birth_date": "2049-03-02"}, False),
        ({"personal_number": "042349990001", "birth_date": "2049-03-02"}, True),
        ({"personal_number": None, "sex": "male"}, True),
    ],
)
def test_structure_of_a_number(changes: dict[str, Any], fits: bool) -> None:
    assert fits_structure(ours(**changes)) is fits


def test_structure_is_evidence_and_no_verdict() -> None:
    same = judge(ours(sex="male"), [theirs(sex="male")])
    assert (same.outcome, finding(same, IdentityField.NUMBER_STRUCTURE)) == (Outcome.MATCH, Finding.DIFFERENT)
    nobody = judge(ours(birth_date="1955-03-02"), [])
    assert (nobody.outcome, finding(nobody, IdentityField.NUMBER_STRUCTURE)) == (Outcome.NOT_FOUND, Finding.DIFFERENT)
    assert IdentityField.NUMBER_STRUCTURE not in {part.field for part in judge(ours(), [theirs()]).evidence}


def test_namesake_of_the_year_is_nobody_without_a_number() -> None:
    nameless = ours(personal_number=None, birth_date="1949")
    assert judge(nameless, [theirs()]).outcome is Outcome.NOT_FOUND
    assert judge(ours(personal_number=None), [theirs(birth_date="1949")]).outcome is Outcome.NOT_FOUND
    by_old = judge(ours(personal_number=None, birth_date="1949", old_number="183900001"), [theirs(old_number="183900001")])
    assert by_old.outcome is Outcome.WEAK_MATCH


def test_without_a_number_one_candidate_is_weak_and_two_are_nobody() -> None:
    nameless = ours(personal_number=None)
    assert judge(nameless, [theirs()]).outcome is Outcome.WEAK_MATCH
    twin = theirs("r2", personal_number=NEW_NUMBER)
    assert judge(nameless, [theirs(), twin]).outcome is Outcome.NOT_FOUND
    assert judge(nameless, [theirs(), theirs("r2", birth_date="1949-07-11")]).outcome is Outcome.WEAK_MATCH
    assert judge(nameless, [theirs(full_name="NGUYEN THI HOA")]).outcome is Outcome.NOT_FOUND
    assert judge(nameless, [theirs("old", replaced_by=NEW_NUMBER), twin]).token == "r2"


def test_old_number_tells_twins_apart_and_contradicts() -> None:
    old = ours(personal_number=None, old_number="183900001")
    twin = theirs("r2", personal_number=NEW_NUMBER, old_number="183900002")
    found = judge(old, [theirs(old_number="183900001"), twin])
    assert (found.outcome, found.token, finding(found, IdentityField.NUMBER)) == (Outcome.WEAK_MATCH, "r1", Finding.OLD_NUMBER)
    assert judge(old, [twin]).outcome is Outcome.NOT_FOUND
    assert judge(old, [theirs()]).outcome is Outcome.WEAK_MATCH
    assert judge(old, [theirs(old_number="183900001", full_name="Lê Văn Nam")]).outcome is Outcome.MISMATCH


DATES = st.from_regex(r"19[0-4][0-9](-0[1-3](-0[1-3])?)?", fullmatch=True)


@given(DATES, DATES)
def test_birth_comparison_is_symmetric_and_coarse(one: str, other: str) -> None:
    assert birth_finding(one, other) is birth_finding(other, one)
    short = min(len(one), len(other))
    assert (birth_finding(one, other) is Finding.DIFFERENT) == (one[:short] != other[:short])


CHANGES = st.fixed_dictionaries(
    {
        "full_name": st.sampled_from(["Nguyễn Thị Hòa", "NGUYEN THI HOA", "Lê Văn Nam"]),
        "birth_date": st.sampled_from(["1949-03-02", "1949", "1946-03-02"]),
        "personal_number": st.sampled_from([NUMBER, NEW_NUMBER]),
        "status": st.sampled_from(["alive", "dead", "moved"]),
        "replaced_by": st.sampled_from([None, NEW_NUMBER]),
    }
)
STRONG = {Finding.T1, Finding.T2, Finding.T3}


@given(st.lists(CHANGES, max_size=4), st.sampled_from([NUMBER, None]))
def test_match_only_on_number_name_and_birth_of_somebody_alive(entries: list[dict[str, Any]], number: str | None) -> None:
    register = [theirs(f"r{place}", **entry) for place, entry in enumerate(entries)]
    judgement = judge(ours(personal_number=number), register)
    if judgement.outcome is Outcome.MATCH:
        assert number is not None
        assert finding(judgement, IdentityField.NUMBER) is Finding.EQUAL
        assert finding(judgement, IdentityField.NAME) in STRONG
        assert next(e.status for e in register if e.token == judgement.token) == "alive"
