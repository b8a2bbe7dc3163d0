"""HTTP around list files: an empty list to fill in, what an office calls its columns, who is gone from a full list, a file undone."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.registry import gone, store_files, template
from services.registry.cells import folded
from services.registry.columns import HEADER_LENGTH_MAX, meant
from services.registry.gone import Gatekeeper, GoneReason
from services.registry.refusals import ADVICE, RowReason
from services.registry.store_files import Decided, Office
from services.registry.undoing import Undoer, UndoReason
from shared.actors import Actor, require
from shared.fields import Opaque, Period
from shared.process import Runtime
from shared.web import Problem
from shared.words import EndReason, Role

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORDS_MAX = 100
Kind = Literal["payroll", "accounts"]
Word = Annotated[str, Field(min_length=1, max_length=HEADER_LENGTH_MAX)]


class ColumnWords(BaseModel):
    """By what stands in the header: a word that means the column in any list, or empty for one that is left aside."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    columns: Annotated[dict[Word, Annotated[str, Field(max_length=HEADER_LENGTH_MAX)]], Field(max_length=WORDS_MAX)]


class Decision(BaseModel):
    """About one record: keep it, or end it with a reason and the day since when."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    record: Opaque
    choice: Literal["end", "keep"]
    reason: EndReason | None = None
    on: date | None = None
    although_in_file: bool = False


class Decisions(BaseModel):
    """All or none are taken."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    decisions: Annotated[list[Decision], Field(min_length=1, max_length=gone.DECISIONS_MAX)]


