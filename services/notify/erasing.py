"""Registry erased people: their phone goes, with every text that only they were reached by, and nobody writes to them again."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from services.notify.receipts import tell
from shared.database import Tx, load_queries
from shared.erasing import erase_common
from shared.events import BeneficiarySnapshot
from shared.topics import Service
from shared.vault import Vault

queries = load_queries(__file__, "queries_erasing.sql")


async def erase(tx: Tx, vault: Vault, told: Mapping[UUID, BeneficiarySnapshot]) -> None:
    """Take out all that is held of these people, for good; a second time nothing changes. A phone's opt-out stays: its holder's wish."""
    ids = sorted(told)
    snapshots = [told[who] for who in ids]
    at = max(one.erased_at for one in snapshots if one.erased_at)
    await queries.erase_people(
        tx,
        ids=ids,
        epochs=[one.version.epoch for one in snapshots],
        ns=[one.version.n for one in snapshots],
        payers=[one.payer for one in snapshots],
        lives=[one.life for one in snapshots],
        mergeds=[one.merged_into is not None for one in snapshots],
        ats=[one.erased_at for one in snapshots],
    )
    await queries.erase_verdicts(tx, ids=ids)
    await queries.give_texts_over(tx, ids=ids)
    ended = [row["message_id"] async for row in queries.end_texts(tx, ids=ids, at=at)]
    await queries.erase_texts(tx, ids=ids)
    await erase_common(tx, vault, Service.NOTIFY, people=ids, topics=[], records={})
    await tell(tx, ended, at)
