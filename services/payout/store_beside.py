"""SQL of what a build asks once for all its lines. The text is in `queries_beside.sql`."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from services.payout.against import Beside, Elsewhere
from services.payout.months import plus_months
from services.payout.store import Payroll
from shared.database import Tx, load_queries
from shared.vault import Vault

queries = load_queries(__file__, "queries_beside.sql")
MONTHS_BACK = 24
"""So far back payments that were not collected are looked for: as far as the largest setting may ask."""


async def beside(tx: Tx, period: str, payroll: Payroll, vault: Vault, *, misses_max: int) -> Beside:
    """What is known beside the lines of a month of this payroll, now: other payers may be building the same month."""
    since, payer = plus_months(period, -MONTHS_BACK), payroll.payer
    missed = queries.not_collected(tx, period=period, since=since, misses_max=misses_max)
    elsewhere: dict[UUID, list[Elsewhere]] = defaultdict(list)
    async for row in queries.lines_elsewhere(tx, period=period, payer=payer):
        other = Elsewhere(row["entitlement_id"], row["payer"], row["content"], row["current"], row["live"])
        elsewhere[row["beneficiary_id"]].append(other)
    async for row in queries.gifts_given(tx, period=period, payer=payer):
        given = Elsewhere(row["entitlement_id"], row["payer"], row["content"], None, live=True)
        elsewhere[row["beneficiary_id"]].append(given)
    paid, gives_way = await _money_of_a_death(tx, period, payroll)
    return Beside(
        payer,
        vault,
        missed={(row["beneficiary_id"], row["programme"]): row["months"] async for row in missed},
        elsewhere=dict(elsewhere),
        not_carried=frozenset(await not_carried(tx, period, payer)),
        given=paid,
        gives_way=gives_way,
    )


async def _money_of_a_death(tx: Tx, period: str, payroll: Payroll) -> tuple[frozenset[UUID], dict[UUID, frozenset[UUID]]]:
    """Lines whose money a live line gives; and those that give way to an open one, if that is paid."""
    given, gives_way = set[UUID](), defaultdict[UUID, set[UUID]](set)
    async for row in queries.money_of_a_death(tx, period=period, payer=payroll.payer, together=list(payroll.periods)):
        if row["live"]:
            given.add(row["entitlement_id"])
        else:
            gives_way[row["entitlement_id"]].add(row["other"])
    return frozenset(given), {line: frozenset(others) for line, others in gives_way.items()}


async def paid_meanwhile(tx: Tx, period: str, payer: str, seen: Beside) -> bool:
    """Whether another payer put somebody of this build's payments into its own since `seen` was read. Asked after the payments were
    written: from then on who builds for the same person waits for this transaction."""
    live = [other.entitlement_id for others in seen.elsewhere.values() for other in others if other.live]
    return bool((await queries.paid_meanwhile(tx, period=period, payer=payer, seen=live))["paid"])


async def not_carried(tx: Tx, period: str, payer: str) -> dict[UUID, tuple[int, int]]:
    """Lines that declare more unpaid of earlier months than those left over: VND declared, and left over."""
    rows = queries.not_carried(tx, period=period, payer=payer)
    return {row["entitlement_id"]: (row["declared_vnd"], row["carried_vnd"]) async for row in rows}
