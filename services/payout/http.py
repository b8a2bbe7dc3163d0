"""HTTP of payout: the commands on a payroll, the payroll as it stands, one person's trace. Refusals are problem+json with a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.payout import commands, store, store_delivery, store_shown
from services.payout.batch import Step
from services.payout.building import Builder, Built, execution_date, unless_overtaken
from services.payout.clerk import Clerk, refusal_problem
from services.payout.commands import Proposed
from services.payout.files import FileWriter
from services.payout.http_omitted import add_omitted
from services.payout.http_recall import add_recall
from services.payout.http_recovery import add_recoveries
from services.payout.http_what_if import add_what_if
from services.payout.idempotency import documented, route_class
from services.payout.life import Emergency
from services.payout.life_http import add_routes
from services.payout.refusals import ADVICE, Refusal, Refused
from services.payout.release import Released, release
from services.payout.settlement_http import add_settlement
from services.payout.store import Payroll, Row
from shared.actors import Actor, require
from shared.database import Tx
from shared.fields import Digest, Period
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role

PATH = "/v1/payrolls/{period}/{payer}"


class Withdrawal(BaseModel):
    """Whose payments to take off, and why: a code, never a sentence about a person. `periods`: of a payroll of several months only what is
    paid for these; the payment leaves whole, and what it pays of other months waits for the next build."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    beneficiary_ids: Annotated[list[UUID], Field(min_length=1, max_length=10_000)]
    reason: Annotated[str, Field(pattern=r"^[A-Z_]{2,40}$")]
    periods: Annotated[frozenset[Period], Field(max_length=24)] = frozenset()


class Confirmation(BaseModel):
    """The hash of the withdrawal list that the second person signs."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    sha256: Digest


class EmergencyRelease(BaseModel):
    """Why a list leaves in a freeze: a code."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    emergency_reason: Annotated[str, Field(pattern=r"^[A-Z_]{2,40}$")]


def router(runtime: Runtime, writer: FileWriter, builder: Builder) -> APIRouter:
    """The routes, bound to one service's dependencies."""
    routes = APIRouter(route_class=route_class(runtime), dependencies=[Depends(documented)])
    _add_build(routes, runtime, builder)
    _add_signing(routes, runtime)
    _add_release(routes, runtime, writer)
    _add_withdrawals(routes, runtime)
    _add_expiry(routes, runtime)
    _add_reading(routes, runtime)
    add_what_if(routes, runtime, builder.rules)
    add_omitted(routes, runtime, builder.rules)
    add_routes(routes, runtime, builder)
    add_settlement(routes, runtime)
    add_recall(routes, runtime)
    add_recoveries(routes, runtime)
    return routes


