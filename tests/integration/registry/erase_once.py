"""One process in which somebody is asked to be erased, withdrawn, asked for again and erased, or that dies where it is told to:
`erase_once DSN KEYS PERSON NOW CRASH_POINT`."""

import asyncio
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from services.registry import store_erasing
from services.registry.account_ranks import AccountRanks
from services.registry.areas import Areas
from services.registry.eraser import Eraser
from services.registry.erasing import ErasureCause, Requester
from services.registry.handlers import Registrar
from shared import crashing
from shared.actors import Actor
from shared.clock import HandClock
from shared.database import Database
from shared.vault import Vault
from shared.words import Role


async def main(dsn: str, keys: Path, person: UUID, now: datetime) -> None:
    """What stood before is gone on with."""
    database, vault, clock = await Database.open(dsn, size=2), Vault.load(keys), HandClock(now)
    registrar = Registrar(vault, clock, AccountRanks.from_file(), areas=Areas.from_files())
    eraser = Eraser(database, vault, clock, registrar=registrar, after_months=0)
    first = Actor("reviewer-1", frozenset((Role.REVIEWER,)), ("*",), None, "token")

    async def waiting() -> UUID:
        await eraser.ask(person, (ErasureCause.PURPOSE_OVER, Requester.OFFICE, "7/2026"), actor=first)
        async with database.reading() as tx:
            requests = await store_erasing.requests(tx, person, waiting=True, most=1)
        return UUID(str(requests[0]["erasure_id"])) if requests else UUID(int=0)

    await eraser.withdraw(await waiting(), first)
    await eraser.confirm(await waiting(), replace(first, id="reviewer-2"))
    await database.close()


if __name__ == "__main__":
    if len(sys.argv) > 5:
        crashing.arm(sys.argv[5])
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), UUID(sys.argv[3]), datetime.fromisoformat(sys.argv[4])))
