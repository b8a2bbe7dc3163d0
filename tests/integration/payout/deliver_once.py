"""One process that delivers what is due and ends, or dies where it is told to: `deliver_once DSN FILES TARGETS NOW CRASH_POINT`."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from services.payout.delivery import Courier
from services.payout.sftp import OpenSsh, read_targets
from shared import crashing, logs
from shared.clock import HandClock
from shared.database import Database


async def main(dsn: str, files: Path, targets: Path, now: datetime) -> None:
    """Deliver once."""
    database = await Database.open(dsn, size=2)
    remotes = {provider: OpenSsh(target) for provider, target in read_targets(targets).items()}
    await Courier(database, HandClock(now), remotes, folder=files, log=logs.configure("payout")).deliver()
    await database.close()


if __name__ == "__main__":
    crashing.arm(sys.argv[5])
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), datetime.fromisoformat(sys.argv[4])))
