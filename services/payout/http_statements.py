"""HTTP of what comes back: files of providers, breaks, reconciliation. Refusals are problem+json with a code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from services.payout import resolving, store, store_statements
from services.payout.breaks import BREAK_ADVICE, BreakRefusal, BreakType, Remedy
from services.payout.handlers import Handlers
from services.payout.idempotency import documented, route_class
from services.payout.own_accounts import shown_by_payers
from services.payout.reconciling import Scope, compare, open_missing
from services.payout.statement_line import ADVICE, BYTES_MAX, NotAStatement, StatementRefusal, place_of
from services.payout.statements import StatementDesk
from shared.actors import Actor, require
from shared.database import Tx
from shared.events import AuditRecord
from shared.fields import Opaque, Period
from shared.issuing import EVERY_PAYER
from shared.outbox import OutEvent, put_events
from shared.process import Runtime
from shared.topics import Provider
from shared.web import Problem
from shared.words import Role

Step = Callable[[Tx], Awaitable[Any]]


class Proposal(BaseModel):
    """How a break would end."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    remedy: Remedy


def statement_router(runtime: Runtime, desk: StatementDesk, handlers: Handlers) -> APIRouter:
    """The routes, bound to one service's dependencies."""
    files = APIRouter()  # a file's own hash is its key
    routes = APIRouter(route_class=route_class(runtime), dependencies=[Depends(documented)])
    _add_files(files, runtime, desk)
    _add_breaks(routes, runtime, desk)
    _add_resolving(routes, runtime, handlers)
    _add_reconciling(routes, runtime, desk)
    files.include_router(routes)
    return files


def _add_files(routes: APIRouter, runtime: Runtime, desk: StatementDesk) -> None:
    @routes.post("/v1/statements/{provider}")
    async def take_statement(
        provider: Provider, request: Request, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Take a file of a provider and book it. The same file again changes nothing; a refused one has no effect and is kept."""
        require(actor, Role.OPERATOR, EVERY_PAYER)
        content = bytearray()
        async for block in request.stream():
            content += block
            if len(content) > BYTES_MAX:
                raise _refused(NotAStatement(StatementRefusal.FILE_TOO_LARGE))
        try:
            taken = await desk.take(provider, bytes(content), actor)
        except NotAStatement as refused:
            raise _refused(refused) from None
        runtime.log.info("statement_taken", provider=provider, actor=actor.id, rows=taken["lines"])
        return taken

    @routes.get("/v1/statements")
    async def statements() -> list[dict[str, Any]]:
        """The newest files, taken and refused."""
        async with runtime.database.reading() as tx:
            return await store_statements.shown_files(tx)

    @routes.get("/v1/statements/{file_id}")
    async def statement(file_id: UUID) -> dict[str, Any]:
        """One file and what became of its lines."""
        try:
            return await desk.shown(file_id)
        except LookupError:
            raise Problem("STATEMENT_UNKNOWN", status=404) from None


def _refused(refused: NotAStatement) -> Problem:
    return Problem(refused.reason, f"{ADVICE[refused.reason]} {refused.where}".strip(), 422)


def _add_breaks(routes: APIRouter, runtime: Runtime, desk: StatementDesk) -> None:
    @routes.get("/v1/breaks")
    async def breaks(
        *,
        still_open: Annotated[bool, Query(alias="open")] = True,
        provider: Provider | None = None,
        type: BreakType | None = None,
    ) -> dict[str, Any]:
        """Breaks, oldest first, with their age in days; and open ones counted per provider and type. `line` is the row on the visible
        sheet `sheet` of a workbook; `payers`: who pays from the account that was booked on."""
        now = runtime.clock.now()
        async with runtime.database.reading() as tx:
            found = await store_statements.shown_breaks(tx, still_open=still_open, provider=provider, kind=type)
            counted = await store_statements.counted_breaks(tx)
        rows = [shown_by_payers(row, desk.own) for row in found]
        for row in rows:
            row["sheet"], row["line"] = place_of(row["line"]) if row["line"] else (None, None)
            row["age_days"] = store_statements.days_between(row["opened_at"], row["approved_at"] or now)
        return {"open": counted, "breaks": rows}


def _add_resolving(routes: APIRouter, runtime: Runtime, handlers: Handlers) -> None:
    async def run(act: str, break_id: UUID, actor: Actor, *, role: Role, step: Step) -> Any:
        require(actor, role, EVERY_PAYER)
        async with runtime.database.transaction("payout.break_step") as tx:
            done = await step(tx)
            if isinstance(done, BreakRefusal):
                raise Problem(done, BREAK_ADVICE[done], 404 if done is BreakRefusal.BREAK_UNKNOWN else 409)
            record = AuditRecord(actor=actor.id, act=act, subject=f"break:{break_id}", at=runtime.clock.now())
            await put_events(tx, [OutEvent(record.TOPIC, actor.id, record)], record.at)
        runtime.log.info("break_step", act=act, actor=actor.id)
        return done

    @routes.post("/v1/breaks/{break_id}/take")
    async def take(break_id: UUID, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Look after a break from now on."""
        at = runtime.clock.now()
        await run(
            "break_take",
            break_id,
            actor,
            role=Role.OPERATOR,
            step=lambda tx: resolving.take(tx, break_id, actor=actor, at=at),
        )
        return {"break_id": break_id, "owner": actor.id}

    @routes.post("/v1/breaks/{break_id}/resolve")
    async def resolve(break_id: UUID, body: Proposal, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Propose how a break ends; a second person must sign the hash returned."""
        at = runtime.clock.now()
        sha256 = await run(
            "break_resolve",
            break_id,
            actor,
            role=Role.OPERATOR,
            step=lambda tx: resolving.propose(tx, break_id, body.remedy, actor=actor, at=at),
        )
        return {"break_id": break_id, "remedy": body.remedy, "sha256": sha256}

    @routes.post("/v1/breaks/{break_id}/approve")
    async def approve(break_id: UUID, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """The second signature: the token names the proposal's hash. One posting ends the break."""
        at = runtime.clock.now()
        posting = await run(
            "break_approve",
            break_id,
            actor,
            role=Role.APPROVER,
            step=lambda tx: resolving.approve(tx, break_id, handlers, actor=actor, at=at),
        )
        return {"break_id": break_id, "posting_id": posting}


def _add_reconciling(routes: APIRouter, runtime: Runtime, desk: StatementDesk) -> None:
    @routes.post("/v1/reconciliations/{period}/{payer}")
    async def reconciliation(
        period: Period, payer: Opaque, *, provider: Provider | None = None, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Our ledger, the files that told providers, their statements: per batch what agrees. What is missing becomes a break. Of a month
        that is paid with another one: that payroll. `funding`: what came in on the accounts it was debited from, by whole statements."""
        require(actor, Role.OPERATOR, payer)
        async with runtime.database.reading() as tx:
            payroll = await store.payroll(tx, period, payer)
        named = payroll.lead if payroll and payroll.lead else period
        scope, at, days = Scope(named, payer, provider), runtime.clock.now(), runtime.settings.statement_days
        async with runtime.database.transaction("payout.reconciled") as tx:
            opened = await open_missing(tx, scope, days=days, at=at)
        async with runtime.database.reading() as tx:
            report = await compare(tx, runtime.vault, scope, opened=opened)
            funding = await store_statements.funding_of_payroll(tx, named, payer, provider)
        return report | {"funding": [shown_by_payers(one, desk.own) for one in funding]}
