"""One provider's SFTP server, spoken to by OpenSSH's own `sftp` in batch mode (docs/decisions/0014-files-out.md).

Three things are asked of it: what a folder holds, what a file holds, and to take a file in one step: under a temporary name, flushed to
disk where the server can, then renamed. The host key is pinned: an unknown one ends the call before a password or key is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.crashing import point
from shared.topics import Provider

PROGRAM = "sftp"
# A row of `ls -lan`: rights, links, owner, group, size, three words of date, name.
_ROW = re.compile(r"^-\S+ +\S+ +\S+ +\S+ +([0-9]+) +\S+ +\S+ +\S+ +(.+)$")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


class Trouble(StrEnum):
    """Why a call did not end well. What it did before is unknown."""

    HOST_KEY = "HOST_KEY"
    NOT_ALLOWED = "NOT_ALLOWED"
    AWAY = "AWAY"
    REFUSED = "REFUSED"
    NO_PROGRAM = "NO_PROGRAM"
    TIMEOUT = "TIMEOUT"


class CallFailed(Exception):
    """A call to the remote side that did not end well; carries no words of the other side."""

    def __init__(self, trouble: Trouble) -> None:
        """Keep the kind."""
        super().__init__(trouble)
        self.trouble = trouble


class Target(BaseModel):
    """Where a provider takes files. `known_hosts`: the file with its pinned host key; `folder`: what ours lie in, over there."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    host: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$")
    port: int = Field(default=22, ge=1, le=65_535)
    user: str = Field(pattern=r"^[a-z_][a-z0-9_-]*$")
    key_file: Path
    known_hosts: Path
    folder: str = Field(default="in", pattern=r"^/?[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")
    seconds: float = Field(default=600.0, gt=0)


def read_targets(path: Path) -> dict[Provider, Target]:
    """Targets by provider from a JSON file. Raises ValueError (pydantic's) for a name or value nobody knows, OSError without the file."""
    return TypeAdapter(dict[Provider, Target]).validate_json(path.read_bytes())


@dataclass(frozen=True, slots=True)
class Upload:
    """One local file and its final name in the folder."""

    local: Path
    name: str
    sha256: str

    @property
    def part(self) -> str:
        """The name until it is whole. It carries the hash: what lies there under it is the beginning of the same content."""
        return f".{self.name}.{self.sha256[:16]}.part"


class Remote(Protocol):
    """What a delivery needs of the other side. Every call may raise CallFailed, and then what happened is unknown."""

    async def listing(self, folder: str) -> Mapping[str, int]:
        """Name -> size of the files in a folder; nothing where it does not exist."""

    async def fetch(self, folder: str, name: str, into: Path) -> None:
        """Read a file back."""

    async def put(self, folder: str, uploads: Sequence[Upload]) -> None:
        """Take these files in order, each in one step; goes on with what an earlier call left unfinished."""


class OpenSsh:
    """`Remote` by OpenSSH. One process per call; nothing of it outlives the call."""

    def __init__(self, target: Target, *, program: str = PROGRAM) -> None:
        """Nothing is opened before the first call. `program`: OpenSSH's `sftp`, of the package openssh-client."""
        self._target = target
        self._program = program

    async def listing(self, folder: str) -> Mapping[str, int]:
        """See `Remote`."""
        out = await self._call([*self._made(folder), f"cd {self._there(folder)}", "ls -lan"])
        rows = [match for line in out.splitlines() if (match := _ROW.match(line.strip()))]
        return {match[2].rsplit("/", 1)[-1]: int(match[1]) for match in rows}

    async def fetch(self, folder: str, name: str, into: Path) -> None:
        """See `Remote`."""
        await self._call([f'get "{self._there(folder)}/{_safe(name)}" "{into}"'])

    async def put(self, folder: str, uploads: Sequence[Upload]) -> None:
        """See `Remote`. `reput` sends what is missing of a part that is there; where there is none, `put` sends all."""
        there, steps = self._there(folder), self._made(folder)
        lying = await self.listing(folder)
        for upload in uploads:
            part, final = f'"{there}/{_safe(upload.part)}"', f'"{there}/{_safe(upload.name)}"'
            had, whole = lying.get(upload.part, 0), upload.local.stat().st_size
            if had > whole:
                steps.append(f"rm {part}")
            if had != whole or not whole:
                steps.append(f'{"reput" if 0 < had < whole else "put"} -f "{upload.local}" {part}')
            steps += [f"chmod 640 {part}", f"rename -l {part} {final}"]
        await self._call(steps)

    def _there(self, folder: str) -> str:
        return "/".join((self._target.folder, *map(_safe, folder.split("/"))))

    def _made(self, folder: str) -> list[str]:
        """Every level of the folder, made where it is missing."""
        parts = [*self._target.folder.removeprefix("/").split("/"), *map(_safe, folder.split("/"))]
        root = "/" if self._target.folder.startswith("/") else ""
        return [f"-mkdir {root}{'/'.join(parts[: number + 1])}" for number in range(len(parts))]

    def _arguments(self) -> list[str]:
        target = self._target
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": target.known_hosts,
            "GlobalKnownHostsFile": "none",
            "UpdateHostKeys": "no",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "PreferredAuthentications": "publickey",
            "ConnectTimeout": 15,
            "ServerAliveInterval": 15,
            "ServerAliveCountMax": 4,
        }
        given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        host = f"[{target.host}]" if ":" in target.host else target.host
        return ["-F", "none", *given, "-i", str(target.key_file), "-P", str(target.port), "-b", "-", f"{target.user}@{host}"]

    async def _call(self, steps: Sequence[str]) -> str:
        """Run one batch; returns what it printed. The first step that fails ends it."""
        script = "\n".join([*steps, "bye", ""]).encode()
        pipe = asyncio.subprocess.PIPE
        point("payout_sftp.before_call")
        try:
            process = await asyncio.create_subprocess_exec(
                self._program, *self._arguments(), stdin=pipe, stdout=pipe, stderr=pipe
            )
        except FileNotFoundError:
            raise CallFailed(Trouble.NO_PROGRAM) from None
        try:
            out, err = await asyncio.wait_for(process.communicate(script), self._target.seconds)
        except TimeoutError:
            raise CallFailed(Trouble.TIMEOUT) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        point("payout_sftp.after_call")
        if process.returncode:
            raise CallFailed(_trouble(err.decode(errors="replace")))
        return out.decode(errors="replace")


def _trouble(words: str) -> Trouble:
    if "Host key verification failed" in words:
        return Trouble.HOST_KEY
    if "Permission denied (" in words:  # of ssh; of sftp it stands without a bracket
        return Trouble.NOT_ALLOWED
    gone = ("Connection refused", "Connection closed", "Connection reset", "timed out", "No route to host", "Could not resolve")
    return Trouble.AWAY if any(word in words for word in gone) else Trouble.REFUSED


def _safe(name: str) -> str:
    """A name that needs no quoting in a batch. Our own paths hold nothing else; raises ValueError otherwise."""
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise ValueError("a name that no remote folder gets")
    return name


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder of this user alone, for what is read back."""
    return tempfile.TemporaryDirectory(prefix="sftp-")
