"""Files reach the disk after the commit that sent their content: hash first, then the file in one step, private to this user."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from pathlib import Path

import asyncpg

from services.payout import store_answers
from shared.clock import Clock
from shared.crashing import point
from shared.database import Database
from shared.errors import is_trouble
from shared.vault import Vault

LOOK_SECONDS = 2.0


class FileWriter:
    """Writes what the table `file` names and the disk lacks. After a crash the next process goes on where this one stopped."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, *, folder: Path) -> None:
        """The vault must hold payee: file content is kept sealed until it is written."""
        self._database = database
        self._vault = vault
        self._clock = clock
        self._folder = folder
        self._one_at_a_time = asyncio.Lock()

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until told to stop; a database that is away is waited for."""
        while not stop.is_set():
            try:
                await self.write_missing()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not is_trouble(error):
                    raise
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def write_missing(self) -> int:
        """Write everything that is missing; returns how many files."""
        written = 0
        async with self._one_at_a_time:
            while True:
                async with self._database.reading() as tx:
                    rows = await store_answers.unwritten_files(tx)
                if not rows:
                    return written
                for row in rows:
                    content = self._vault.open(row["sealed"], str(row["owner"]))
                    assert hashlib.sha256(content).hexdigest() == row["sha256"], (
                        "a file is written as it was sealed or not at all"
                    )
                    await asyncio.to_thread(write_private, self._folder / row["path"], content)
                async with self._database.transaction("payout.files_written") as tx:
                    await store_answers.mark_written(tx, [row["path"] for row in rows], self._clock.now())
                written += len(rows)


def write_private(path: Path, content: bytes) -> None:
    """Write a file in one step: a reader sees all of it or none. Only this user may read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    point("payout_file.before_write")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    point("payout_file.after_write")
    point("payout_file.before_rename")
    part.replace(path)
    point("payout_file.after_rename")