def _add_build(routes: APIRouter, runtime: Runtime, builder: Builder) -> None:
    @routes.post(PATH + "/build")
    async def build_payroll(period: str, payer: str, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Put every frozen line that is not paid yet into a draft or hold it with a reason."""
        at = runtime.clock.now()

        async def command(tx: Tx, payroll: Payroll) -> Built | Refused:
            return await builder.build(tx, payroll, actor=actor, at=at)

        async def attempt() -> dict[str, Any]:
            return dict(await Clerk(runtime, period, payer, actor=actor).run(Role.MAKER, "payroll_build", command, answer=_built))

        done = await unless_overtaken(attempt)
        if isinstance(done, Refused):
            raise refusal_problem(done)
        return done


def _built(built: Built) -> dict[str, Any]:
    drafts = [
        {"batch_id": d.batch_id, "provider": d.provider, "count": len(d.payments), "vnd": d.vnd, "sha256": d.sha256}
        for d in built.drafts
    ]
    return {"batches": drafts, "lines": built.lines, "newly_held": built.held}


def _add_signing(routes: APIRouter, runtime: Runtime) -> None:
    async def signed(step: Step, role: Role, *, period: str, payer: str, actor: Actor) -> dict[str, Any]:
        async def command(tx: Tx, payroll: Payroll) -> Any:
            return await commands.sign_step(tx, step, payroll=payroll, actor=actor, at=runtime.clock.now())

        def answer(batches: Sequence[Row]) -> dict[str, Any]:
            return {"step": step, "batches": [batch["batch_id"] for batch in batches], "sha256": actor.sha256}

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.run(role, f"payroll_{step}", command, answer=answer))

    @routes.post(PATH + "/check")
    async def check_payroll(period: str, payer: str, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Sign every draft; the token names the hash over them."""
        return await signed(Step.CHECK, Role.CHECKER, period=period, payer=payer, actor=actor)

    @routes.post(PATH + "/approve")
    async def approve_payroll(period: str, payer: str, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Sign every checked list; the token names the hash over them."""
        return await signed(Step.APPROVE, Role.APPROVER, period=period, payer=payer, actor=actor)


def _add_release(routes: APIRouter, runtime: Runtime, writer: FileWriter) -> None:
    @routes.post(PATH + "/release")
    async def release_payroll(
        period: str, payer: str, *, body: EmergencyRelease | None = None, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Send every approved list; the token names the hash over them. Files are on disk when this answers. In a freeze only with a
        reason, by somebody with the emergency role."""
        require(actor, Role.EMERGENCY if body else Role.RELEASER, payer)
        emergency = Emergency(body.emergency_reason) if body else None
        done = await release(runtime, period, payer, actor=actor, emergency=emergency, answer=_released)
        if isinstance(done, Refused):
            raise refusal_problem(done)
        await writer.write_missing()
        return done


def _released(done: Released) -> dict[str, Any]:
    batches = [
        {"batch_id": b["batch_id"], "provider": b["provider"], "approved_sha256": b["sha256"]}
        | {
            "count": done.sent[b["batch_id"]].count,
            "vnd": done.sent[b["batch_id"]].vnd,
            "sent_sha256": done.sent[b["batch_id"]].sha256,
        }
        for b in done.batches
    ]
    return {"batches": batches, "dropped": done.dropped}


def _add_withdrawals(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(PATH + "/withdraw")
    async def propose(
        period: str, payer: str, *, body: Withdrawal, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Propose to take people's payments off lists that are not sent; a second person must sign the hash returned."""
        people, at = set(body.beneficiary_ids), runtime.clock.now()

        async def command(tx: Tx, payroll: Payroll) -> Proposed | Refused:
            return await commands.withdraw(tx, people, body.reason, months=body.periods, payroll=payroll, actor=actor, at=at)

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.run(Role.CHECKER, "payroll_withdraw", command, answer=asdict))

    @routes.post(PATH + "/confirm-withdrawal")
    async def confirm(
        period: str, payer: str, *, body: Confirmation, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """The second signature: the token names the withdrawal list's hash."""

        async def command(tx: Tx, payroll: Payroll) -> int | Refused:
            return await commands.confirm_withdrawal(tx, body.sha256, payroll=payroll, actor=actor, at=runtime.clock.now())

        def answer(count: int) -> dict[str, Any]:
            return {"sha256": body.sha256, "count": count}

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.run(Role.APPROVER, "payroll_confirm_withdrawal", command, answer=answer))


def _add_expiry(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(PATH + "/expire-answers")
    async def expire(period: str, payer: str, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Payments left without an answer become unknown; only the provider's later word resolves them."""

        async def command(tx: Tx, payroll: Payroll) -> int:
            hours = runtime.settings.answer_hours
            return await commands.expire_answers(tx, hours, payroll=payroll, at=runtime.clock.now())

        def answer(count: int) -> dict[str, Any]:
            return {"unknown": count}

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.run(Role.OPERATOR, "payroll_expire_answers", command, answer=answer))


def _add_reading(routes: APIRouter, runtime: Runtime) -> None:
    @routes.get(PATH)
    async def show_payroll(period: str, payer: str) -> dict[str, Any]:
        """One payroll: lists and signatures, where every line and dong is, why account holders are not paid on it, files and
        where they were delivered. Of a month that is paid with another one: that payroll."""
        async with runtime.database.reading() as tx:
            payroll = await store.paid_with(tx, period, payer)
            if payroll is None:
                raise Problem(Refusal.NOT_CLOSED, ADVICE[Refusal.NOT_CLOSED], 404)
            page = await store_shown.payroll_page(tx, payroll)
            page["deliveries"] = [dict(row) for row in await store_delivery.shown(tx, payroll.period, payer)]
        day = execution_date(runtime.settings, payroll.period)
        return page | {"execution_date": day, "verification_deadline": day - timedelta(days=runtime.settings.verification_days)}

    @routes.get("/v1/trace/{beneficiary_id}")
    async def trace(beneficiary_id: UUID) -> dict[str, Any]:
        """One person's lines, payments and answers, without personal data."""
        async with runtime.database.reading() as tx:
            found = await store_shown.trace(tx, beneficiary_id)
        if found is None:
            raise Problem("PERSON_UNKNOWN", status=404)
        return found

    @routes.get("/v1/settings")
    async def settings() -> dict[str, Any]:
        """What this service decides by, as its office set it."""
        return dict(runtime.settings.decided_by())
