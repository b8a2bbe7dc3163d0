"""Connections come back to the pool whatever becomes of them, and closing ends."""

import asyncio

import asyncpg
import pytest

from shared.database import Database
from shared.errors import is_trouble


async def test_a_session_that_died_while_it_listened_is_given_back(migrated):
    """Its listener cannot be taken off any more; the pool has one connection, so one that is lost would be missed."""
    dsn = await migrated("notify")
    database, other = await Database.open(dsn, size=1), await Database.open(dsn, size=1)
    try:
        for _time in range(2):
            async with database.session() as session:
                await session.add_listener("outbox", lambda *_: None)
                pid = await session.fetchval("SELECT pg_backend_pid()")
                async with other.session() as killer:
                    await killer.execute("SELECT pg_terminate_backend($1)", pid)
                with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)) as died:
                    await _until_it_fails(session)
                assert is_trouble(died.value)
    finally:
        await database.close()
        await other.close()


async def _until_it_fails(session):
    async with asyncio.timeout(20):
        while True:
            await session.fetchval("SELECT 1")


async def test_closing_cuts_what_is_in_use(migrated):
    database = await Database.open(await migrated("notify"), size=1)
    async with database.session() as session, asyncio.timeout(20):
        await database.close()
        with pytest.raises(asyncpg.InterfaceError):
            await session.fetchval("SELECT 1")
