"""What an erasure takes out of the tables that every service has: payloads that were published, and originals that were set aside.

It runs in the transaction in which the service erases people from its own tables, after their rows say so; doing it again changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from shared.database import Database, Tx, load_queries
from shared.topics import Service, dead_letter_topic
from shared.vault import Vault, VaultError

queries = load_queries(__file__)
SHOWN = 1_000
_FIRST = UUID(int=0)


async def erase_common(
    tx: Tx, vault: Vault, service: Service, *, people: Collection[UUID], topics: Iterable[str], records: Mapping[str, UUID]
) -> None:
    """Take out what these people's messages on these topics held, and set-aside records with their id, or one of these keys, as key."""
    owners = {**{str(who): who for who in people}, **records}
    letters = {}
    async for row in queries.originals(tx):
        owner = owners.get(_key_of(vault, row["dead_letter_id"], row["original"]))
        if owner is not None:
            letters[row["dead_letter_id"]] = owner
    if letters:
        await queries.erase_originals(tx, letters=list(letters), people=list(letters.values()))
    await queries.erase_payloads(
        tx,
        topics=list(topics),
        keys=[str(who) for who in people],
        dead_letters=dead_letter_topic(service),
        letters=[str(letter) for letter in letters],
    )


def add_route(routes: APIRouter, database: Database) -> None:
    """Who is erased here. After a restore elsewhere this says who must be erased there again."""

    @routes.get("/v1/erased")
    async def erased(after: UUID = _FIRST, most: Annotated[int, Query(ge=1, le=SHOWN)] = SHOWN) -> list[dict[str, Any]]:
        """Random ids and when, in order of the ids; go on after the last one."""
        async with database.reading() as tx:
            return [dict(row) async for row in queries.erased(tx, after=after, most=most)]


def _key_of(vault: Vault, letter_id: UUID, sealed: str) -> str:
    """The key of a set-aside record; none for one that does not open."""
    try:
        return bytes.fromhex(json.loads(vault.open(sealed, str(letter_id)))["key"]).decode("utf-8", "replace")
    except (VaultError, ValueError, KeyError, TypeError):
        return ""
