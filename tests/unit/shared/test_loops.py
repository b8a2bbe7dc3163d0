"""A loop rests, waits trouble out, lets any other error up."""

import asyncio

import pytest
import structlog

from shared.errors import Trouble
from shared.loops import repeat


async def test_work_is_done_again_until_told_to_stop() -> None:
    stop, done = asyncio.Event(), []

    async def work() -> None:
        done.append(1)
        if len(done) == 3:
            stop.set()

    await repeat(work, stop, seconds=0, log=structlog.get_logger())
    assert len(done) == 3


async def test_a_bug_goes_up_and_trouble_does_not() -> None:
    stop = asyncio.Event()

    async def trouble() -> None:
        stop.set()
        raise Trouble("away")

    async def bug() -> None:
        raise ZeroDivisionError

    await repeat(trouble, stop, seconds=0, log=structlog.get_logger())
    stop.clear()
    with pytest.raises(ZeroDivisionError):
        await repeat(bug, stop, seconds=0, log=structlog.get_logger())
