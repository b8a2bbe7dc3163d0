"""`ansinh audit verify`: the chains of payout's three ledgers (payments, claims, breaks) recomputed outside the database, so that any later
edit, removal, insertion or swap shows.

A hash is SHA-256 over the hash before it and the text of the row (docs/decisions/0016-ledger-chain.md). Who can rewrite every later hash
too can hide from the chain itself, not from what was told outside: `anchors` are ends of chains as `payout.entry.v1` said them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiosql
import asyncpg

START = bytes(32)
ROWS = 5_000
_COLUMNS = ("posting_id", "instruction_id", "period", "payer", "debit", "credit", "vnd", "micros")
_CLAIMS = ("posting_id", "case_id", "owner", "debit", "credit", "vnd", "micros")
_BREAKS = ("posting_id", "break_id", "owner", "debit", "credit", "vnd", "micros")
queries = aiosql.from_path(Path(__file__).with_name("queries_audit.sql"), "asyncpg", mandatory_parameters=False)


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of a chain as it was published: link number `seq` of `payer` has this hash, in hex."""

    payer: str
    seq: int
    sha256: str


@dataclass
class Verified:
    """What was read and what is wrong with it. `findings` name payers or providers, link numbers and posting ids only."""

    links: int = 0
    chains: dict[str, tuple[int, str]] = field(default_factory=dict)
    anchors: int = 0
    findings: list[str] = field(default_factory=list)


def text_of(row: Mapping[str, Any] | asyncpg.Record, columns: Sequence[str] = _COLUMNS) -> str:
    """What is hashed of a posting: the same text as in migration 0110, of claims as in 0141, of breaks as in 0241."""
    return "|".join(str(row[name]) for name in columns)


def next_hash(before: bytes, row_text: str) -> bytes:
    """The hash of a row behind `before`."""
    return hashlib.sha256(before + row_text.encode()).digest()


class Chains:
    """Reads links in order, one payer after the other, and says what does not follow."""

    def __init__(self, anchors: Sequence[Anchor] = (), columns: Sequence[str] = _COLUMNS) -> None:
        """Anchors are looked for on the way. `columns`: what is hashed of a posting."""
        self._columns = columns
        self._anchors = {(anchor.payer, anchor.seq): anchor.sha256 for anchor in anchors}
        self._last: tuple[str, int, bytes] = ("", 0, START)
        self.links = 0
        self.ends: dict[str, tuple[int, bytes]] = {}

    def read(self, row: Mapping[str, Any] | asyncpg.Record) -> Iterator[str]:
        """What is wrong with one link. Each is judged by the stored hash before it, so one edit is one finding."""
        payer, seq, stored = row["chain"], row["seq"], row["sha256"]
        chain, before_seq, before = self._last
        if payer != chain:
            before_seq, before = 0, START
        place = f"{payer} link {seq}"
        if seq != before_seq + 1:
            yield f"{place}: follows link {before_seq}, links between are gone"
        if row["posting_id"] is None:
            yield f"{place}: posting {row['linked']} is gone"
        elif row["payer"] != payer:
            yield f"{place}: posting {row['linked']} stands under another payer"
        elif next_hash(before, text_of(row, self._columns)) != stored:
            yield f"{place}: posting {row['linked']} is not what was hashed behind link {before_seq}"
        said = self._anchors.pop((payer, seq), stored.hex())
        if said != stored.hex():
            yield f"{place}: was published with another hash, the chain was made anew"
        self._last = payer, seq, stored
        self.ends[payer] = seq, stored
        self.links += 1

    def missing(self) -> Iterator[str]:
        """Published ends that no chain reaches."""
        for payer, seq in sorted(self._anchors):
            yield f"{payer} link {seq}: was published and is not there"


async def verify(dsn: str, anchors: Sequence[Anchor] = ()) -> Verified:
    """Everything wrong with payout's ledgers, read in one snapshot. Raises what asyncpg raises."""
    session = await asyncpg.connect(dsn, server_settings={"application_name": "ansinh audit"}, command_timeout=900)
    chains, made = Chains(anchors), Verified(anchors=len(anchors))
    try:
        async with session.transaction(isolation="repeatable_read", readonly=True):
            await _walk(session, queries.ledger_links, chains, made=made)
            await _walk(session, queries.recovery_links, Chains(columns=_CLAIMS), made=made)
            await _walk(session, queries.break_links, Chains(columns=_BREAKS), made=made)
            made.findings += chains.missing()
            made.findings += await _ends(session, chains.ends)
            outside = [row async for row in queries.postings_outside_chains(session)]
            twice = [row async for row in queries.postings_linked_twice(session)]
    finally:
        await session.close(timeout=10)
    made.findings += [f"{row['payer']}: posting {row['posting_id']} is in no chain" for row in outside]
    made.findings += [f"{row['payer']}: posting {row['posting_id']} is in a chain twice" for row in twice]
    return made


async def _walk(session: Any, query: Any, chains: Chains, *, made: Verified) -> None:
    cursor = await session.cursor(query.sql)
    while rows := await cursor.fetch(ROWS):
        for row in rows:
            made.findings += chains.read(row)
    made.links += chains.links
    made.chains |= {payer: (seq, sha256.hex()) for payer, (seq, sha256) in chains.ends.items()}


async def _ends(session: Any, ends: Mapping[str, tuple[int, bytes]]) -> list[str]:
    heads = {row["payer"]: (row["seq"], row["sha256"]) async for row in queries.ledger_heads(session)}
    return [
        f"{payer}: the chain does not end where it did, at link {heads.get(payer, (0, START))[0]}"
        for payer in sorted(heads.keys() | ends.keys())
        if heads.get(payer) != ends.get(payer)
    ]
