"""Postal lists on paper, made after they have left: laying out a page costs ten times the list itself, and nobody's money waits for it.

A print is made from the list as it was sealed, never from what is known later, by one process per list at the lowest priority: the
typesetter keeps what it laid out, so its memory ends with it. Run as `python -m services.payout.printing` by `Printer`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asyncpg import Record
from pydantic import TypeAdapter

from services.payout import store_sending
from services.payout.papers import Papers
from services.payout.postal_list import listed
from services.payout.postal_print import Heading, postal_print
from services.payout.sending import SealedFile, part_owner
from services.payout.spool import Spool
from shared.errors import Trouble
from shared.process import Runtime

LOOK_SECONDS = 5.0
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Order:
    """What stands over a print; the bytes of the list follow."""

    heading: Heading
    made_at: datetime


_ORDER = TypeAdapter(Order)


class Printer:
    """Makes the prints that lists of the post lack. After a crash the next process goes on where this one stopped."""

    def __init__(self, runtime: Runtime, papers: Papers) -> None:
        """The vault must hold payee: lists and prints are kept sealed."""
        self._database = runtime.database
        self._vault = runtime.vault
        self._papers = papers

    async def print_missing(self) -> int:
        """Print everything that is missing; returns how many lists. Raises Trouble when a printing process dies."""
        made = 0
        while True:
            async with self._database.reading() as tx:
                rows = await store_sending.unprinted_lists(tx)
            for row in rows:
                await self._print(row)
            if not rows:
                return made
            made += len(rows)

    async def _print(self, row: Record) -> None:
        content = await self._content(row)
        on = self._papers.execution_date(row["execution_date"], row["made_at"])
        heading = self._papers.heading(Path(row["path"]).stem, row["period"], on)
        pdf = await _printed(Order(heading, row["made_at"]), content)
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


async def _printed(order: Order, content: bytes) -> bytes:
    """The service's side of one printing process."""
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


def main() -> None:
    """The printing side: an order and a list come in, a PDF goes out."""
    os.nice(19)
    order = _ORDER.validate_json(sys.stdin.buffer.readline())
    rows = listed(sys.stdin.buffer.read())
    sys.stdout.buffer.write(postal_print(rows, order.heading, made_at=order.made_at))


if __name__ == "__main__":
    main()
