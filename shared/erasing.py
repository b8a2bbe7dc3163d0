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
    await _index_older(tx, vault)
    owners = {letter_ix(vault, key): who for key, who in [*((str(who), who) for who in people), *records.items()]}
    letters = {row["dead_letter_id"]: owners[row["key_ix"]] async for row in queries.letters_of(tx, key_ixs=list(owners))}
    if letters:
        await queries.erase_originals(tx, letters=list(letters), people=list(letters.values()))
    await queries.erase_payloads(
        tx,
        topics=list(topics),
        keys=[str(who) for who in people],
        dead_letters=dead_letter_topic(service),
        letters=[str(letter) for letter in letters],
    )


def letter_ix(vault: Vault, key: str) -> bytes:
    """By which a set-aside record is found again by the key it had."""
    return vault.index("dead_letter_key", key)


def key_text(key: bytes | None) -> str:
    """A record's key, however broken, as a text."""
    return (key or b"").decode("utf-8", "replace")


def add_route(routes: APIRouter, database: Database) -> None:
    """Who is erased here. After a restore elsewhere this says who must be erased there again."""

    @routes.get("/v1/erased")
    async def erased(after: UUID = _FIRST, most: Annotated[int, Query(ge=1, le=SHOWN)] = SHOWN) -> list[dict[str, Any]]:
        """Random ids and when, in order of the ids; go on after the last one."""
        async with database.reading() as tx:
            return [dict(row) async for row in queries.erased(tx, after=after, most=most)]


async def _index_older(tx: Tx, vault: Vault) -> None:
    """Records set aside before it was kept whose they are are opened once, by the first erasure, and never again."""
    found = {
        row["dead_letter_id"]: _key_of(vault, row["dead_letter_id"], row["original"])
        async for row in queries.unindexed_originals(tx)
    }
    if found:
        await queries.keep_key_ixs(tx, letters=list(found), key_ixs=[letter_ix(vault, key) for key in found.values()])


def _key_of(vault: Vault, letter_id: UUID, sealed: str) -> str:
    """The key of a set-aside record; none for one that does not open."""
    try:
        return key_text(bytes.fromhex(json.loads(vault.open(sealed, str(letter_id)))["key"]))
    except (VaultError, ValueError, KeyError, TypeError):
        return ""
