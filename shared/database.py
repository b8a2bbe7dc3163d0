"""PostgreSQL: the pool, transactions, and named queries from `queries.sql` files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aiosql
import asyncpg

from shared.crashing import point

Tx: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
"""A connection inside an open transaction. Who holds one never commits; who opened it does."""

COMMAND_SECONDS = 30.0
CLOSE_SECONDS = 1.0


def load_queries(file: str, name: str = "queries.sql") -> Any:
    """The named queries of `queries.sql` beside a Python file (pass `__file__`), or of another `queries_<what>.sql` there.

    Use: `row = await queries.one(tx, a=1)` for `^`, `async for` over plain ones, `await` for `!`.
    """
    return aiosql.from_path(Path(file).with_name(name), "asyncpg", mandatory_parameters=False)


class Database:
    """One service's database."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        """Wrap an open pool."""
        self._pool = pool

    @classmethod
    async def open(cls, dsn: str, *, size: int = 10) -> Database:
        """Connect. A dead server is noticed by the command time-out; JSON columns read as text, on purpose: models parse them."""
        pool = await asyncpg.create_pool(
            dsn, min_size=1, max_size=size, command_timeout=COMMAND_SECONDS, server_settings={"application_name": "ansinh"}
        )
        assert pool is not None
        return cls(pool)

    async def close(self) -> None:
        """Wait a second for connections that are in use, then cut them: a pool waits for ever for one that nobody gives back."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._pool.close()

    @asynccontextmanager
    async def transaction(self, name: str) -> AsyncIterator[Tx]:
        """One transaction: committed when the block ends, rolled back when it raises.

        `name`: a literal, one per call site; its crash points are `<name>.before_commit` and `<name>.after_commit`.
        """
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                yield connection  # type: ignore[misc]
                point(f"{name}.before_commit")
            point(f"{name}.after_commit")

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[Tx]:
        """One transaction that is rolled back when the block ends: to see what would become of something. It has no crash points."""
        async with self._pool.acquire() as connection:
            trial = connection.transaction()
            await trial.start()
            try:
                yield connection  # type: ignore[misc]
            finally:
                await trial.rollback()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        """One read-only snapshot."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection  # type: ignore[misc]

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Tx]:
        """A bare connection, for locks and notifications that outlive a transaction.

        One that died meanwhile is cut, which also forgets its listeners: they cannot be taken off any more.
        """
        async with self._pool.acquire() as connection:
            try:
                yield connection  # type: ignore[misc]
            finally:
                with contextlib.suppress(asyncpg.InterfaceError):  # it went back by itself
                    if connection.is_closed():
                        connection.terminate()
