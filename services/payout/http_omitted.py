"""HTTP: what is owed by the tables or left over in our books, and stands on no list."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from services.payout import omitted, store, store_omitted
from services.payout.months import plus_months
from services.payout.refusals import ADVICE, Refusal
from services.payout.rules import Rules
from shared.fields import Opaque, Period
from shared.process import Runtime
from shared.web import Problem

MONTHS_BACK = 24
SHOWN_MAX = 1_000


def add_omitted(routes: APIRouter, runtime: Runtime, rules: Rules) -> None:
    """The report of one list."""

    @routes.get("/v1/payrolls/{period}/{payer}/omitted")
    async def report(period: Period, payer: Opaque) -> dict[str, Any]:
        """Money on a death and gifts that the tables give and no list brings; sums of finished months of this payer, 24 months back, that
        are still owed and that no list since names. An office decides what comes of it: nothing is paid that nobody listed."""
        since = plus_months(period, -MONTHS_BACK)
        async with runtime.database.reading() as tx:
            if await store.paid_with(tx, period, payer) is None:
                raise Problem(Refusal.NOT_CLOSED, ADVICE[Refusal.NOT_CLOSED], 404)
            found = await store_omitted.left_over(tx, period, payer, since=since)
            dead = await store_omitted.dead_without_money(tx, period, payer, since=since, vault=runtime.vault)
            found += omitted.of_deaths(dead, payer, period, rules=rules)
            if omitted.gifts_due(period, rules):
                listed = await store_omitted.people_of_a_list(tx, period, payer, vault=runtime.vault)
                found += omitted.of_gifts(listed, payer, period, rules=rules)
        return omitted.shown(period, payer, found, most=SHOWN_MAX)
