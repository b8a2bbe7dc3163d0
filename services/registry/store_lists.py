"""SQL of lists, files and what is shown. One function per query; the text is in `queries.sql`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.registry import store_funnel
from services.registry.list_closing import OpenRow, Totals
from services.registry.sealing import Sealer
from services.registry.statements import CloseList, Enrol, OpenList, Statement
from services.registry.store import queries
from shared.database import Tx
from shared.events import DeclaredLine, EntitlementLine, ProgrammeTotal
from shared.ids import digest_hex


@dataclass(frozen=True, slots=True)
class HeldList:
    """A list as it stands. `after`: (source, record) of the last line frozen so far; `totals` of those."""

    period: str
    payer: str
    state: str
    totals: Totals
    after: tuple[str, str]
    closed_at: datetime | None


async def open_lists(tx: Tx, statements: Sequence[Statement]) -> None:
    """Lists these statements speak of."""
    acts = (statement.act for statement in statements)
    keys = sorted({(act.period, act.payer) for act in acts if isinstance(act, Enrol | OpenList | CloseList)})
    if keys:
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


async def lock_list(tx: Tx, period: str, payer: str) -> HeldList | None:
    """The list, ours until the transaction ends; None when nobody has spoken of it."""
    row = await queries.lock_list(tx, period=period, payer=payer)
    if row is None:
        return None
    programmes = [ProgrammeTotal.model_validate(part, strict=False) for part in json.loads(row["programmes"] or "[]")]
    return HeldList(
        period=period,
        payer=payer,
        state=row["state"],
        totals=Totals(int(row["digest"] or "0", 16), tuple(programmes)),
        after=(row["frozen_source"] or "", row["frozen_record"] or ""),
        closed_at=row["closed_at"],
    )


async def lists_closing(tx: Tx) -> list[tuple[str, str]]:
    """Lists whose closing has begun."""
    return [(row["period"], row["payer"]) async for row in queries.lists_closing(tx)]


async def rows_to_freeze(tx: Tx, held: HeldList, most: int, *, sealer: Sealer) -> list[OpenRow]:
    """The next active rows of a list. Raises VaultError when a stored identity does not open."""
    after = {"source": held.after[0], "record": held.after[1]}
    return [
        OpenRow(
            source=row["source"],
            record=row["record"],
            beneficiary_id=row["beneficiary_id"],
            area=row["area"],
            line=DeclaredLine.model_validate_json(row["line"]),
            version=(row["epoch"], row["n"]),
            birth_date=sealer.open_identity(str(row["beneficiary_id"]), row["identity"]).birth_date,
            circumstances=row["circumstances"],
        )
        async for row in queries.rows_to_freeze(tx, period=held.period, payer=held.payer, most=most, **after)
    ]


async def undeclared(tx: Tx, period: str, payer: str) -> list[str]:
    """Sources whose declared totals are not what we hold."""
    return [row["source"] async for row in queries.undeclared(tx, period=period, payer=payer)]


async def begin_closing(tx: Tx, held: HeldList, actor: str) -> None:
    """From now on nothing changes the list."""
    await queries.begin_closing(tx, period=held.period, payer=held.payer, digest=digest_hex(0), actor=actor)


async def freeze_lines(tx: Tx, lines: Sequence[EntitlementLine], rows: Sequence[OpenRow]) -> None:
    """Keep frozen lines; `rows` are what the lines were made from, in the same order."""
    if lines:
        await queries.freeze_lines(
            tx,
            period=lines[0].period,
            ids=[line.entitlement_id for line in lines],
            areas=[line.area for line in lines],
            epochs=[line.snapshot_version.epoch for line in lines],
            ns=[line.snapshot_version.n for line in lines],
            sources=[row.source for row in rows],
            records=[row.record for row in rows],
            ages=[",".join(map(str, line.ages)) or None for line in lines],
            circumstances=[line.circumstances for line in lines],
        )


async def save_totals(tx: Tx, held: HeldList, totals: Totals, *, after: OpenRow | None, closed_at: datetime | None) -> None:
    """What has been frozen so far adds up to this; with `closed_at` it is all."""
    await queries.save_totals(
        tx,
        period=held.period,
        payer=held.payer,
        count=totals.count,
        vnd=totals.vnd,
        digest=digest_hex(totals.digest),
        programmes=json.dumps([part.model_dump(mode="json") for part in totals.programmes]),
        source=after and after.source,
        record=after and after.record,
        at=closed_at,
    )


async def shown_list(tx: Tx, period: str, payer: str) -> dict[str, Any] | None:
    """A list as it stands, with the payer's newest files; None when nobody has spoken of it."""
    row = await queries.list_totals(tx, period=period, payer=payer)
    if row is None:
        return None
    imports = [dict(file) async for file in queries.list_imports(tx, period=period, payer=payer)]
    return {**dict(row), "programmes": json.loads(row["programmes"] or "[]"), "imports": imports}


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
        "visits": await store_funnel.visits_of(tx, beneficiary_id),
        "wish_changes": await store_funnel.changes_of(tx, beneficiary_id),
        "payments": [dict(row) async for row in queries.payments_of_person(tx, beneficiary_id=beneficiary_id)],
    }


class WaitingAfter(NamedTuple):
    """The last statement of the page before."""

    since: datetime | None = None
    source: str | None = None
    record: str | None = None
    sequence: int | None = None


async def waiting(tx: Tx, after: WaitingAfter, most: int) -> tuple[list[dict[str, Any]], int]:
    """The oldest statements behind one that wait for a person or a key, and how many wait in all."""
    behind = {f"after_{name}": value for name, value in after._asdict().items()}
    rows = [dict(row) async for row in queries.waiting(tx, **behind, most=most)]
    total = rows[0]["waiting"]
    return [{name: value for name, value in row.items() if name != "waiting"} for row in rows if row["source"]], total


async def record(tx: Tx, source: str, name: str) -> dict[str, Any] | None:
    """Whose record it is and the fate of each of its statements; None for a record nobody has named."""
    known = await queries.record(tx, source=source, record=name)
    events = [dict(row) async for row in queries.events_of_record(tx, source=source, record=name)]
    if known is None and not events:
        return None
    return {"source": source, "record": name, "beneficiary_id": known and known["beneficiary_id"], "statements": events}
