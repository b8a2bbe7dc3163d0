"""HTTP of registry: hand in lists, close them, see lists, the funnel and one person's trace. Holds no personal data but a day of death."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from services.registry import http_areas, http_events, http_funnel, http_lists, importing, store_lists, store_placing
from services.registry.door import Door
from services.registry.gone import Gatekeeper
from services.registry.importing import Importer
from services.registry.inbox import Inbox
from services.registry.lists import ListCloser
from services.registry.opening import SEQUENCE_MAX
from services.registry.refusals import ADVICE, CloseReason, NotAList
from services.registry.store_lists import WaitingAfter
from services.registry.undoing import Undoer
from shared.actors import Actor, require
from shared.database import Database
from shared.fields import Opaque, Period
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role

WAITING_SHOWN = 500
_MEDIA = {".csv": "text/csv; charset=utf-8", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
PeriodQuery = Annotated[Period, Query()]
OpaqueQuery = Annotated[Opaque, Query()]


def router(
    runtime: Runtime, importer: Importer, closer: ListCloser, *, inbox: Inbox, door: Door, gatekeeper: Gatekeeper, undoer: Undoer
) -> APIRouter:
    """The routes, bound to one service's dependencies."""
    routes = APIRouter()
    _add_imports(routes, runtime, importer, inbox=inbox, gatekeeper=gatekeeper)
    _add_returned(routes, runtime, inbox)
    _add_closing(routes, runtime, closer)
    http_events.add_routes(routes, runtime, door)
    http_areas.add_routes(routes, door.areas)
    http_lists.add_routes(routes, runtime, gatekeeper=gatekeeper, undoer=undoer)  # before `/v1/lists/{period}/{payer}`
    http_funnel.add_routes(routes, runtime)
    _add_reading(routes, runtime.database)
    return routes


def _add_imports(routes: APIRouter, runtime: Runtime, importer: Importer, *, inbox: Inbox, gatekeeper: Gatekeeper) -> None:
    actor_of: Callable[..., Actor] = runtime.gate.dependency

    @routes.post("/v1/lists/payroll")
    async def take_payroll(
        request: Request,
        *,
        period: PeriodQuery,
        payer: OpaqueQuery,
        source: OpaqueQuery,
        dry_run: bool = False,
        full: bool = False,
        actor: Actor = Depends(actor_of),
    ) -> dict[str, Any]:
        """Take a payroll list; a dry run says the same and changes nothing. One that was interrupted goes on when it comes again.

        `full`: it is the whole list of its source; who is gone from it is shown for a person to decide.
        """
        require(actor, Role.LIST_OFFICER, payer)
        with _problems():
            handed = await inbox.receive(request.stream())
            file = importing.Request(
                "payroll", handed.path, handed.sha256, source=source, payer=payer, period=period, actor=actor.id, dry_run=dry_run,
                is_full=full,
            )  # fmt: skip
            answer = await _take(runtime, importer, file)
        if full and not dry_run:
            gone = [row for row in await gatekeeper.candidates(period, payer, source) if row.choice is None]
            answer["gone"] = {"undecided": len(gone), "look": f"/v1/lists/{period}/{payer}/gone?source={source}"}
        return answer

    @routes.post("/v1/lists/accounts")
    async def take_accounts(
        request: Request, *, payer: OpaqueQuery, source: OpaqueQuery, dry_run: bool = False, actor: Actor = Depends(actor_of)
    ) -> dict[str, Any]:
        """Take an account list of the commune police."""
        require(actor, Role.LIST_OFFICER, payer)
        with _problems():
            handed = await inbox.receive(request.stream())
            file = importing.Request(
                "accounts", handed.path, handed.sha256, source=source, payer=payer, period=None, actor=actor.id, dry_run=dry_run
            )
            return await _take(runtime, importer, file)


def _add_returned(routes: APIRouter, runtime: Runtime, inbox: Inbox) -> None:
    actor_of: Callable[..., Actor] = runtime.gate.dependency

    @routes.get("/v1/imports/{import_id}/list")
    async def returned(import_id: UUID, actor: Actor = Depends(actor_of)) -> FileResponse:
        """The list as it was handed in, with fate and reason of each row. It can be fetched once, within the hour."""
        found = inbox.returned(import_id)
        if found is None:
            raise Problem("LIST_UNKNOWN", status=404)
        require(actor, Role.LIST_OFFICER, found.payer)
        return FileResponse(
            found.path, media_type=_MEDIA[found.path.suffix], background=BackgroundTask(found.path.unlink, missing_ok=True)
        )


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except NotAList as refused:
        raise Problem(refused.reason, refused.advice, 422) from None


