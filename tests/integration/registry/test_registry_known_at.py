"""What was known of one person at a moment about a day: a death told late was not known before, and a merge joins two histories."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.registry import store_merging
from shared.events import Ended
from shared.words import EndReason
from tests.integration.registry.registry_bench import SOURCE, Bench, a_line
from tests.integration.registry.test_registry_candidates import SLIP
from tests.integration.registry.test_registry_merging import merge, unmerge, who

ON = date(2024, 2, 10)


async def known(bench: Bench, whom: UUID, at: datetime, on: date = ON) -> dict[str, Any] | None:
    async with bench.database.reading() as tx:
        return await store_merging.known_at(tx, whom, at, on)


async def test_a_death_told_late_was_not_known_before(bench: Bench) -> None:
    before = bench.clock.now() - timedelta(seconds=1)
    await bench.see(bench.enrolled("r1"))
    whom, enrolled = await who(bench, "r1"), bench.clock.now()
    assert await known(bench, whom, before) is None
    bench.clock.move(timedelta(days=40))
    await bench.see(Ended(source=SOURCE, record="r1", source_sequence=2, reason=EndReason.DEATH, on=date(2024, 1, 5)))
    then, now = await known(bench, whom, enrolled), await known(bench, whom, bench.clock.now())
    assert then
    assert now
    assert (then["life"], [line["declared_vnd"] for line in then["lines"]]) == ("alive", [360_000])
    assert (now["life"], now["died_on"], now["lines"]) == ("dead", date(2024, 1, 5), [])
    early = await known(bench, whom, bench.clock.now(), date(2024, 1, 4))
    assert early
    assert early["life"] == "alive"


async def test_frozen_lines_are_known_from_the_closing_on(bench: Bench) -> None:
    await bench.see(bench.enrolled("r1"))
    whom, enrolled = await who(bench, "r1"), bench.clock.now()
    bench.clock.move(timedelta(hours=1))
    await bench.close()
    then, now = await known(bench, whom, enrolled), await known(bench, whom, bench.clock.now())
    assert then
    assert now
    assert (then["frozen"], [line["declared_vnd"] for line in now["frozen"]]) == ([], [360_000])


async def test_a_merge_joins_two_histories_until_it_is_taken_back(bench: Bench) -> None:
    await bench.see(bench.enrolled("r1"), bench.enrolled("r2", identity=SLIP, line=a_line(benefit_code="HT-1")))
    stays, goes, apart = await who(bench, "r1"), await who(bench, "r2"), bench.clock.now()
    bench.clock.move(timedelta(hours=1))
    await merge(bench, goes, stays)
    joined = bench.clock.now()
    bench.clock.move(timedelta(hours=1))
    await unmerge(bench, goes, stays)
    answers = [await known(bench, stays, at) for at in (apart, joined, bench.clock.now())]
    assert [len(answer["lines"]) for answer in answers if answer] == [1, 2, 1]
    away = await known(bench, goes, joined)
    assert away
    assert away["merged_into"] == stays
    assert all("042149" not in str(answer) for answer in answers)
