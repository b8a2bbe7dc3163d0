"""What holds for any person, any rates and any events."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.payout.circumstances import Child, Custody, Grant, Move, MoveKind, Person, Restored, Unpaid
from services.payout.combining import Candidate, combine
from services.payout.entitlement import assess
from services.payout.months import plus_months
from services.payout.owed import Part
from services.payout.policy import Policy
from services.payout.rate_book import Kind, Mode, Rate, Standard
from services.payout.rate_files import shipped
from services.payout.rules import Rules
from shared.words import Poverty

# One or two of a family, so that what is drawn for a person is about the same benefits.
CODES = ("BT-1a", "BT-4", "BT-5c", "BT-6a", "BT-6c", "BT-8", "CS-BT6", "HT-1", "NCC-TB-21", "NCC-TB-75", "NCC-LS1", "NCC-BM")
GROWN_INTO = (*CODES, "BT-1b", "BT-2", "BT-5b", "BT-6b", "BT-6d", "HT-2")
MONTHS = [plus_months("2023-01", n) for n in range(44)]
days = st.dates(date(2022, 6, 1), date(2026, 8, 31))
months = st.sampled_from(MONTHS)
born = st.one_of(
    st.integers(1930, 1990).map(str), st.dates(date(1920, 1, 1), date(2026, 8, 1)).map(lambda day: day.isoformat()),
    st.dates(date(1990, 1, 1), date(2026, 8, 1)).map(lambda day: f"{day:%Y-%m}"),
)  # fmt: skip
vnds = st.integers(0, 3_000_000)
policies = st.fixed_dictionaries(
    {
        name: st.sampled_from(info.annotation.__args__)
        for name, info in Policy.model_fields.items()
        if hasattr(info.annotation, "__args__")
    }
).map(lambda answers: Policy(**answers))


def sometimes(strategy):
    """Nothing three times of four: people to whom everything happens are owed nothing, and nothing is what they would test."""
    return st.sampled_from((False, False, False, True)).flatmap(lambda happens: strategy if happens else st.none())


@st.composite
def books(draw):
    """The shipped tables with other amounts: every coefficient and level drawn anew."""
    book = shipped()
    levels = {
        name: [Standard.model_construct(**{**row.__dict__, "vnd": draw(st.integers(1, 4_000) if row.vnd else st.just(0)) * 1_000})
               for row in rows]
        for name, rows in book.standards.items()
    }  # fmt: skip
    factor = draw(st.integers(1, 5))
    rates = {
        code: [Rate.model_construct(**{**row.__dict__, "values": tuple(value * factor for value in row.values)}) for row in rows]
        for code, rows in book.rates.items()
    }
    return replace(book, standards=levels, rates=rates)


rulebooks = st.builds(Rules, st.one_of(st.just(shipped()), books()), policies)
grants = st.builds(
    Grant,
    code=st.sampled_from(CODES),
    decided_on=st.dates(date(2021, 7, 1), date(2025, 12, 31)),
    coefficient_hundredths=st.one_of(st.none(), st.integers(0, 400)),
    entitled_from=st.one_of(st.none(), months),
    ends_after=sometimes(months),
    requested=st.sampled_from((True, True, False)),
    declared_vnd=st.one_of(st.none(), vnds),
    children=st.lists(st.builds(Child, born=born, studying=st.booleans()), max_size=3).map(tuple),
)
custodies = st.builds(
    lambda since, length: Custody(since, since + timedelta(length) if length else None), days, st.integers(0, 200)
)
moves = st.lists(
    st.builds(
        Move, on=days, to_payer=st.just("new"), kind=st.sampled_from(MoveKind), requested=st.booleans(),
        decided_on=st.one_of(st.none(), days),
    ),
    max_size=2,
).map(tuple)  # fmt: skip
people = st.builds(
    Person,
    payer=st.just("old"),
    grants=st.lists(grants, max_size=4).map(tuple),
    born=st.one_of(st.none(), born),
    poverty=st.dictionaries(st.integers(2023, 2026), st.sampled_from(Poverty), max_size=3),
    other_benefit_vnd=st.one_of(st.just(0), vnds),
    studying=st.booleans(),
    prison_on=sometimes(days),
    custody=sometimes(st.lists(custodies, max_size=2).map(tuple)).map(lambda found: found or ()),
    care_home_on=sometimes(days),
    refused_on=sometimes(days),
    refused_until=st.one_of(st.none(), days),
    misses=st.sampled_from((0, 0, 0, 1, 2, 3, 5)),
    moves=sometimes(moves).map(lambda found: found or ()),
    restored=st.lists(
        st.builds(Restored, code=st.sampled_from(CODES), months=st.lists(months, max_size=6).map(tuple)), max_size=3
    ).map(tuple),
    unpaid=st.lists(st.builds(Unpaid, code=st.sampled_from(CODES), month=months, vnd=vnds), max_size=4).map(tuple),
    settled=st.dictionaries(st.tuples(st.sampled_from(CODES), months), vnds, max_size=2),
    citizens=st.integers(0, 9),
)  # fmt: skip
# Half of the batches are some months in a row, as real ones are.
in_a_row = st.builds(lambda first, count: MONTHS[first : first + count], st.integers(0, len(MONTHS) - 1), st.integers(1, 8))
periods = st.one_of(in_a_row, st.lists(months, min_size=1, max_size=8, unique=True))
of_a_month = (Part.MONTHLY, Part.ARREARS, Part.UNPAID)


def by_month(found):
    """VND owed by (code, month)."""
    sums = {}
    for one in found.owed:
        if one.part in of_a_month:
            sums[one.code, one.month] = sums.get((one.code, one.month), 0) + one.vnd
    return sums


@given(people, periods, rulebooks)
def test_sum_of_the_parts_is_the_total_and_no_part_is_below_zero(person, periods, rules):
    found = assess(person, periods, rules)
    assert found.vnd == sum(sum(o.vnd for o in found.owed if o.part is part) for part in Part)
    assert all(o.vnd >= 0 for o in found.owed)
    assert {o.period for o in found.owed} <= set(periods)


@given(people, periods, rulebooks)
def test_no_month_is_owed_twice_whatever_it_comes_in_as(person, periods, rules):
    found = assess(person, periods, rules)
    once = [(o.code, o.month, o.part) for o in found.owed if o.part in of_a_month]
    assert len(once) == len(set(once))
    carried = {(u.code, u.month): 0 for u in person.unpaid}
    for unpaid in person.unpaid:
        carried[unpaid.code, unpaid.month] = max(carried[unpaid.code, unpaid.month], unpaid.vnd)
    for (code, month), vnd in by_month(found).items():
        most = max(
            [carried.get((code, month), 0)]
            + [_worth(rules, grant, one, month) for grant in person.grants if grant.code == code for one in GROWN_INTO]
        )
        assert vnd <= most


def _worth(rules, grant, code, month):
    """The most a grant can bring under a code: its rate, or what the list declares, once per child."""
    own = grant.coefficient_hundredths if code == grant.code else None
    rates = [rules.monthly(code, month, own=own, aged=aged).vnd or 0 for aged in (False, True)]
    return max(*rates, grant.declared_vnd or 0) * max(1, len(grant.children))


@given(people, periods, rulebooks)
def test_what_was_owed_and_is_settled_is_not_owed_again(person, periods, rules):
    found = assess(person, periods, rules)
    settled = dict(person.settled)
    for (code, month), vnd in by_month(found).items():
        settled[code, month] = settled.get((code, month), 0) + vnd
    gifts = frozenset(o.code for o in found.owed if o.part is Part.GIFT)
    again = assess(replace(person, settled=settled, gifts_settled=gifts, funeral_settled=True), periods, rules)
    assert again.vnd == 0
    assert assess(person, periods, rules) == found


@given(people, periods, rulebooks)
def test_two_periods_together_are_the_same_as_one_after_the_other(person, periods, rules):
    together = assess(person, periods, rules)
    settled, gifts, total, unpaid = dict(person.settled), frozenset(), 0, person.unpaid
    for period in sorted(periods):
        found = assess(replace(person, settled=settled, gifts_settled=gifts, unpaid=unpaid), [period], rules)
        total += found.vnd
        gifts |= {o.code for o in found.owed if o.part is Part.GIFT}
        for (code, month), vnd in by_month(found).items():
            settled[code, month] = settled.get((code, month), 0) + vnd
    assert together.vnd == total


@given(people, periods, rulebooks, days)
@settings(max_examples=300)
def test_a_death_never_increases_a_later_month(person, periods, rules, died):
    alive = by_month(assess(person, periods, rules))
    dead = by_month(assess(replace(person, died_on=died), periods, rules))
    assert all(vnd == 0 for (_code, month), vnd in dead.items() if month > f"{died:%Y-%m}")
    assert all(vnd <= alive.get(key, 0) for key, vnd in dead.items() if key[1] > f"{died:%Y-%m}")


@given(people, months, rulebooks)
def test_benefits_that_exclude_each_other_are_never_both_paid(person, period, rules):
    found = assess(replace(person, settled={}, unpaid=(), restored=()), [period], rules)
    codes = [o.paid_as for o in found.owed if o.part is Part.MONTHLY]
    for place, one in enumerate(codes):
        for other in codes[place + 1 :]:
            assert rules.mode(one, other, period) is Mode.BOTH


@given(people, months, rulebooks, st.integers(0, 3), st.integers(1, 300))
def test_a_higher_coefficient_never_brings_less(person, period, rules, place, more):
    if place >= len(person.grants) or person.grants[place].coefficient_hundredths is None:
        return
    grant = person.grants[place]
    higher = replace(grant, coefficient_hundredths=grant.coefficient_hundredths + more)
    kinds = {rate.kind for rate in rules.book.rates.get(grant.code, ())}
    if Kind.ONE_OF in kinds and not any(rules.by_list(rate) for rate in rules.book.rates[grant.code]):
        return  # one of a few values: another one may be no value at all
    changed = replace(person, grants=(*person.grants[:place], higher, *person.grants[place + 1 :]), settled={}, unpaid=())
    before = assess(replace(person, settled={}, unpaid=()), [period], rules)
    assert assess(changed, [period], rules).vnd >= before.vnd


@given(people, periods, rulebooks)
def test_every_sum_has_a_rule_or_is_shown_as_declared(person, periods, rules):
    for one in assess(person, periods, rules).owed:
        assert (one.rule is not None) or one.reason in ("AS_DECLARED", "DIFFERENCE")


@given(st.lists(st.tuples(st.sampled_from(CODES), st.integers(0, 5_000_000)), max_size=7), months, policies, vnds)
@settings(max_examples=200)
def test_best_choice_is_the_best_of_all_choices(lines, period, policy, other_vnd):
    rules = Rules(shipped(), policy)
    candidates = [Candidate(place, code, vnd) for place, (code, vnd) in enumerate(lines)]
    found = combine(candidates, period, rules, other_benefit_vnd=other_vnd)
    assert sorted(c.grant for c in (*found.kept, *found.lower, *found.insured)) == list(range(len(lines)))
    rest = [c for c in candidates if c not in found.insured]
    best = 0
    for choice in range(1 << len(rest)):
        chosen = [c for place, c in enumerate(rest) if choice >> place & 1]
        if all(rules.mode(a.code, b.code, period) is Mode.BOTH for a in chosen for b in chosen if a.grant < b.grant):
            best = max(best, sum(c.vnd for c in chosen))
    assert sum(c.vnd for c in found.kept) == best
