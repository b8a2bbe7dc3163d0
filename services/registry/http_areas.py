"""HTTP of areas: which communes there are on a day and who pays there, and what became of an old one. Public facts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.registry.areas import Areas
from services.registry.refusals import ADVICE, RowReason
from shared.fields import AreaCode

AREAS_SHOWN = 500


def add_routes(routes: APIRouter, areas: Areas) -> None:
    """The routes."""

    @routes.get("/v1/areas")
    async def units(
        on: date,
        *,
        payer: str | None = None,
        after: AreaCode | None = None,
        most: Annotated[int, Query(ge=1, le=AREAS_SHOWN)] = AREAS_SHOWN,
    ) -> dict[str, Any]:
        """A page of the communes, wards and towns of a day, by code. `next`: what to ask for the page behind it, none on the last one."""
        behind = (area for area in areas.on(on) if payer in (None, area.payer) and area.code > (after or ""))
        found = sorted(behind, key=lambda area: area.code)
        shown = [{"code": area.code, "name": area.name, "payer": area.payer} for area in found[:most]]
        return {"areas": shown, "next": {"after": shown[-1]["code"]} if len(found) > most else None}

    @routes.get("/v1/areas/{code}/became")
    async def became(
        code: AreaCode,
        then: Annotated[date, Query()],
        now: Annotated[date, Query()],
        *,
        hamlet: Annotated[str, Query(max_length=200)] = "",
    ) -> dict[str, Any]:
        """What the unit of one day is on a later one, for who lives in a hamlet. `code` is null where a person must decide, with the
        candidates."""
        found = areas.moved(code, then, now, address=hamlet)
        refused = found if isinstance(found, RowReason) else None
        return {
            "code": None if refused else found,
            "reason": refused,
            "advice": ADVICE[refused] if refused else "",
            "candidates": sorted(areas.successors(code, then, now)),
        }
