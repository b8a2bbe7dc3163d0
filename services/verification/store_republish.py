"""What verification tells again for a new reader: the result that holds of everybody it judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from services.verification import store
from services.verification.judging import first_of_epoch
from services.verification.store import queries
from shared import topics
from shared.database import Tx
from shared.events import VerificationResult
from shared.outbox import OutEvent
from shared.republishing import Pages
from shared.restoring import epoch_of

_FIRST = UUID(int=0)


async def results(tx: Tx, after: str, most: int) -> Sequence[tuple[str, OutEvent]]:
    """Results in order of the people's ids; after a restore under numbers of the new epoch."""
    epoch = await epoch_of(tx)
    if epoch > 1:  # what was told before a restore must not count as newer
        await store.one_judge_at_a_time(tx)
        await queries.raise_results(tx, first=first_of_epoch(epoch), after=UUID(after) if after else _FIRST, most=most)
    found = []
    async for row in queries.results_after(tx, after=UUID(after) if after else _FIRST, most=most):
        result = VerificationResult.model_validate({**row, "evidence": json.loads(row["evidence"])}, strict=False)
        found.append((str(result.beneficiary_id), OutEvent(result.TOPIC, str(result.beneficiary_id), result)))
    return found


PAGES: Mapping[str, Pages] = {topics.VERIFICATION_RESULT: results}
