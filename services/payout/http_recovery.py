"""HTTP of recovery cases: money that reached somebody who was not owed it. Refusals are problem+json with a code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.payout import recovering, store_recovery
from services.payout.recovery import RECOVERY_ADVICE, Ending, RecoveryRefusal
from services.payout.store_statements import days_between
from shared.actors import Actor, require
from shared.database import Tx
from shared.events import AuditRecord
from shared.fields import Opaque
from shared.issuing import EVERY_PAYER
from shared.outbox import OutEvent, put_events
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role

Step = Callable[[Tx], Awaitable[Any]]


class RecoveryProposal(BaseModel):
    """How a case would end and why: a code, never a sentence about a person. `recovered`: the sum is back in the payer's hands."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    ending: Literal["recovered", "waived"]
    why: Annotated[str, Field(pattern=r"^[A-Z_]{2,40}$")]


def add_recoveries(routes: APIRouter, runtime: Runtime) -> None:
    """Look, take, propose, approve."""
    _add_looking(routes, runtime)
    _add_steps(routes, runtime)


def _add_looking(routes: APIRouter, runtime: Runtime) -> None:
    @routes.get("/v1/recoveries")
    async def recoveries(
        *, still_open: Annotated[bool, Query(alias="open")] = True, payer: Opaque | None = None
    ) -> dict[str, Any]:
        """Recovery cases, oldest first, with their age in days and owner; and open ones counted per payer."""
        now = runtime.clock.now()
        async with runtime.database.reading() as tx:
            rows = await store_recovery.shown(tx, still_open=still_open, payer=payer)
            counted = await store_recovery.counted(tx)
        for row in rows:
            row["age_days"] = days_between(row["opened_at"], row["ended_at"] or now)
        return {"open": counted, "recoveries": rows}


def _add_steps(routes: APIRouter, runtime: Runtime) -> None:
    async def run(act: str, case_id: UUID, actor: Actor, *, role: Role, step: Step) -> Any:
        require(actor, role, EVERY_PAYER)
        async with runtime.database.transaction("payout.recovery_step") as tx:
            done = await step(tx)
            if isinstance(done, RecoveryRefusal):
                raise Problem(done, RECOVERY_ADVICE[done], 404 if done is RecoveryRefusal.RECOVERY_UNKNOWN else 409)
            record = AuditRecord(actor=actor.id, act=act, subject=f"recovery:{case_id}", at=runtime.clock.now())
            await put_events(tx, [OutEvent(record.TOPIC, actor.id, record)], record.at)
        runtime.log.info("recovery_step", act=act, actor=actor.id)
        return done

    @routes.post("/v1/recoveries/{case_id}/take")
    async def take_recovery(case_id: UUID, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Look after a case from now on."""

        async def step(tx: Tx) -> Any:
            return await recovering.take(tx, case_id, actor=actor, at=runtime.clock.now())

        await run("recovery_take", case_id, actor, role=Role.OPERATOR, step=step)
        return {"case_id": case_id, "owner": actor.id}

    @routes.post("/v1/recoveries/{case_id}/resolve")
    async def resolve_recovery(
        case_id: UUID, body: RecoveryProposal, actor: Actor = Depends(runtime.gate.dependency)
    ) -> dict[str, Any]:
        """Propose how a case ends; a second person must sign the hash returned."""

        async def step(tx: Tx) -> Any:
            return await recovering.propose(tx, case_id, Ending(body.ending), body.why, actor=actor, at=runtime.clock.now())

        sha256 = await run("recovery_resolve", case_id, actor, role=Role.OPERATOR, step=step)
        return {"case_id": case_id, "ending": body.ending, "sha256": sha256}

    @routes.post("/v1/recoveries/{case_id}/approve")
    async def approve_recovery(case_id: UUID, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """The second signature: the token names the proposal's hash. One posting ends the case."""

        async def step(tx: Tx) -> Any:
            return await recovering.approve(tx, case_id, actor=actor, at=runtime.clock.now())

        ending = await run("recovery_approve", case_id, actor, role=Role.APPROVER, step=step)
        return {"case_id": case_id, "ending": ending}
