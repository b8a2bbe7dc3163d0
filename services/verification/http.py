"""HTTP of verification: hand in a population extract, see progress, trace one person."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from services.verification import population_feed, store, store_ages, store_questions, store_review
from services.verification.ages import NEED_ADVICE
from services.verification.http_review import add_review
from services.verification.population_feed import NotAnExtract
from services.verification.review import Review
from services.verification.settings import Settings
from shared.actors import Actor, require
from shared.database import Database
from shared.events import AuditRecord
from shared.fields import Opaque
from shared.issuing import EVERY_PAYER
from shared.outbox import OutEvent, put_events
from shared.process import Runtime
from shared.web import Problem
from shared.words import Role


def router(runtime: Runtime, review: Review) -> APIRouter:
    """The routes, bound to one service's dependencies."""
    routes = APIRouter()
    _add_extract(routes, runtime)
    _add_reading(routes, runtime.database)
    _add_register_state(routes, runtime)
    add_review(routes, runtime, review)
    return routes


def _add_extract(routes: APIRouter, runtime: Runtime) -> None:
    actor_of: Callable[..., Actor] = runtime.gate.dependency

    @routes.post("/v1/population/extract")
    async def take_extract(
        request: Request, part: Annotated[bool | None, Query()] = None, actor: Actor = Depends(actor_of)
    ) -> dict[str, Any]:
        """Publish a CSV extract of the population register; rows that cannot be read are told by row, column and rule.

        `part`: its entries are updated and nobody else's result gets younger. Not said, the extract is of the whole register, and is
        refused when it holds much less than the replica; `false`: it is whole all the same.
        """
        require(actor, Role.OPERATOR, EVERY_PAYER)
        async with _received(request, runtime.settings.files_dir) as file:
            try:
                looked = await asyncio.to_thread(population_feed.look_through, file)
            except NotAnExtract as error:
                raise Problem(f"EXTRACT_{error}", "Tệp không phải bản trích dân cư (CSV, UTF-8, đủ cột).", 422) from None
            if part is None:
                await _refuse_much_smaller(runtime.database, looked.entries, looked.refused)
            await _publish(runtime, file, looked.entries, actor=actor, part=bool(part))
        return {"entries": looked.entries, "refused": looked.refused, "errors": [asdict(error) for error in looked.errors]}


@asynccontextmanager
async def _received(request: Request, folder: Path) -> AsyncIterator[BinaryIO]:
    """The body as a file without a name: nothing of it is left, however this process ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder) as file:
        async for block in request.stream():
            file.write(block)
        yield file


async def _refuse_much_smaller(database: Database, entries: int, refused: int) -> None:
    async with database.reading() as tx:
        held = await store.register_size(tx)
    if population_feed.is_much_smaller(entries, held):
        raise Problem(
            "EXTRACT_SMALLER",
            f"Tệp có {entries} dòng dùng được, {refused} dòng hỏng; bản đang dùng có {held} mục. Nếu tệp chỉ gồm một số người: nộp với "
            "--part. Nếu là toàn bộ cơ sở dữ liệu: kiểm tra tệp có bị cắt không; đúng là ít hơn thì nộp với --whole.",
        )


async def _publish(runtime: Runtime, file: BinaryIO, entries: int, *, actor: Actor, part: bool) -> None:
    now = runtime.clock.now()
    await population_feed.publish(runtime.database, runtime.vault, file=file, entries=entries, as_of=now, part=part)
    record = AuditRecord(actor=actor.id, act="population_part" if part else "population_extract", subject=now.isoformat(), at=now)
    async with runtime.database.transaction("verification.extract_audit") as tx:
        await put_events(tx, [OutEvent(record.TOPIC, actor.id, record)], now)


def _add_reading(routes: APIRouter, database: Database) -> None:
    @routes.get("/v1/progress")
    async def progress() -> dict[str, int]:
        """People per outcome."""
        async with database.reading() as tx:
            return await store.outcomes(tx)

    @routes.get("/v1/progress/{period}/{payer}")
    async def list_progress(period: str, payer: str) -> dict[str, Any]:
        """One closed list with the outcomes of its payer's people."""
        async with database.reading() as tx:
            return _found(await store.list_progress(tx, period, payer), "LIST_NOT_CLOSED")

    @routes.get("/v1/population/extracts")
    async def extracts() -> list[dict[str, Any]]:
        """The newest extracts and how much of each has arrived."""
        async with database.reading() as tx:
            return await store.extracts(tx)

    @routes.get("/v1/population/questions")
    async def questions() -> list[dict[str, Any]]:
        """Questions to register and banks: open, without an answer so far, answered, since when the oldest waits."""
        async with database.reading() as tx:
            return await store_questions.questions_by_state(tx)

    @routes.get("/v1/accounts/refusals")
    async def refusals() -> dict[str, int]:
        """Accounts whose bank names no holder, by its code."""
        async with database.reading() as tx:
            return await store_questions.refusals(tx)

    @routes.get("/v1/trace/{beneficiary_id}")
    async def trace(beneficiary_id: UUID) -> dict[str, Any]:
        """Every result told of one person, and which other ids are the same person of the register. Nothing personal but a day of death."""
        async with database.reading() as tx:
            found = _found(await store.trace(tx, beneficiary_id), "PERSON_UNKNOWN")
            shared_with = await store_review.shared_with(tx, beneficiary_id)
            return {
                **found,
                "shared_with": shared_with,
                "holder_answers": await store_questions.holder_answers(tx, beneficiary_id),
            }


def _add_register_state(routes: APIRouter, runtime: Runtime) -> None:
    settings: Settings = runtime.settings

    @routes.get("/v1/population/state")
    async def state() -> dict[str, Any]:
        """Who answers about people, and for the replica whether a newer extract is needed, why, and until when this one serves.

        `as_of` is of the newest extract that arrived whole; one that is still arriving stands among the extracts.
        """
        if settings.register_url:
            return {"register": "asked", "need": None}
        now, ages = runtime.clock.now(), settings.ages
        async with runtime.database.reading() as tx:
            as_of = await store.register_as_of(tx, now)
        need = ages.extract_need(as_of, now)
        lasts = {"renew_at": ages.next_renewal(as_of), "expires_at": ages.expires_at(as_of)} if as_of else {}
        return {"register": "replica", "as_of": as_of, "need": need, "advice": NEED_ADVICE[need], **lasts}

    @routes.get("/v1/population/ages")
    async def ages(payer: Annotated[Opaque | None, Query()] = None) -> dict[str, Any]:
        """Of how many people, of one payer or of all, the word of the register (from before `renew_before`) or of a bank is to be renewed
        before a list closes."""
        now, ages = runtime.clock.now(), settings.ages
        before = ages.renew_before(now)
        async with runtime.database.reading() as tx:
            found = await store_ages.result_ages(tx, payer, renew_before=before, holders_before=ages.renew_holders_before(now))
        return {**found, "renew_before": before}


def _found(value: dict[str, Any] | None, code: str) -> dict[str, Any]:
    if value is None:
        raise Problem(code, status=404)
    return value