async def _take(runtime: Runtime, importer: Importer, file: importing.Request) -> dict[str, Any]:
    try:
        answer = await importer.take(file)
    finally:
        file.path.unlink(missing_ok=True)
    runtime.log.info(
        "list_taken", act=file.kind, import_id=answer["import_id"], payer=file.payer, period=file.period, actor=file.actor,
        rows=answer["rows"], refused=answer["refused"],
    )  # fmt: skip
    return answer


def _add_closing(routes: APIRouter, runtime: Runtime, closer: ListCloser) -> None:
    actor_of: Callable[..., Actor] = runtime.gate.dependency

    @routes.post("/v1/lists/{period}/{payer}/close")
    async def close(period: Period, payer: Opaque, actor: Actor = Depends(actor_of)) -> dict[str, Any]:
        """Freeze a list and publish it. Closing a closed list gives the same closing; one that was interrupted goes on. `held`: what stayed
        out because nobody has decided yet in which commune somebody lives."""
        require(actor, Role.LIST_OFFICER, payer)
        done = await closer.close(period, payer, actor=actor.id)
        if isinstance(done, CloseReason):
            raise Problem(done, ADVICE[done])
        runtime.log.info("list_closed", period=period, payer=payer, count=done.count, vnd=done.vnd, actor=actor.id)
        async with runtime.database.reading() as tx:
            held = await store_placing.held_at_closing(tx, period, payer)
        return {**done.model_dump(mode="json"), "held": held}


def _add_reading(routes: APIRouter, database: Database) -> None:
    @routes.get("/v1/lists/{period}/{payer}")
    async def shown_list(period: Period, payer: Opaque) -> dict[str, Any]:
        """A list as it stands: rows and VND by state, totals when closed, the newest files."""
        async with database.reading() as tx:
            return _found(await store_lists.shown_list(tx, period, payer), "LIST_UNKNOWN")

    @routes.get("/v1/trace/{beneficiary_id}")
    async def trace(beneficiary_id: UUID) -> dict[str, Any]:
        """Every statement about one person with its fate, and what came of it."""
        async with database.reading() as tx:
            return _found(await store_lists.trace(tx, beneficiary_id), "PERSON_UNKNOWN")

    @routes.get("/v1/records/{name:path}")
    async def record(name: str) -> dict[str, Any]:
        """Whose record `source/record` is and the fate of each of its statements. Both may hold slashes: the longest source counts."""
        cuts = [place for place, char in enumerate(name) if char == "/"]
        async with database.reading() as tx:
            for cut in reversed(cuts):
                if found := await store_lists.record(tx, name[:cut], name[cut + 1 :]):
                    return found
        raise Problem("RECORD_UNKNOWN", status=404)

    @routes.get("/v1/waiting")
    async def waiting(
        *,
        after_since: datetime | None = None,
        after_source: Annotated[Opaque | None, Query()] = None,
        after_record: Annotated[Opaque | None, Query()] = None,
        after_sequence: Annotated[int | None, Query(ge=0, le=SEQUENCE_MAX)] = None,
        most: Annotated[int, Query(ge=1, le=WAITING_SHOWN)] = WAITING_SHOWN,
    ) -> dict[str, Any]:
        """A page of statements that wait for their person or their list's key, the oldest first. `next`: what to ask for the page behind
        it, none on the last one; `waiting`: how many there are on all pages."""
        after = WaitingAfter(after_since, after_source, after_record, after_sequence)
        async with database.reading() as tx:
            found, total = await store_lists.waiting(tx, after if None not in after else WaitingAfter(), most + 1)
        shown, last = found[:most], found[most - 1 : most]
        behind = {f"after_{name}": last[0][name] for name in WaitingAfter._fields} if len(found) > most else None
        return {"statements": shown, "waiting": total, "next": behind}


def _found(value: dict[str, Any] | None, code: str) -> dict[str, Any]:
    if value is None:
        raise Problem(code, status=404)
    return value
