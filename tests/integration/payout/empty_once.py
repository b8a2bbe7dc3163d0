"""One process that empties files of erased people and ends, or dies where it is told to: `empty_once DSN FILES NOW CRASH_POINT`."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from services.payout.erasing import Emptier
from shared import crashing
from shared.clock import HandClock
from shared.database import Database


async def main(dsn: str, files: Path, now: datetime) -> None:
    """Empty once."""
    database = await Database.open(dsn, size=2)
    await Emptier(database, HandClock(now), folder=files).empty()
    await database.close()


if __name__ == "__main__":
    crashing.arm(sys.argv[4])
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3])))
