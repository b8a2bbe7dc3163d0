"""SQL of enrolments whose commune a person decides. The text is in `queries_placing.sql`; writes are set-based."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.registry.keying import Placing
from services.registry.placing import Decision, Undecided
from services.registry.records import Outcome
from services.registry.refusals import RowReason
from services.registry.statements import Enrol, Split, Statement
from shared.actors import Actor
from shared.database import Tx, load_queries
from shared.ids import random_id

queries = load_queries(__file__, "queries_placing.sql")


class Case(NamedTuple):
    """An enrolment that waits, as a row of the table. `subject`: the blind index of who is listed."""

    enrol: Enrol
    split: Split
    source: str
    record: str
    sequence: int
    row_no: int | None
    beneficiary_id: UUID | None
    subject: bytes
    sealed: str

    @classmethod
    def of(cls, done: Outcome, subject: bytes, sealed: str) -> Case:
        """The case of an enrolment that was not placed. Raises AssertionError for any other outcome."""
        said = done.statement
        assert isinstance(said.act, Enrol), "only an enrolment says where somebody is listed"
        assert said.split, "it is not placed"
        assert done.record, "what waits has a name"
        return cls(
            said.act, said.split, said.source, done.record, said.sequence, said.row_no, done.beneficiary_id, subject, sealed
        )


async def replace_cases(tx: Tx, outcomes: Collection[Outcome], subject: Callable[[Statement], bytes]) -> None:
    """Enrolments that took effect end the cases of their records. Without a case nothing is asked. `subject`: whom a statement names."""
    listed = [(done, done.statement.act) for done in outcomes if isinstance(done.statement.act, Enrol)]
    if listed and (await queries.anybody_split(tx))["split"]:
        await queries.replace_cases(
            tx,
            sources=[done.statement.source for done, _ in listed],
            records=[done.record for done, _ in listed],
            periods=[act.period for _, act in listed],
            codes=[act.line.benefit_code for _, act in listed],
            subjects=[subject(done.statement) for done, _ in listed],
            who=[done.beneficiary_id for done, _ in listed],
        )


async def save_cases(tx: Tx, cases: Sequence[Case], import_id: UUID | None, at: datetime) -> None:
    """Keep enrolments that wait. What one record says of one benefit stands once: the last word of a batch holds."""
    once = {(case.source, case.record, case.enrol.period, case.enrol.line.benefit_code): case for case in cases}
    if not once:
        return
    kept = [once[key] for key in sorted(once)]
    await queries.save_cases(
        tx,
        case_ids=[random_id() for _ in kept],
        sources=[case.source for case in kept],
        records=[case.record for case in kept],
        periods=[case.enrol.period for case in kept],
        benefit_codes=[case.enrol.line.benefit_code for case in kept],
        sequences=[case.sequence for case in kept],
        payers=[case.enrol.payer for case in kept],
        vnds=[case.enrol.line.declared_vnd for case in kept],
        old_areas=[case.split.old for case in kept],
        old_untils=[case.split.until for case in kept],
        sinces=[case.split.since for case in kept],
        codes=[",".join(case.split.codes) for case in kept],
        who=[case.beneficiary_id for case in kept],
        subjects=[case.subject for case in kept],
        sealeds=[case.sealed for case in kept],
        row_nos=[case.row_no for case in kept],
        import_id=import_id,
        at=at,
    )


async def withdraw_cases(tx: Tx, import_id: UUID) -> None:
    """What of a file still waits is nobody's question any more."""
    await queries.withdraw_cases(tx, import_id=import_id)


async def decided(tx: Tx, ids: Collection[UUID], subjects: Collection[bytes]) -> dict[Placing, str]:
    """The commune that was decided, by the unit of before and by person or blind index."""
    found: dict[Placing, str] = {}
    async for row in queries.decided(tx, ids=list(ids), subjects=list(subjects)):
        unit: tuple[str, date, date] = (row["old_area"], row["old_until"], row["since"])
        found[(unit, row["subject"])] = row["area"]
        if row["beneficiary_id"]:
            found[(unit, row["beneficiary_id"])] = row["area"]
    return found


async def waiting(tx: Tx, payer: str | None, *, after: UUID, most: int) -> list[dict[str, Any]]:
    """A page of what waits."""
    return [dict(row) async for row in queries.cases_waiting(tx, payer=payer, after=after, most=most)]


async def too_late(tx: Tx, *, after: UUID, most: int) -> list[dict[str, Any]]:
    """A page of what was placed when its list had closed, and that nobody carries yet."""
    return [dict(row) async for row in queries.cases_too_late(tx, after=after, most=most)]


async def lock_cases(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Undecided]:
    """These cases, ours until the transaction ends; unknown ones are left out."""
    return {
        row["case_id"]: Undecided(
            case_id=row["case_id"], source=row["source"], record=row["record"], period=row["period"], payer=row["payer"],
            unit=(row["old_area"], row["old_until"], row["since"]), codes=tuple(row["codes"]), subject=row["subject"],
            sealed=row["sealed"], is_open=row["fate"] is None, area=row["area"], beneficiary_id=row["beneficiary_id"],
        )
        async for row in queries.lock_cases(tx, ids=list(ids))
    }  # fmt: skip


async def cases_like(tx: Tx, ids: Collection[UUID]) -> list[UUID]:
    """The waiting cases of everybody these cases are about."""
    return [row["case_id"] async for row in queries.cases_like(tx, ids=list(ids))]


async def payers_of(tx: Tx, ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """(payer, period) of the lists these cases stand on."""
    return {row["case_id"]: (row["payer"], row["period"]) async for row in queries.payers_of_cases(tx, ids=list(ids))}


async def save_decisions(tx: Tx, decisions: Sequence[Decision], *, actor: Actor, at: datetime) -> None:
    """Keep decisions, with who decided."""
    await queries.save_decisions(
        tx,
        ids=[one.case_id for one in decisions],
        areas=[one.area for one in decisions],
        evidences=[one.evidence for one in decisions],
        decider=actor.id,
        token=actor.token,
        at=at,
    )


async def end_cases(tx: Tx, ended: Sequence[tuple[UUID, Outcome]]) -> None:
    """What became of the enrolments of cases."""
    await queries.end_cases(
        tx,
        ids=[case_id for case_id, _ in ended],
        fates=[done.fate for _, done in ended],
        reasons=[done.reason for _, done in ended],
        who=[done.beneficiary_id for _, done in ended],
    )


async def sealed_case(tx: Tx, case_id: UUID) -> tuple[str, str, str, str] | None:
    """(source, record, payer, sealed statement) of a case; None for one that is unknown."""
    row = await queries.sealed_case(tx, case_id=case_id)
    return (row["source"], row["record"], row["payer"], row["sealed"]) if row else None


async def held_at_closing(tx: Tx, period: str, payer: str) -> dict[str, dict[str, int]]:
    """What of a list waited for a decision when it closed, by reason: how many enrolments, how many VND."""
    row = await queries.held_at_closing(tx, period=period, payer=payer)
    return {RowReason.AREA_SPLIT: dict(row)} if row and row["count"] else {}
