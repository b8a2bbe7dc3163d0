"""What notify tells again for a new reader: the state of every text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.notify import store
from services.notify.store import queries
from shared import topics
from shared.database import Tx
from shared.outbox import OutEvent
from shared.republishing import Pages

_FIRST = UUID(int=0)


async def texts(tx: Tx, after: str, most: int) -> Sequence[tuple[str, OutEvent]]:
    """Texts in order of their ids."""
    rows = queries.texts_after(tx, after=UUID(after) if after else _FIRST, most=most)
    states = await store.text_states(tx, [row["message_id"] async for row in rows])
    return [(str(state.message_id), OutEvent(state.TOPIC, str(state.message_id), state)) for state in states]


PAGES: Mapping[str, Pages] = {topics.NOTIFY_MESSAGE: texts}
