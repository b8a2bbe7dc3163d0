"""Results told again: under the numbers they have, and after a restore under numbers of the new epoch (decision 0010)."""

from services.verification import store_republish
from shared import topics
from shared.events import VerificationResult
from tests.integration.verification.verification_bench import Bench, a_register_line, an_account, an_identity

FIRST_OF_SECOND_EPOCH = 1_000_001


async def retold(bench: Bench, after: str = "", most: int = 10) -> list[VerificationResult]:
    """One page as it is told again."""
    async with bench.database.transaction("test") as tx:
        page = await store_republish.PAGES[topics.VERIFICATION_RESULT](tx, after, most)
    assert [place for place, _ in page] == [event.key for _, event in page] == sorted(place for place, _ in page)
    return [event.message for _, event in page if isinstance(event.message, VerificationResult)]


async def restored(bench: Bench) -> None:
    """The database is found to be older than its topics."""
    async with bench.database.transaction("test") as tx:
        await tx.execute("UPDATE timeline SET epoch = 2")


async def test_results_are_told_again_as_they_were(bench: Bench) -> None:
    await bench.load(a_register_line())
    for number in range(3):
        await bench.see(bench.snapshot(an_identity(personal_number=f"04214999000{number}"), an_account()))
    told = sorted(await bench.told(), key=lambda result: str(result.beneficiary_id))
    newest = {result.beneficiary_id: result for result in told}
    first = await retold(bench, most=2)
    rest = await retold(bench, after=str(first[-1].beneficiary_id), most=2)
    assert [*first, *rest] == list(newest.values())
    assert await retold(bench) == list(newest.values())


async def test_after_a_restore_they_get_numbers_above_all_that_was_told_before(bench: Bench) -> None:
    await bench.load(a_register_line())
    snapshot = bench.snapshot(an_identity())
    await bench.see(snapshot)
    (before,) = await bench.told()
    await restored(bench)
    (again,) = await retold(bench)
    assert again == before.model_copy(update={"result_seq": FIRST_OF_SECOND_EPOCH})
    assert await retold(bench) == [again]
    await bench.see(bench.snapshot(an_identity(), an_account(), who=snapshot.beneficiary_id))
    assert [result.result_seq for result in await bench.told()] == [FIRST_OF_SECOND_EPOCH + 1]


async def test_what_is_decided_after_a_restore_is_above_it_too(bench: Bench) -> None:
    await bench.load(a_register_line())
    snapshot = bench.snapshot(an_identity())
    await bench.see(snapshot)
    await bench.told()
    await restored(bench)
    await bench.see(bench.snapshot(an_identity(), an_account(), who=snapshot.beneficiary_id))
    assert [result.result_seq for result in await bench.told()] == [FIRST_OF_SECOND_EPOCH]
