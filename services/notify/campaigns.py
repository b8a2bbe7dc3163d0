"""Draw a round: decide the audience, store every text with its id, tell others. Sending is the sender's work."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from services.notify import store
from services.notify.audience import choose
from services.notify.receipts import tell
from services.notify.store import Round, Text
from services.notify.texts import wording
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.ids import random_id
from shared.outbox import OutEvent, put_events


async def draw_round(database: Database, drawn: Round, *, parts_max: int) -> bool:
    """Whether the round is new. One transaction; drawn twice, also at the same moment, it exists once."""
    async with database.transaction("notify.round") as tx:
        people, contacts = await store.facts(tx, drawn.payer)
        audience = choose(people)
        if not await store.add_round(tx, drawn, audience):
            return False
        texts = [_text(ids, phone, contacts) for phone, ids in sorted(audience.by_phone.items())]
        await store.add_texts(tx, drawn, texts=texts, words=wording(drawn.number, parts_max=parts_max))
        await _tell_drawn(tx, [text.message_id for text in texts], drawn)
        return True


async def _tell_drawn(tx: Tx, ids: list[UUID], drawn: Round) -> None:
    await tell(tx, ids, drawn.at)
    audit = AuditRecord(actor=drawn.actor, act="campaign_round", subject=f"{drawn.campaign}/{drawn.number}", at=drawn.at)
    await put_events(tx, [OutEvent(audit.TOPIC, drawn.actor, audit)], drawn.at)


def _text(people: tuple[UUID, ...], phone: bytes, contacts: Mapping[UUID, str]) -> Text:
    """One text to a phone; its contact block is that of the first person who shares it."""
    return Text(random_id(), phone, contacts[people[0]], people[0], people)
