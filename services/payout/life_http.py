"""HTTP of a payroll's life: periods, budgets, preview, the province's signature, freezes, finishing, the go / no-go sheet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.payout import go_no_go, life, preview, store, store_life
from services.payout.building import build
from services.payout.clerk import Clerk, refusal_problem
from services.payout.emitting import Entries, audited
from services.payout.months import plus_months
from services.payout.refusals import Refusal, Refused
from services.payout.rules import Rules
from services.payout.store import Payroll
from shared.actors import EVERY_PAYER, Actor, require
from shared.database import Tx
from shared.fields import Digest, Opaque, Period, Vnd
from shared.outbox import put_events
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


def add_routes(routes: APIRouter, runtime: Runtime, rules: Rules) -> None:
    """Everything of a payroll's life that is not building, signing and sending."""
    _add_periods(routes, runtime)
    _add_preview(routes, runtime, rules)
    _add_province(routes, runtime)
    _add_freezes(routes, runtime)
    _add_finishing(routes, runtime)
    _add_sheet(routes, runtime)


async def _done(
    runtime: Runtime, actor: Actor, act: str, *, place: tuple[str, str], command: Callable[[Tx], Awaitable[Any]]
) -> Any:
    """Run a command that needs no closed list, with its audit record. Raises Problem for a refusal; then nothing was changed."""
    async with runtime.database.transaction("payout.life") as tx:
        done = await command(tx)
        if isinstance(done, Refused):
            raise refusal_problem(done)
        at = runtime.clock.now()
        await put_events(tx, [audited(actor, act, Entries(*place, at))], at)
    runtime.log.info("payroll_command", act=act, period=place[0], payer=place[1], actor=actor.id)
    return done


