"""How likely two people are one: symmetric, never lowered by stronger evidence, and who is likely meets under a key."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from registry_workbooks import AREAS, an_identity

from services.registry import scoring
from services.registry.person import Place
from services.registry.scoring import (
    LIKELY,
    BirthFinding,
    Evidence,
    NumberFinding,
    PlaceFinding,
    Side,
    birth_finding,
    points,
)
from services.registry.whereabouts import Whereabouts
from shared.names import plain_key
from shared.personal import Identity
from shared.words import Finding

TODAY = date(2025, 7, 20)
HERE = Place("18502", "Thôn 3", "huyen-444")
NAMES = ["Nguyễn Thị Hòa", "Nguyễn Thị Hoà", "NGUYEN THI HOA", "Nguyễn Hòa", "Hòa Nguyễn Thị", "Nguyễn Thị Hoa", "Trần Văn Lý"]
BIRTHS = [None, "1949", "1949-03", "1949-03-02", "1949-02-03", "1949-03-03", "1950-03-02", "1949-07", "1951"]
NUMBERS = [None, "042149990001", "042149990002", "042149900001", "043149990001", "042149990010", "042149999001", "040201123456"]
PLACES = [
    HERE,
    HERE._replace(hamlet="thon 3"),
    HERE._replace(hamlet=""),
    HERE._replace(area="18505"),
    HERE._replace(payer="xa-18502"),
    HERE._replace(area="18499"),
    HERE._replace(area="18400", payer="huyen-442"),
    Place("18070", "", "huyen-436"),
    Place("18077", "", "huyen-436"),
    Place("18073", "", "xa-18073"),
    Place("99999", "", "xa-99999"),
]
IDENTITIES = st.builds(
    Identity,
    full_name=st.sampled_from(NAMES),
    birth_date=st.sampled_from(BIRTHS),
    sex=st.sampled_from([None, "male", "female"]),
    personal_number=st.sampled_from(NUMBERS),
    old_number=st.sampled_from([None, "183900001", "183900002"]),
)
SIDES = st.builds(Side, IDENTITIES, st.sampled_from(PLACES), st.sampled_from([None, "a" * 64, "b" * 64]))
_NUMBER = [NumberFinding.SAME, NumberFinding.ABSENT, NumberFinding.DIFFERENT]
_NAME = [Finding.T1, Finding.T2, Finding.T3, Finding.T4, Finding.T5, Finding.T6]
FIELDS = [list(NumberFinding), _NUMBER, _NAME, list(BirthFinding), _NUMBER, list(PlaceFinding), _NUMBER]
EVIDENCE = st.tuples(*map(st.sampled_from, FIELDS)).map(lambda found: Evidence(*found))


def compared(one, other, today=TODAY):
    return scoring.compared(one, other, Whereabouts(AREAS, today))


def blocks(side):
    return scoring.blocks(side, AREAS)


def a_side(place=HERE, account=None, **changes):
    return Side(an_identity(**changes), place, account)


@given(SIDES, SIDES)
def test_the_order_of_the_two_does_not_matter(one, other):
    assert compared(one, other) == compared(other, one)
    assert points(compared(one, other)) == points(compared(other, one))


@given(EVIDENCE, st.integers(0, len(FIELDS) - 1))
def test_stronger_evidence_in_one_field_never_lowers_a_pair(evidence, field):
    order = FIELDS[field]
    scores = [points(Evidence(*(*evidence[:field], finding, *evidence[field + 1 :]))) for finding in order]
    assert scores == sorted(scores, reverse=True)


@given(SIDES, SIDES, st.sampled_from([date(2024, 12, 20), date(2025, 1, 20), TODAY]))
@example(a_side(personal_number="042149990001"), a_side(personal_number="042149990010"), TODAY)
def test_who_is_likely_meets_under_a_key(one, other, today):
    evidence = compared(one, other, today)
    ends = [{*plain_key(side.identity.full_name).split()[:: len(side.identity.full_name.split()) - 1]} for side in (one, other)]
    if points(evidence) >= LIKELY and ends[0] == ends[1]:
        assert set(blocks(one)) & set(blocks(other))


@pytest.mark.parametrize(
    ("changes", "likely"),
    [
        ({"personal_number": None}, True),  # name and whole birth date, wherever they live
        ({"personal_number": None, "birth_date": "1949-03"}, True),
        ({"personal_number": None, "birth_date": "1949"}, False),  # fifty people of a province
        ({"personal_number": None, "birth_date": None}, False),
        ({"personal_number": None, "full_name": "NGUYEN THI HOA"}, True),
        ({"personal_number": "042149990002"}, True),  # a wrong digit
        ({"personal_number": "040249123456"}, False),  # a namesake of the same day, with a number of their own
        ({"personal_number": None, "full_name": "Lê Thị Mai"}, False),
        ({"personal_number": None, "birth_date": "1949-02-03"}, True),  # day for month
        ({"personal_number": "040249123456", "birth_date": "1951"}, False),
    ],
)
def test_what_is_likely_across_communes(changes, likely):
    there = a_side(Place("18505", "Thôn 1", "huyen-444"), **changes)
    assert (points(compared(a_side(), there)) >= LIKELY) is likely


def test_a_year_counts_within_the_commune_and_a_number_that_was_issued_again_within_the_hamlet():
    year = a_side(HERE._replace(hamlet=""), personal_number=None, birth_date="1949")
    assert points(compared(a_side(), year)) >= LIKELY
    assert points(compared(a_side(), a_side(personal_number="040249123456"))) >= LIKELY


def test_an_old_number_or_an_account_brings_people_together():
    there = Place("18505", "Thôn 1", "huyen-444")
    old = [a_side(where, old_number="183900001", personal_number=None, birth_date=None) for where in (HERE, there)]
    assert points(compared(*old)) >= LIKELY
    on_one_account = [a_side(where, "a" * 64, personal_number=None, birth_date=None) for where in (HERE, there)]
    assert points(compared(*on_one_account)) >= LIKELY


@pytest.mark.parametrize(
    ("one", "other", "finding"),
    [
        ("1949-03-02", "1949-03-02", BirthFinding.DAY),
        ("1949-03-02", "1949-03", BirthFinding.MONTH),
        ("1949-03-02", "1949", BirthFinding.YEAR),
        ("1949-03-02", "1949-02-03", BirthFinding.SWAPPED),
        ("1949-03-02", "1949-03-12", BirthFinding.NEAR),
        ("1949-03-02", "1949-05-12", BirthFinding.DIFFERENT),
        ("1949-03-02", "1949-05", BirthFinding.DIFFERENT),
        ("1949-03-02", None, BirthFinding.ABSENT),
    ],
)
def test_birth_dates_are_compared_as_far_as_both_go(one, other, finding):
    assert birth_finding(one, other) is birth_finding(other, one) is finding


@pytest.mark.parametrize(
    ("one", "other", "today", "finding"),
    [
        (HERE, HERE, TODAY, PlaceFinding.HAMLET),
        (HERE, HERE._replace(hamlet=""), TODAY, PlaceFinding.COMMUNE),
        (HERE, HERE._replace(payer="xa-18502"), TODAY, PlaceFinding.COMMUNE),  # hamlets of two times
        (HERE._replace(area="18499"), HERE._replace(payer="xa-18502"), TODAY, PlaceFinding.COMMUNE),
        (HERE._replace(area="18499"), HERE, date(2025, 6, 20), PlaceFinding.ELSEWHERE),
        (Place("18400", "", "huyen-442"), Place("18502", "", "xa-18502"), TODAY, PlaceFinding.ELSEWHERE),
        (Place("18070", "", "huyen-436"), Place("18077", "", "huyen-436"), date(2024, 12, 20), PlaceFinding.ELSEWHERE),
        (Place("18070", "", "huyen-436"), Place("18077", "", "huyen-436"), date(2025, 1, 20), PlaceFinding.COMMUNE),
        (Place("99999", "", "huyen-999"), Place("99999", "", "xa-99999"), TODAY, PlaceFinding.ELSEWHERE),
    ],
)
def test_places_of_two_times_are_one_commune_where_the_one_became_the_other(one, other, today, finding):
    sides = a_side(one), a_side(other)
    assert compared(*sides, today).place is compared(*reversed(sides), today).place is finding


def test_keys_hold_nobodys_district_against_a_commune_it_never_became():
    one, other = (
        a_side(place, birth_date="1949", personal_number=None)
        for place in (Place("18400", "", "huyen-442"), Place("18502", "", "xa-18502"))
    )
    assert set(blocks(one)).isdisjoint(blocks(other))
