"""What verification relies on, whichever adapter stands before the population register. Every test runs on both."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import uuid4

import pytest

from services.verification.population_register import Asked, Replica
from shared.words import Finding, Outcome
from tests.integration.verification.conftest import MakeBench
from tests.integration.verification.register_world import RegisterWorld, ReplicaWorld, ServiceWorld, sandbox_service
from tests.integration.verification.verification_bench import a_register_line, an_account, an_identity

NEW_NUMBER = "042149990009"


@pytest.fixture(params=["replica", "query_service"])
async def world(request: pytest.FixtureRequest, make_bench: MakeBench) -> AsyncIterator[RegisterWorld]:
    if request.param == "replica":
        yield ReplicaWorld(await make_bench(Replica))
        return
    async with sandbox_service() as (client, desk):
        yield ServiceWorld(await make_bench(Asked), client, desk)


async def test_nobody_is_judged_before_the_register_has_spoken(world: RegisterWorld) -> None:
    await world.bench.see(world.bench.snapshot(an_identity(), an_account()))
    assert await world.outcomes() == [Outcome.UNAVAILABLE]
    await world.bench.see(world.bench.snapshot(an_identity(full_name="Lê Văn Nam"), who=uuid4()))
    assert await world.outcomes() == [Outcome.UNAVAILABLE]


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome"),
    [
        ({}, {}, Outcome.MATCH),
        ({"full_name": "NGUYỄN THỊ HOÀ", "birth_date": "1949"}, {}, Outcome.MATCH),
        ({"birth_date": "1949-03"}, {}, Outcome.MATCH),
        ({}, {"birth_date": "1949"}, Outcome.MATCH),
        ({"full_name": "NGUYEN THI HOA"}, {}, Outcome.WEAK_MATCH),
        ({"full_name": "Nguyễn Thị Hóa"}, {}, Outcome.MISMATCH),
        ({"birth_date": "1946-03-02"}, {}, Outcome.MISMATCH),
        ({"personal_number": "042149990777"}, {}, Outcome.NOT_FOUND),
        ({}, {"status": "moved", "status_date": "2024-01-10"}, Outcome.MOVED),
        ({"personal_number": None}, {}, Outcome.WEAK_MATCH),
        ({"personal_number": None, "birth_date": "1949"}, {}, Outcome.NOT_FOUND),
        (
            {"personal_number": None, "old_number": "183900001", "birth_date": "1949"},
            {"old_number": "183900001"},
            Outcome.WEAK_MATCH,
        ),
        ({"personal_number": None, "old_number": "183900001"}, {"old_number": "183900002"}, Outcome.NOT_FOUND),
    ],
)
async def test_outcome(world: RegisterWorld, ours: dict[str, str | None], theirs: dict[str, str], outcome: Outcome) -> None:
    await world.know(a_register_line(**theirs))
    await world.bench.see(world.bench.snapshot(an_identity(**ours)))
    await world.settle()
    assert (await world.outcomes())[-1] is outcome


async def test_dead_with_the_day(world: RegisterWorld) -> None:
    await world.know(a_register_line(status="dead", status_date="2024-01-15"))
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.settle()
    last = (await world.told())[-1]
    assert (last.outcome, last.died_on) == (Outcome.DEAD, date(2024, 1, 15))


@pytest.mark.parametrize(("status", "outcome"), [("alive", Outcome.NUMBER_CHANGED), ("dead", Outcome.DEAD)])
async def test_changed_number_leads_to_the_new_entry(world: RegisterWorld, status: str, outcome: Outcome) -> None:
    new = a_register_line(personal_number=NEW_NUMBER, status=status, status_date="2024-01-15" if status == "dead" else "")
    await world.know(a_register_line(replaced_by_number=NEW_NUMBER), new)
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.settle()
    assert (await world.outcomes())[-1] is outcome


async def test_number_that_was_replaced_twice_leads_to_the_newest_entry(world: RegisterWorld) -> None:
    numbers = ("042149990001", NEW_NUMBER, "042149990010")
    chain = [a_register_line(personal_number=a, replaced_by_number=b) for a, b in zip(numbers, (*numbers[1:], ""), strict=True)]
    await world.know(*chain[:2], {**chain[2], "status": "dead", "status_date": "2024-01-15"})
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.settle()
    assert (await world.outcomes())[-1] is Outcome.DEAD


async def test_second_change_of_a_number_reaches_who_has_the_first(world: RegisterWorld) -> None:
    await world.know(a_register_line(replaced_by_number=NEW_NUMBER), a_register_line(personal_number=NEW_NUMBER))
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.settle()
    assert (await world.outcomes())[-1] is Outcome.NUMBER_CHANGED
    world.bench.clock.move(timedelta(days=1))
    await world.bench.load(a_register_line(personal_number=NEW_NUMBER, replaced_by_number="042149990010"))
    world.bench.clock.move(timedelta(days=1))
    await world.bench.load(a_register_line(personal_number="042149990010", status="dead", status_date="2024-01-19"))
    assert await world.outcomes() == [Outcome.DEAD]


async def test_two_who_may_be_meant_are_nobody(world: RegisterWorld) -> None:
    await world.know(a_register_line(), a_register_line(personal_number=NEW_NUMBER))
    await world.bench.see(world.bench.snapshot(an_identity(personal_number=None)))
    await world.settle()
    assert (await world.outcomes())[-1] is Outcome.NOT_FOUND


async def test_one_person_under_two_numbers_and_two_under_one_are_caught(world: RegisterWorld) -> None:
    await world.know(a_register_line(replaced_by_number=NEW_NUMBER), a_register_line(personal_number=NEW_NUMBER))
    old, new, third = (
        world.bench.snapshot(an_identity(**said)) for said in ({}, {"personal_number": NEW_NUMBER}, {"birth_date": "1949"})
    )
    await world.bench.see(old, new, third)
    await world.settle()
    last = {result.beneficiary_id: result.outcome for result in await world.told()}
    assert last == dict.fromkeys((old.beneficiary_id, new.beneficiary_id, third.beneficiary_id), Outcome.DUPLICATE)


async def test_one_person_whom_the_register_itself_has_under_two_numbers_is_caught(world: RegisterWorld) -> None:
    """No entry leads to the other; they share the old number."""
    same = {"old_number": "183900001"}
    await world.know(a_register_line(**same), a_register_line(personal_number=NEW_NUMBER, **same))
    one, other = (world.bench.snapshot(an_identity(personal_number=number)) for number in ("042149990001", NEW_NUMBER))
    await world.bench.see(one)
    await world.settle()
    await world.bench.see(other)
    await world.settle()
    last = {result.beneficiary_id: result.outcome for result in await world.told()}
    assert last == dict.fromkeys((one.beneficiary_id, other.beneficiary_id), Outcome.DUPLICATE)
    stranger = an_identity(full_name="Trần Văn Nam", personal_number="042049990777", sex="male")
    await world.bench.see(world.bench.snapshot(stranger, who=other.beneficiary_id))
    await world.settle()
    last = {result.beneficiary_id: result.outcome for result in await world.told()}
    assert last[one.beneficiary_id] is Outcome.MATCH


async def test_number_that_two_people_give_belongs_to_one_at_most(world: RegisterWorld) -> None:
    await world.know(a_register_line())
    right, wrong = world.bench.snapshot(an_identity()), world.bench.snapshot(an_identity(full_name="Lê Thị Mai"))
    await world.bench.see(right, wrong)
    await world.settle()
    last = {result.beneficiary_id: result.outcome for result in await world.told()}
    assert last == {right.beneficiary_id: Outcome.MATCH, wrong.beneficiary_id: Outcome.MISMATCH}


async def test_evidence_is_the_same_whoever_was_asked(world: RegisterWorld) -> None:
    await world.know(a_register_line())
    await world.bench.see(world.bench.snapshot(an_identity(full_name="Thị Hòa Nguyễn", birth_date="1949", sex="male")))
    await world.settle()
    last = (await world.told())[-1]
    findings = {part.field: part.finding for part in last.evidence}
    assert list(findings.values()) == [Finding.EQUAL, Finding.T5, Finding.YEAR_ONLY, Finding.DIFFERENT, Finding.DIFFERENT]


async def test_repeated_snapshots_and_answers_fall_silent(world: RegisterWorld) -> None:
    await world.know(a_register_line())
    who = uuid4()
    await world.bench.see(world.bench.snapshot(an_identity(), who=who))
    await world.settle()
    await world.told()
    await world.bench.see(world.bench.snapshot(an_identity(), who=who))
    await world.know(a_register_line())
    await world.settle()
    assert await world.told() == []


async def test_death_on_the_topic_is_told_at_once(world: RegisterWorld) -> None:
    await world.know(a_register_line())
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.settle()
    await world.told()
    world.bench.clock.move(timedelta(days=1))
    await world.bench.load(a_register_line(status="dead", status_date="2024-01-19"))
    assert await world.outcomes() == [Outcome.DEAD]


async def test_answer_that_grew_too_old_counts_for_nothing_until_there_is_a_new_one(world: RegisterWorld) -> None:
    await world.know(a_register_line())
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.settle()
    await world.told()
    world.bench.clock.move(timedelta(days=91))
    while await world.bench.waiting.judge_page():
        pass
    assert await world.told() == []
    world.bench.clock.move(timedelta(days=2))
    while await world.bench.waiting.judge_page():
        pass
    assert await world.outcomes() == [Outcome.UNAVAILABLE]
    await world.know(a_register_line())
    await world.settle()
    assert await world.outcomes() == [Outcome.MATCH]


async def test_everybody_is_looked_at_again_before_lists_close(world: RegisterWorld) -> None:
    """After the day of renewal the answer is a new one, though nothing is told when nothing changed."""
    await world.know(a_register_line())
    await world.bench.see(world.bench.snapshot(an_identity()))
    await world.settle()
    await world.told()
    world.bench.clock.move(timedelta(days=31, hours=12))  # the evening of 20 February
    await world.know(a_register_line())
    await world.settle()
    assert await world.told() == []
    async with world.bench.database.session() as session:
        answered_at = await session.fetchval("SELECT answered_at FROM person")
    assert world.bench.clock.now() - answered_at < timedelta(hours=1)
