"""A person whom a newer extract of the whole register does not name: paid by nobody's old word, dropped by nobody, and asked about."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from services.verification import store_ages
from services.verification.population_register import Asked, Replica
from services.verification.store_review import cases
from shared.evidence import FieldEvidence
from shared.words import Finding, IdentityField, Outcome
from tests.integration.verification.conftest import MakeBench
from tests.integration.verification.verification_bench import Bench, a_register_line, an_identity

OTHER = a_register_line(personal_number="042149990002")


async def a_match(bench: Bench, **ours: str | None) -> UUID:
    await bench.load(a_register_line(old_number="183900001"), OTHER)
    snapshot = bench.snapshot(an_identity(**ours))
    await bench.see(snapshot)
    await bench.told()
    bench.clock.move(timedelta(hours=1))
    return snapshot.beneficiary_id


async def outcomes(bench: Bench) -> list[Outcome]:
    return [result.outcome for result in await bench.told()]


async def questions(bench: Bench) -> Sequence[tuple[UUID, str | None]]:
    async with bench.database.reading() as tx:
        page = await cases(tx, None, None, most=10)
    return [(case["beneficiary_id"], case["question"]) for case in page.cases]


@pytest.mark.parametrize("ours", [{}, {"personal_number": None, "old_number": "183900001"}, {"full_name": "Nguyen Thi Hoa"}])
async def test_nobody_is_paid_by_an_entry_that_is_named_no_more(bench: Bench, ours: dict[str, str | None]) -> None:
    who = await a_match(bench, **ours)
    await bench.load(OTHER)
    (told,) = await bench.told()
    assert told.outcome is Outcome.UNAVAILABLE
    assert (
        FieldEvidence(field=IdentityField.BIRTH_DATE, finding=Finding.EQUAL) in told.evidence
    )  # it was known, and is not any more
    assert await questions(bench) == [(who, "NOT_IN_NEWEST_EXTRACT")]
    assert await bench.waiting.judge_page() == 0  # nothing is looked at again and again
    bench.clock.move(timedelta(hours=1))
    await bench.load(OTHER)
    assert await outcomes(bench) == []


@pytest.mark.parametrize("part", [True, False])
async def test_named_again_she_is_judged_at_once(bench: Bench, part: bool) -> None:
    await a_match(bench)
    await bench.load(OTHER)
    assert await outcomes(bench) == [Outcome.UNAVAILABLE]
    bench.clock.move(timedelta(hours=1))
    lines = (a_register_line(old_number="183900001"),) if part else (a_register_line(old_number="183900001"), OTHER)
    await bench.load(*lines, part=part)
    assert await outcomes(bench) == [Outcome.MATCH]
    assert await questions(bench) == []


async def test_part_names_only_some_and_takes_nobody_away(bench: Bench) -> None:
    await a_match(bench)
    await bench.load(OTHER, part=True)
    assert await outcomes(bench) == []


async def test_whoever_comes_later_is_judged_by_the_newest_extract_too(bench: Bench) -> None:
    await bench.load(a_register_line(), OTHER)
    bench.clock.move(timedelta(hours=1))
    await bench.load(OTHER)
    await bench.see(bench.snapshot(an_identity()))
    assert await outcomes(bench) == [Outcome.UNAVAILABLE]


async def test_half_an_extract_takes_nobody_away(bench: Bench) -> None:
    await a_match(bench)
    first, _second = await bench.publish(OTHER, a_register_line(personal_number="042149990003"))
    await bench.arrive([first])
    assert await outcomes(bench) == []


async def test_who_died_or_left_is_named_no_more_and_stays_so(bench: Bench) -> None:
    await a_match(bench)
    await bench.load(a_register_line(status="dead", status_date="2024-01-20"), OTHER)
    assert await outcomes(bench) == [Outcome.DEAD]
    bench.clock.move(timedelta(hours=1))
    await bench.load(OTHER)
    assert await outcomes(bench) == []


async def test_number_that_was_replaced_counts_by_where_it_leads(bench: Bench) -> None:
    await bench.load(a_register_line(replaced_by_number="042149990009"), OTHER)
    bench.clock.move(timedelta(hours=1))
    await bench.load(a_register_line(personal_number="042149990009"), OTHER)
    await bench.see(bench.snapshot(an_identity()))
    assert await outcomes(bench) == [Outcome.NUMBER_CHANGED]


async def test_decision_of_a_person_does_not_name_her_either(bench: Bench) -> None:
    who = await a_match(bench, full_name="Nguyễn Thị Hoá")
    assert [who for who, _ in await questions(bench)] == [who]
    await bench.load(OTHER)
    assert await outcomes(bench) == []  # a mismatch pays nobody
    assert await questions(bench) == [(who, None)]


# --- whom nobody can ask about --------------------------------------------------------------------------------------------------


async def test_person_without_a_birth_date_is_asked_of_people(make_bench: MakeBench) -> None:
    bench = await make_bench(Asked)
    asked, not_asked = bench.snapshot(an_identity()), bench.snapshot(an_identity(birth_date=None))
    await bench.see(asked, not_asked)
    assert await outcomes(bench) == [Outcome.UNAVAILABLE] * 2
    assert await questions(bench) == [(not_asked.beneficiary_id, "BIRTH_DATE_MISSING")]
    await bench.see(bench.snapshot(an_identity(), who=not_asked.beneficiary_id))  # the list was corrected
    assert await questions(bench) == []


async def test_replica_says_mismatch_of_a_person_without_a_birth_date(make_bench: MakeBench) -> None:
    bench = await make_bench(Replica)
    await bench.load(a_register_line())
    await bench.see(bench.snapshot(an_identity(birth_date=None)))
    assert await outcomes(bench) == [Outcome.MISMATCH]


# --- how old what is known is ---------------------------------------------------------------------------------------------------


async def test_results_that_are_to_be_renewed_are_counted(bench: Bench) -> None:
    await a_match(bench)
    renew = bench.clock.now() + timedelta(days=40)
    async with bench.database.reading() as tx:
        one = await store_ages.result_ages(tx, "huyen-444", renew_before=bench.clock.now(), holders_before=renew)
        other = await store_ages.result_ages(tx, "huyen-445", renew_before=bench.clock.now(), holders_before=renew)
        before = await store_ages.result_ages(tx, None, renew_before=bench.clock.now() - timedelta(days=1), holders_before=renew)
    assert (one["people"], one["register_due"], one["banks_due"]) == (1, 1, 0)
    assert (other["people"], other["register_due"], other["oldest"]) == (0, 0, None)
    assert before["register_due"] == 0
