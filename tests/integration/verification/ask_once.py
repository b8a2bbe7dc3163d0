"""One process that asks what is due and ends, or dies where it is told to: `ask_once DSN KEYS URL NOW CRASH_POINT`."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

import httpx

from services.verification.account_check import Banks
from services.verification.ages import Ages
from services.verification.asking import Asking, Manner
from services.verification.exchange import Exchange
from services.verification.judging import Judge
from services.verification.matters import People
from services.verification.population_register import Asked
from services.verification.register_client import HttpRegisterService
from shared import crashing, logs
from shared.clock import HandClock
from shared.database import Database
from shared.vault import Vault
from tests.integration.verification.register_world import AUTHORITY, TOKEN, quota


async def main(dsn: str, keys: Path, url: str, now: datetime) -> None:
    """Ask once."""
    database, vault, clock = await Database.open(dsn, size=2), Vault.load(keys), HandClock(now)
    judge = Judge(vault, clock, register=Asked(vault, clock, Ages()), banks=Banks.from_file())
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
        service, manner = HttpRegisterService(Exchange(client), AUTHORITY), Manner(AUTHORITY, quota(), Ages())
        log = logs.configure("verification")
        people = People(vault, service, judge=judge, manner=manner)
        await Asking(database, people, clock=clock, manner=manner, log=log).step()
    await database.close()


if __name__ == "__main__":
    crashing.arm(sys.argv[5])
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], datetime.fromisoformat(sys.argv[4])))
