"""Files reach a provider's SFTP server once, whole, and the manifest last. The intention is committed before the call, the answer after it.

A call that ends badly proves nothing: its rows are *unknown* until a look at the remote folder proves them there or not. A file is
there when it lies under its final name with our size and, read back, our hash; other content under that name is a conflict.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import structlog
from asyncpg import Record

from services.payout import store_delivery
from services.payout.sftp import CallFailed, Remote, Upload, scratch
from services.payout.store_delivery import Planned, State
from shared.clock import Clock
from shared.crashing import point
from shared.database import Database
from shared.metrics import DELIVERY_CONFLICTS
from shared.topics import Provider

MANIFEST = "MANIFEST.json"
LOOK_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


def manifest(folder: str, rows: Sequence[Record]) -> bytes:
    """What a folder holds: the same rows always give the same bytes. Amounts are VND. Pure."""
    files = [
        {"name": row["path"].rsplit("/", 1)[1], **{key: row[key] for key in ("kind", "sha256", "size", "count", "vnd")}}
        for row in sorted(rows, key=itemgetter("path"))
    ]
    return (json.dumps({"folder": folder, "files": files}, indent=1) + "\n").encode()


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts: doubled each time, an hour at most. Pure."""
    return min(FIRST_PAUSE * (1 << min(max(attempts - 1, 0), 12)), LONGEST_PAUSE)


