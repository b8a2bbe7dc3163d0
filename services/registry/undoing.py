"""A whole file undone by compensating statements, part by part, as it was taken: nothing is deleted, and what came later holds.

A row is put back as the file found it, or ends where the file had brought it. A person is put back as the file found them, unless somebody
has said something about them since. The same file may then be handed in again and takes effect again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.registry import store, store_files, store_imports, store_lists, store_placing
from services.registry.handlers import Registrar
from services.registry.import_report import Counts, Report
from services.registry.records import ListRow, Outcome, Record, RecordKey
from services.registry.refusals import Fate, Undone
from services.registry.statements import Statement, Undo
from services.registry.store_files import Applied, RecordNow, RowNow, ToUndo
from services.registry.store_imports import Begun, Import
from shared.clock import Clock
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.ids import random_id
from shared.outbox import OutEvent, put_events

PART_ROWS = 2_000
NO_DIGEST = "undone"
"""The digest of a record that only the undone file knew: nothing that is said equals it."""


class UndoReason(StrEnum):
    """Why a file is not undone."""

    IMPORT_UNKNOWN = "IMPORT_UNKNOWN"
    IMPORT_NOT_DONE = "IMPORT_NOT_DONE"
    IMPORT_UNDONE = "IMPORT_UNDONE"
    LIST_CLOSED = "LIST_CLOSED"


@dataclass(frozen=True, slots=True)
class Part:
    """What undoing some statements comes to: rows and records as they become, and the rows of the file that stay as they are."""

    rows: tuple[ListRow, ...]
    records: Mapping[RecordKey, Record]
    undone: tuple[Applied, ...]
    kept: tuple[Applied, ...]


def decide(
    said: Sequence[Applied], file: ToUndo, *, rows: Mapping[str, RowNow], records: Mapping[str, RecordNow], ordinal: int
) -> Part:
    """Only what is still the file's word is undone: its record has heard nothing newer and its row has not ended. Pure."""
    back, after, undone, kept = list[ListRow](), dict[RecordKey, Record](), list[Applied](), list[Applied]()
    for one in said:
        record, row = records.get(one.record), rows.get(one.record)
        is_ours = record is not None and record.record.sequence == file.ordinal
        if file.kind == "payroll":
            is_ours = is_ours and row is not None and row.import_id == file.import_id and row.row.end_reason is None
        if not is_ours or record is None:
            kept.append(one)
            continue
        undone.append(one)
        digest = record.digest_then or NO_DIGEST
        after[(file.source, one.record)] = record.record._replace(sequence=ordinal, digest=digest)
        if row is not None:
            back.append(row.then or row.row._replace(end_reason=Undone.IMPORT))
    return Part(tuple(back), after, tuple(undone), tuple(kept))


