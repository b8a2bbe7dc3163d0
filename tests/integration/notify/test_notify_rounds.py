"""A round of many people is drawn in parts: whole in the end, once per phone, told once, and nothing leaves before that."""

from collections import Counter

from services.notify import campaigns, store
from services.notify.campaigns import PART
from services.notify.store import Round
from shared.words import MessageStatus
from tests.integration.notify.notify_bench import Bench, MemoryGateway

PEOPLE = PART + 40


async def many(bench: Bench) -> None:
    """More people than one part; each phone is shared by two who are far apart."""
    await bench.see(*(bench.snapshot(f"+84912{number % (PEOPLE // 2):06d}") for number in range(PEOPLE)))


async def half_drawn(bench: Bench) -> None:
    """A round whose process died after the first part."""
    begun = Round("tet-2024", 1, None, "an-officer", bench.clock.now())
    async with bench.database.transaction("test") as tx:
        assert await store.begin_round(tx, begun)
    async with bench.database.transaction("test") as tx:
        progress = await store.lock_round(tx, begun.campaign, begun.number)
        assert progress
        assert await campaigns._draw(tx, progress, parts_max=1)


async def test_people_who_share_a_phone_in_different_parts_get_one_text(bench: Bench) -> None:
    await many(bench)
    await bench.draw()
    (shown,) = await bench.rounds()
    assert (shown["people"], shown["texts"], shown["states"]) == (PEOPLE, PEOPLE // 2, {"created": PEOPLE // 2})
    told = await bench.told()
    assert Counter(len(state.beneficiary_ids) for state in told) == {2: PEOPLE // 2}


async def test_a_round_cut_off_is_finished_and_told_once(bench: Bench) -> None:
    await many(bench)
    await half_drawn(bench)
    assert await bench.told() == []
    await campaigns.go_on(bench.database, "tet-2024", 1, parts_max=1)
    assert await bench.draw() is False
    (shown,) = await bench.rounds()
    assert (shown["people"], shown["texts"], shown["left_out"]) == (PEOPLE, PEOPLE // 2, {})
    assert {state.status for state in await bench.told()} == {MessageStatus.CREATED}


async def test_nothing_is_sent_before_the_round_is_whole(bench: Bench) -> None:
    assert isinstance(bench.gateway, MemoryGateway)
    await many(bench)
    await half_drawn(bench)
    assert await bench.sender.step() == 0
    assert bench.gateway.handed_over == []
    await bench.draw()
    assert await bench.sender.step() > 0