class Courier:
    """Delivers what is written. After a crash the next process looks at the remote side before it sends anything again."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        remotes: Mapping[Provider, Remote],
        *,
        folder: Path,
        log: structlog.stdlib.BoundLogger,
        printed: bool = True,
    ) -> None:
        """`folder`: where the file writer writes. Providers without a remote take no files. `printed`: lists are told with their prints."""
        self._database = database
        self._clock = clock
        self._remotes = remotes
        self._folder = folder
        self._log = log
        self._printed = printed
        self._one_at_a_time = asyncio.Lock()

    async def deliver(self) -> int:
        """Plan and deliver everything that is due; returns how many files are proven there."""
        async with self._one_at_a_time:
            await self._plan()
            async with self._database.reading() as tx:
                rows = await store_delivery.due(tx, self._remotes, self._clock.now())
            delivered = 0
            for folder, group in groupby(rows, key=itemgetter("folder")):
                delivered += await self._deliver_folder(folder, list(group))
            async with self._database.reading() as tx:
                conflicts = await store_delivery.conflicts(tx)
            for provider in self._remotes:
                DELIVERY_CONFLICTS.labels(provider).set(conflicts.get(provider, 0))
            return delivered

    async def _plan(self) -> None:
        async with self._database.reading() as tx:
            rows = await store_delivery.undelivered(tx, self._remotes, printed=self._printed)
        planned: list[Planned] = []
        for folder, group in groupby(rows, key=itemgetter("folder")):
            files = list(group)
            content = manifest(folder, files)
            planned += [Planned(row["path"], folder, row["provider"], False, row["sha256"], row["size"]) for row in files]
            sha256 = hashlib.sha256(content).hexdigest()
            planned.append(Planned(f"{folder}/{MANIFEST}", folder, files[0]["provider"], True, sha256, len(content)))
            await asyncio.to_thread(self._write, self._folder / folder / MANIFEST, content)
        if planned:
            async with self._database.transaction("payout.delivery_plan") as tx:
                await store_delivery.plan(tx, planned, self._clock.now())

    def _write(self, path: Path, content: bytes) -> None:
        part = path.with_name(path.name + ".part")
        point("payout_delivery.before_write")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        point("payout_delivery.after_write")

    async def _deliver_folder(self, folder: str, rows: Sequence[Record]) -> int:
        """Files first, then the manifest: each time look, send what is not there, look again."""
        remote, delivered = self._remotes[Provider(rows[0]["provider"])], 0
        for last in (False, True):
            part = [row for row in rows if row["manifest"] is last]
            try:
                done = await self._send(remote, folder, part) if part else 0
            except CallFailed as failed:
                await self._unknown(part, failed)
                self._log.warning("delivery_waits", provider=rows[0]["provider"], code=failed.trouble, path=folder)
                return delivered
            delivered += done
            if done < len(part):
                return delivered
        return delivered

    async def _send(self, remote: Remote, folder: str, rows: Sequence[Record]) -> int:
        """Returns how many of the rows are proven there now. Nothing is sent while one of them is a conflict."""
        looked = await self._prove(remote, folder, [row for row in rows if row["state"] != State.WAITING])
        there = sum(state is State.DELIVERED for state in looked.values())
        missing = [row for row in rows if looked.get(row["path"], State.WAITING) is State.WAITING]
        if not missing or State.CONFLICT in looked.values():
            return there
        uploads = {row["path"]: Upload(self._folder / row["path"], _name(row), row["sha256"]) for row in missing}
        if changed := await asyncio.to_thread(_changed, uploads):
            await self._move([row for row in missing if row["path"] in changed], State.CONFLICT, trouble="LOCAL_DIFFERS")
            return there
        await self._move(missing, State.SENDING)
        lying = await remote.listing(folder)
        await remote.put(folder, [upload for upload in uploads.values() if upload.name not in lying])
        sent = await self._prove(remote, folder, missing, sent=True)
        return there + sum(state is State.DELIVERED for state in sent.values())

    async def _prove(self, remote: Remote, folder: str, rows: Sequence[Record], *, sent: bool = False) -> dict[str, State]:
        """Settle rows by what lies in the remote folder; returns their states. `sent`: a call that ended well took them.

        A provider takes files away after it has the manifest, not before: a file that does not lie there was not delivered, and a
        manifest was when it was taken with everything it names.
        """
        if not rows:
            return {}
        if not sent:  # of a process that died in the middle, or of a call without an answer
            await self._move([row for row in rows if row["state"] == State.SENDING], State.UNKNOWN, trouble="DIED")
        lying = await remote.listing(folder)
        emptied = all(name.startswith(".") for name in lying)
        found: dict[State, list[Record]] = {state: [] for state in State}
        for row in rows:
            if _name(row) in lying:
                same = lying[_name(row)] == row["size"] and await self._same(remote, folder, row)
                found[State.DELIVERED if same else State.CONFLICT].append(row)
            elif row["manifest"] and (sent or emptied):
                found[State.DELIVERED].append(row)
            else:
                found[State.UNKNOWN if sent else State.WAITING].append(row)
        if found[State.CONFLICT]:
            self._log.error("delivery_conflict", provider=rows[0]["provider"], path=folder, count=len(found[State.CONFLICT]))
        troubles = {State.CONFLICT: "REMOTE_DIFFERS", State.UNKNOWN: "NOT_THERE"}
        for state, those in found.items():
            await self._move(those, state, trouble=troubles.get(state))
        return {row["path"]: state for state, those in found.items() for row in those}

    async def _same(self, remote: Remote, folder: str, row: Record) -> bool:
        with scratch() as place:
            copy = Path(place) / "copy"
            await remote.fetch(folder, _name(row), copy)
            return bool(await asyncio.to_thread(_sha256, copy) == row["sha256"])

    async def _unknown(self, rows: Sequence[Record], failed: CallFailed) -> None:
        """Back off. Rows that were not being sent stay what they are."""
        next_try = self._clock.now() + pause(max(row["attempts"] for row in rows) + 1)
        async with self._database.transaction("payout.delivery_unknown") as tx:
            await store_delivery.no_answer(tx, _paths(rows), failed.trouble, next_try)

    async def _move(self, rows: Sequence[Record], state: State, *, trouble: str | None = None) -> None:
        if rows:
            async with self._database.transaction("payout.delivery_move") as tx:
                await store_delivery.move(tx, _paths(rows), state, trouble=trouble, at=self._clock.now())


def _name(row: Record) -> str:
    return str(row["path"].rsplit("/", 1)[1])


def _paths(rows: Iterable[Record]) -> list[str]:
    return sorted(row["path"] for row in rows)


def _changed(uploads: Mapping[str, Upload]) -> set[str]:
    """Paths whose file on our disk is not what was sealed, or is gone."""
    return {path for path, one in uploads.items() if not one.local.exists() or _sha256(one.local) != one.sha256}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
