"""How the parts of a file take effect: for good, each once, or only to see what would happen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.registry import store_imports
from services.registry.columns import Column
from services.registry.handlers import Registrar
from services.registry.import_report import Report, report
from services.registry.intake import Part
from services.registry.keying import place_of
from services.registry.person import NOWHERE
from services.registry.records import Outcome
from services.registry.refusals import Fate, FileReason, NotAList, RowReason
from services.registry.statements import Enrol, Statement
from services.registry.store_imports import Begun, Import
from shared.clock import Clock
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.outbox import OutEvent, put_events
from shared.seen import Seen


class Taking(Protocol):
    """What the parts of one file go through."""

    import_id: UUID
    uptos: Sequence[int]

    async def known(self, part_no: int) -> Report:
        """What was told of a part that an earlier run took."""

    async def part(self, part_no: int, part: Part, *, upto: int, columns: Mapping[Column, int]) -> Report:
        """Decide a part. Raises NotAList when somebody else is taking this file."""

    async def end(self, told: Report) -> None:
        """Every part is decided."""


async def begin(database: Database, registrar: Registrar, file: Import, *, clock: Clock) -> Taking:
    """A file begins, or goes on where an earlier run stopped."""
    async with database.transaction("registry.begin_import") as tx:
        begun = await store_imports.begin_import(tx, file)
    return ForGood(database, registrar, file, begun=begun, clock=clock)


class ForGood:
    """Every part is one transaction: rows, what was told of them, and that the part is taken."""

    def __init__(self, database: Database, registrar: Registrar, file: Import, *, begun: Begun, clock: Clock) -> None:
        """`begun.uptos`: where the parts that were taken before end."""
        self.import_id = begun.import_id
        self.uptos = begun.uptos
        self._database = database
        self._registrar = registrar
        self._file = file
        self._ordinal = begun.ordinal
        self._clock = clock

    async def known(self, part_no: int) -> Report:
        """What was told of a part that an earlier run took."""
        async with self._database.reading() as tx:
            return await store_imports.told_of(tx, self.import_id, part_no)

    async def part(self, part_no: int, part: Part, *, upto: int, columns: Mapping[Column, int]) -> Report:
        """Decide a part. Raises NotAList when somebody else is taking this file, or another one has taken its place."""
        async with self._database.transaction("registry.import_part") as tx:
            if await store_imports.parts_taken(tx, self.import_id) != part_no:
                raise NotAList(FileReason.FILE_BEING_TAKEN)
            statements = statements_of(part, self._file, self._ordinal)
            outcomes = await self._registrar.take(tx, statements, import_id=self.import_id)
            told = replace(report(part, by_row(outcomes), columns), refused_people=await self._refused(tx, part, outcomes))
            await store_imports.save_part(tx, self.import_id, part_no, upto=upto, told=told)
        return told

    async def _refused(self, tx: Tx, part: Part, outcomes: Sequence[Outcome]) -> dict[UUID, int]:
        """People of ours whom refused rows mean: they are in the file, and are not gone from it."""
        refused = [done for done in outcomes if done.fate is Fate.REFUSED]
        known = {done.beneficiary_id: int(done.statement.row_no or 0) for done in refused if done.beneficiary_id}
        read = {row.row_no: row.who for row in part.rows if row.who}
        read |= {int(done.statement.row_no or 0): done.statement.identity for done in refused if done.statement.identity}
        keys = {row_no: self._registrar.sealer.keys_of(who, NOWHERE) for row_no, who in read.items()}
        return await store_imports.people_with(tx, keys) | known

    async def end(self, told: Report) -> None:
        """The counts are kept, and who handed the file in is told."""
        async with self._database.transaction("registry.end_import") as tx:
            if await store_imports.parts_taken(tx, self.import_id) is None:
                raise NotAList(FileReason.FILE_BEING_TAKEN)
            await store_imports.end_import(tx, self.import_id, told.counts)
            await _audit(tx, self._file, self.import_id, now=self._clock.now())


async def _audit(tx: Tx, file: Import, import_id: UUID, *, now: datetime) -> None:
    record = AuditRecord(actor=file.actor, act=f"import_{file.kind}", subject=str(import_id), at=now)
    await put_events(tx, [OutEvent(record.TOPIC, file.actor, record)], now)


class Trial:
    """Every part is decided and rolled back. A second row of a person whom an earlier part named is known by its keys."""

    uptos: Sequence[int] = ()

    def __init__(self, database: Database, registrar: Registrar, file: Import) -> None:
        """Nothing is written."""
        self.import_id = file.import_id
        self._database = database
        self._registrar = registrar
        self._file = file
        self._seen = Seen()

    async def known(self, part_no: int) -> Report:
        """A trial has no earlier run."""
        raise AssertionError(part_no)

    async def part(self, part_no: int, part: Part, *, upto: int, columns: Mapping[Column, int]) -> Report:
        """What would become of a part."""
        async with self._database.undone() as tx:
            begun = await store_imports.begin_import(tx, replace(self._file, sha256=f"trial:{part_no}:{upto}"))
            statements = statements_of(part, self._file, begun.ordinal)
            outcomes = await self._registrar.take(tx, statements, import_id=begun.import_id)
        return report(part, by_row(self._once(done) for done in outcomes), columns)

    async def end(self, told: Report) -> None:
        """Nothing was begun."""

    def _once(self, done: Outcome) -> Outcome:
        identity, act = done.statement.identity, done.statement.act
        if done.fate not in (Fate.APPLIED, Fate.REPEATED) or identity is None:
            return done
        place = place_of(act)
        keys = self._registrar.sealer.keys_of(identity, place)
        # Without a number a namesake of another commune is another person.
        who = keys.number or keys.old_number or (keys.name_birth or keys.name_place or b"") + (keys.name_area or b"")
        what = act.line.benefit_code if isinstance(act, Enrol) else act.kind
        if not who or not self._seen.add(hashlib.sha256(who + what.encode()).digest()):
            return done
        return done._replace(fate=Fate.REFUSED, reason=RowReason.DUPLICATE_ROW)


def statements_of(part: Part, file: Import, ordinal: int) -> list[Statement]:
    """What the rows of a part state, in order. Acts were validated when they were read; what all have in common is validated once."""
    acts = [(row.act, row) for row in part.rows if row.act is not None]
    if not acts:
        return []
    first = Statement(source=file.source, record=None, sequence=ordinal, at=file.at, act=acts[0][0])
    return [first.model_copy(update={"act": act, "row_no": row.row_no, "split": row.split}) for act, row in acts]


def by_row(outcomes: Iterable[Outcome]) -> dict[int, Outcome]:
    """Outcomes by row number."""
    return {int(done.statement.row_no or 0): done for done in outcomes}
