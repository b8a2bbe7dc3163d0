"""SQL of the settlement report. Reads only; the text is in `queries_settlement.sql`."""

from __future__ import annotations

from services.payout import settlement, store
from services.payout.settlement import Listed, Report, Total, Unpaid
from shared.database import Tx, load_queries

queries = load_queries(__file__, "queries_settlement.sql")


async def report(tx: Tx, period: str, payer: str | None) -> Report | None:
    """The report of a period, of one payer or of all, from one snapshot; None while no list closed."""
    await store.queries.plan_anew(tx)
    asked = {"period": period, "payer": payer}
    lists = [
        Listed(row["payer"], Total(row["count"], row["vnd"]), row["finished_at"])
        async for row in queries.settlement_lists(tx, **asked)
    ]
    if not lists:
        return None
    places = [row async for row in queries.settlement_places(tx, **asked)]
    flows = [row async for row in queries.settlement_flow(tx, **asked)]
    recovered = [row async for row in queries.settlement_recovered(tx, **asked)]
    people = [Unpaid(**{**row, "reason": row["reason"] or ""}) async for row in queries.settlement_people(tx, **asked)]
    return settlement.report(period, lists, settlement.rows_of(places, flows, recovered), people=people)
