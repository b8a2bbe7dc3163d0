"""SQL of what offices call columns, of what is gone from a full list, and of undoing a file. The text is in `queries_lists.sql`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.registry.person import Person
from services.registry.records import ListRow, Record, RecordKey, RowKey
from services.registry.sealing import Blocks, Sealer
from services.registry.store import end_reason_of, list_row, opened_person
from services.registry.store_events import queries
from shared.database import Tx
from shared.events import DeclaredLine


@dataclass(frozen=True, slots=True)
class Office:
    """Whose lists look alike: kind, payer and source."""

    kind: str
    payer: str
    source: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A row that is gone from a full list, and what a person decided about it. `refused_row`: the file has the person, and that row was
    refused. `last_row`: of the file that had the row last, handed in at `last_handed_at`; `state`: whether it would be paid now."""

    source: str
    record: str
    period: str
    beneficiary_id: UUID
    area: str
    benefit_code: str
    declared_vnd: int
    choice: str | None
    reason: str | None
    ended_on: date | None
    actor: str | None
    refused_row: int | None = None
    state: str = "active"
    last_row: int | None = None
    last_handed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decided about a record. `although_in_file`: knowing that the file has the person in a row that was refused."""

    record: str
    choice: str
    reason: str | None
    ended_on: date | None
    although_in_file: bool = False


@dataclass(frozen=True, slots=True)
class ToUndo:
    """A file that somebody wants undone."""

    import_id: UUID
    ordinal: int
    kind: str
    source: str
    payer: str
    period: str | None
    state: str
    undone_by: UUID | None


@dataclass(frozen=True, slots=True)
class Applied:
    """One statement of a file that took effect."""

    row_no: int
    record: str
    beneficiary_id: UUID


@dataclass(frozen=True, slots=True)
class RowNow:
    """A row as it is, whose file it is from, and as the file found it; None where there was none."""

    row: ListRow
    import_id: UUID | None
    then: ListRow | None


@dataclass(frozen=True, slots=True)
class RecordNow:
    """A record as it is, and the digest of its last statement as the file found it; None for a new record."""

    record: Record
    digest_then: str | None


async def column_words(tx: Tx, office: Office) -> dict[str, str]:
    """Folded word of a header -> name of the column, empty for one that is left aside."""
    row = await queries.column_words(tx, kind=office.kind, payer=office.payer, source=office.source)
    return json.loads(row["words"]) if row else {}


async def save_column_words(tx: Tx, office: Office, words: Mapping[str, str], *, actor: str, at: datetime) -> None:
    """From now on the office's columns are called so."""
    await queries.save_column_words(
        tx, kind=office.kind, payer=office.payer, source=office.source, words=json.dumps(words), actor=actor, at=at
    )


async def gone(tx: Tx, period: str, payer: str, source: str) -> list[Gone]:
    """What is gone from the newest full list of a source."""
    return [Gone(**dict(row)) async for row in queries.gone(tx, period=period, payer=payer, source=source)]


async def undecided(tx: Tx, period: str, payer: str) -> int:
    """Rows of a list that its newest full files do not have and nobody decided about."""
    return int((await queries.undecided(tx, period=period, payer=payer))["rows"])


async def save_gone(
    tx: Tx, decided: Sequence[Decided], *, source: str, period: str, payer: str, import_id: UUID, by: tuple[str, datetime]
) -> None:
    """Keep decisions; `by`: who and when."""
    columns: dict[str, list[Any]] = {
        "records": [d.record for d in decided],
        "choices": [d.choice for d in decided],
        "reasons": [d.reason for d in decided],
        "days": [d.ended_on for d in decided],
    }
    await queries.save_gone(tx, source=source, period=period, payer=payer, import_id=import_id, actor=by[0], at=by[1], **columns)


# --- undoing -------------------------------------------------------------------------------------------------------------------


async def keep_before(
    tx: Tx, import_id: UUID, *, rows: Collection[RowKey], records: Collection[RecordKey], people: Collection[UUID]
) -> None:
    """What a file is about to change, as it is."""
    keys = sorted({*rows, *((*record, "") for record in records)})
    if keys:
        sources, names, periods = map(list, zip(*keys, strict=True))
        await queries.keep_rows_before(tx, import_id=import_id, sources=sources, records=names, periods=periods)
    if people:
        await queries.keep_people_before(tx, import_id=import_id, ids=list(people))


async def payer_of(tx: Tx, import_id: UUID) -> str | None:
    """Whose file it is; None for one that is unknown."""
    row = await queries.payer_of_import(tx, import_id=import_id)
    return row["payer"] if row else None


async def import_to_undo(tx: Tx, import_id: UUID) -> ToUndo | None:
    """A file, ours until the transaction ends."""
    row = await queries.import_to_undo(tx, import_id=import_id)
    return ToUndo(**dict(row)) if row else None


async def applied_of_import(tx: Tx, import_id: UUID, *, after: int, most: int) -> list[Applied]:
    """The next statements of a file that took effect."""
    return [Applied(**dict(row)) async for row in queries.applied_of_import(tx, import_id=import_id, after=after, most=most)]


async def rows_with_before(tx: Tx, file: ToUndo, records: Sequence[str]) -> dict[str, RowNow]:
    """Rows of a payroll list by record."""
    found = queries.rows_with_before(tx, import_id=file.import_id, source=file.source, period=file.period, records=list(records))
    return {row["record"]: RowNow(list_row(row), row["import_id"], _row_then(row["row_then"])) async for row in found}


async def records_with_before(tx: Tx, file: ToUndo, records: Sequence[str]) -> dict[str, RecordNow]:
    """Records by name."""
    found = queries.records_with_before(tx, import_id=file.import_id, source=file.source, period="", records=list(records))
    return {
        row["record"]: RecordNow(Record(row["beneficiary_id"], row["sequence"], row["digest"]), row["digest_then"])
        async for row in found
    }


async def people_then(tx: Tx, import_id: UUID, ids: Collection[UUID], sealer: Sealer) -> dict[UUID, Person]:
    """People as a file found them, where that still means something."""
    found = queries.people_then(tx, import_id=import_id, ids=list(ids))
    return {row["beneficiary_id"]: opened_person(row, sealer)[0] async for row in found}


async def people_by_id(tx: Tx, ids: Collection[UUID], sealer: Sealer) -> dict[UUID, tuple[Person, Blocks]]:
    """People as they are."""
    return {row["beneficiary_id"]: opened_person(row, sealer) async for row in queries.people_by_id(tx, ids=list(ids))}


async def withdraw_waiting(tx: Tx, import_id: UUID) -> None:
    """What of a file still waits, waits no longer."""
    await queries.withdraw_waiting(tx, import_id=import_id)


async def mark_undone(tx: Tx, import_id: UUID, undone_by: UUID) -> None:
    """The file is undone."""
    await queries.mark_undone(tx, import_id=import_id, undone_by=undone_by)


def _row_then(text: str | None) -> ListRow | None:
    if text is None:
        return None
    row = json.loads(text)
    return ListRow(
        source=row["source"],
        record=row["record"],
        period=row["period"],
        beneficiary_id=UUID(row["beneficiary_id"]),
        payer=row["payer"],
        area=row["area"],
        line=DeclaredLine.model_validate_json(json.dumps(row["line"])),
        end_reason=end_reason_of(row["end_reason"]),
        row_no=row["row_no"],
    )


async def listed(tx: Tx, source: str, payer: str, records: Sequence[str]) -> set[str]:
    """Which of these records stand, or stood, on a list of a payer."""
    rows = queries.listed(tx, source=source, payer=payer, records=list(records))
    return {row["record"] async for row in rows}
