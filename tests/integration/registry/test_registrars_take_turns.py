"""One person through two doors at the same moment: the second registrar waits until the first has committed, then knows the person."""

import asyncio

import pytest

from tests.integration.registry.registry_bench import a_line, an_identity

SOMEBODY = {"full_name": "Lê Văn Tám", "birth_date": "1980-01-01", "sex": "male", "personal_number": "042080990002"}
NO_NUMBER = {"personal_number": None, "old_number": None}


@pytest.mark.parametrize("identity", [an_identity(), an_identity(**NO_NUMBER)], ids=["by number", "by name and birth date"])
async def test_second_registrar_waits_and_finds_the_person(bench, identity):
    await bench.see(
        bench.enrolled("r0", identity=an_identity(**SOMEBODY))
    )  # a list that nobody has opened makes them wait already
    first = bench.enrolled("r1", identity=identity)
    second = bench.enrolled("r2", identity=identity, line=a_line(benefit_code="BT-6d"))
    async with bench.database.transaction("test") as tx:
        await bench.handlers.on_ministry(tx, [bench.received(first)])
        other = asyncio.create_task(bench.see(second))
        await asyncio.sleep(0.5)
        assert not other.done()
    await other
    assert len(await bench.rows("SELECT FROM person")) == 2
    assert len(await bench.rows("SELECT FROM list_row")) == 3
