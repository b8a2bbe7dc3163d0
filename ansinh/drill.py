"""`ansinh payroll drill`: the whole life of an old payroll again, in a database made for it and dropped afterwards. No message leaves:
there is no relay and no broker in it, what would be sent stays in its outbox and goes with it. People and verdicts are those of today, the
settings those of the running service.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiosql
import asyncpg
import httpx

from ansinh.client import Refusal
from ansinh.installation import Addresses
from deploy.local.databases import drop, migrate
from services.payout.app import build
from services.payout.settings import Settings
from shared import logs
from shared.actors import ActorGate
from shared.clock import LOCAL, HandClock
from shared.database import Database
from shared.ids import random_id
from shared.issuing import Issuer
from shared.process import Runtime
from shared.topics import Service
from shared.vault import Vault
from shared.web import make_app
from shared.words import Role

LABEL = "DRILL"
REPLAY_SECONDS = 900.0
STEPS = (("build", Role.MAKER), ("check", Role.CHECKER), ("approve", Role.APPROVER), ("release", Role.RELEASER))
queries = aiosql.from_path(Path(__file__).with_name("queries_drill.sql"), "asyncpg", mandatory_parameters=False)
TABLES = {
    "line": queries.drill_line,
    "closing": queries.drill_closing,
    "payroll": queries.drill_payroll,
    "payroll_join": queries.drill_payroll_join,
    "person": queries.drill_person,
    "verdict": queries.drill_verdict,
    "opened_period": queries.drill_opened_period,
    "budget_sheet": queries.drill_budget_sheet,
    "budget_row": queries.drill_budget_row,
    "budget_confirmation": queries.drill_budget_confirmation,
}


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill made. `lists` and `then`: provider -> (payments, VND), now and when it was really built; `unsent`: topic -> messages
    that stayed in the drill's own outbox; `sheet`: the payer's row of the go / no-go sheet at the end, on which nothing is acknowledged
    because nobody was told; `refused`: the step that was refused and the code, where one was."""

    period: str
    payer: str
    lists: dict[str, tuple[int, int]]
    then: dict[str, tuple[int, int]]
    unsent: dict[str, int]
    lines: dict[str, Any]
    sheet: dict[str, Any]
    refused: tuple[str, str] | None

    def as_json(self) -> dict[str, Any]:
        """With DRILL on it."""
        named = {"mode": LABEL, "period": self.period, "payer": self.payer, "lists": self.lists, "built_then": self.then}
        ended = {"sheet": self.sheet, "refused": self.refused}
        return {**named, **ended, "lines": self.lines, "messages_that_did_not_leave": self.unsent}


async def drill(addresses: Addresses, period: str, payer: str, *, settings: Mapping[str, Any]) -> Drilled:
    """Replay one payroll from its closed list, by what the service says it decides by. Raises Refusal where nothing can be built."""
    source = addresses.databases[Service.PAYOUT]
    session = await asyncpg.connect(source)
    try:
        then = {
            row["provider"]: (row["count"], row["vnd"]) async for row in queries.built_then(session, period=period, payer=payer)
        }
        async with _scratch(source) as dsn:
            await _copy(session, dsn, (period, payer))
            made = await _replay(Path(addresses.folder), dsn, settings=settings, where=(period, payer))
            return Drilled(period, payer, then=then, **made)
    finally:
        await session.close()


@asynccontextmanager
async def _scratch(source: str) -> AsyncIterator[str]:
    """A migrated database of its own on the same server."""
    name = f"drill_{random_id().hex}"
    session = await asyncpg.connect(_with_name(source, "postgres"))
    try:
        await session.execute((await queries.create_statement(session, database=name))["statement"])
        migrate(_with_name(source, name), Service.PAYOUT)
        yield _with_name(source, name)
    finally:
        await session.close()
        await drop(_with_name(source, "postgres"), name)


def _with_name(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


async def _copy(source: Any, dsn: str, where: tuple[str, str]) -> None:
    target = await asyncpg.connect(dsn)
    try:
        for table, named in TABLES.items():
            columns = [column.name for column in (await source.prepare(named.sql)).get_attributes()]
            with tempfile.TemporaryFile() as rows:
                await source.copy_from_query(named.sql.rstrip().rstrip(";"), *where, output=rows, format="binary")
                rows.seek(0)
                await target.copy_to_table(table, source=rows, columns=columns, format="binary", timeout=300)
    finally:
        await target.close()


async def _replay(folder: Path, dsn: str, *, settings: Mapping[str, Any], where: tuple[str, str]) -> dict[str, Any]:
    database = await Database.open(dsn, size=4)
    try:
        with tempfile.TemporaryDirectory() as files:
            runtime = _runtime(folder, database, settings={**settings, "files_dir": files}, period=where[0])
            made = await _steps(runtime, Issuer(folder / "keys" / "actor-issuer.json", runtime.clock), where)
        async with database.session() as session:
            return made | {"unsent": {row["topic"]: row["count"] async for row in queries.unsent(session)}}
    finally:
        await database.close()


def _runtime(folder: Path, database: Database, *, settings: Mapping[str, Any], period: str) -> Runtime:
    keys = folder / "keys" / "payout.json"
    known = Settings(**{**settings, "postgres_dsn": "drill", "kafka_bootstrap": "drill", "port": 1024, "keys_file": keys})
    clock = HandClock(datetime.fromisoformat(f"{period}-{known.execution_day:02d}T09:00").replace(tzinfo=LOCAL))
    gate = ActorGate(json.loads(keys.read_text())["issuer"], clock)
    return Runtime(Service.PAYOUT, known, database, Vault.load(keys), clock, gate, logs.configure("payout", sys.stderr))


async def _steps(runtime: Runtime, issuer: Issuer, where: tuple[str, str]) -> dict[str, Any]:
    """Build, check, approve, release through the service's own routes, as far as they go, and how it looks then."""
    web, (period, payer) = make_app(LABEL, list), where
    try:
        routes = build(runtime).router
    except OSError as lacking:
        raise Refusal(f"{LABEL} SETTINGS_ELSEWHERE", f"A setting names a file that is not here: {lacking.filename}") from None
    assert routes is not None
    web.include_router(routes)
    path, built, refused = f"/v1/payrolls/{period}/{payer}", dict[str, Any](), None
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://drill", timeout=REPLAY_SECONDS) as client:
        for act, role in STEPS:
            shown = _answer(await client.get(path)) if built else {}
            token = issuer.token(f"drill-{role}", (role,), sha256=shown.get("to_sign", {}).get(act))
            response = await client.post(f"{path}/{act}", headers={"Authorization": f"Bearer {token}"})
            if built and not response.is_success:
                refused = act, str(response.json()["code"])
                break
            built = built or _answer(response)
        sheet = _answer(await client.get(f"/v1/periods/{period}/go-no-go"))
        lines = _answer(await client.get(path))["lines"]
    lists = {batch["provider"]: (batch["count"], batch["vnd"]) for batch in built["batches"]}
    return {
        "lists": lists,
        "lines": lines,
        "sheet": next(row for row in sheet["payers"] if row["payer"] == payer),
        "refused": refused,
    }


def _answer(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if not response.is_success:
        raise Refusal(f"{LABEL} {body['code']}", str(body.get("detail", "")))
    return body
