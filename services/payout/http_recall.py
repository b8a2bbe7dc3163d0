"""HTTP of cancelling what was sent: ask, confirm, let a cancel without an answer be unknown, look."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.payout import cancelling, store, store_recall
from services.payout.cancelling import CancelAsked, CancelProposed
from services.payout.clerk import Clerk
from services.payout.recalling import After, Wish
from services.payout.refusals import Refused
from services.payout.store import Payroll
from shared.actors import Actor
from shared.database import Tx
from shared.fields import Digest, Opaque, Period
from shared.process import Runtime
from shared.words import Role

PATH = "/v1/payrolls/{period}/{payer}"


class Cancel(BaseModel):
    """Whose payments to ask back, why (a code), and what becomes of the lines: kept back for good, or free for the next build. A provider
    cancels a payment whole; `periods`: of one that pays several months only these are kept back, the others wait for the next build."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    beneficiary_ids: Annotated[list[UUID], Field(min_length=1, max_length=10_000)]
    reason: Annotated[str, Field(pattern=r"^[A-Z_]{2,40}$")]
    after: After = After.KEEP
    periods: Annotated[frozenset[Period], Field(max_length=24)] = frozenset()

    @model_validator(mode="after")
    def _free_keeps_nothing_back(self) -> Cancel:
        if self.periods and self.after is After.FREE:
            raise ValueError("periods are kept back: not with after=free, which frees every month for the next build")
        return self


class CancelSigned(BaseModel):
    """The hash of the cancel that the second person signs."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    sha256: Digest


def add_recall(routes: APIRouter, runtime: Runtime) -> None:
    """Everything about payments that were sent and must not be paid."""
    _add_asking(routes, runtime)
    _add_waiting(routes, runtime)


def _add_asking(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(PATH + "/cancel")
    async def propose_cancel(
        period: Period, payer: Opaque, *, body: Cancel, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Propose to ask back payments that were sent; a second person must sign the hash returned. Nothing is asked before."""
        people, at = set(body.beneficiary_ids), runtime.clock.now()
        wish = Wish(body.reason, body.after, body.periods)

        async def command(tx: Tx, payroll: Payroll) -> CancelProposed | Refused:
            return await cancelling.propose(tx, people, wish, payroll=payroll, actor=actor, at=at)

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.run(Role.CHECKER, "payroll_cancel", command, answer=asdict))

    @routes.post(PATH + "/confirm-cancel")
    async def confirm_cancel(
        period: Period, payer: Opaque, *, body: CancelSigned, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """The second signature: the token names the cancel's hash. Providers are asked; only their word ends a payment."""
        at = runtime.clock.now()

        async def command(tx: Tx, payroll: Payroll) -> CancelAsked | Refused:
            return await cancelling.confirm(tx, runtime.vault, body.sha256, payroll=payroll, actor=actor, at=at)

        def answer(done: CancelAsked) -> dict[str, Any]:
            return {"sha256": body.sha256, **asdict(done)}

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.run(Role.APPROVER, "payroll_confirm_cancel", command, answer=answer))


def _add_waiting(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(PATH + "/expire-cancels")
    async def expire_cancels(period: Period, payer: Opaque, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Cancels that a provider left without a word become unknown; their payments stay as they are."""

        async def command(tx: Tx, payroll: Payroll) -> int:
            hours = runtime.settings.answer_hours
            return await cancelling.expire(tx, hours, payroll=payroll, at=runtime.clock.now())

        def answer(count: int) -> dict[str, Any]:
            return {"unknown": count}

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.run(Role.OPERATOR, "payroll_expire_cancels", command, answer=answer))

    @routes.get(PATH + "/cancels")
    async def cancels(period: Period, payer: Opaque) -> dict[str, Any]:
        """Cancels of a payroll: who asked for what, and what became of it, by state and VND, each with the months of its payments, and
        `kept_back`: those of them that were named to be kept back (null: all that `after` keeps). Of
        months that are paid together, all of them, whichever of them is asked for."""
        async with runtime.database.reading() as tx:
            payroll = await store.paid_with(tx, period, payer)
            lead, months = (payroll.period, payroll.periods) if payroll else (period, (period,))
            return {"period": lead, "payer": payer, "periods": months, "cancels": await store_recall.shown(tx, lead, payer)}
