"""A few trials with every run of the tests: one world, and what has hurt most. `make faults` tries the whole table."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from tests.faults.scenarios import table
from tests.faults.trial import Runner, keep
from tests.faults.world import World

# A copy dies with work in its hands; money leaves and the process with it; statements out of order and commits nobody heard of.
TRIALS = (("kill-registry",), ("crash-payout.release.after_commit",), ("events-reordered", "commit-answer-payout"))


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    """One world for all of them."""
    world = World(f"test-{os.getpid()}")
    await world.start()
    yield world
    await world.end()


@pytest.mark.parametrize("names", TRIALS, ids="+".join)
async def test_nothing_is_lost_doubled_or_paid_wrongly(world: World, names: tuple[str, ...]) -> None:
    result = await Runner(world, names[0], 1).run([table()[name] for name in names])
    if result.problems:
        await keep(world, result)
    assert result.problems == []
    assert all(result.hits[name] for name in names)
