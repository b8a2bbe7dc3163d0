"""Registry erased people: everything verification holds of them goes, and whoever shared an account or a register person is judged anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from services.verification.judging import Judge
from shared import topics
from shared.database import Tx, load_queries
from shared.erasing import erase_common
from shared.events import BeneficiarySnapshot
from shared.topics import Service
from shared.vault import Vault

queries = load_queries(__file__, "queries_erasing.sql")


async def erased_among(tx: Tx, ids: Collection[UUID]) -> set[UUID]:
    """Which of these people are erased here."""
    return {row["beneficiary_id"] async for row in queries.erased_among(tx, ids=list(ids))}


class Eraser:
    """Erases people. The caller holds the judges' lock."""

    def __init__(self, vault: Vault, judge: Judge) -> None:
        """The vault must hold the dead-letter kind."""
        self._vault = vault
        self._judge = judge

    async def erase(self, tx: Tx, told: Mapping[UUID, BeneficiarySnapshot]) -> None:
        """Take out all that is held of these people, for good; a second time nothing changes."""
        ids = sorted(told)
        sharing = {row["beneficiary_id"] async for row in queries.sharing_with(tx, ids=ids)}
        await queries.erase_people(
            tx,
            ids=ids,
            epochs=[told[who].version.epoch for who in ids],
            ns=[told[who].version.n for who in ids],
            payers=[told[who].payer for who in ids],
            mergeds=[told[who].merged_into is not None for who in ids],
            ats=[told[who].erased_at for who in ids],
        )
        for gone in (queries.erase_verdicts, queries.erase_sights, queries.erase_decisions):
            await gone(tx, ids=ids)
        await queries.erase_questions(tx, ids=ids, ats=[told[who].erased_at for who in ids])
        await erase_common(tx, self._vault, Service.VERIFICATION, people=ids, topics=[topics.VERIFICATION_RESULT], records={})
        if sharing:
            await self._judge.judge(tx, sharing)
