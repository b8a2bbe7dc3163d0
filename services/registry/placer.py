"""Shows cases of split units and takes decisions about them: one transaction from the decision to the list, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.registry import store, store_placing
from services.registry.areas import Areas
from services.registry.handlers import Registrar
from services.registry.placing import Decision, PlaceReason, Undecided, judged, payers_needed
from services.registry.statements import Enrol, Statement
from shared.actors import Actor
from shared.clock import Clock
from shared.database import Database, Tx
from shared.events import AuditRecord
from shared.outbox import OutEvent, put_events

DECISIONS_MAX = 2_000


class Placer:
    """Puts people of split units into the communes they live in."""

    def __init__(self, database: Database, clock: Clock, registrar: Registrar, *, areas: Areas) -> None:
        """Nothing is opened before the first question."""
        self._database = database
        self._clock = clock
        self._registrar = registrar
        self._areas = areas

    async def payers_of(self, decisions: Sequence[Decision]) -> set[str]:
        """Whose reviewer decides all this; a case that is unknown adds nobody."""
        async with self._database.reading() as tx:
            lists = await store_placing.payers_of(tx, [one.case_id for one in decisions])
        known = [one for one in decisions if one.case_id in lists]
        payers = {one.case_id: self._areas.payer_of(one.area, _first_day(lists[one.case_id][1])) for one in known}
        return payers_needed(known, lists, payers)

    async def payer_of(self, case_id: UUID) -> str | None:
        """Whose list a case stands on; None for one that is unknown."""
        async with self._database.reading() as tx:
            found = await store_placing.sealed_case(tx, case_id)
        return found[2] if found else None

    async def see(self, case_id: UUID, actor: Actor) -> dict[str, Any]:
        """The address as the list has it, for one pair of eyes; the audit is told first. The case must be known."""
        now = self._clock.now()
        async with self._database.transaction("registry.see_address") as tx:
            found = await store_placing.sealed_case(tx, case_id)
            assert found, "the caller asked for its payer first"
            record = AuditRecord(actor=actor.id, act="area_sight", subject=str(case_id), at=now)
            await put_events(tx, [OutEvent(record.TOPIC, actor.id, record)], now)
        source, name, _, sealed = found
        act = self._registrar.sealer.open_statement(sealed, source, name).act
        assert isinstance(act, Enrol), "only enrolments wait"
        return {"case_id": case_id, "hamlet": act.personal.delivery.hamlet if act.personal.delivery else ""}

    async def decide(self, decisions: Sequence[Decision], actor: Actor) -> dict[str, Any] | PlaceReason:
        """Take decisions, all or none. `fates`: what became of the enrolments that waited, under each reason."""
        now = self._clock.now()
        async with self._database.transaction("registry.place_people") as tx:
            await store.one_registrar_at_a_time(tx)
            new = judged(decisions, await store_placing.lock_cases(tx, [one.case_id for one in decisions]))
            if isinstance(new, PlaceReason):
                return new
            fates = await self._take(tx, new)
            await store_placing.save_decisions(tx, new, actor=actor, at=now)
            records = [AuditRecord(actor=actor.id, act="decide_area", subject=str(one.case_id), at=now) for one in new]
            await put_events(tx, [OutEvent(record.TOPIC, actor.id, record) for record in records], now)
        return {"decided": len(new), "unchanged": len(decisions) - len(new), "fates": fates}

    async def _take(self, tx: Tx, new: Sequence[Decision]) -> dict[str, int]:
        """Everything that waits of the people decided about, listed where they live; whose it is then stands with the case."""
        ids = [one.case_id for one in new]
        waiting = await store_placing.lock_cases(tx, await store_placing.cases_like(tx, ids)) if ids else {}
        areas = {key: one.area for one in new for key in self._keys(waiting[one.case_id])}
        cases = sorted(waiting.values(), key=lambda case: (case.period, case.source, case.record))
        outcomes = await self._registrar.take(tx, [self._placed(case, areas) for case in cases])
        await store_placing.end_cases(tx, list(zip([case.case_id for case in cases], outcomes, strict=True)))
        told: dict[str, int] = {}
        for done in outcomes:
            told[done.reason or done.fate] = told.get(done.reason or done.fate, 0) + 1
        return told

    def _placed(self, case: Undecided, areas: dict[tuple[object, object], str]) -> Statement:
        area = next(areas[key] for key in self._keys(case) if key in areas)
        statement = self._registrar.sealer.open_statement(case.sealed, case.source, case.record)
        assert isinstance(statement.act, Enrol), "only enrolments wait"
        payer = self._areas.payer_of(area, _first_day(case.period))
        assert payer, "a candidate is a unit of the list's time"
        return statement.model_copy(
            update={"act": statement.act.model_copy(update={"area": area, "payer": payer}), "split": None}
        )

    def _keys(self, case: Undecided) -> list[tuple[object, object]]:
        return [(case.unit, key) for key in (case.subject, case.beneficiary_id) if key]


def _first_day(period: str) -> date:
    return date.fromisoformat(f"{period}-01")
