"""Who stays takes over gaps only, a separation gives back exactly those, and a pair is merged or separated only as it stands."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.merging import Act, ActKind, MergeReason, Standing, absorbed, released, why_not
from services.registry.person import Person
from shared.personal import Account, Collector, Identity
from shared.words import AccountSource, Wish

ONE, OTHER, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)
MERGE, UNMERGE = Act(UUID(int=9), ActKind.MERGE, OTHER, ONE), Act(UUID(int=9), ActKind.UNMERGE, OTHER, ONE, UUID(int=8))
ACCOUNT = Account(bank_bin="970405", number="3709000000001", holder="NGUYEN THI HOA")
IDENTITIES = st.builds(
    Identity,
    full_name=st.sampled_from(["Nguyễn Thị Hòa", "Nguyễn Thị Hoà"]),
    birth_date=st.sampled_from([None, "1949", "1949-03-02"]),
    sex=st.sampled_from([None, "female"]),
    personal_number=st.sampled_from([None, "042149990001", "042149990002"]),
    old_number=st.sampled_from([None, "183900001"]),
)


def people(who: UUID) -> st.SearchStrategy[Person]:
    return st.builds(
        _person,
        st.just(who),
        IDENTITIES,
        account=st.sampled_from([None, AccountSource.BULK, AccountSource.VNEID]),
        phone=st.sampled_from([None, "+84912345678", "+84912345679"]),
        wish=st.sampled_from([(Wish.NONE, None), (Wish.POST, "R_HABIT"), (Wish.ACCOUNT, None)]),
        cannot=st.sampled_from([(None, None), ("R_FAR", None), ("R_FAR", date(2025, 1, 1))]),
        collector=st.sampled_from([None, Collector(full_name="Lê Văn Tám")]),
    )


def _person(who, identity, *, account=None, phone=None, wish=(Wish.NONE, None), cannot=(None, None), collector=None):
    day = date(2024, 1, 1) if collector else None
    return Person(
        who, (1, 1), "huyen-444", "18502", identity, account=ACCOUNT if account else None, account_source=account, phone=phone,
        wish=wish[0], wish_reason=wish[1], cannot_reason=cannot[0], cannot_until=cannot[1], collector=collector, collector_from=day,
    )  # fmt: skip


@given(people(ONE), people(OTHER))
def test_a_merge_and_its_separation_leave_everything_as_it_was(stays, goes):
    now, taken = absorbed(stays, goes)
    assert released(now, goes, taken) == stays


@given(people(ONE), people(OTHER))
def test_nothing_who_stays_had_is_lost(stays, goes):
    now, _ = absorbed(stays, goes)
    for field, value in stays.identity.model_dump().items():
        assert value is None or getattr(now.identity, field) == value
    for field in ("account", "phone", "collector", "cannot_reason"):
        assert getattr(stays, field) is None or getattr(now, field) == getattr(stays, field)
        assert getattr(now, field) in (getattr(stays, field), getattr(goes, field))


@given(people(ONE), people(OTHER))
def test_a_second_merge_takes_nothing_more(stays, goes):
    now, _ = absorbed(stays, goes)
    assert absorbed(now, goes) == (now, ())


def test_what_was_said_since_stays_with_who_stayed():
    stays, goes = _person(ONE, Identity(full_name="A")), _person(OTHER, Identity(full_name="A"), phone="+84912345678")
    now, taken = absorbed(stays, goes)
    assert released(now._replace(phone="+84987654321"), goes, taken).phone == "+84987654321"


@pytest.mark.parametrize(
    ("act", "leads", "same_life", "reason"),
    [
        (MERGE, {}, True, None),
        (MERGE, {}, False, MergeReason.LIFE_DIFFERS),
        (MERGE, {OTHER: THIRD}, True, MergeReason.ALREADY_MERGED),
        (MERGE, {ONE: THIRD}, True, MergeReason.ALREADY_MERGED),
        (MERGE, {ONE: OTHER}, True, MergeReason.ALREADY_MERGED),  # a circle
        (MERGE, {THIRD: OTHER}, True, MergeReason.OTHERS_MERGED_INTO_IT),  # a chain
        (MERGE, {THIRD: ONE}, True, None),
        (UNMERGE, {}, True, MergeReason.NOT_MERGED),
        (UNMERGE, {OTHER: THIRD}, True, MergeReason.NOT_MERGED),
        (UNMERGE, {OTHER: ONE}, False, None),
    ],
)
def test_a_pair_is_merged_or_separated_only_as_it_stands(act, leads, same_life, reason):
    assert why_not(act, Standing(leads, newest=None), same_life=same_life) is reason


def test_the_last_merge_is_taken_back_first():
    standing = Standing({OTHER: ONE, THIRD: ONE}, newest=UUID(int=8), merged_by=UUID(int=7))
    assert why_not(UNMERGE, standing, same_life=True) is MergeReason.LATER_MERGE_FIRST
    assert why_not(UNMERGE, standing._replace(merged_by=UUID(int=8)), same_life=True) is None
