"""HTTP about rates: lines the tables contradict, and what a period would cost by other rates. Reads snapshots, changes nothing."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterable
from io import StringIO
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from services.payout import store, store_what_if
from services.payout.rate_files import BadRates, proposed
from services.payout.refusals import ADVICE, Refusal
from services.payout.rules import Rules
from services.payout.store import Payroll
from services.payout.what_if import COLUMNS, WhatIf, shown_payroll, together
from shared.database import Tx
from shared.fields import Opaque, Period
from shared.process import Runtime
from shared.web import Problem

PATH = "/v1/what-if/{period}"


def add_what_if(routes: APIRouter, runtime: Runtime, rules: Rules) -> None:
    """Differences of a payroll; the report on a period, and its lines."""

    @routes.get("/v1/payrolls/{period}/{payer}/differences")
    async def differences(period: Period, payer: Opaque) -> dict[str, Any]:
        """Lines held for their amount or for what is known of the person, each with what stands against it, by which rule; and lines
        that count as declared: codes without a rule, people of whom nobody told what the rules ask. Of months that are paid together, all
        of them, whichever of them is asked for: each line names its own."""
        async with runtime.database.reading() as tx:
            payroll = await store.paid_with(tx, period, payer)
            if payroll is None:
                raise Problem(Refusal.NOT_CLOSED, ADVICE[Refusal.NOT_CLOSED], 404)
            shown = {month: await _differences(tx, month, payroll) for month in payroll.periods}
        return {"period": payroll.period, "payer": payer, "periods": payroll.periods, **together(shown)}

    async def _differences(tx: Tx, month: str, payroll: Payroll) -> dict[str, Any]:
        payer = payroll.payer
        held = await store_what_if.held_for_amount(tx, month, payer, runtime.vault, together=payroll.periods)
        unknown = await store_what_if.unknown(tx, month, payer)
        groups = await store_what_if.alike_lines(tx, month, payer)
        return shown_payroll(held, groups, (month, payer), rules=rules, unknown=unknown)

    def question(
        period: Period,
        rates: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006
        at: Period | None = None,
    ) -> WhatIf:
        """Raises Problem for tables that cannot be used."""
        try:
            then = Rules(proposed(rules.book, rates), rules.policy)
        except BadRates as error:
            raise Problem("RATES_INVALID", str(error), 422) from None
        return WhatIf(period, at or period, rules, then)

    @routes.get(PATH)
    async def what_if(payer: Opaque | None = None, asked: WhatIf = Depends(question)) -> dict[str, Any]:
        """Count, VND a month now and then per programme, commune and code, of what is held under `held`. `rates`: CSV texts; `at`: in which
        month they are asked."""
        async with runtime.database.reading() as tx:
            groups = await store_what_if.alike_lines(tx, asked.period, payer)
        if not groups:
            raise Problem(Refusal.NOT_CLOSED, ADVICE[Refusal.NOT_CLOSED], 404)
        return asked.report(groups)

    @routes.get(PATH + "/lines")
    async def lines(payer: Opaque | None = None, asked: WhatIf = Depends(question)) -> StreamingResponse:
        """The same per line as CSV, without personal data."""

        async def pages() -> AsyncIterator[str]:
            yield _csv([COLUMNS])
            async with runtime.database.reading() as tx:
                async for page in store_what_if.lines(tx, asked.period, payer):
                    yield _csv(asked.rows(page))

        return StreamingResponse(pages(), media_type="text/csv; charset=utf-8")


def _csv(rows: Iterable[Iterable[object]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
