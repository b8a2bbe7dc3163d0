"""Files between an officer and registry: a body on its way in, the returned list on its way out. Private, and gone after an hour."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from services.registry.refusals import FileReason, NotAList
from shared.crashing import point
from shared.ids import random_id

BYTES_MAX = 1024 * 1024 * 1024
KEPT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Handed:
    """A file as it was handed in."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A list that waits to be fetched by whoever may write for its payer."""

    path: Path
    payer: str


class Inbox:
    """A folder that only this service may read."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first file."""
        self._folder = folder
        self._returned: dict[UUID, Returned] = {}

    async def receive(self, body: AsyncIterable[bytes]) -> Handed:
        """Write a body down as it comes. Raises NotAList when it is larger than anything we take."""
        path, size, digest = self.new("in"), 0, hashlib.sha256()
        point("list_received.before_write")
        try:
            with path.open("wb") as file:
                async for block in body:
                    size += len(block)
                    if size > BYTES_MAX:
                        raise NotAList(FileReason.FILE_TOO_LARGE, f"Nhiều nhất {BYTES_MAX >> 20} MB.")
                    file.write(block)
                    digest.update(block)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        point("list_received.after_write")
        return Handed(path, digest.hexdigest())

    def new(self, kind: str) -> Path:
        """A new empty file; what nobody has fetched for an hour is thrown away."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{random_id()}.{kind}"
        path.touch(mode=0o600)
        now = path.stat().st_mtime  # the file system's own clock, whatever business time it is
        for old in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if now - old.stat().st_mtime > KEPT_SECONDS:
                    old.unlink()
        return path

    def give(self, import_id: UUID, returned: Returned) -> None:
        """A list may be fetched from now on."""
        self._returned = {key: known for key, known in self._returned.items() if known.path.exists()} | {import_id: returned}

    def returned(self, import_id: UUID) -> Returned | None:
        """The list of an import, as long as it is kept."""
        found = self._returned.get(import_id)
        return found if found and found.path.exists() else None
