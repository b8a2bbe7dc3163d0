"""HTTP of areas: which communes there are on a day and who pays there, and what became of an old one. Public facts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.registry.areas import Areas
from services.registry.refusals import ADVICE, RowReason
from shared.fields import AreaCode


def add_routes(routes: APIRouter, areas: Areas) -> None:
    """The routes."""

    @routes.get("/v1/areas")
    async def units(on: date, payer: str | None = None) -> list[dict[str, str]]:
        """The communes, wards and towns of a day."""
        found = (area for area in areas.on(on) if payer in (None, area.payer))
        return [{"code": area.code, "name": area.name, "payer": area.payer} for area in found]

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
