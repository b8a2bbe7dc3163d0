"""A few trials with every run of the tests: one world, and what has hurt most. `make faults` tries the whole table."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from tests.faults.scenarios import table
from tests.faults.trial import Runner, keep
from tests.faults.world import World

# A copy dies with work in its hands; money leaves and the process with it; a commit nobody heard of; statements out of order.
TRIALS = (("kill-registry", 1), ("crash-payout.release.after_commit", 1), ("commit-answer-payout", 2), ("events-reordered", 3))

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    """One world for all of them."""
    world = World(f"test-{os.getpid()}")
    await world.start()
    yield world
    await world.end()


@pytest.mark.parametrize(("name", "seed"), TRIALS)
async def test_nothing_is_lost_doubled_or_paid_wrongly(world: World, name: str, seed: int) -> None:
    result = await Runner(world, name, seed).run([table()[name]])
    if result.problems:
        await keep(world, result)
    assert result.problems == []
    assert result.hits[name] > 0
