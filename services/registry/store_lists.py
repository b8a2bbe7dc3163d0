"""SQL of lists, files and what is shown. One function per query; the text is in `queries.sql`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record as Row

from services.registry.import_report import Counts
from services.registry.list_closing import OpenRow
from services.registry.statements import CloseList, Enrol, OpenList, Statement
from services.registry.store import queries
from shared.database import Tx
from shared.events import DeclaredLine, EntitlementLine, ListClosing


@dataclass(frozen=True, slots=True)
class Import:
    """A file that is being taken. `period` is None for an account list."""

    import_id: UUID
    kind: str
    source: str
    payer: str
    period: str | None
    sha256: str
    actor: str
    at: datetime


async def open_lists(tx: Tx, statements: Sequence[Statement]) -> None:
    """Lists these statements speak of."""
    acts = (statement.act for statement in statements)
    keys = sorted({(act.period, act.payer) for act in acts if isinstance(act, Enrol | OpenList | CloseList)})
    await queries.open_lists(tx, periods=[key[0] for key in keys], payers=[key[1] for key in keys])


async def declare(tx: Tx, statements: Sequence[Statement]) -> None:
    """Totals that upstream declares; of one batch only the last word of a source."""
    last: dict[tuple[str, str, str], tuple[Statement, CloseList]] = {}
    for statement in statements:
        if isinstance(statement.act, CloseList):
            key = (statement.act.period, statement.act.payer, statement.source)
            if key not in last or last[key][0].sequence < statement.sequence:
                last[key] = (statement, statement.act)
    await queries.declare(
        tx,
        periods=[key[0] for key in last],
        payers=[key[1] for key in last],
        sources=[key[2] for key in last],
        sequences=[statement.sequence for statement, _ in last.values()],
        counts=[act.count for _, act in last.values()],
        vnds=[act.vnd for _, act in last.values()],
    )


async def begin_import(tx: Tx, file: Import) -> int:
    """Write a file down; returns its ordinal, the sequence of its rows."""
    row = await queries.begin_import(
        tx,
        import_id=file.import_id,
        kind=file.kind,
        source=file.source,
        payer=file.payer,
        period=file.period,
        sha256=file.sha256,
        actor=file.actor,
        at=file.at,
    )
    return int(row["ordinal"] if not isinstance(row, int) else row)


async def end_import(tx: Tx, import_id: UUID, counts: Counts) -> None:
    """Write down what became of a file's rows."""
    await queries.end_import(
        tx,
        import_id=import_id,
        row_count=counts.row_count,
        accepted=counts.accepted,
        unchanged=counts.unchanged,
        refused=counts.refused,
        waiting=counts.waiting,
        declared_vnd=counts.declared_vnd,
    )


async def lock_list(tx: Tx, period: str, payer: str) -> Row | None:
    """The list, ours until the transaction ends; None when nobody has spoken of it."""
    row: Row | None = await queries.lock_list(tx, period=period, payer=payer)
    return row


async def rows_to_freeze(tx: Tx, period: str, payer: str) -> list[OpenRow]:
    """Active rows of a list."""
    return [
        OpenRow(
            source=row["source"],
            record=row["record"],
            beneficiary_id=row["beneficiary_id"],
            area=row["area"],
            line=DeclaredLine.model_validate_json(row["line"]),
            version=(row["epoch"], row["n"]),
        )
        async for row in queries.rows_to_freeze(tx, period=period, payer=payer)
    ]


async def undeclared(tx: Tx, period: str, payer: str) -> list[str]:
    """Sources whose declared totals are not what we hold."""
    return [row["source"] async for row in queries.undeclared(tx, period=period, payer=payer)]


async def save_closing(
    tx: Tx, closing: ListClosing, actor: str, *, lines: Sequence[EntitlementLine], rows: Sequence[OpenRow]
) -> None:
    """Close the list and keep its frozen lines; `rows` are what the lines were made from, in the same order."""
    await queries.close_list(
        tx,
        period=closing.period,
        payer=closing.payer,
        count=closing.count,
        vnd=closing.vnd,
        digest=closing.digest,
        programmes=json.dumps([part.model_dump(mode="json") for part in closing.programmes]),
        at=closing.closed_at,
        actor=actor,
    )
    await queries.freeze_lines(
        tx,
        period=closing.period,
        payer=closing.payer,
        entitlement_ids=[line.entitlement_id for line in lines],
        ids=[line.beneficiary_id for line in lines],
        areas=[line.area for line in lines],
        epochs=[line.snapshot_version.epoch for line in lines],
        ns=[line.snapshot_version.n for line in lines],
        declared_vnds=[line.declared_vnd for line in lines],
        lines=[line.line.model_dump_json(exclude_none=True) for line in lines],
        sources=[row.source for row in rows],
        records=[row.record for row in rows],
    )


async def shown_list(tx: Tx, period: str, payer: str) -> dict[str, Any] | None:
    """A list as it stands, with the payer's newest files; None when nobody has spoken of it."""
    row = await queries.list_totals(tx, period=period, payer=payer)
    if row is None:
        return None
    imports = [dict(file) async for file in queries.list_imports(tx, period=period, payer=payer)]
    return {**dict(row), "programmes": json.loads(row["programmes"] or "[]"), "imports": imports}


async def funnel(tx: Tx, period: str) -> list[dict[str, Any]]:
    """Per payer and commune: people, cannot, exists, wished, verified, paid."""
    return [dict(row) async for row in queries.funnel(tx, period=period)]


async def trace(tx: Tx, beneficiary_id: UUID) -> dict[str, Any] | None:
    """Everything that may be shown of one person; None for somebody unknown."""
    person = await queries.person(tx, beneficiary_id=beneficiary_id)
    if person is None:
        return None
    verified = await queries.verified_of_person(tx, beneficiary_id=beneficiary_id)
    return {
        "person": dict(person),
        "statements": [dict(row) async for row in queries.events_of_person(tx, beneficiary_id=beneficiary_id)],
        "rows": [dict(row) async for row in queries.rows_of_person(tx, beneficiary_id=beneficiary_id)],
        "lines": [dict(row) async for row in queries.lines_of_person(tx, beneficiary_id=beneficiary_id)],
        "verified": dict(verified) if verified else None,
        "texts": [dict(row) async for row in queries.texts_of_person(tx, beneficiary_id=beneficiary_id)],
        "payments": [dict(row) async for row in queries.payments_of_person(tx, beneficiary_id=beneficiary_id)],
    }


async def waiting(tx: Tx, most: int) -> list[dict[str, Any]]:
    """The oldest statements that wait for a person or a key."""
    return [dict(row) async for row in queries.waiting(tx, most=most)]


async def record(tx: Tx, source: str, name: str) -> dict[str, Any] | None:
    """Whose record it is and the fate of each of its statements; None for a record nobody has named."""
    known = await queries.record(tx, source=source, record=name)
    events = [dict(row) async for row in queries.events_of_record(tx, source=source, record=name)]
    if known is None and not events:
        return None
    return {"source": source, "record": name, "beneficiary_id": known and known["beneficiary_id"], "statements": events}
