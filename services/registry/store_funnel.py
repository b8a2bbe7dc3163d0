"""SQL of the cashless funnel; the text is in `queries_funnel.sql`, the rules in the database's function `funnel`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.database import Tx, load_queries

queries = load_queries(__file__, "queries_funnel.sql")
Row = dict[str, Any]


async def cells(tx: Tx, period: str, today: date, payer: str | None) -> list[Row]:
    """Per payer, commune, programme and band of age: people by stage and the four counts."""
    return [dict(row) async for row in queries.funnel_cells(tx, period=period, today=today, payer=payer)]


async def actions(tx: Tx, period: str, today: date, payer: str | None) -> list[Row]:
    """Next actions with their reasons and how many people each concerns, the most first."""
    return [dict(row) async for row in queries.funnel_actions(tx, period=period, today=today, payer=payer)]


async def people(tx: Tx, period: str, today: date, **page: Any) -> list[Row]:
    """A page of people behind `after`, at most `most`, of one payer and under one action where these are given."""
    return [dict(row) async for row in queries.funnel_people(tx, period=period, today=today, **page)]


async def changes(tx: Tx, since: datetime, until: datetime, payer: str | None) -> list[Row]:
    """Changes of wish between two moments, in both directions, with their reasons."""
    return [dict(row) async for row in queries.wish_changes(tx, since=since, until=until, payer=payer)]


async def changes_of(tx: Tx, beneficiary_id: UUID) -> list[Row]:
    """How one person's wish changed, oldest first."""
    return [dict(row) async for row in queries.wish_changes_of_person(tx, beneficiary_id=beneficiary_id)]


async def payer_of(tx: Tx, beneficiary_id: UUID) -> str | None:
    """Who pays a person; None for somebody unknown."""
    row = await queries.payer_of(tx, beneficiary_id=beneficiary_id)
    return row["payer"] if row else None


async def visits_of(tx: Tx, beneficiary_id: UUID) -> list[Row]:
    """What was heard at a person's home, oldest first."""
    return [dict(row) async for row in queries.visits_of_person(tx, beneficiary_id=beneficiary_id)]


async def save_visit(tx: Tx, **columns: Any) -> None:
    """Keep a visit."""
    await queries.save_visit(tx, **columns)
