"""Whoever stands on whichever lists, whatever happened to them and whatever the post answers: every line has one end, benefits that exclude
each other are paid once over all payers, and building again changes nothing. The real build on a real database, three months in a row."""

from datetime import date
from itertools import combinations, count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.payout.against import stands
from services.payout.knowledge import Known
from services.payout.months import plus_months
from services.payout.rate_book import Mode
from services.payout.rate_files import load_rules
from services.payout.rules import Rules
from services.payout.standing import Stop
from shared.ages import RULE_AGES
from shared.events import DeclaredLine
from shared.personal import Circumstances, Happened, PovertyOf
from shared.topics import Provider
from shared.words import LifeEvent, LineStatus, Poverty, Programme
from tests.integration.payout.months_world import Entry, a_person, closed, pay, step
from tests.integration.payout.payout_bench import Bench

FIRST = "2025-05"
LAWS = {"BT": Programme.SOCIAL_ASSISTANCE, "HT": Programme.SOCIAL_PENSION, "NC": Programme.MERIT}
CODES = ("BT-1a", "BT-4", "BT-5a1", "BT-5c", "BT-6a", "BT-6d", "BT-8", "HT-1", "NCC-LS1", "NCC-TB-21")
_worlds = count(1)

ages = st.just(()) | st.sampled_from([0, *RULE_AGES]).map(lambda age: (age, age))
events = st.builds(
    Happened,
    event=st.sampled_from(LifeEvent),
    since=st.dates(date(2025, 1, 1), date(2025, 9, 30)),
    until=st.none() | st.dates(date(2025, 1, 1), date(2025, 9, 30)),
)
circumstances = st.none() | st.builds(
    Circumstances,
    poverty=st.just(()) | st.sampled_from(Poverty).map(lambda status: (PovertyOf(year=2025, status=status),)),
    requested=st.none() | st.booleans(),
    studying=st.none() | st.booleans(),
    other_benefit_vnd=st.sampled_from([None, 0, 300_000, 3_000_000]),
    events=st.lists(events, max_size=2).map(tuple),
)
lists = st.sets(st.sampled_from(CODES), max_size=3)
person = st.fixed_dictionaries(
    {"ages": ages, "told": circumstances, "here": lists, "there": lists, "wrong": st.sampled_from([0, 0, 0, 1, 10_000])}
)
answers = st.lists(st.sampled_from([LineStatus.PAID, LineStatus.RETURNED, LineStatus.REJECTED, None]), min_size=1, max_size=6)


def line_of(code: str, wrong: int, period: str, rules: Rules) -> DeclaredLine:
    """What the tables say the code is worth, or nearly."""
    vnd = rules.monthly(code, period, own=100, law=code[:2]).vnd or 1_878_000
    hundredths = None if code.startswith("NCC") else 100
    return DeclaredLine(programme=LAWS[code[:2]], benefit_code=code, coefficient_hundredths=hundredths, monthly_vnd=vnd + wrong)


POLICIES = [
    {},
    {
        "unconfirmed_rates": "table",
        "age_takes_effect": "this_month",
        "stop_takes_effect": "this_month",
        "misses_max": 1,
        "other_laws": "highest",
    },
]


@pytest.mark.parametrize("bench", POLICIES, indirect=True, ids=["as shipped", "answered otherwise"])
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(people=st.lists(person, min_size=1, max_size=5), said=answers, order=st.permutations(["here", "there"]))
async def test_every_line_has_one_end_and_nobody_is_paid_twice(
    bench: Bench, people: list[dict[str, Any]], said: list[LineStatus | None], order: list[str]
) -> None:
    rules, world = load_rules(bench.runtime.settings, None), next(_worlds)
    known = [await a_person(bench) for _ in people]
    ids = [snapshot.beneficiary_id for snapshot in known]
    for month in range(3):
        period = plus_months(FIRST, month)
        payers = []
        for place in order:
            entries = [
                Entry(snapshot, line_of(code, drawn["wrong"], period, rules), drawn["ages"], drawn["told"])
                for snapshot, drawn in zip(known, people, strict=True)
                for code in sorted(drawn[place])
            ]
            if entries:
                payers.append(f"xa-{world}-{place}")
                await closed(bench, period, payers[-1], *entries)
        for payer in payers:
            await pay(bench, period, payer)
            await conserved(bench, period, payer)
        told = {snapshot.beneficiary_id: drawn for snapshot, drawn in zip(known, people, strict=True)}
        await nobody_twice(bench, period, ids, rules=rules)
        await nothing_against_what_is_paid(bench, period, told, rules=rules)
        await answered(bench, period, ids, said)
        for payer in payers:
            await pay(bench, period, payer)
            await conserved(bench, period, payer)
            await again_changes_nothing(bench, period, payer)
        await nobody_twice(bench, period, ids, rules=rules)


