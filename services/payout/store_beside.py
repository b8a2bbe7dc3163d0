"""SQL of what a build asks once for all its lines. The text is in `queries_beside.sql`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from services.payout.against import Beside, Elsewhere
from services.payout.comparing import Earlier
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
        earlier=await earlier(tx, period, payer, payroll.periods),
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


async def paid_meanwhile(tx: Tx, period: str, payroll: Payroll, seen: Beside) -> bool:
    """Whether another payroll put somebody of this build's payments into its own since `seen` was read: the same month of another payer, or
    an earlier month. Asked after the payments were written: from then on who builds for the same person waits for this transaction."""
    payer = payroll.payer
    live = [other.entitlement_id for others in seen.elsewhere.values() for other in others if other.live]
    if (await queries.paid_meanwhile(tx, period=period, payer=payer, seen=live))["paid"]:
        return True
    return await earlier(tx, period, payer, payroll.periods) != seen.earlier


async def earlier(tx: Tx, period: str, payer: str, together: Sequence[str]) -> dict[UUID, list[Earlier]]:
    """Of lines that bring earlier months, or whose own month later lines bring: what other lines brought. `together`: the months of
    the payroll."""
    found: dict[UUID, list[Earlier]] = defaultdict(list)
    names = {"period": period, "payer": payer, "together": list(together)}
    async for row in queries.earlier_months(tx, **names):
        sums = row["declared_vnd"], row["given_vnd"], row["arrears_vnd"], row["unpaid_vnd"]
        found[row["entitlement_id"]].append(Earlier(row["month"], row["code"], *sums))
    async for row in queries.brought_by_later(tx, **names):
        later = Earlier(row["month"], row["code"], arrears_vnd=row["arrears_vnd"], unpaid_vnd=row["unpaid_vnd"])
        found[row["entitlement_id"]].append(later)
    return dict(found)


async def not_carried(tx: Tx, period: str, payer: str) -> dict[UUID, tuple[int, int]]:
    """Lines that declare more unpaid of earlier months than those left over: VND declared, and left over."""
    rows = queries.not_carried(tx, period=period, payer=payer)
    return {row["entitlement_id"]: (row["declared_vnd"], row["carried_vnd"]) async for row in rows}