def _add_periods(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(MONTH + "/open")
    async def open_period(period: Period, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Open a month, so that payers may get budgets for it. Opening it again changes nothing."""
        require(actor, Role.APPROVER, EVERY_PAYER)

        async def command(tx: Tx) -> bool:
            return await store_life.open_period(tx, period, actor, runtime.clock.now())

        opened = await _done(runtime, actor, "period_open", place=(period, EVERY_PAYER), command=command)
        return {"period": period, "opened_now": opened}

    @routes.post(MONTH + "/{payer}/budget")
    async def propose_budget(
        period: Period, payer: Opaque, *, body: Budget, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Write the next version of a payer's budget; a second person must sign the hash returned."""
        require(actor, Role.MAKER, payer)
        rows = {str(programme): vnd for programme, vnd in body.programmes.items()}

        async def command(tx: Tx) -> life.BudgetProposed | Refused:
            return await life.propose_budget(tx, period, payer, rows=rows, actor=actor, at=runtime.clock.now())

        sheet: life.BudgetProposed = await _done(runtime, actor, "budget_propose", place=(period, payer), command=command)
        return {"sha256": sheet.sha256, "version": sheet.version, "vnd": sheet.vnd}

    @routes.post(MONTH + "/{payer}/confirm-budget")
    async def confirm_budget(
        period: Period, payer: Opaque, *, body: Signed, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """The second signature: the token names the sheet's hash."""
        require(actor, Role.APPROVER, payer)

        async def command(tx: Tx) -> int | Refused:
            return await life.confirm_budget(tx, body.sha256, period=period, payer=payer, actor=actor, at=runtime.clock.now())

        vnd = await _done(runtime, actor, "budget_confirm", place=(period, payer), command=command)
        return {"sha256": body.sha256, "vnd": vnd}


def _add_preview(routes: APIRouter, runtime: Runtime, rules: Rules) -> None:
    key = runtime.vault.end_to_end_key()

    @routes.post(PATH + "/preview", response_model=None)
    async def preview_payroll(
        period: Period, payer: Opaque, *, output: Literal["json", "csv"] = "json", actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any] | Response:
        """What a build would make now, and how the month would differ from the last; nothing is kept."""
        require(actor, Role.MAKER, payer)
        async with runtime.database.undone() as tx:
            payroll = await store.lock_payroll(tx, period, payer)
            if payroll is None:
                raise refusal_problem(Refused(Refusal.NOT_CLOSED))
            built = await build(tx, runtime.settings, key, rules=rules, payroll=payroll, actor=actor, at=runtime.clock.now())
            if isinstance(built, Refused):
                raise refusal_problem(built)
            rows = await store_life.differences(tx, period, payer, plus_months(period, -1))
        found = [preview.difference(dict(row)) for row in rows]
        if output == "csv":
            return Response(preview.as_csv(found), media_type="text/csv; charset=utf-8")
        lists = [{"provider": d.provider, "count": len(d.payments), "vnd": d.vnd} for d in built.drafts]
        return {"preview": True, "lists": lists, "newly_held": built.held, "against": plus_months(period, -1),
                "summary": preview.summary(found), "differences": preview.as_json(found)}  # fmt: skip


def _add_province(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post("/v1/tiers")
    async def set_tier(body: Tier, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Above this sum of all lists of a round the province signs too, from a period on."""
        require(actor, Role.PROVINCE_APPROVER, body.payer)

        async def command(tx: Tx) -> None:
            await store_life.set_tier(
                tx, body.payer, body.from_period, above_vnd=body.above_vnd, actor=actor, at=runtime.clock.now()
            )

        await _done(runtime, actor, "tier_set", place=(body.from_period, body.payer), command=command)
        return body.model_dump()

    @routes.post(PATH + "/endorse")
    async def endorse(period: Period, payer: Opaque, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """The province signs approved lists above the tier; the token names the hash that `life` shows under `to_endorse`."""

        async def command(tx: Tx, payroll: Payroll) -> Any:
            return await life.endorse(tx, payroll=payroll, actor=actor, at=runtime.clock.now())

        batches = await Clerk(runtime, period, payer, actor=actor).run(Role.PROVINCE_APPROVER, "payroll_endorse", command)
        return {"step": "endorse", "batches": [batch["batch_id"] for batch in batches], "sha256": actor.sha256}


def _add_freezes(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post("/v1/freezes")
    async def set_freeze(body: Freeze, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Release nothing between two moments. A freeze is not taken back: it ends, or an emergency goes round it."""
        require(actor, Role.APPROVER, body.payer)
        between = (body.starts_at, body.ends_at)
        if body.starts_at >= body.ends_at:
            raise refusal_problem(Refused(Refusal.FREEZE_EMPTY))

        async def command(tx: Tx) -> Any:
            return await store_life.set_freeze(tx, body.payer, between, reason=body.reason, actor=actor, at=runtime.clock.now())

        day = body.starts_at.date().isoformat()[:7]
        identity = await _done(runtime, actor, "freeze_set", place=(day, body.payer), command=command)
        return {"freeze_id": identity, **body.model_dump()}


def _add_finishing(routes: APIRouter, runtime: Runtime) -> None:
    @routes.post(PATH + "/finish")
    async def finish(period: Period, payer: Opaque, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Every line is paid, carried over or held: from now on nothing moves in this payroll."""

        async def command(tx: Tx, payroll: Payroll) -> life.Finished | Refused:
            return await life.finish(tx, payroll=payroll, actor=actor, at=runtime.clock.now())

        done: life.Finished = await Clerk(runtime, period, payer, actor=actor).run(Role.APPROVER, "payroll_finish", command)
        return {"carried": done.carried, "vnd": done.vnd}

    @routes.get(PATH + "/life")
    async def show_life(period: Period, payer: Opaque) -> dict[str, Any]:
        """Period, budgets and a sheet that waits for its second signature, the province's signature, freezes, and whether it is finished."""
        async with runtime.database.reading() as tx:
            opened = await store_life.opened(tx, period)
            payroll = await store.payroll(tx, period, payer)
            waiting = await life.waiting_for_province(tx, payroll) if payroll else []
            finished = await store_life.closed(tx, period, payer)
            return {
                "period": period,
                "payer": payer,
                "opened": dict(opened) if opened else None,
                "budgets": [dict(row) for row in await store_life.budgets(tx, period, payer)],
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
