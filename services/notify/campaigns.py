"""Draw a round: decide the audience, store every text with its id, tell others. Sending is the sender's work.

A round of a province is drawn in parts, each a short transaction that holds the round's row: a part is in whole or not at all, and whoever
comes next goes on where the last one stopped. Nothing is sent before the round is whole.
"""

from __future__ import annotations

import asyncio

import structlog

from services.notify import store
from services.notify.audience import choose
from services.notify.receipts import tell
from services.notify.store import Progress, Round, Text
from services.notify.texts import wording
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.ids import random_id
from shared.loops import repeat
from shared.outbox import OutEvent, put_events

PART = 2_000
POLL_SECONDS = 5.0


async def draw_round(database: Database, begun: Round, *, parts_max: int) -> bool:
    """Whether the round is new. Drawn twice, also at the same moment, it exists once; it is whole when this returns."""
    async with database.transaction("notify.begin_round") as tx:
        new = await store.begin_round(tx, begun)
    await go_on(database, begun.campaign, begun.number, parts_max=parts_max)
    return new


async def go_on(database: Database, campaign: str, number: int, *, parts_max: int) -> None:
    """Draw a round from where it stands to its end."""
    more = True
    while more:
        async with database.transaction("notify.draw_part") as tx:
            progress = await store.lock_round(tx, campaign, number)
            more = progress is not None and (await _draw(tx, progress, parts_max=parts_max) or await _tell(tx, progress))


async def _draw(tx: Tx, progress: Progress, *, parts_max: int) -> bool:
    """Decide on the next people; False when nobody is left."""
    begun = progress.round
    page = await store.facts(tx, begun.payer, after=progress.drawn_up_to, most=PART)
    if not page:
        return False
    audience = choose(facts for facts, _ in page)
    contacts = {facts.beneficiary_id: contact or "" for facts, contact in page}
    known = await store.texts_to_phones(tx, begun, audience.by_phone)
    texts = [
        Text(random_id(), phone, contacts[people[0]], people[0])  # its contact block is that of the first person who shares it
        for phone, people in sorted(audience.by_phone.items())
        if phone not in known
    ]
    await store.add_texts(tx, begun, texts=texts, words=wording(begun.number, parts_max=parts_max))
    ids = known | {text.phone_ix: text.message_id for text in texts}
    await store.add_served(tx, begun, [(person, ids[phone]) for phone, people in audience.by_phone.items() for person in people])
    await store.round_went_on(tx, progress, audience, texts=len(texts), up_to=page[-1][0].beneficiary_id)
    return True


async def _tell(tx: Tx, progress: Progress) -> bool:
    """Tell of the next texts; False when the round is whole."""
    begun = progress.round
    page = await store.texts_to_tell(tx, begun, after=progress.told_up_to, most=PART)
    if page:
        await tell(tx, [message_id for _, message_id in page], begun.at)
        await store.round_told(tx, begun, page[-1][0])
        return True
    await store.round_drawn(tx, begun)
    audit = AuditRecord(actor=begun.actor, act="campaign_round", subject=f"{begun.campaign}/{begun.number}", at=begun.at)
    await put_events(tx, [OutEvent(audit.TOPIC, begun.actor, audit)], begun.at)
    return False


class Unfinished:
    """Finishes rounds whose drawing a crash cut off."""

    def __init__(self, database: Database, *, parts_max: int, log: structlog.stdlib.BoundLogger) -> None:
        """Nothing is read before `run`."""
        self._database = database
        self._parts_max = parts_max
        self._log = log

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop, surviving the loss of the database."""
        await repeat(self.finish, stop, seconds=POLL_SECONDS, log=self._log)

    async def finish(self) -> None:
        """Draw every unfinished round to its end."""
        async with self._database.reading() as tx:
            rounds = await store.rounds_not_drawn(tx)
        for campaign, number in rounds:
            await go_on(self._database, campaign, number, parts_max=self._parts_max)