class Alive(BaseModel):
    """Records of people who are alive although a death was said of them."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    records: Annotated[list[Opaque], Field(min_length=1, max_length=gone.DECISIONS_MAX)]


def add_routes(routes: APIRouter, runtime: Runtime, *, gatekeeper: Gatekeeper, undoer: Undoer) -> None:
    """The routes."""
    _add_columns(routes, runtime)
    _add_gone(routes, runtime, gatekeeper)
    _add_reinstating(routes, runtime, gatekeeper)
    _add_undoing(routes, runtime, undoer)


def _add_columns(routes: APIRouter, runtime: Runtime) -> None:
    @routes.get("/v1/lists/template/{kind}", response_class=Response)
    async def empty_list(kind: Kind) -> Response:
        """An empty list to fill in, with a sheet that explains its columns."""
        named = {"Content-Disposition": f'attachment; filename="{kind}.xlsx"'}
        return Response(template.workbook_of(kind), media_type=XLSX, headers=named)

    @routes.get("/v1/lists/columns/{kind}")
    async def columns(kind: Kind, payer: Annotated[Opaque, Query()], source: Annotated[Opaque, Query()]) -> dict[str, Any]:
        """What this office calls its columns, besides the words everybody uses."""
        async with runtime.database.reading() as tx:
            return {"columns": await store_files.column_words(tx, Office(kind, payer, source))}

    @routes.post("/v1/lists/columns/{kind}")
    async def save_columns(
        words: ColumnWords,
        kind: Kind,
        *,
        payer: Annotated[Opaque, Query()],
        source: Annotated[Opaque, Query()],
        actor: Actor = Depends(runtime.gate.dependency),
    ) -> dict[str, Any]:
        """Save what this office calls its columns. Files of this payer and source are read so from now on."""
        require(actor, Role.LIST_OFFICER, payer)
        found = {folded(word): meant(name) if name else "" for word, name in words.columns.items()}
        said = {word: column for word, column in found.items() if column is not None}
        if "" in said or len(said) != len(words.columns):
            raise Problem(
                "COLUMN_UNKNOWN",
                "Sau dấu = phải là tên một cột của mẫu danh sách (hoặc từ thường dùng cho cột đó), và mỗi tiêu đề chỉ ghi một lần.",
                422,
            )
        async with runtime.database.transaction("registry.save_columns") as tx:
            office, at = Office(kind, payer, source), runtime.clock.now()
            await store_files.save_column_words(tx, office, said, actor=actor.id, at=at)
        return {"columns": said}


def _add_gone(routes: APIRouter, runtime: Runtime, gatekeeper: Gatekeeper) -> None:
    @routes.get("/v1/lists/{period}/{payer}/gone")
    async def candidates(period: Period, payer: Opaque, source: Annotated[Opaque, Query()]) -> dict[str, Any]:
        """Who is gone from the newest full list, decided or not. Nobody ends by being absent."""
        rows = [asdict(row) for row in await gatekeeper.candidates(period, payer, source)]
        return {"candidates": rows, "undecided": sum(row["choice"] is None for row in rows)}

    @routes.post("/v1/lists/{period}/{payer}/gone")
    async def decide(
        told: Decisions,
        period: Period,
        payer: Opaque,
        *,
        source: Annotated[Opaque, Query()],
        actor: Actor = Depends(runtime.gate.dependency),
    ) -> dict[str, int]:
        """End or keep candidates, all or none."""
        require(actor, Role.LIST_OFFICER, payer)
        decided = [Decided(one.record, one.choice, one.reason, one.on, one.although_in_file) for one in told.decisions]
        done = await gatekeeper.decide(decided, period=period, payer=payer, source=source, actor=actor.id)
        if isinstance(done, GoneReason):
            raise Problem(done, _ADVICE[done])
        runtime.log.info("gone_decided", period=period, payer=payer, actor=actor.id, count=done["decided"])
        return done


def _add_reinstating(routes: APIRouter, runtime: Runtime, gatekeeper: Gatekeeper) -> None:
    @routes.post("/v1/lists/{period}/{payer}/alive")
    async def reinstate(
        told: Alive,
        period: Period,
        payer: Opaque,
        *,
        source: Annotated[Opaque, Query()],
        actor: Actor = Depends(runtime.gate.dependency),
    ) -> dict[str, Any]:
        """Take back a death that was a mistake. What it ended in open lists stands again; frozen lists stay as they are."""
        require(actor, Role.LIST_OFFICER, payer)
        done = await gatekeeper.reinstate(told.records, period=period, payer=payer, source=source, actor=actor.id)
        if isinstance(done, GoneReason):
            raise Problem(done, _ADVICE[done])
        runtime.log.info("reinstated", period=period, payer=payer, actor=actor.id, count=len(done))
        items = [{"record": one.record, "outcome": one.fate, "reason": one.reason, "notes": one.notes,
                  "advice": " ".join(ADVICE[word] for word in (one.reason, *one.notes) if word)} for one in done]  # fmt: skip
        return {"items": items}


def _add_undoing(routes: APIRouter, runtime: Runtime, undoer: Undoer) -> None:
    @routes.post("/v1/imports/{import_id}/undo")
    async def undo(import_id: UUID, actor: Actor = Depends(runtime.gate.dependency)) -> dict[str, Any]:
        """Undo a whole file. What somebody said later holds; one that was interrupted goes on."""
        payer = await undoer.payer_of(import_id)
        if payer is None:
            raise Problem(UndoReason.IMPORT_UNKNOWN, status=404)
        require(actor, Role.LIST_OFFICER, payer)
        done = await undoer.undo(import_id, actor=actor.id)
        if isinstance(done, UndoReason):
            raise Problem(done, _ADVICE[done], 404 if done is UndoReason.IMPORT_UNKNOWN else 409)
        runtime.log.info("import_undone", import_id=str(import_id), payer=payer, actor=actor.id, rows=done["rows_undone"])
        return done


_ADVICE: dict[str, str] = {
    GoneReason.NOT_GONE: "Dòng này không nằm trong các dòng vắng mặt của danh sách đầy đủ.",
    GoneReason.NOT_OF_PAYER: "Hồ sơ này không có trong danh sách nào của đơn vị chi trả này từ nguồn này.",
    GoneReason.IN_THE_FILE: (
        "Người này có trong tệp nhưng dòng bị từ chối (xem refused_row): sửa dòng đó rồi nộp lại; vẫn muốn kết thúc thì ghi rõ "
        "although_in_file, bằng lệnh: ansinh lists end-refused."
    ),
    GoneReason.DECIDED_OTHERWISE: (
        "Dòng này đã có quyết định khác. Báo mất nhầm: ansinh lists alive; vẫn được hưởng: nộp lại tệp có dòng của người này."
    ),
    GoneReason.DECISION_INCOMPLETE: "Kết thúc phải ghi lý do và ngày; giữ lại thì không; mỗi dòng một quyết định.",
    UndoReason.IMPORT_UNKNOWN: "Không có tệp này.",
    UndoReason.IMPORT_NOT_DONE: "Tệp chưa nhận xong, hoặc đang được hủy.",
    UndoReason.IMPORT_UNDONE: "Tệp này đã được hủy.",
    UndoReason.LIST_CLOSED: ADVICE[RowReason.LIST_CLOSED],
}
