"""Who is reminded: everybody is in exactly one part, one text per phone, the first reason counts."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.audience import LeftOut, PersonFacts, choose, is_quiet, why_left_out

REMINDED = PersonFacts(
    UUID(int=1),
    life="alive",
    found_dead=False,
    has_account=False,
    paid_on_account=False,
    cannot=False,
    opted_out=False,
    phone_ix=b"1",
)
PEOPLE = st.lists(
    st.builds(
        PersonFacts, st.uuids(), life=st.sampled_from(["alive", "dead", "moved_out"]), found_dead=st.booleans(),
        has_account=st.booleans(), paid_on_account=st.booleans(), cannot=st.booleans(), opted_out=st.booleans(),
        phone_ix=st.sampled_from([None, b"1", b"2", b"3"]),
    ),
    max_size=30, unique_by=lambda person: person.beneficiary_id,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"life": "dead"}, LeftOut.DEAD),
        ({"found_dead": True}, LeftOut.DEAD),
        ({"life": "moved_out"}, LeftOut.MOVED_OUT),
        ({"merged": True, "has_account": True}, LeftOut.MERGED),
        ({"has_account": True, "cannot": True}, LeftOut.HAS_ACCOUNT),
        ({"paid_on_account": True}, LeftOut.PAID_ON_ACCOUNT),
        ({"cannot": True, "phone_ix": None}, LeftOut.CANNOT),
        ({"phone_ix": None}, LeftOut.NO_PHONE),
        ({"opted_out": True}, LeftOut.OPTED_OUT),
    ],
)
def test_first_reason_counts(changes: dict[str, object], reason: LeftOut | None) -> None:
    assert why_left_out(replace(REMINDED, **changes)) is reason  # type: ignore[arg-type]


@given(PEOPLE)
def test_everybody_is_in_exactly_one_part(people: list[PersonFacts]) -> None:
    audience = choose(people)
    served = [person for ids in audience.by_phone.values() for person in ids]
    assert len(served) == len(set(served)) == audience.people
    assert audience.people + sum(audience.left_out.values()) == len(people)


@given(PEOPLE)
def test_only_people_of_that_phone_share_its_text(people: list[PersonFacts]) -> None:
    facts = {person.beneficiary_id: person for person in people}
    for phone, ids in choose(people).by_phone.items():
        assert all(facts[key].phone_ix == phone and why_left_out(facts[key]) is None for key in ids)


@given(PEOPLE)
def test_order_does_not_matter(people: list[PersonFacts]) -> None:
    assert choose(people) == choose(reversed(people))


HOURS = [(15, 0, True), (14, 59, False), (23, 59, True), (0, 0, False), (3, 0, False), (20, 0, True)]


@pytest.mark.parametrize(("hour", "minute", "quiet"), HOURS)
def test_quiet_hours_are_vietnams(hour: int, minute: int, quiet: bool) -> None:
    assert is_quiet(datetime(2024, 2, 1, hour, minute, tzinfo=UTC)) is quiet
