"""Postal lists on paper, made after they have left: laying out a page costs ten times the list itself, and nobody's money waits for it.

A print is made from the list as it was sealed, never from what is known later, by one process per list at the lowest priority: the
typesetter keeps what it laid out, so its memory ends with it. Run as `python -m services.payout.printing` by `Printer`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asyncpg import Record
from pydantic import TypeAdapter

from services.payout import store_sending
from services.payout.delivery import pause
from services.payout.papers import Papers
from services.payout.postal_list import listed
from services.payout.postal_print import Heading, postal_print
from services.payout.sending import SealedFile, part_owner
from services.payout.spool import Spool
from shared.errors import Trouble
from shared.metrics import PRINTS_FAILING
from shared.process import Runtime

LOOK_SECONDS = 5.0
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Order:
    """What stands over a print; the bytes of the list follow."""

    heading: Heading
    made_at: datetime


_ORDER = TypeAdapter(Order)


Typeset = Callable[[Order, bytes], Awaitable[bytes]]


async def typeset_apart(order: Order, content: bytes) -> bytes:
    """The print of one list, by a process of its own. Raises Trouble when that process dies."""
    pipe = asyncio.subprocess.PIPE
    process: Any = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.payout.printing", cwd=_ROOT, stdin=pipe, stdout=pipe
    )
    try:
        pdf, _errors = await process.communicate(_ORDER.dump_json(order) + b"\n" + content)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Trouble("a printing process has died")
    return bytes(pdf)


class Printer:
    """Makes the prints that lists of the post lack. After a crash the next process goes on where this one stopped.

    A list whose print fails is tried again after a pause that doubles; the lists behind it do not wait. What was tried is kept in memory
    alone: another process may find the list printable.
    """

    def __init__(self, runtime: Runtime, papers: Papers, typeset: Typeset = typeset_apart) -> None:
        """The vault must hold payee: lists and prints are kept sealed."""
        self._database = runtime.database
        self._vault = runtime.vault
        self._clock = runtime.clock
        self._log = runtime.log
        self._papers = papers
        self._typeset = typeset
        self._failed: dict[str, tuple[int, datetime]] = {}

    async def print_missing(self) -> int:
        """Print everything that is missing and not postponed; returns how many lists."""
        made = 0
        while True:
            now = self._clock.now()
            postponed = [path for path, (_times, again) in self._failed.items() if again > now]
            async with self._database.reading() as tx:
                rows = await store_sending.unprinted_lists(tx, postponed)
            for row in rows:
                made += await self._try(row)
            PRINTS_FAILING.set(len(self._failed))
            if not rows:
                return made

    async def _try(self, row: Record) -> bool:
        times, _again = self._failed.pop(row["path"], (0, None))
        try:
            await self._print(row)
        except Trouble:
            self._failed[row["path"]] = (times + 1, self._clock.now() + pause(times + 1))
            self._log.warning("print_failed", path=row["path"], attempt=times + 1)
            return False
        return True

    async def _print(self, row: Record) -> None:
        content = await self._content(row)
        on = self._papers.execution_date(row["execution_date"], row["made_at"])
        heading = self._papers.heading(Path(row["path"]).stem, row["period"], on, joined=row["joined"])
        pdf = await self._typeset(Order(heading, row["made_at"]), content)
        with Spool("file_part", "path", "part", "sealed") as parts:
            file = SealedFile(self._vault, parts, str(Path(row["path"]).with_suffix(".pdf")), row["period"])
            await asyncio.to_thread(file.write, pdf)
            done = file.end("postal_print", batch_id=row["batch_id"], count=row["count"], vnd=row["vnd"])
            async with self._database.transaction("payout.list_printed") as tx:
                if await store_sending.save_print(tx, row["path"], done):
                    await parts.copy(tx)

    async def _content(self, row: Record) -> bytes:
        content, part = bytearray(), 0
        async with self._database.reading() as tx:
            while sealed := await store_sending.file_part(tx, row["path"], part):
                content += self._vault.open(sealed, part_owner(row["owner"], part))
                part += 1
        return bytes(content)


def main() -> None:
    """The printing side: an order and a list come in, a PDF goes out."""
    os.nice(19)
    order = _ORDER.validate_json(sys.stdin.buffer.readline())
    rows = listed(sys.stdin.buffer.read())
    sys.stdout.buffer.write(postal_print(rows, order.heading, made_at=order.made_at))


if __name__ == "__main__":
    main()
