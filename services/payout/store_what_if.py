"""SQL of what-if: lines of a period, read in pages. Reads only; the text is in `queries_rates.sql`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import lru_cache

from services.payout import store_beside
from services.payout.knowledge import Known, opened
from services.payout.what_if import Alike, HeldForAmount, WhatIfLine
from shared.database import Tx, load_queries
from shared.events import DeclaredLine
from shared.vault import Vault

queries = load_queries(__file__, "queries_rates.sql")
ROWS = 2_000
SHOWN_MAX = 1_000


async def alike_lines(tx: Tx, period: str, payer: str | None) -> list[Alike]:
    """Lines of a period, those that declare the same counted together, held ones apart."""
    rows = [row async for row in queries.alike_lines(tx, period=period, payer=payer)]
    return [Alike(row["payer"], row["area"], _line(row["content"]), row["count"], row["held"]) for row in rows]


async def held_for_amount(tx: Tx, period: str, payer: str, vault: Vault, *, together: Sequence[str]) -> list[HeldForAmount]:
    """Lines of a payroll held for their amount or for what is known of the person, `SHOWN_MAX` at most. `together`: its months. Raises
    VaultError."""
    rows = [row async for row in queries.lines_held_for_amount(tx, period=period, payer=payer, most=SHOWN_MAX)]
    unpaid, earlier = await store_beside.not_carried(tx, period, payer), await store_beside.earlier(tx, period, payer, together)
    return [
        HeldForAmount(
            row["entitlement_id"], row["beneficiary_id"], row["area"], row["held_vnd"],
            tuple(_line(content) for content in row["contents"]), row["place"] - 1, row["reason"],
            Known(row["ages"], opened(vault, row["beneficiary_id"], row["circumstances"]), row["died_on"]),
            unpaid.get(row["entitlement_id"]), earlier.get(row["entitlement_id"], ()),
        )
        for row in rows
    ]  # fmt: skip


async def unknown(tx: Tx, period: str, payer: str) -> dict[str, dict[str, int]]:
    """Per code: lines whose age and whose circumstances are not known."""
    rows = queries.unknown_of_lines(tx, period=period, payer=payer)
    return {row["code"]: {"age": row["age"], "circumstances": row["circumstances"]} async for row in rows}


async def lines(tx: Tx, period: str, payer: str | None) -> AsyncIterator[list[WhatIfLine]]:
    """Every line of a period, some thousand at a time."""
    cursor = await tx.cursor(queries.lines_of_a_period.sql, period, payer)
    while rows := await cursor.fetch(ROWS):
        yield [
            WhatIfLine(row["entitlement_id"], row["payer"], row["area"], _line(row["content"]), row["held"] or "") for row in rows
        ]


@lru_cache(maxsize=4096)
def _line(content: str) -> DeclaredLine:
    return DeclaredLine.model_validate_json(content)