async def rows(bench: Bench, sql: str, *values: Any) -> list[Any]:
    async with bench.database.session() as session:
        return list(await session.fetch(sql, *values))


LIVE = """SELECT l.beneficiary_id, l.payer, l.content, l.entitlement_id FROM line l
           WHERE l.period = $1 AND l.beneficiary_id = ANY($2::uuid[])
             AND EXISTS (SELECT FROM instruction_line il WHERE il.entitlement_id = l.entitlement_id AND il.live)"""


async def conserved(bench: Bench, period: str, payer: str) -> None:
    """Every line is in exactly one of cashless, postal, held, by count and by VND; the ledger sums to zero."""
    page = (await bench.client.get(f"/v1/payrolls/{period}/{payer}")).json()
    lines = page["lines"]
    for what in ("count", "vnd"):
        assert sum(lines[place][what] for place in ("cashless", "postal", "held")) == lines[what]
    assert sum(page["ledger"].values()) == 0


async def nobody_twice(bench: Bench, period: str, ids: list[UUID], *, rules: Rules) -> None:
    """No two lines of a person that exclude each other are in live payments, over all payers."""
    whose: dict[UUID, list[str]] = {}
    for row in await rows(bench, LIVE, period, ids):
        whose.setdefault(row["beneficiary_id"], []).append(DeclaredLine.model_validate_json(row["content"]).benefit_code)
    for codes in whose.values():
        for one, other in combinations(codes, 2):
            assert rules.mode(one, other, period) is Mode.BOTH, (one, other)


async def nothing_against_what_is_paid(bench: Bench, period: str, told: dict[UUID, dict[str, Any]], *, rules: Rules) -> None:
    """What is in a payment is payable by what was known."""
    for row in await rows(bench, LIVE, period, list(told)):
        drawn = told[row["beneficiary_id"]]
        known = Known(",".join(map(str, drawn["ages"])) or None, drawn["told"])
        line = DeclaredLine.model_validate_json(row["content"])
        assert not isinstance(stands(line, row["payer"], period, known=known, rules=rules), Stop)


async def answered(bench: Bench, period: str, ids: list[UUID], said: list[LineStatus | None]) -> None:
    """The post answers these people's payments of a month, one way after another."""
    mine = {
        row["end_to_end_id"]
        for row in await rows(bench, "SELECT end_to_end_id FROM instruction WHERE beneficiary_id = ANY($1::uuid[])", ids)
    }
    found = [
        (batch_id, line)
        for batch_id, (manifest, lines) in (await bench.mail(Provider.POST)).items()
        if manifest.periods == (period,)
        for line in lines
        if line.end_to_end_id in mine
    ]
    results = [
        bench.an_answer(Provider.POST, batch_id, line, status)
        for number, (batch_id, line) in enumerate(sorted(found, key=lambda one: one[1].end_to_end_id))
        if (status := said[number % len(said)])
    ]
    if results:
        await bench.answer(*results)


async def again_changes_nothing(bench: Bench, period: str, payer: str) -> None:
    state = """SELECT 'held', entitlement_id::text, reason FROM held WHERE until IS NULL
               UNION ALL SELECT 'paid', instruction_id::text, entitlement_id::text FROM instruction_line WHERE live ORDER BY 1, 2, 3"""
    before = await rows(bench, state)
    built = await step(bench, period, payer, "build")
    assert (built["batches"], built["newly_held"]) == ([], 0)
    assert await rows(bench, state) == before
