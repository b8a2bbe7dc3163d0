"""Work that a process does again and again beside its consumers, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from shared.errors import Trouble, code_of, is_trouble

TROUBLE_SECONDS = 5.0


async def repeat(
    work: Callable[[], Awaitable[object]], stop: asyncio.Event, *, seconds: float, log: structlog.stdlib.BoundLogger
) -> None:
    """Do the work, rest so many seconds, do it again. Trouble is waited out; any other error goes up and ends the process."""
    while not stop.is_set():
        rest = seconds
        try:
            await work()
        except (Trouble, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not is_trouble(error):
                raise
            log.warning("loop_waits", code=code_of(error))
            rest = TROUBLE_SECONDS
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), rest)
