"""Registry erased somebody: their number is gone, no text of theirs goes out any more, and who shares the phone is still reached."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from shared.events import BeneficiarySnapshot, Version
from shared.words import MessageStatus
from tests.integration.notify.notify_bench import Bench, MemoryGateway


def erased(bench: Bench, was: BeneficiarySnapshot) -> BeneficiarySnapshot:
    return bench.snapshot(None, who=was.beneficiary_id).model_copy(update={"erased_at": bench.clock.now()})


async def rows(bench: Bench, sql: str, *values: Any) -> list[asyncpg.Record]:
    async with bench.database.session() as session:
        return list(await session.fetch(sql, *values))


async def phone_of(bench: Bench, who: BeneficiarySnapshot) -> bytes:
    (row,) = await rows(bench, "SELECT phone_ix FROM person WHERE beneficiary_id = $1", who.beneficiary_id)
    return bytes(row["phone_ix"])


async def test_a_text_that_was_not_sent_is_not_and_no_number_stays(bench: Bench) -> None:
    one = bench.snapshot()
    await bench.see(one)
    await bench.draw()
    await bench.told()
    phone = await phone_of(bench, one)
    await bench.see(erased(bench, one))
    (text,) = await rows(bench, "SELECT contact, phone_ix, status FROM message")
    assert (text["contact"], text["status"]) == (None, "skipped")
    assert [told.status for told in await bench.told()] == [MessageStatus.SKIPPED]
    held = [
        value for table in ("person", "message") for row in await rows(bench, f"SELECT * FROM {table}") for value in row.values()
    ]
    assert phone not in [bytes(value) for value in held if isinstance(value, bytes)]
    await bench.send_all()
    assert isinstance(bench.gateway, MemoryGateway)
    assert bench.gateway.handed_over == []
    assert await bench.draw(2)
    assert [shown["texts"] for shown in await bench.rounds()] == [1, 0]


async def test_a_text_without_an_answer_is_asked_about_no_more(bench: Bench) -> None:
    one = bench.snapshot()
    await bench.see(one)
    await bench.draw()
    assert isinstance(bench.gateway, MemoryGateway)
    bench.gateway.mute = True
    await bench.send_all()
    await bench.see(erased(bench, one))
    bench.clock.move(timedelta(hours=1))
    await bench.send_all()
    assert len(bench.gateway.handed_over) == 1
    assert [row["status"] for row in await rows(bench, "SELECT status FROM message")] == ["failed"]


async def test_who_shares_the_phone_is_reached_all_the_same(bench: Bench) -> None:
    one, other = sorted((bench.snapshot(), bench.snapshot()), key=lambda snapshot: snapshot.beneficiary_id)
    await bench.see(one, other)
    await bench.draw()
    (before,) = await rows(bench, "SELECT owner FROM message")
    assert before["owner"] == one.beneficiary_id
    await bench.see(erased(bench, one))
    (text,) = await rows(bench, "SELECT owner, contact, status FROM message")
    assert tuple(text) == (other.beneficiary_id, other.contact, "created")
    await bench.send_all()
    assert isinstance(bench.gateway, MemoryGateway)
    assert len(bench.gateway.taken) == 1


async def test_no_snapshot_old_or_new_brings_anybody_back(bench: Bench) -> None:
    one = bench.snapshot()
    await bench.see(one)
    gone = erased(bench, one)
    later = bench.snapshot(who=one.beneficiary_id)
    await bench.see(gone)
    await bench.see(one)
    await bench.see(later)
    await bench.see(gone, later.model_copy(update={"version": Version(epoch=2, n=1)}))
    await bench.found_dead(one.beneficiary_id)
    (row,) = await rows(bench, "SELECT n, contact, phone_ix, has_account FROM person")
    assert tuple(row) == (gone.version.n, None, None, False)
    assert await rows(bench, "SELECT FROM verdict") == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE person SET erased_at = NULL",
        "UPDATE person SET contact = 'v1', phone_ix = '\\x01'",
        "UPDATE message SET status = 'created', contact = NULL",
        "UPDATE message SET status = 'accepted'",
    ],
)
async def test_database_keeps_who_is_erased(statement: str, bench: Bench) -> None:
    one = bench.snapshot()
    await bench.see(one)
    await bench.draw()
    await bench.see(erased(bench, one))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        async with bench.database.transaction("test") as tx:
            await tx.execute(statement)
