"""HTTP of the settlement report: JSON, a page, a workbook. Each is one read-only snapshot, without personal data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

from fastapi import APIRouter, Response

from services.payout import settlement_book, settlement_page, settlement_shown, store_settlement
from services.payout.refusals import ADVICE, Refusal
from services.payout.settlement import NOBODY, Report
from shared.areas import AreaNames, read_areas
from shared.fields import Opaque, Period
from shared.process import Runtime
from shared.web import Problem

PATH = "/v1/settlements/{period}"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def add_settlement(routes: APIRouter, runtime: Runtime) -> None:
    """The report of a period, of all payers or of one, in three forms."""
    areas = AreaNames(read_areas(runtime.settings.areas_file))

    async def found(period: str, payer: str | None) -> Report:
        async with runtime.database.reading() as tx:
            report = await store_settlement.report(tx, period, payer)
        if report is None:
            raise Problem(Refusal.NOT_CLOSED, ADVICE[Refusal.NOT_CLOSED], 404)
        return report

    def names(period: str) -> Callable[[str], str]:
        first = date.fromisoformat(f"{period}-01")
        return lambda code: code if code == NOBODY else areas.name(code, first)

    async def page(period: str, payer: str | None) -> Response:
        html = settlement_page.as_html(await found(period, payer), names(period), payer=payer)
        return Response(html, media_type="text/html; charset=utf-8")

    async def workbook(period: str, payer: str | None) -> Response:
        report, at = await found(period, payer), runtime.clock.now()
        book = await asyncio.to_thread(settlement_book.as_workbook, report, names(period), payer=payer, made_at=at)
        headers = {"Content-Disposition": f'attachment; filename="settlement-{period}.xlsx"'}
        return Response(book, media_type=XLSX, headers=headers)

    @routes.get(PATH + ".html", response_model=None)
    async def page_of_all(period: Period) -> Response:
        """The report of all payers as a page that prints."""
        return await page(period, None)

    @routes.get(PATH + ".xlsx", response_model=None)
    async def workbook_of_all(period: Period) -> Response:
        """The report of all payers as a workbook."""
        return await workbook(period, None)

    @routes.get(PATH)
    async def report_of_all(period: Period) -> dict[str, Any]:
        """Where every line and dong of a period is, per payer, programme, commune and provider; what does not balance, by name."""
        return settlement_shown.as_json(await found(period, None))

    @routes.get(PATH + "/{payer}.html", response_model=None)
    async def page_of_one(period: Period, payer: Opaque) -> Response:
        """The report of one payer as a page that prints."""
        return await page(period, payer)

    @routes.get(PATH + "/{payer}.xlsx", response_model=None)
    async def workbook_of_one(period: Period, payer: Opaque) -> Response:
        """The report of one payer as a workbook."""
        return await workbook(period, payer)

    @routes.get(PATH + "/{payer}")
    async def report_of_one(period: Period, payer: Opaque) -> dict[str, Any]:
        """The same of one payer."""
        return settlement_shown.as_json(await found(period, payer))
