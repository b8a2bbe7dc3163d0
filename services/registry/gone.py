"""Who is gone from a full list: candidates that a person ends or keeps, never ended by absence alone.

A decision to end is a statement of the list's own source, taken like any other; a decision to keep changes nothing and is remembered, so
that the list may close. The same decision again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from services.registry import store, store_files, store_imports
from services.registry.handlers import Registrar
from services.registry.import_report import Counts
from services.registry.records import Outcome
from services.registry.refusals import Fate
from services.registry.statements import End, Reinstate, Statement
from services.registry.store_files import Decided, Gone
from services.registry.store_imports import Import
from shared.clock import Clock
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.ids import random_id
from shared.outbox import OutEvent, put_events
from shared.words import EndReason

DECISIONS_MAX = 2_000
END, KEEP = "end", "keep"


class GoneReason(StrEnum):
    """Why decisions are not taken; then none of them is."""

    NOT_GONE = "NOT_GONE"
    IN_THE_FILE = "IN_THE_FILE"
    DECIDED_OTHERWISE = "DECIDED_OTHERWISE"
    DECISION_INCOMPLETE = "DECISION_INCOMPLETE"
    NOT_OF_PAYER = "NOT_OF_PAYER"


def judged(decided: Sequence[Decided], candidates: Sequence[Gone]) -> GoneReason | list[Decided]:
    """What is new of these decisions, or why none of them can be taken. Pure."""
    known = {gone.record: gone for gone in candidates}
    new: list[Decided] = []
    for one in decided:
        if (one.choice == END) != (one.reason is not None and one.ended_on is not None) or (one.reason is None) != (
            one.ended_on is None
        ):
            return GoneReason.DECISION_INCOMPLETE
        gone = known.get(one.record)
        if gone is None:
            return GoneReason.NOT_GONE
        if gone.choice is None and one.choice == END and gone.refused_row and not one.although_in_file:
            return GoneReason.IN_THE_FILE
        if gone.choice is None:
            new.append(one)
        elif (gone.choice, gone.reason, gone.ended_on) != (one.choice, one.reason, one.ended_on):
            return GoneReason.DECIDED_OTHERWISE
    return new if len({one.record for one in decided}) == len(decided) else GoneReason.DECISION_INCOMPLETE


class Gatekeeper:
    """Shows candidates and takes decisions about them."""

    def __init__(self, database: Database, clock: Clock, registrar: Registrar) -> None:
        """Nothing is opened before the first question."""
        self._database = database
        self._clock = clock
        self._registrar = registrar

    async def candidates(self, period: str, payer: str, source: str) -> list[Gone]:
        """Who is gone from the newest full list of a source, decided or not."""
        async with self._database.reading() as tx:
            return await store_files.gone(tx, period, payer, source)

    async def decide(
        self, decided: Sequence[Decided], *, period: str, payer: str, source: str, actor: str
    ) -> dict[str, int] | GoneReason:
        """Take decisions, all or none."""
        async with self._database.transaction("registry.decide_gone") as tx:
            await store.one_registrar_at_a_time(tx)
            new = judged(decided, await store_files.gone(tx, period, payer, source))
            if isinstance(new, GoneReason):
                return new
            if new:
                handed = Import(random_id(), "ends", source, payer, period, random_id().hex, actor, self._clock.now())
                await self._take(tx, new, handed)
            return {"decided": len(new), "unchanged": len(decided) - len(new), "ended": sum(one.choice == END for one in new)}

    async def reinstate(
        self, records: Sequence[str], *, period: str, payer: str, source: str, actor: str
    ) -> list[Outcome] | GoneReason:
        """Take back a death that was a mistake, for people of these records, each by itself. Only of records that stand, or stood, on a
        list of this payer. Whoever is alive stays so."""
        async with self._database.transaction("registry.reinstate") as tx:
            await store.one_registrar_at_a_time(tx)
            if await store_files.listed(tx, source, payer, records) != set(records):
                return GoneReason.NOT_OF_PAYER
            handed = Import(random_id(), "ends", source, payer, period, random_id().hex, actor, self._clock.now())
            begun = await store_imports.begin_import(tx, handed)
            statements = [
                Statement(source=source, record=record, sequence=begun.ordinal, at=handed.at, act=Reinstate(), row_no=number)
                for number, record in enumerate(records, start=1)
            ]
            outcomes = await self._registrar.take(tx, statements, import_id=begun.import_id)
            applied = sum(done.fate is Fate.APPLIED for done in outcomes)
            await store_imports.end_import(tx, begun.import_id, Counts(len(records), applied, len(records) - applied))
            await _audit(tx, handed, "reinstate", at=handed.at)
            return outcomes

    async def _take(self, tx: Tx, new: Sequence[Decided], handed: Import) -> None:
        begun = await store_imports.begin_import(tx, handed)
        assert handed.period is not None, "decisions are about a period"
        by = (handed.actor, handed.at)
        await store_files.save_gone(
            tx, new, source=handed.source, period=handed.period, payer=handed.payer, import_id=begun.import_id, by=by
        )
        ends = [one for one in new if one.choice == END]
        statements = [self._end(one, handed.source, begun.ordinal, row_no=n) for n, one in enumerate(ends, start=1)]
        outcomes = await self._registrar.take(tx, statements, import_id=begun.import_id)
        applied = sum(done.fate is Fate.APPLIED for done in outcomes)
        assert applied == len(ends), "an end under a new ordinal is newer than all its record has heard"
        await store_imports.end_import(tx, begun.import_id, Counts(len(new), applied, len(new) - applied))
        await _audit(tx, handed, "decide_gone", at=self._clock.now())

    def _end(self, one: Decided, source: str, ordinal: int, *, row_no: int) -> Statement:
        assert one.reason is not None
        assert one.ended_on is not None
        act = End(reason=EndReason(one.reason), on=one.ended_on)
        return Statement(source=source, record=one.record, sequence=ordinal, at=self._clock.now(), act=act, row_no=row_no)


async def _audit(tx: Tx, handed: Import, act: str, *, at: datetime) -> None:
    record = AuditRecord(actor=handed.actor, act=act, subject=f"{handed.period}:{handed.payer}", at=at)
    await put_events(tx, [OutEvent(record.TOPIC, handed.actor, record)], at)
