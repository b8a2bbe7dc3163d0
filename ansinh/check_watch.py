"""`ansinh check` as people and machines read it: a table, JSON, or asked again and again and served as metrics on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
from prometheus_client import start_http_server
from rich.table import Table

from ansinh.check import Verdict
from shared.errors import code_of, is_trouble
from shared.metrics import INVARIANT_CHECKED, INVARIANT_FINDINGS, INVARIANT_SECONDS, INVARIANTS

Ask = Callable[[], Awaitable[list[Verdict]]]
LOOPBACK = "127.0.0.1"


def as_json(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """One object per promise; `rows` are the first findings, `count` says how many there are."""
    return [
        {"id": v.id, "ok": v.ok, "title": v.title, "detail": v.detail, "count": v.count, "seconds": v.seconds, "rows": v.rows}
        for v in verdicts
    ]


def as_table(verdicts: Sequence[Verdict]) -> Table:
    """One row per promise, and the first findings under those that are broken."""
    table = Table("", "promise", "", "s", "what was found", box=None, pad_edge=False)
    for v in verdicts:
        found = "\n".join([v.detail, *v.rows[1:]])
        table.add_row(v.id, v.title, "holds" if v.ok else "BROKEN", f"{v.seconds:.2f}", found)
    return table


async def watch(ask: Ask, *, every: float, port: int, say: Callable[[str], None], stop: asyncio.Event) -> None:
    """Ask every `every` seconds until told to stop, serving what was found on 127.0.0.1:`port`. Trouble leaves the last findings standing:
    `ansinh_invariant_checked_timestamp_seconds` grows old."""
    server, thread = start_http_server(port, addr=LOOPBACK, registry=INVARIANTS)
    try:
        while not stop.is_set():
            try:
                say(tell(await ask()))
            except (OSError, asyncpg.PostgresError) as error:
                if not is_trouble(error):
                    raise
                say(f"not asked: {code_of(error)}")
            try:
                await asyncio.wait_for(stop.wait(), every)
            except TimeoutError:
                continue
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tell(verdicts: Sequence[Verdict]) -> str:
    """Put verdicts into the metrics; the line that says so."""
    for verdict in verdicts:
        INVARIANT_FINDINGS.labels(verdict.id).set(verdict.count)
        INVARIANT_SECONDS.labels(verdict.id).set(verdict.seconds)
    INVARIANT_CHECKED.set(time.time())
    broken = [f"{verdict.id} {verdict.detail}" for verdict in verdicts if not verdict.ok]
    return "; ".join(broken) or f"{len(verdicts)} invariants hold"
