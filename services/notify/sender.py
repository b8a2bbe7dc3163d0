"""The only code that sends texts. Commit the intention, call with no transaction open, commit the answer.

A text whose answer did not come is *unknown*. It is asked about again under the same id, which the gateway takes at most once; it never
gets a new id. A crash between the two commits leaves `sending`, which becomes unknown when its time is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from services.notify import store
from services.notify.audience import is_quiet
from services.notify.receipts import tell
from services.notify.sms_gateway import TEXTS_MAX, Answer, NoAnswer, OutText, SmsGateway
from services.notify.store import ToSend
from services.notify.texts import render
from shared.clock import Clock
from shared.database import Database, Tx
from shared.errors import code_of, is_trouble
from shared.personal import Contact
from shared.restoring import is_locked
from shared.vault import Vault
from shared.words import MessageStatus

WORKERS = 4
ASKED_MAX = 10
POLL_SECONDS = 1.0
PAUSE_MAX_SECONDS = 5.0
_STATUS = {Answer.ACCEPTED: MessageStatus.ACCEPTED, Answer.REFUSED: MessageStatus.FAILED}


class Sender:
    """Sends what rounds created. Several senders, here or in other processes, never take the same text."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        clock: Clock,
        gateway: SmsGateway,
        ask_again_seconds: float,
        patience_seconds: float,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """`patience_seconds`: after that a text in `sending` has lost its sender; well above the gateway's time-out."""
        self._database = database
        self._vault = vault
        self._clock = clock
        self._gateway = gateway
        self._ask_again = timedelta(seconds=ask_again_seconds)
        self._patience = timedelta(seconds=patience_seconds)
        self._log = log
        self._work = asyncio.Event()
        self._doubt = True  # ask whether the gateway is there before the first texts, and after it gave no answer

    def wake(self) -> None:
        """There is something to send."""
        self._work.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop, surviving every loss of gateway or database."""
        await asyncio.gather(*(self._worker(stop) for _ in range(WORKERS)))

    async def step(self) -> int:
        """Take one batch through; returns how many texts were handed over or skipped. Nothing happens in quiet hours."""
        if is_quiet(self._clock.now()) or (self._doubt and not await self._gateway.reachable()):
            return 0
        self._doubt = False
        texts, skipped = await self._intend()
        if not texts:
            return skipped
        answers = await self._hand_over(texts)
        await self._book(texts, answers)
        return len(texts)

    async def _worker(self, stop: asyncio.Event) -> None:
        pause = 0.2
        while not stop.is_set():
            try:
                if not await self.step():
                    await self._idle(stop)
                pause = 0.2
            except Exception as error:  # trouble passes; anything else ends the process
                if not is_trouble(error):
                    raise
                self._log.warning("sender_trouble", code=code_of(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, PAUSE_MAX_SECONDS)

    async def _intend(self) -> tuple[list[ToSend], int]:
        now = self._clock.now()
        async with self._database.transaction("notify.intend") as tx:
            if await is_locked(tx):
                return [], 0
            texts = await store.created_texts(tx, TEXTS_MAX)
            needed = await store.needed(tx, [text.message_id for text in texts]) if texts else set()
            skipped = await store.skip(tx, [t.message_id for t in texts if t.message_id not in needed], now)
            lost = [] if texts else await store.give_up_waiting(tx, before=now - self._patience, at=now)
            due = [text for text in texts if text.message_id in needed] or await self._due_again(tx)
            await store.ask(tx, [text.message_id for text in due], now)
            await tell(tx, skipped + lost, now)
        return due, len(skipped)

    async def _due_again(self, tx: Tx) -> list[ToSend]:
        return await store.unknown_texts(tx, TEXTS_MAX, asked_max=ASKED_MAX, pause=self._ask_again, at=self._clock.now())

    async def _hand_over(self, texts: Sequence[ToSend]) -> Mapping[UUID, Answer]:
        """No transaction is open here."""
        try:
            return await self._gateway.send([self._out(text) for text in texts])
        except NoAnswer:
            self._doubt = True
            self._log.warning("gateway_gave_no_answer", count=len(texts))
            return {}

    async def _book(self, texts: Sequence[ToSend], answers: Mapping[UUID, Answer]) -> None:
        """An id without an answer is unknown. A receipt may have come first: only what goes forward is applied."""
        statuses = {text.message_id: _status(answers.get(text.message_id)) for text in texts}
        async with self._database.transaction("notify.book") as tx:
            await tell(tx, await store.settle(tx, statuses, self._clock.now()), self._clock.now())

    def _out(self, text: ToSend) -> OutText:
        phone = self._vault.open_as(text.contact, str(text.owner), Contact).phone
        return OutText(text.message_id, phone, render(text.round, accented=text.accented))

    async def _idle(self, stop: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (stop, self._work)]
        try:
            await asyncio.wait(waits, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._work.clear()


def _status(answer: Answer | None) -> MessageStatus:
    return _STATUS[answer] if answer else MessageStatus.UNKNOWN
