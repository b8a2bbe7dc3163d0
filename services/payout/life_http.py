"""HTTP of a payroll's life: periods, budgets, preview, the province's signature, freezes, finishing, the go / no-go sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from asyncpg import Record
from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.payout import go_no_go, life, preview, store, store_life
from services.payout.building import Builder, Built, unless_overtaken
from services.payout.clerk import Clerk, refusal_problem
from services.payout.months import plus_months
from services.payout.refusals import Refusal, Refused
from services.payout.store import Payroll, Row
from shared.actors import Actor, require
from shared.database import Tx
from shared.fields import Digest, Opaque, Period, Vnd
from shared.issuing import EVERY_PAYER
from shared.process import Runtime
from shared.words import Programme, Role

PATH = "/v1/payrolls/{period}/{payer}"
MONTH = "/v1/periods/{period}"
Code = Annotated[str, Field(pattern=r"^[A-Z_]{2,40}$")]
PayerOrAll = Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._/-]{0,79})$")]


class Body(BaseModel):
    """Base of what is posted."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Budget(Body):
    """VND per programme; a programme that is not named has nothing to spend."""

    programmes: dict[Programme, Vnd] = Field(min_length=1)


class Signed(Body):
    """The hash that the token signs."""

    sha256: Digest


class Joined(Body):
    """A further month that is paid with the payroll."""

    period: Period


class Tier(Body):
    """From a period on the province signs above a sum; null: no longer."""

    payer: PayerOrAll
    from_period: Period
    above_vnd: Vnd | None


class Freeze(Body):
    """Nothing of a payer ('*': of anybody) is released between two moments; `reason` is a code."""

    payer: PayerOrAll
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason: Code


def add_routes(routes: APIRouter, runtime: Runtime, builder: Builder) -> None:
    """Everything of a payroll's life that is not building, signing and sending."""
    _add_periods(routes, runtime)
    _add_joining(routes, runtime)
    _add_preview(routes, runtime, builder)
    _add_province(routes, runtime)
    _add_freezes(routes, runtime)
    _add_finishing(routes, runtime)
    _add_sheet(routes, runtime)


