"""Registry's state told again: as it was published, and after a restore under the new epoch (decision 0010)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.registry import store_republish
from services.registry.store import queries
from shared import topics
from shared.events import BeneficiarySnapshot, Ended, Message
from shared.words import EndReason
from tests.integration.registry.registry_bench import SOURCE, Bench, an_identity


async def retold(bench: Bench, topic: str, after: str = "", most: int = 10) -> Sequence[tuple[str, Message]]:
    """One page of a topic as it is told again."""
    async with bench.database.transaction("test") as tx:
        page = await store_republish.pages(bench.registrar.sealer, bench.clock)[topic](tx, after, most)
    return [(place, event.message) for place, event in page]


async def restored(bench: Bench) -> None:
    """The database is found to be older than its topics."""
    async with bench.database.transaction("test") as tx:
        await tx.execute("UPDATE timeline SET epoch = 2")


async def test_snapshots_lines_and_closings_are_told_again_as_they_were(bench: Bench) -> None:
    await bench.see(
        bench.enrolled("r1"), bench.enrolled("r2", identity=an_identity(personal_number="042149990002", full_name="Lê Nam"))
    )
    await bench.close()
    told = await bench.told()
    for topic in store_republish.pages(bench.registrar.sealer, bench.clock):
        was = sorted(message.model_dump_json() for message in told if topic == message.TOPIC)
        found = await retold(bench, topic)
        assert sorted(message.model_dump_json() for _, message in found) == was != []
        first, rest = found[:1], found[1:]
        assert await retold(bench, topic, most=1) == first
        assert await retold(bench, topic, after=first[0][0]) == rest


async def test_who_moved_or_died_is_told_again_with_the_day_and_no_field_of_a_snapshot_is_forgotten(bench: Bench) -> None:
    other = an_identity(personal_number="042149990002", full_name="Lê Nam")
    await bench.see(bench.enrolled("r1"), bench.enrolled("r2", identity=other))
    for record, reason in (("r1", EndReason.MOVED_OUT), ("r2", EndReason.DEATH)):
        await bench.see(Ended(source=SOURCE, record=record, source_sequence=2, reason=reason, on=date(2024, 1, 15)))
    newest = {snapshot.beneficiary_id: snapshot for snapshot in await bench.snapshots()}
    found = {message.beneficiary_id: message for _place, message in await retold(bench, topics.REGISTRY_BENEFICIARY)}
    assert found == newest
    assert sorted(map(str, {s.moved_out_on for s in found.values()} | {s.died_on for s in found.values()})) == [
        "2024-01-15",
        "None",
    ]
    async with bench.database.reading() as tx:
        rows = [row async for row in queries.snapshots_after(tx, after=UUID(int=0), most=1)]
    assert set(BeneficiarySnapshot.model_fields) - {"version"} <= set(rows[0].keys())


async def test_after_a_restore_snapshots_are_above_all_that_was_told_before(bench: Bench) -> None:
    await bench.see(bench.enrolled("r1"))
    (before,) = await bench.snapshots()
    await restored(bench)
    ((_, again),) = await retold(bench, topics.REGISTRY_BENEFICIARY)
    assert again == before.model_copy(update={"version": before.version.model_copy(update={"epoch": 2})})
    await bench.see(bench.enrolled("r1", 2, area="18502"))
    assert [(s.version.epoch, s.version.n) for s in await bench.snapshots()] == [(2, before.version.n + 1)]
