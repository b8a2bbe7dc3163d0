"""SQL of the HTTP door: answers kept under idempotency keys. The text is in `queries_lists.sql`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.database import Tx, load_queries

queries = load_queries(__file__, "queries_lists.sql")
KEPT = timedelta(days=35)  # as long as a topic keeps its records


@dataclass(frozen=True, slots=True)
class Key:
    """Whose key it is, and what was asked under it."""

    actor: str
    key: str
    request_sha256: str


async def kept_answer(tx: Tx, key: Key) -> tuple[str, dict[str, Any]] | None:
    """(hash of the request, answer) under this actor's key, if there is one."""
    row = await queries.kept_answer(tx, actor=key.actor, key=key.key)
    return (row["request_sha256"], json.loads(row["answer"])) if row else None


async def keep_answer(tx: Tx, key: Key, answer: dict[str, Any], at: datetime) -> None:
    """Keep an answer with what it tells of; answers older than the topic's records go."""
    await queries.forget_answers(tx, before=at - KEPT)
    await queries.keep_answer(
        tx, actor=key.actor, key=key.key, request_sha256=key.request_sha256, answer=json.dumps(answer), at=at
    )