def _add_periods(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(MONTH + "/open")
    async def open_period(period: Period, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Open a month, so that payers may get budgets for it. Opening it again changes nothing."""

        async def command(tx: Tx) -> bool:
            return await store_life.open_period(tx, period, actor, runtime.clock.now())

        def answer(opened: bool) -> dict[str, Any]:
            return {"period": period, "opened_now": opened}

        clerk = Clerk(runtime, period, EVERY_PAYER, actor=actor)
        return dict(await clerk.act(Role.APPROVER, "period_open", command, answer=answer))

    @routes.post(MONTH + "/{payer}/budget")
    async def propose_budget(
        period: Period, payer: Opaque, *, body: Budget, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Write the next version of a payer's budget; a second person must sign the hash returned."""
        rows = {str(programme): vnd for programme, vnd in body.programmes.items()}

        async def command(tx: Tx) -> life.BudgetProposed | Refused:
            return await life.propose_budget(tx, period, payer, rows=rows, actor=actor, at=runtime.clock.now())

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.act(Role.MAKER, "budget_propose", command, answer=asdict))

    @routes.post(MONTH + "/{payer}/confirm-budget")
    async def confirm_budget(
        period: Period, payer: Opaque, *, body: Signed, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """The second signature: the token names the sheet's hash."""

        async def command(tx: Tx) -> int | Refused:
            return await life.confirm_budget(tx, body.sha256, period=period, payer=payer, actor=actor, at=runtime.clock.now())

        def answer(vnd: int) -> dict[str, Any]:
            return {"sha256": body.sha256, "vnd": vnd}

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.act(Role.APPROVER, "budget_confirm", command, answer=answer))


def _add_joining(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(PATH + "/join")
    async def join_month(
        period: Period, payer: Opaque, *, body: Joined, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Pay another closed month of the payer with this payroll: who is in both gets one payment. Only before anything of either was
        built. Joining it again changes nothing."""

        async def command(tx: Tx) -> bool | Refused:
            return await life.join(tx, period, payer, joined=body.period, actor=actor, at=runtime.clock.now())

        def answer(joined: bool) -> dict[str, Any]:
            return {"period": period, "payer": payer, "joined": body.period, "joined_now": joined}

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.act(Role.APPROVER, "payroll_join", command, answer=answer))

    @routes.post(PATH + "/unjoin")
    async def unjoin_month(
        period: Period, payer: Opaque, *, body: Joined, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Take a join back: the month is paid by itself again. Only before anything of either was built (`ALREADY_BUILT`); of a month that
        is not joined `NOT_JOINED`."""

        async def command(tx: Tx) -> Refused | None:
            return await life.unjoin(tx, period, payer, joined=body.period, actor=actor, at=runtime.clock.now())

        def answer(_done: None) -> dict[str, Any]:
            return {"period": period, "payer": payer, "parted": body.period}

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.act(Role.APPROVER, "payroll_unjoin", command, answer=answer))


def _add_preview(routes: APIRouter, runtime: Runtime, builder: Builder) -> None:
    @routes.post(PATH + "/preview", response_model=None)
    async def preview_payroll(
        period: Period, payer: Opaque, *, output: Literal["json", "csv"] = "json", actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any] | Response:
        """What a build would make now, and how the month would differ from the last; nothing is kept."""
        require(actor, Role.MAKER, payer)
        done = await unless_overtaken(lambda: _tried(runtime, builder, period, payer=payer, actor=actor))
        if isinstance(done, Refused):
            raise refusal_problem(done)
        built, months = done
        found = [preview.difference(dict(row), month) for month, rows in months.items() for row in rows]
        if output == "csv":
            return Response(preview.as_csv(found), media_type="text/csv; charset=utf-8")
        lists = [{"provider": d.provider, "count": len(d.payments), "vnd": d.vnd} for d in built.drafts]
        return {"preview": True, "periods": list(months), "lists": lists, "newly_held": built.held, "against": plus_months(period, -1),
                "summary": preview.summary(found), "differences": preview.as_json(found)}  # fmt: skip


async def _tried(
    runtime: Runtime, builder: Builder, period: str, *, payer: str, actor: Actor
) -> tuple[Built, Mapping[str, Sequence[Record]]] | Refused:
    """A build that is rolled back, and how each of its months would differ from the one before."""
    async with runtime.database.undone() as tx:
        payroll = await store.lock_payroll(tx, period, payer)
        if payroll is None:
            return Refused(Refusal.NOT_CLOSED)
        if payroll.lead:
            return Refused(Refusal.MONTH_JOINED)
        if await store_life.closed(tx, period, payer):
            return Refused(Refusal.PAYROLL_CLOSED)
        built = await builder.build(tx, payroll, actor=actor, at=runtime.clock.now())
        if isinstance(built, Refused):
            return built
        months = payroll.periods
        return built, {month: await store_life.differences(tx, payroll, month, plus_months(month, -1)) for month in months}


def _add_province(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post("/v1/tiers")
    async def set_tier(body: Tier, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Above this sum of all lists of a round the province signs too, from a period on."""

        async def command(tx: Tx) -> None:
            await store_life.set_tier(
                tx, body.payer, body.from_period, above_vnd=body.above_vnd, actor=actor, at=runtime.clock.now()
            )

        clerk = Clerk(runtime, body.from_period, body.payer, actor=actor)
        return dict(await clerk.act(Role.PROVINCE_APPROVER, "tier_set", command, answer=lambda _done: body.model_dump()))

    @routes.post(PATH + "/endorse")
    async def endorse(period: Period, payer: Opaque, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """The province signs approved lists above the tier; the token names the hash that `life` shows under `to_endorse`."""

        async def command(tx: Tx, payroll: Payroll) -> Any:
            return await life.endorse(tx, payroll=payroll, actor=actor, at=runtime.clock.now())

        def answer(batches: Sequence[Row]) -> dict[str, Any]:
            return {"step": "endorse", "batches": [batch["batch_id"] for batch in batches], "sha256": actor.sha256}

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.run(Role.PROVINCE_APPROVER, "payroll_endorse", command, answer=answer))


def _add_freezes(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post("/v1/freezes")
    async def set_freeze(body: Freeze, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Release nothing between two moments. A freeze is not taken back: it ends, or an emergency goes round it."""
        between = (body.starts_at, body.ends_at)

        async def command(tx: Tx) -> Any:
            if body.starts_at >= body.ends_at:
                return Refused(Refusal.FREEZE_EMPTY)
            return await store_life.set_freeze(tx, body.payer, between, reason=body.reason, actor=actor, at=runtime.clock.now())

        day = body.starts_at.date().isoformat()[:7]

        def answer(identity: UUID) -> dict[str, Any]:
            return {"freeze_id": identity, **body.model_dump()}

        clerk = Clerk(runtime, day, body.payer, actor=actor)
        return dict(await clerk.act(Role.APPROVER, "freeze_set", command, answer=answer))


def _add_finishing(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(PATH + "/finish")
    async def finish(period: Period, payer: Opaque, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Every line is paid, carried over or held: from now on nothing moves in this payroll."""

        async def command(tx: Tx, payroll: Payroll) -> life.Finished | Refused:
            return await life.finish(tx, payroll=payroll, actor=actor, at=runtime.clock.now())

        clerk = Clerk(runtime, period, payer, actor=actor)
        return dict(await clerk.run(Role.APPROVER, "payroll_finish", command, answer=asdict))

    @routes.get(PATH + "/life")
    async def show_life(period: Period, payer: Opaque) -> dict[str, Any]:
        """Period, months that are paid together, budgets and a sheet that waits for a second signature, the province's signature, freezes,
        whether it is finished."""
        async with runtime.database.reading() as tx:
            opened = await store_life.opened(tx, period)
            payroll = await store.payroll(tx, period, payer)
            months, lead = (payroll.periods, payroll.lead) if payroll else ((period,), None)
            waiting = await life.waiting_for_province(tx, payroll) if payroll else []
            finished = await store_life.closed(tx, period, payer)
            return {
                "period": period,
                "payer": payer,
                "opened": dict(opened) if opened else None,
                "periods": months,
                "paid_with": lead,
                "budgets": [dict(row) for row in await store_life.budgets(tx, months, payer, payroll=lead or period)],
                "budget_waits": dict(waits) if (waits := await store_life.waiting_sheet(tx, period, payer)) else None,
                "to_endorse": life.to_sign(waiting),
                "freezes": [dict(row) for row in await store_life.freezes(tx, payer, runtime.clock.now())],
                "finished": dict(finished) if finished else None,
            }


def _add_sheet(routes: APIRouter, runtime: Runtime) -> None:
    async def rows(period: str) -> list[go_no_go.Row]:
        async with runtime.database.reading() as tx:
            found = await store_life.go_no_go(tx, period, plus_months(period, -1))
        return [go_no_go.row_of(dict(row), budget_required=runtime.settings.budget_required) for row in found]

    @routes.get(MONTH + "/go-no-go")
    async def sheet(period: Period) -> dict[str, Any]:
        """One row per payer: closed, totals, verified, budget, checked, approved, released, acknowledged, and what to do."""
        return go_no_go.as_json(period, await rows(period))

    @routes.get(MONTH + "/go-no-go.html", response_model=None)
    async def page(period: Period) -> Response:
        """The same as a page."""
        return Response(go_no_go.as_html(period, await rows(period)), media_type="text/html; charset=utf-8")
