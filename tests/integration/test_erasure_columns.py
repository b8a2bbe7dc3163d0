"""Every column that can hold a sealed block, a digest, an index or a document has a decision in docs/erasure.md, and only such as exist."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from shared.topics import Service

PAGE = Path(__file__).parents[2] / "docs" / "erasure.md"
DECISIONS = {"erased", "removed", "kept"}
# By type, by name, or because a constraint asks for a block: whatever a future column is called, one of these will be true of it.
SUSPICIOUS = """
SELECT DISTINCT c.relname || '.' || a.attname AS column
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
   AND (a.atttypid IN ('bytea'::regtype, 'jsonb'::regtype, 'json'::regtype)
        OR a.atttypid = 'text'::regtype AND a.attname ~ '(^|_)(ix|digests?|sealed|identity|payee|delivery|collector|contact)$'
        OR a.atttypid = 'text'::regtype AND a.attname ~ '(^|_)(circumstances|original|payload|entries|then)$'
        OR a.attname = 'person_token' OR pg_get_constraintdef(k.oid) LIKE '%v1.%')
"""
COLUMNS = "SELECT table_name || '.' || column_name AS column FROM information_schema.columns WHERE table_schema = 'public'"


def decided() -> dict[str, dict[str, str]]:
    """service -> column -> decision, as the page says."""
    found: dict[str, dict[str, str]] = {service: {} for service in Service}
    for services, column, decision in re.findall(
        r"^\| ([a-z, ]+) \| `([a-z_.0-9]+)` \| ([a-z]+) \|", PAGE.read_text("utf-8"), re.MULTILINE
    ):
        for service in Service if services == "all" else services.split(", "):
            assert column not in found[service], f"{service} {column} is decided twice"
            found[service][column] = decision
    return found


async def columns(dsn: str, query: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return {row["column"] for row in await connection.fetch(query)}
    finally:
        await connection.close()


@pytest.mark.parametrize("service", Service)
async def test_every_column_is_decided(service: Service, migrated: Callable[[str], Awaitable[str]]) -> None:
    dsn, said = await migrated(service), decided()[service]
    assert sorted(await columns(dsn, SUSPICIOUS) - said.keys()) == []
    assert sorted(said.keys() - await columns(dsn, COLUMNS)) == []
    assert set(said.values()) <= DECISIONS


async def test_a_new_column_is_found_by_type_by_name_and_by_its_constraint(migrated: Callable[[str], Awaitable[str]]) -> None:
    dsn = await migrated("notify")
    before = await columns(dsn, SUSPICIOUS)
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE t (a bytea, b text CHECK (b LIKE 'v1.contact.%'), name_ix text, harmless text)")
    await connection.close()
    assert await columns(dsn, SUSPICIOUS) - before == {"t.a", "t.b", "t.name_ix"}
