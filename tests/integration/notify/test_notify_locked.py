"""A restored database sends no text until two people have signed; states of texts told again (decision 0010)."""

from services.notify import store_republish
from shared import topics
from tests.integration.notify.notify_bench import Bench, MemoryGateway


async def test_no_text_leaves_while_publishing_is_locked(bench: Bench) -> None:
    await bench.see(bench.snapshot())
    await bench.draw()
    async with bench.database.transaction("test") as tx:
        await tx.execute("UPDATE timeline SET locked_at = '2024-02-01Z', locked_reason = 'DATABASE_RESTORED'")
    await bench.send_all()
    assert isinstance(bench.gateway, MemoryGateway)
    assert bench.gateway.handed_over == []


async def test_states_of_texts_are_told_again_as_they_were(bench: Bench) -> None:
    await bench.see(bench.snapshot(), bench.snapshot("+84912000002"))
    await bench.draw()
    await bench.send_all()
    newest = {state.message_id: state for state in await bench.told()}
    async with bench.database.transaction("test") as tx:
        page = await store_republish.PAGES[topics.NOTIFY_MESSAGE](tx, "", 10)
        rest = await store_republish.PAGES[topics.NOTIFY_MESSAGE](tx, page[0][0], 10)
    assert {event.message.message_id: event.message for _, event in page} == newest  # type: ignore[attr-defined]
    assert [place for place, _ in rest] == [page[1][0]]
