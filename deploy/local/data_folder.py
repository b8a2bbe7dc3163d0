"""Where a server keeps its data: in its own folder, or in memory behind a link there, when a test throws them away anyway."""

import os
import shutil
import tempfile
from pathlib import Path

from deploy.local.process import Owner

MEMORY = Path("/dev/shm")  # noqa: S108
# Half of a small machine's memory is less, and so is what a container is given when nobody asks for more.
ROOM_BYTES = 4 * 2**30


def link_into_memory(data: Path, owner: Owner | None = None) -> None:
    """Let `data` lead to a new, empty folder in memory; where memory has no room for it, or data are there already, nothing changes."""
    if data.exists() or not _memory_has_room():
        return
    folder = Path(tempfile.mkdtemp(prefix="ansinh-", dir=MEMORY))
    if owner:
        os.chown(folder, owner.uid, owner.gid)
    data.unlink(missing_ok=True)  # a link to what a restart of the machine took away
    data.symlink_to(folder)


def remove_data(data: Path) -> None:
    """Delete the data, wherever `data` leads; no error when there are none."""
    shutil.rmtree(data.resolve(), ignore_errors=True)


def _memory_has_room() -> bool:
    return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
