"""Files reach the disk after the commit that sent their content: hash first, then the file in one step, private to this user."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from asyncpg import Record

from services.payout import store_sending
from services.payout.sending import part_owner
from shared.clock import Clock
from shared.crashing import point
from shared.database import Database, Tx
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

    async def write_missing(self) -> int:
        """Write everything that is missing; returns how many files."""
        written = 0
        async with self._one_at_a_time:
            while True:
                async with self._database.reading() as tx:
                    rows = await store_sending.unwritten_files(tx)
                    for row in rows:
                        await self._write(tx, row)
                if not rows:
                    return written
                async with self._database.transaction("payout.files_written") as tx:
                    await store_sending.mark_written(tx, [row["path"] for row in rows], self._clock.now())
                written += len(rows)

    async def _write(self, tx: Tx, row: Record) -> None:
        """Write a file in one step: a reader sees all of it or none. Only this user may read it."""
        path = self._folder / row["path"]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".part")
        point("payout_file.before_write")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: ASYNC230
            sha256 = await self._fill(tx, row, file)
            await asyncio.to_thread(os.fsync, file.fileno())
        point("payout_file.after_write")
        assert sha256 == row["sha256"], "a file is written as it was sealed or not at all"
        point("payout_file.before_rename")
        unfinished.replace(path)
        point("payout_file.after_rename")

    async def _fill(self, tx: Tx, row: Record, file: BinaryIO) -> str:
        """The content part by part; returns the hash of it all."""
        sha256, part = hashlib.sha256(), 0
        while sealed := await store_sending.file_part(tx, row["path"], part):
            content = self._vault.open(sealed, part_owner(row["owner"], part))
            sha256.update(content)
            file.write(content)
            part += 1
        file.flush()
        return sha256.hexdigest()
