"""Whose row it is: strongest evidence first, several who fit are nobody, an account never follows a year-only date."""

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_workbooks import AREAS, an_identity, plain_keys

from services.registry import matching
from services.registry.matching import Candidates, Found
from services.registry.person import NOWHERE, Person, Place
from services.registry.refusals import RowNote, RowReason
from services.registry.whereabouts import Lives, Whereabouts
from shared.personal import Delivery

HERE = Place("18502", "Thôn 3", "huyen-444", is_listed=True)


def find(said, candidates, place=NOWHERE, day=date(2024, 2, 1)):
    return matching.find(said, candidates, Lives(place, Whereabouts(AREAS, day)))


def a_person(**identity):
    return Person(uuid4(), (1, 1), "huyen-444", "18502", an_identity(**identity), delivery=Delivery(hamlet="Thôn 3"))


def test_the_number_decides_even_under_another_spelling():
    person = a_person(full_name="Nguyen Thi Hoa")
    assert find(an_identity(), Candidates(by_number=[person])).person is person


def test_a_known_number_under_another_name_and_year_is_refused():
    person = a_person()
    said = an_identity(full_name="Lê Văn Tám", birth_date="1980-01-01")
    assert find(said, Candidates(by_number=[person])) == Found(refusal=RowReason.NUMBER_CLASH)


def test_the_old_number_counts_with_the_same_name():
    person = a_person(personal_number=None, old_number="183900001")
    said = an_identity(personal_number=None, old_number="183900001", birth_date="1949")
    assert find(said, Candidates(by_old_number=[person])).person is person
    assert find(an_identity(full_name="Lê Thị Ba", old_number="183900001"), Candidates(by_old_number=[person])).person is None


def test_a_replaced_number_is_the_same_persons_when_everything_else_agrees():
    person = a_person(old_number="183900001")
    said = an_identity(personal_number="042149990777", old_number="183900001")
    assert find(said, Candidates(by_old_number=[person])).person is person
    assert find(an_identity(personal_number="042149990777", old_number="183900001", birth_date="1949"),
                Candidates(by_old_number=[person])).person is None  # fmt: skip


def test_name_and_whole_birth_date_are_enough_for_one_but_not_for_two():
    one, other = a_person(personal_number=None), a_person(personal_number=None)
    said = an_identity(personal_number=None)
    assert find(said, Candidates(by_name_birth=[one])).person is one
    assert find(said, Candidates(by_name_birth=[one, other])) == Found(note=RowNote.SEVERAL_FIT)


@pytest.mark.parametrize(
    ("place", "is_found"),
    [
        (HERE, True),
        (NOWHERE, True),
        (HERE._replace(hamlet="Thôn 4"), True),
        (HERE._replace(area="18514"), False),
        (HERE._replace(area="18514", payer="xa-18514"), False),
    ],
)
def test_a_namesake_born_on_the_same_day_in_another_commune_is_somebody_else(place, is_found):
    """An event about an account names no commune."""
    person = a_person(personal_number=None, birth_date="1949-01-01")
    found = find(an_identity(personal_number=None, birth_date="1949-01-01"), Candidates(by_name_birth=[person]), place)
    assert (found.person is person) == is_found


def test_of_two_namesakes_the_commune_tells_which():
    one = a_person(personal_number=None)
    other = one._replace(beneficiary_id=uuid4(), area="18514")
    assert find(an_identity(personal_number=None), Candidates(by_name_birth=[one, other]), HERE) == Found(one)
    assert find(an_identity(personal_number=None), Candidates(by_name_birth=[one, other])) == Found(note=RowNote.SEVERAL_FIT)


def test_a_different_number_contradicts_name_and_birth_date():
    assert find(an_identity(personal_number="042149990999"), Candidates(by_name_birth=[a_person()])).person is None


@pytest.mark.parametrize("place", [NOWHERE, HERE])
def test_a_year_only_date_counts_on_a_list_within_the_hamlet_and_never_for_an_account(place):
    person = a_person(personal_number=None, birth_date="1949")
    found = find(an_identity(personal_number=None, birth_date="1949"), Candidates(by_name_area=[person]), place)
    assert (found.person is person) == (place is HERE)


def test_a_twin_in_another_hamlet_is_somebody_else():
    person = a_person(personal_number=None, birth_date="1949")
    said = an_identity(personal_number=None, birth_date="1949")
    assert find(said, Candidates(by_name_area=[person]), HERE._replace(hamlet="Thôn 4")).person is None


identities = st.builds(
    an_identity,
    full_name=st.sampled_from(["Nguyễn Thị Hòa", "Nguyen Thi Hoa", "Lê Văn Tám"]),
    birth_date=st.sampled_from([None, "1949", "1949-03-02", "1950-03-02"]),
    personal_number=st.sampled_from([None, "042149990001", "042149990002"]),
    old_number=st.sampled_from([None, "183900001", "183900002"]),
)


@given(identities, st.lists(identities, max_size=4))
def test_whoever_is_found_without_the_number_has_the_same_name_and_no_other_is_as_likely(said, known):
    people = [Person(uuid4(), (1, 1), "huyen-444", "18502", identity) for identity in known]
    candidates = Candidates(
        by_old_number=[p for p in people if said.old_number and p.identity.old_number == said.old_number],
        by_name_birth=[p for p in people if (p.identity.birth_date or "-")[:4] == (said.birth_date or "+")[:4]],
    )
    found = find(said, candidates)
    if found.person:
        same = found.person.identity
        assert same.full_name.split()[-1][0] == said.full_name.split()[-1][0]
        proof = [p for p in people if p.identity == same]
        assert len(proof) == 1 or same.old_number == said.old_number


@given(
    identities,
    st.lists(st.tuples(identities, st.sampled_from(["", "Thôn 3", "thon 3", "Thôn 4"])), max_size=4),
    st.sampled_from([NOWHERE, HERE]),
)
def test_the_narrow_indexes_lose_nobody_whom_the_rules_would_find(said, known, place):
    people = [
        Person(uuid4(), (1, 1), "huyen-444", "18502", identity, delivery=Delivery(hamlet=hamlet)) for identity, hamlet in known
    ]
    keys = plain_keys(said, place)

    def sharing(name):
        return [
            p for p in people if getattr(keys, name) and getattr(plain_keys(p.identity, p.place), name) == getattr(keys, name)
        ]

    with_old = [p for p in people if said.old_number and p.identity.old_number == said.old_number]
    narrow = Candidates((), sharing("old_number"), sharing("name_birth"), sharing("name_area"))
    assert find(said, narrow, place) == find(said, Candidates((), with_old, people, people), place)
