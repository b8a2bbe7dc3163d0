"""A payroll that payout really paid, with the other services holding what they would have read of it, and partners' truth files."""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ansinh.check import Verdict, run_checks
from deploy.local.databases import clone, drop
from deploy.local.stack import LocalStack
from shared.topics import Provider, Service
from shared.words import LineStatus, Outcome
from tests.integration.payout.conftest import made_bench
from tests.integration.payout.payout_bench import Bench, a_line, a_merit_line, an_account

Migrated = Callable[[str], Awaitable[str]]


@pytest.fixture
async def dsns(migrated: Migrated) -> dict[str, str]:
    """Freshly migrated databases of all services."""
    return {service: await migrated(service) for service in Service}


async def plant(dsn: str, statement: str, *values: Any) -> None:
    """Write past every trigger and foreign key, as a mistake in the database itself would; unique indexes still hold."""
    session = await asyncpg.connect(dsn)
    try:
        await session.execute("SET session_replication_role = replica")
        await session.execute(statement, *values)
    finally:
        await session.close()


async def broken(dsns: Mapping[str, str], *truth: Path) -> dict[str, Verdict]:
    """The promises that do not hold, by id, the whole outbox read too. Nothing is on its way in these databases."""
    verdicts = await run_checks(dsns.__getitem__, truth, full=True, patience=0)
    return {verdict.id: verdict for verdict in verdicts if not verdict.ok}


def truth_file(path: Path, *facts: tuple[str, str, int, str]) -> Path:
    """What really happened: (provider, end-to-end id, VND, status)."""
    rows = [{"fact": "batch", "batch_id": "1", "state": "acting"}]
    rows += [
        {"fact": "line", "provider": provider, "end_to_end_id": key, "amount_vnd": vnd, "status": status, "answer": "once"}
        for provider, key, vnd, status in facts
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"fact": "li')
    return path


# --- a real payroll ----------------------------------------------------------------------------------------------------------


class World:
    """A payroll that payout really paid, beside a registry that closed the same list, and the partners' truth."""

    def __init__(self, dsns: Mapping[str, str], truth: Path) -> None:
        self.dsns, self.truth = dsns, truth

    async def broken(self) -> dict[str, Verdict]:
        return await broken(self.dsns, self.truth)

    async def plant(self, statement: str, *values: Any) -> None:
        await plant(self.dsns["payout"], statement, *values)

    async def rows(self, query: str) -> list[asyncpg.Record]:
        session = await asyncpg.connect(self.dsns["payout"])
        try:
            return list(await session.fetch(query))
        finally:
            await session.close()

    async def one(self, query: str) -> Any:
        return (await self.rows(query))[0][0]

    async def remember(self, *more: tuple[str, str, int, str]) -> None:
        """The partners did what we hold, and `more`."""
        rows = await self.rows("SELECT provider, end_to_end_id, vnd, state FROM instruction WHERE state <> 'withdrawn'")
        said = {"collected": "paid", "unknown": "paid", "sending": "paid", "expired": "returned"}
        facts = [(row["provider"], row["end_to_end_id"], row["vnd"], said.get(row["state"], row["state"])) for row in rows]
        truth_file(self.truth, *facts, *more)


@pytest.fixture(scope="module")
async def paid(
    stack: LocalStack, template: Migrated, keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, str]]:
    """The databases of a payroll that was paid, by service; nobody has a session in them, so each test works on copies."""
    admin, names = stack.postgres_dsn("postgres"), {service: f"paid_{service}_{os.getpid()}" for service in Service}
    for service, name in names.items():
        await drop(admin, name)
        await clone(admin, template=await template(service), database=name)
    dsns = {service: stack.postgres_dsn(name) for service, name in names.items()}
    async with made_bench(dsns["payout"], keys, tmp_path_factory.mktemp("files")) as bench:
        await _pay(bench)
        await _others(bench, dsns)
        async with bench.database.transaction("test") as tx:
            await tx.execute(
                "UPDATE outbox_cursor SET (xid, id) = (SELECT xid, id FROM outbox ORDER BY xid DESC, id DESC LIMIT 1)"
            )
    yield names
    for name in names.values():
        await drop(admin, name)


