"""SQL about how old results are and what they rest on; the text is in `queries_ages.sql`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Tx, load_queries
from shared.words import Outcome

queries = load_queries(__file__, "queries_ages.sql")


async def newest_whole(tx: Tx) -> datetime | None:
    """When the newest extract of the whole register that arrived whole was made."""
    found = await queries.newest_whole(tx)
    return found["as_of"] if found else None


async def people_no_longer_named(tx: Tx, payable: Iterable[Outcome], most: int) -> list[UUID]:
    """People paid by an entry that the newest whole extract does not name. Nobody is left: it is not looked through again, for that costs
    a second where the register is large.

    Whoever is judged after an extract has arrived is judged by it, so nobody comes to these people meanwhile.
    """
    whole = await queries.newest_whole(tx)
    if whole is None or whole["looked_through"]:
        return []
    found = queries.people_no_longer_named(tx, whole=whole["as_of"], payable=list(map(str, payable)), most=most)
    people = [row["beneficiary_id"] async for row in found]
    if not people:
        await queries.looked_through(tx, as_of=whole["as_of"])
    return people


async def people_holder_over(tx: Tx, at: datetime, most: int) -> list[UUID]:
    """People of whose account a bank's word counts no more."""
    return [row["beneficiary_id"] async for row in queries.people_holder_over(tx, at=at, most=most)]


async def result_ages(tx: Tx, payer: str | None, *, renew_before: datetime, holders_before: datetime) -> dict[str, Any]:
    """How many results of a payer, or of all, rest on what the register said before a moment, or on a bank's word that ends before one."""
    return dict(await queries.result_ages(tx, payer=payer, renew_before=renew_before, holders_before=holders_before))
