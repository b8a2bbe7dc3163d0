"""What an officer is told of a file: counts that add up, errors by row and column, two words beside every row. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from services.registry.columns import Column
from services.registry.desk import Outcome
from services.registry.intake import Intake, Place, Taken
from services.registry.refusals import (
    ADVICE,
    DUPLICATE_TEXT,
    FATE_TEXT,
    SKIPPED_TEXT,
    TOTALS_AGREE_TEXT,
    TOTALS_DIFFER,
    TOTALS_DIFFER_ADVICE,
    Fate,
    RowReason,
)
from services.registry.statements import Enrol

ERRORS_MAX = 1_000
_COLUMN_OF = {
    RowReason.NUMBER_CLASH: Column.NUMBER,
    RowReason.PERSON_DEAD: Column.NAME,
    RowReason.DUPLICATE_ROW: Column.NAME,
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a file's rows; the four add up to `row_count`. `declared_vnd` is of accepted and unchanged rows."""

    row_count: int
    accepted: int
    unchanged: int
    refused: int
    waiting: int
    declared_vnd: int


@dataclass(frozen=True, slots=True)
class Report:
    """A file's answer; `marks` are the two words beside each row."""

    counts: Counts
    reasons: dict[str, int]
    errors: list[Place]
    marks: dict[int, tuple[str, str]]


def report(intake: Intake, outcomes: Mapping[int, Outcome]) -> Report:
    """`outcomes`: by row number, for every row that was an act."""
    fates = [_fate(row, outcomes) for row in intake.rows]
    reasons = Counter(str(reason) for row in intake.rows for reason in _reasons(row, outcomes.get(row.row_no)))
    errors = [place for row in intake.rows for place in _places(intake, row, outcomes.get(row.row_no))]
    errors = _totals_places(intake) + errors
    return Report(_counts(intake, fates), dict(sorted(reasons.items())), errors[:ERRORS_MAX], _marks(intake, outcomes))


def _fate(row: Taken, outcomes: Mapping[int, Outcome]) -> Fate:
    return outcomes[row.row_no].fate if row.act else Fate.REFUSED


def _counts(intake: Intake, fates: list[Fate]) -> Counts:
    accepted, unchanged, waiting = (fates.count(fate) for fate in (Fate.APPLIED, Fate.REPEATED, Fate.NO_PERSON))
    declared = sum(
        row.act.line.declared_vnd
        for row, fate in zip(intake.rows, fates, strict=True)
        if isinstance(row.act, Enrol) and fate in (Fate.APPLIED, Fate.REPEATED)
    )
    refused = len(fates) - accepted - unchanged - waiting
    return Counts(len(fates), accepted, unchanged, refused, waiting, declared)


def _reasons(row: Taken, outcome: Outcome | None) -> list[str]:
    if outcome is None:
        return sorted({problem.reason for problem in row.problems})
    return [outcome.reason or outcome.fate] if outcome.fate not in (Fate.APPLIED, Fate.REPEATED) else []


def _places(intake: Intake, row: Taken, outcome: Outcome | None) -> list[Place]:
    if outcome is None:
        return [Place(row.row_no, intake.column_name(p.column), p.reason, ADVICE[p.reason]) for p in row.problems]
    if outcome.fate is not Fate.REFUSED or outcome.reason is None:
        return []
    column = _COLUMN_OF.get(outcome.reason)
    return [Place(row.row_no, intake.column_name(column) if column else "", outcome.reason, ADVICE[outcome.reason])]


def _totals_places(intake: Intake) -> list[Place]:
    assert intake.totals_row is not None or not intake.totals_wrong
    return [
        Place(intake.totals_row or 0, intake.column_name(column), TOTALS_DIFFER, TOTALS_DIFFER_ADVICE)
        for column in intake.totals_wrong
    ]


def _marks(intake: Intake, outcomes: Mapping[int, Outcome]) -> dict[int, tuple[str, str]]:
    marks = {row.row_no: _mark(intake, row, outcomes.get(row.row_no)) for row in intake.rows}
    marks |= dict.fromkeys(intake.remarks, (SKIPPED_TEXT, ""))
    if intake.totals_row is not None:
        wrong = "; ".join(intake.column_name(column) for column in intake.totals_wrong)
        marks[intake.totals_row] = (SKIPPED_TEXT, f"{TOTALS_DIFFER_ADVICE} ({wrong})" if wrong else TOTALS_AGREE_TEXT)
    return marks


def _mark(intake: Intake, row: Taken, outcome: Outcome | None) -> tuple[str, str]:
    if outcome is None:
        told = [f"{intake.column_name(problem.column)}: {ADVICE[problem.reason]}" for problem in row.problems]
        return FATE_TEXT[Fate.REFUSED], " ".join(told)
    if outcome.reason is RowReason.DUPLICATE_ROW:
        return DUPLICATE_TEXT, ADVICE[RowReason.DUPLICATE_ROW]
    if outcome.reason is not None:
        return FATE_TEXT[outcome.fate], ADVICE[outcome.reason]
    notes = dict.fromkeys((*row.notes, *outcome.notes))
    return FATE_TEXT[outcome.fate], " ".join(ADVICE[note] for note in notes)