@pytest.fixture
async def world(stack: LocalStack, paid: Mapping[str, str], tmp_path: Path) -> AsyncIterator[World]:
    """Paid at a bank, rejected then collected at the post, one without an answer, one held."""
    admin, copies = stack.postgres_dsn("postgres"), {service: f"{name}_copy" for service, name in paid.items()}
    for service, name in copies.items():
        await clone(admin, template=paid[service], database=name)
    world = World({service: stack.postgres_dsn(name) for service, name in copies.items()}, tmp_path / "truth.jsonl")
    await world.remember()
    yield world
    for name in copies.values():
        await drop(admin, name)


async def _pay(bench: Bench) -> None:
    await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.enrol(account=an_account(bank_bin="970436"))
    await bench.enrol(home_delivery=True)
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    await bench.close()
    await bench.pay()
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    await bench.answer(*await bench.answers_to(Provider.BANK_B, LineStatus.REJECTED, reason="AC04"))
    await bench.pay()
    await bench.answer((await bench.answers_to(Provider.POST, LineStatus.PAID))[0])


async def _others(bench: Bench, dsns: Mapping[str, str]) -> None:
    """What the other services hold once everything has been read: copied from payout, the rest made up."""
    async with bench.database.session() as session:
        held = {
            table: [dict(row) for row in await session.fetch(f"SELECT * FROM {table}")]
            for table in ("person", "verdict", "line", "instruction", "closing")
        }
    seqs = {row["beneficiary_id"]: row["result_seq"] for row in held["verdict"]}
    sealed = {kind: f"v1.{kind}.sealed" for kind in ("identity", "payee", "delivery", "contact")}
    people = [row | sealed | {"phone_ix": None, "result_seq": seqs.get(row["beneficiary_id"], 0)} for row in held["person"]]
    bank = {"account_source": "bulk"}
    await copy(
        dsns["registry"], "person", [r | (bank if r["account_digest"] else {}) | {"changed_at": "2024-01-22Z"} for r in people]
    )
    await copy(dsns["verification"], "person", people)
    await copy(dsns["verification"], "verdict", [row | {"evidence": []} for row in held["verdict"]])
    await copy(dsns["notify"], "person", [r | {"has_account": False, "cannot": False, "contact": None} for r in people])
    await copy(dsns["notify"], "verdict", [row | {"dead": False} for row in held["verdict"]])
    await copy(dsns["registry"], "verified", held["verdict"])
    payments = [row | {"periods": [], "payer": "", "at": "2024-02-01Z"} for row in held["instruction"]]
    await copy(dsns["registry"], "payment", payments)
    await copy(dsns["notify"], "account_payment", [row for row in payments if row["channel"] == "account"])
    await _lists(dsns["registry"], held)


async def _lists(registry: str, held: Mapping[str, list[dict[str, Any]]]) -> None:
    closed = {"state": "closed", "programmes": [], "closed_by": "officer"}
    await copy(registry, "payroll_list", [row | closed for row in held["closing"]])
    about = {"source": "ministry", "n": 1, "epoch": 1, "line": {}, "state": "active", "sequence": 1, "digest": "d"}
    event = {"kind": "enrol", "fate": "applied", "notes": [], "at": "2024-01-22Z"}
    rows = [row | about | {"record": row["entitlement_id"], "benefit_code": row["entitlement_id"]} for row in held["line"]]
    for table in ("source_record", "list_row", "entitlement_line"):
        await copy(registry, table, rows)
    await copy(registry, "source_event", [row | event | {"id": number} for number, row in enumerate(rows)])
    totals = [row | {"source": "ministry", "sequence": 1} for row in held["closing"]]
    await copy(registry, "list_declaration", totals)


async def copy(dsn: str, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows into a table, past triggers and foreign keys; values it has no column for are left out, others keep their default."""
    session = await asyncpg.connect(dsn)
    known = await session.fetch("SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0", table)
    await session.close()
    given = {name for row in rows for name in row}
    names = ", ".join(sorted(f'"{row["attname"]}"' for row in known if row["attname"] in given))
    overriding = "OVERRIDING SYSTEM VALUE" if table == "source_event" else ""
    await plant(
        dsn,
        f"INSERT INTO {table} ({names}) {overriding} SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1::jsonb)",
        json.dumps(rows, default=str),
    )