class Undoer:
    """Undoes files. One that was interrupted goes on when it is asked again."""

    def __init__(self, database: Database, clock: Clock, registrar: Registrar, *, part_rows: int = PART_ROWS) -> None:
        """Nothing is opened before the first file."""
        self._database = database
        self._clock = clock
        self._registrar = registrar
        self._part_rows = part_rows

    async def payer_of(self, import_id: UUID) -> str | None:
        """Whose file it is; None for one that is unknown."""
        async with self._database.reading() as tx:
            return await store_files.payer_of(tx, import_id)

    async def undo(self, import_id: UUID, *, actor: str) -> dict[str, Any] | UndoReason:
        """Undo a file, or say why not."""
        async with self._database.transaction("registry.begin_undo") as tx:
            begun = await self._begin(tx, import_id, actor=actor)
        if isinstance(begun, UndoReason):
            return begun
        file, undoing = begun
        after, part_no, done = (undoing.uptos[-1] if undoing.uptos else 0), len(undoing.uptos), False
        while not done:
            async with self._database.transaction("registry.undo_part") as tx:
                if await store_imports.parts_taken(tx, undoing.import_id) != part_no:
                    return UndoReason.IMPORT_NOT_DONE  # somebody else is undoing it right now
                after, done = await self._part(tx, file, undoing, after=after, part_no=part_no)
            part_no += 1
        async with self._database.transaction("registry.end_undo") as tx:
            return await self._end(tx, file, undoing, actor=actor)

    async def _begin(self, tx: Tx, import_id: UUID, *, actor: str) -> tuple[ToUndo, Begun] | UndoReason:
        await store.one_registrar_at_a_time(tx)
        file = await store_files.import_to_undo(tx, import_id)
        if file is None or file.kind not in ("payroll", "accounts"):
            return UndoReason.IMPORT_UNKNOWN
        if file.undone_by:
            return UndoReason.IMPORT_UNDONE
        if file.state != "done":
            return UndoReason.IMPORT_NOT_DONE
        if file.period and (held := await store_lists.lock_list(tx, file.period, file.payer)) and held.state != "open":
            return UndoReason.LIST_CLOSED
        handed = Import(random_id(), "undo", file.source, file.payer, file.period, str(import_id), actor, self._clock.now())
        return file, await store_imports.begin_import(tx, handed)

    async def _part(self, tx: Tx, file: ToUndo, undoing: Begun, *, after: int, part_no: int) -> tuple[int, bool]:
        """(last row looked at, whether that was the end)."""
        await store.one_registrar_at_a_time(tx)
        said = await store_files.applied_of_import(tx, file.import_id, after=after, most=self._part_rows)
        names = [one.record for one in said]
        rows = await store_files.rows_with_before(tx, file, names) if file.period else {}
        records = await store_files.records_with_before(tx, file, names)
        part = decide(said, file, rows=rows, records=records, ordinal=undoing.ordinal)
        who = {one.beneficiary_id for one in part.undone}
        people = await store_files.people_then(tx, file.import_id, who, self._registrar.sealer)
        await self._registrar.put_back(tx, people, part.records)
        await store.save_rows(tx, part.rows, undoing.import_id, found={held.row.key for held in rows.values()})
        told_of = [self._event(one, file, undoing) for one in part.undone]
        await store.save_events(tx, told_of, undoing.import_id, known_at=self._clock.now())
        told = Report(Counts(len(said), len(part.undone), len(part.kept)), {"PEOPLE_PUT_BACK": len(people)}, [], [])
        upto = said[-1].row_no if said else after + 1
        await store_imports.save_part(tx, undoing.import_id, part_no, upto=upto, told=told)
        return upto, len(said) < self._part_rows

    def _event(self, one: Applied, file: ToUndo, undoing: Begun) -> Outcome:
        statement = Statement(
            source=file.source, record=one.record, sequence=undoing.ordinal, at=self._clock.now(), act=Undo(), row_no=one.row_no
        )
        return Outcome(statement, "", Fate.APPLIED, one.record, beneficiary_id=one.beneficiary_id)

    async def _end(self, tx: Tx, file: ToUndo, undoing: Begun, *, actor: str) -> dict[str, Any]:
        told = [await store_imports.told_of(tx, undoing.import_id, part_no) for part_no in range(await self._parts(tx, undoing))]
        undone, kept = sum(part.counts.accepted for part in told), sum(part.counts.unchanged for part in told)
        await store_files.withdraw_waiting(tx, file.import_id)
        await store_placing.withdraw_cases(tx, file.import_id)
        await store_files.mark_undone(tx, file.import_id, undoing.import_id)
        await store_imports.end_import(tx, undoing.import_id, Counts(undone + kept, undone, kept))
        now = self._clock.now()
        record = AuditRecord(actor=actor, act="undo_import", subject=str(file.import_id), at=now)
        await put_events(tx, [OutEvent(record.TOPIC, actor, record)], now)
        put_back = sum(part.reasons.get("PEOPLE_PUT_BACK", 0) for part in told)
        return {
            "import_id": str(file.import_id), "undone_by": str(undoing.import_id), "rows_undone": undone, "rows_kept": kept,
            "people_put_back": put_back,
        }  # fmt: skip

    async def _parts(self, tx: Tx, undoing: Begun) -> int:
        parts = await store_imports.parts_taken(tx, undoing.import_id)
        assert parts is not None, "nobody else ends an undoing that we hold"
        return parts
