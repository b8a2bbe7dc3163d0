"""One process that tells readers whose day has passed, or dies where it is told to: `days_once DSN KEYS NOW CRASH_POINT`."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from services.registry.account_ranks import AccountRanks
from services.registry.areas import Areas
from services.registry.handlers import Registrar
from services.registry.passing import DayWatch
from shared import crashing
from shared.clock import HandClock
from shared.database import Database
from shared.vault import Vault


async def main(dsn: str, keys: Path, now: datetime) -> None:
    """Everybody whose day has passed."""
    database, clock = await Database.open(dsn, size=2), HandClock(now)
    await DayWatch(database, clock, Registrar(Vault.load(keys), clock, AccountRanks.from_file(), areas=Areas.from_files())).tell()
    await database.close()


if __name__ == "__main__":
    crashing.arm(sys.argv[4])
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3])))
