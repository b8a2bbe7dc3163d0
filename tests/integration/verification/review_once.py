"""One process in which a reviewer sees and decides, or dies where it is told to: `review_once DSN KEYS PERSON NOW CRASH_POINT`."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from uuid import UUID

from services.verification.account_check import Banks
from services.verification.ages import Ages
from services.verification.judging import Judge
from services.verification.population_register import Replica
from services.verification.review import Deciding, Review
from services.verification.reviewing import ReviewEvidence, ReviewReason, Sameness
from shared import crashing
from shared.actors import Actor
from shared.clock import HandClock
from shared.database import Database
from shared.vault import Vault
from shared.words import Role


async def main(dsn: str, keys: Path, person: UUID, now: datetime) -> None:
    """See and decide."""
    database, vault, clock = await Database.open(dsn, size=2), Vault.load(keys), HandClock(now)
    register = Replica(vault, clock, Ages())
    judge = Judge(vault, clock, register=register, banks=Banks.from_file())
    review = Review(database, vault, clock=clock, register=register, judge=judge)
    actor = Actor("reviewer-1", frozenset((Role.REVIEWER,)), ("*",), None, "token")
    seen = await review.see(person, actor)
    entry = seen["register"][0]["entry"]
    deciding = Deciding(seen["sight_id"], entry, Sameness.SAME, ReviewReason.SPELLING, ReviewEvidence.IDENTITY_CARD)
    print(await review.decide(person, deciding, actor))
    await database.close()


if __name__ == "__main__":
    if len(sys.argv) > 5:
        crashing.arm(sys.argv[5])
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), UUID(sys.argv[3]), datetime.fromisoformat(sys.argv[4])))
