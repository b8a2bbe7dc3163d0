"""How a command is run over HTTP: role, lock, the command, the audit record, the answer under its key: one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from services.payout import store, store_life
from services.payout.emitting import Entries, audited
from services.payout.idempotency import keep
from services.payout.refusals import ADVICE, Refusal, Refused
from services.payout.store import Payroll
from shared.actors import Actor, require
from shared.database import Tx
from shared.outbox import put_events
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role

Command = Callable[[Tx, Payroll], Awaitable[Any]]
Answer = Callable[[Any], dict[str, Any]]
"""What a route answers, from what its command returned."""


class Clerk:
    """Runs one command of one actor on one payroll, or on what surrounds payrolls."""

    def __init__(self, runtime: Runtime, period: str, payer: str, *, actor: Actor) -> None:
        """`payer` may be '*': of nobody in particular."""
        self._runtime = runtime
        self._period = period
        self._payer = payer
        self._actor = actor

    async def run(self, role: Role, act: str, command: Command, *, answer: Answer | None = None) -> Any:
        """A command on a closed list. What it returns, or `answer` of that. Raises NotAllowed, or Problem for a refusal; then nothing
        was changed."""

        async def on_payroll(tx: Tx) -> Any:
            payroll = await store.lock_payroll(tx, self._period, self._payer)
            return await _unless_finished(tx, payroll, command) if payroll else Refused(Refusal.NOT_CLOSED)

        return await self.act(role, act, on_payroll, answer=answer)

    async def act(self, role: Role, act: str, command: Callable[[Tx], Awaitable[Any]], *, answer: Answer | None = None) -> Any:
        """The same for a command that needs no closed list."""
        require(self._actor, role, self._payer)
        async with self._runtime.database.transaction("payout.command") as tx:
            done = await command(tx)
            if isinstance(done, Refused):
                raise refusal_problem(done)
            entries = Entries(self._period, self._payer, self._runtime.clock.now())
            await put_events(tx, [audited(self._actor, act, entries)], entries.at)
            if answer:
                done = answer(done)
                await keep(tx, done, entries.at)
        self._runtime.log.info("payroll_command", act=act, period=self._period, payer=self._payer, actor=self._actor.id)
        return done


async def _unless_finished(tx: Tx, payroll: Payroll, command: Command) -> Any:
    if payroll.lead:
        return Refused(Refusal.MONTH_JOINED)
    finished = await store_life.closed(tx, payroll.period, payroll.payer)
    return Refused(Refusal.PAYROLL_CLOSED) if finished else await command(tx, payroll)


def refusal_problem(refused: Refused) -> Problem:
    """A refusal as HTTP 409 with its code and Vietnamese advice."""
    about = refused.about or (str(refused.count) if refused.count else "")
    return Problem(refused.refusal, ADVICE[refused.refusal] + (f" ({about})" if about else ""))
