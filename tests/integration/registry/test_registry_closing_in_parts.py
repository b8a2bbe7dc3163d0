"""A list closes in short transactions: an interrupted closing goes on, and nothing slips in between."""

import asyncio
from contextlib import suppress

from services.registry.lists import ListCloser
from shared import logs
from shared.events import EntitlementLine, ListClosing
from shared.ids import add_to_digest, digest_hex
from shared.personal import PersonalData
from tests.integration.registry.registry_bench import PAYER, PERIOD, Bench, an_identity

PEOPLE = 40


async def a_list_half_closed(bench: Bench) -> ListCloser:
    """Everybody enrolled; the closing is cut off after some lines."""
    await bench.see(
        *(
            bench.enrolled(f"r{n:02}", personal=PersonalData(identity=an_identity(personal_number=f"0421499{n:05}")))
            for n in range(PEOPLE)
        )
    )
    closer = ListCloser(bench.database, bench.clock, logs.configure("registry"), sealer=bench.registrar.sealer, part_lines=1)
    closing = asyncio.create_task(closer.close(PERIOD, PAYER, actor="officer"))
    while await frozen(bench) < 3:
        await asyncio.sleep(0.001)
    closing.cancel()
    with suppress(asyncio.CancelledError):
        await closing
    assert 3 <= await frozen(bench) < PEOPLE
    return closer


async def frozen(bench: Bench) -> int:
    return int((await bench.rows("SELECT count(*) FROM entitlement_line"))[0]["count"])


async def test_whoever_asks_again_gets_the_whole_list_once(bench: Bench) -> None:
    await a_list_half_closed(bench)
    closing = await bench.close()
    assert isinstance(closing, ListClosing)
    told = await bench.told()
    lines = [message for message in told if isinstance(message, EntitlementLine)]
    assert closing.count == len(lines) == len({line.entitlement_id for line in lines}) == PEOPLE
    digest = 0
    for line in lines:
        digest = add_to_digest(digest, line.canonical())
    assert closing.digest == digest_hex(digest)
    assert [message for message in told if isinstance(message, ListClosing)] == [closing]
    assert await bench.close() == closing


async def test_the_service_itself_finishes_what_was_begun(bench: Bench) -> None:
    closer = await a_list_half_closed(bench)
    stop = asyncio.Event()
    finishing = asyncio.create_task(closer.finish(stop))
    while (await bench.rows("SELECT state FROM payroll_list"))[0]["state"] != "closed":
        await asyncio.sleep(0.01)
    stop.set()
    await finishing
    assert await frozen(bench) == PEOPLE
    assert [message for message in await bench.told() if isinstance(message, ListClosing)]


async def test_nothing_gets_into_a_list_that_is_closing(bench: Bench) -> None:
    await a_list_half_closed(bench)
    await bench.see(bench.enrolled("late", personal=PersonalData(identity=an_identity(personal_number="042149999999"))))
    assert (await bench.fates())[-1] == ("refused", "LIST_CLOSED")
    closing = await bench.close()
    assert isinstance(closing, ListClosing)
    assert closing.count == PEOPLE
