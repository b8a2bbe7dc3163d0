"""One person through two doors at the same moment: the second registrar waits until the first has committed, then knows the person."""

import asyncio

import pytest

from tests.integration.registry.registry_bench import a_line, an_identity

NO_NUMBER = {"personal_number": None, "old_number": None}


@pytest.mark.parametrize("identity", [an_identity(), an_identity(**NO_NUMBER)], ids=["by number", "by name and birth date"])
async def test_second_registrar_waits_and_finds_the_person(bench, identity):
    first = bench.enrolled("r1", identity=identity)
    second = bench.enrolled("r2", identity=identity, line=a_line(benefit_code="BT-6d"))
    async with bench.database.transaction("test") as tx:
        await bench.handlers.on_ministry(tx, [bench.received(first)])
        other = asyncio.create_task(bench.see(second))
        await asyncio.sleep(0.5)
        assert not other.done()
    await other
    assert len(await bench.rows("SELECT FROM person")) == 1
    assert len(await bench.rows("SELECT FROM list_row")) == 2
