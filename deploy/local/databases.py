"""One database per service: migrated by dbmate from plain SQL, cloned for tests."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiosql
import asyncpg

from deploy.local.unavailable import StackUnavailable

ROOT = Path(__file__).parents[2]
QUERIES = aiosql.from_path(Path(__file__).parent / "queries.sql", "asyncpg")


class MigrationFailed(Exception):
    """A migration could not be applied; the text is dbmate's, without the password."""


def migrate(dsn: str, service: str, *, root: Path = ROOT) -> None:
    """Create the database of `dsn` if missing; apply what is new of shared/, then of the service.

    Each folder keeps its own table of applied versions, so that both may number from 0001; a service without
    migrations of its own gets the shared ones.
    Raises MigrationFailed; what was applied before the failing file stays.
    """
    folders = {
        "shared_migrations": root / "shared" / "migrations",
        "schema_migrations": root / "services" / service / "migrations",
    }
    for table, folder in folders.items():
        if any(folder.glob("*.sql")):
            _dbmate(dsn, "--migrations-dir", str(folder), "--migrations-table", table, "up")


async def clone(admin_dsn: str, *, template: str, database: str) -> None:
    """Create `database` as a copy of `template`, in which nobody may have a session."""
    session = await asyncpg.connect(admin_dsn)
    try:
        await session.execute(await QUERIES.clone_statement(session, template=template, database=database))
    finally:
        await session.close()


async def drop(admin_dsn: str, database: str) -> None:
    """Delete `database`, ending the sessions in it; no error when there is none."""
    session = await asyncpg.connect(admin_dsn)
    try:
        await session.execute(await QUERIES.drop_statement(session, database=database))
    finally:
        await session.close()


def _dbmate(dsn: str, *arguments: str) -> None:
    """Run dbmate; the address goes through the environment, where other users cannot read the password."""
    program = Path(sys.executable).parent / "dbmate"
    if not program.exists():
        raise StackUnavailable("dbmate is not installed beside this Python. Run `make setup`.")
    ran = subprocess.run(  # noqa: S603
        [program, "--no-dump-schema", "--wait", *arguments],
        env={**os.environ, "DATABASE_URL": dsn},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        said = f"{ran.stdout}\n{ran.stderr}".strip().replace(urlsplit(dsn).password or "\0", "***")
        raise MigrationFailed(f"dbmate failed in {arguments[1]}: {said}")
