"""Registry erased people: payout keeps what was paid under their random id, and nothing that says who they were.

Files that name them lose their content whole once their list has settled: a part cannot be cut out of what was signed and delivered. What
providers were given is theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from shared.clock import Clock
from shared.crashing import point
from shared.database import Database, Tx, load_queries
from shared.erasing import erase_common
from shared.events import BeneficiarySnapshot
from shared.topics import Service
from shared.vault import Vault

queries = load_queries(__file__, "queries_erasing.sql")
LOOK_SECONDS = 2.0
AT_ONCE = 1_000


async def erase(tx: Tx, vault: Vault, told: Mapping[UUID, BeneficiarySnapshot]) -> None:
    """Take out all that is held of these people, for good; a second time nothing changes."""
    ids = sorted(told)
    snapshots = [told[who] for who in ids]
    await queries.erase_people(
        tx,
        ids=ids,
        epochs=[one.version.epoch for one in snapshots],
        ns=[one.version.n for one in snapshots],
        payers=[one.payer for one in snapshots],
        areas=[one.area for one in snapshots],
        lives=[one.life for one in snapshots],
        died_ons=[one.died_on for one in snapshots],
        mergeds=[one.merged_into is not None for one in snapshots],
        ats=[one.erased_at for one in snapshots],
    )
    await queries.erase_verdicts(tx, ids=ids)
    await queries.erase_lines(tx, ids=ids)
    await erase_common(tx, vault, Service.PAYOUT, people=ids, topics=[], records={})


class Emptier:
    """Takes the content of files that name erased people out of the database and off the disk. After a crash the next look goes on."""

    def __init__(self, database: Database, clock: Clock, *, folder: Path) -> None:
        """`folder`: where the file writer writes."""
        self._database = database
        self._clock = clock
        self._folder = folder

    async def empty(self) -> int:
        """Everything that can go now; returns how many files went off the disk."""
        async with self._database.reading() as tx:
            ids = [row["beneficiary_id"] async for row in queries.people_who_leave_files(tx, most=AT_ONCE)]
        if ids:
            async with self._database.transaction("payout.files_emptied") as tx:
                await self._forget(tx, ids)
        async with self._database.reading() as tx:
            paths = [row["path"] async for row in queries.files_to_remove(tx, most=AT_ONCE)]
        for path in paths:
            await asyncio.to_thread(self._remove, self._folder / path)
        if paths:
            async with self._database.transaction("payout.files_removed") as tx:
                await queries.mark_removed(tx, paths=paths, at=self._clock.now())
        return len(paths)

    async def _forget(self, tx: Tx, ids: Sequence[UUID]) -> None:
        await queries.empty_files(tx, ids=ids, at=self._clock.now())
        await queries.drop_file_parts(tx)
        await queries.drop_statement_parts(tx, ids=ids)
        await queries.forget_accounts(tx, ids=ids)
        await queries.leave_nothing(tx, ids=ids)

    def _remove(self, path: Path) -> None:
        point("payout_file.before_remove")
        path.unlink(missing_ok=True)
        point("payout_file.after_remove")
