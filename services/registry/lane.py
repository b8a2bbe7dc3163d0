"""What is written in one transaction, one statement after another, while whoever makes it makes what is written next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self


class Lane:
    """Everything that was put in is written when the block ends; a block that raises leaves nothing running behind."""

    def __init__(self) -> None:
        """Nothing is being written."""
        self._writing: asyncio.Future[None] | None = None

    async def put(self, write: Callable[[], Awaitable[None]]) -> None:
        """Begin to write as soon as what was put in before is written. Raises what that raised."""
        await self._written()
        self._writing = asyncio.ensure_future(write())

    async def _written(self) -> None:
        if self._writing:
            await self._writing

    async def __aenter__(self) -> Self:
        """Nothing is opened."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Wait for what is still being written; after an error it is of no use any more."""
        if error is None:
            await self._written()
        elif self._writing:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
