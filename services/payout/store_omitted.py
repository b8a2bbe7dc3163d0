"""SQL of what stands on no list. Reads only; the text is in `queries_omitted.sql`."""

from __future__ import annotations

from functools import lru_cache

from asyncpg import Record

from services.payout.knowledge import Known, opened
from services.payout.omitted import Listed, Omitted
from shared.database import Tx, load_queries
from shared.events import DeclaredLine
from shared.vault import Vault

queries = load_queries(__file__, "queries_omitted.sql")


async def dead_without_money(tx: Tx, period: str, payer: str, *, since: str, vault: Vault) -> list[Listed]:
    """People who died in a month in which they were on this payer's list, and on whose death no list brings money. Raises VaultError."""
    rows = queries.dead_without_money(tx, period=period, payer=payer, since=since)
    return [_listed(row, vault)._replace(known=_known(row, vault)._replace(died_on=row["died_on"])) async for row in rows]


async def people_of_a_list(tx: Tx, period: str, payer: str, *, vault: Vault) -> list[Listed]:
    """Living people of a list with their benefits and the gifts on any list of theirs. Raises VaultError."""
    rows = queries.people_of_a_list(tx, period=period, payer=payer)
    return [_listed(row, vault, row["gifts"] or ()) async for row in rows]


async def left_over(tx: Tx, period: str, payer: str, *, since: str) -> list[Omitted]:
    """Sums of finished months that are still owed and that no later list names."""
    rows = queries.left_over(tx, period=period, payer=payer, since=since)
    return [
        Omitted(row["beneficiary_id"], row["month"], row["part"], row["code"], row["vnd"], why=row["why"]) async for row in rows
    ]


def _listed(row: Record, vault: Vault, gifts: tuple[str, ...] = ()) -> Listed:
    programmes = frozenset(gift.replace("-", "_") for gift in gifts)
    lines = tuple(_line(content) for content in row["contents"])
    return Listed(row["beneficiary_id"], row["month"], lines, _known(row, vault), programmes)


def _known(row: Record, vault: Vault) -> Known:
    return Known(row["ages"], opened(vault, row["beneficiary_id"], row["circumstances"]))


@lru_cache(maxsize=4096)
def _line(content: str) -> DeclaredLine:
    return DeclaredLine.model_validate_json(content)
