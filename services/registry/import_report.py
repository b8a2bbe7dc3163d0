"""What an officer is told of a file: counts that add up, errors by row and column, two words beside every row. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import TypeAdapter

from services.registry.columns import Column
from services.registry.intake import Part, Place, Taken, Totals, column_name
from services.registry.records import Outcome
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
HEADINGS = ("Kết quả", "Lý do")
_COLUMN_OF = {
    RowReason.NUMBER_CLASH: Column.NUMBER,
    RowReason.PERSON_NOT_OF_PAYER: Column.NAME,
    RowReason.PERSON_DEAD: Column.NAME,
    RowReason.PERSON_ALIVE: Column.NAME,
    RowReason.DUPLICATE_ROW: Column.NAME,
}
Mark = tuple[int, str, str]
"""Row number, result, reason."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a file's rows; the four add up to `row_count`. `declared_vnd` is of accepted and unchanged rows."""

    row_count: int = 0
    accepted: int = 0
    unchanged: int = 0
    refused: int = 0
    waiting: int = 0
    declared_vnd: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a part of a file, or of all of it. Holds no personal data: rows, columns, rules.

    `refused_people`: people of ours whom a refused row of the part means, and its number.
    """

    counts: Counts
    reasons: dict[str, int]
    errors: list[Place]
    marks: list[Mark]
    refused_people: dict[UUID, int] = field(default_factory=dict)


_STORED = TypeAdapter(Report)
NOTHING = Report(Counts(), {}, [], [])


def stored(told: Report) -> str:
    """As JSON."""
    return _STORED.dump_json(told).decode()


def read_back(text: str) -> Report:
    """What `stored` wrote."""
    return _STORED.validate_json(text)


def added(whole: Report, part: Report) -> Report:
    """The sum of what was told; the marks of a part are not kept, they have been written down."""
    counts = Counts(*(getattr(whole.counts, name) + getattr(part.counts, name) for name in Counts.__slots__))
    reasons = dict(sorted((Counter(whole.reasons) + Counter(part.reasons)).items()))
    return Report(counts, reasons, (whole.errors + part.errors)[:ERRORS_MAX], [])


def report(part: Part, outcomes: Mapping[int, Outcome], columns: Mapping[Column, int]) -> Report:
    """`outcomes`: by row number, for every row that was an act."""
    fates = [_fate(row, outcomes) for row in part.rows]
    reasons = Counter(str(reason) for row in part.rows for reason in _reasons(row, outcomes.get(row.row_no)))
    errors = [place for row in part.rows for place in _places(columns, row, outcomes.get(row.row_no))]
    errors += [place for totals in part.totals for place in _totals_places(columns, totals)]
    errors.sort(key=lambda place: place.row)
    return Report(_counts(part, fates), dict(reasons), errors[:ERRORS_MAX], _marks(columns, part, outcomes))


def _fate(row: Taken, outcomes: Mapping[int, Outcome]) -> Fate:
    return outcomes[row.row_no].fate if row.act else Fate.REFUSED


def _counts(part: Part, fates: list[Fate]) -> Counts:
    accepted, unchanged, waiting = (fates.count(fate) for fate in (Fate.APPLIED, Fate.REPEATED, Fate.NO_PERSON))
    declared = sum(
        row.act.line.declared_vnd
        for row, fate in zip(part.rows, fates, strict=True)
        if isinstance(row.act, Enrol) and fate in (Fate.APPLIED, Fate.REPEATED)
    )
    refused = len(fates) - accepted - unchanged - waiting
    return Counts(len(fates), accepted, unchanged, refused, waiting, declared)


def _reasons(row: Taken, outcome: Outcome | None) -> list[str]:
    if outcome is None:
        return sorted({problem.reason for problem in row.problems})
    return [outcome.reason or outcome.fate] if outcome.fate not in (Fate.APPLIED, Fate.REPEATED) else []


def _places(columns: Mapping[Column, int], row: Taken, outcome: Outcome | None) -> list[Place]:
    if outcome is None:
        return [Place(row.row_no, column_name(columns, p.column), p.reason, ADVICE[p.reason]) for p in row.problems]
    if outcome.fate is not Fate.REFUSED or outcome.reason is None:
        return []
    column = _COLUMN_OF.get(outcome.reason)
    return [Place(row.row_no, column_name(columns, column) if column else "", outcome.reason, ADVICE[outcome.reason])]


def _totals_places(columns: Mapping[Column, int], totals: Totals) -> list[Place]:
    return [Place(totals.row_no, column_name(columns, c), TOTALS_DIFFER, TOTALS_DIFFER_ADVICE) for c in totals.wrong]


def _marks(columns: Mapping[Column, int], part: Part, outcomes: Mapping[int, Outcome]) -> list[Mark]:
    marks = [(row.row_no, *_mark(columns, row, outcomes.get(row.row_no))) for row in part.rows]
    marks += [(row_no, SKIPPED_TEXT, "") for row_no in part.remarks]
    for totals in part.totals:
        wrong = "; ".join(column_name(columns, column) for column in totals.wrong)
        marks.append((totals.row_no, SKIPPED_TEXT, f"{TOTALS_DIFFER_ADVICE} ({wrong})" if wrong else TOTALS_AGREE_TEXT))
    return sorted(marks)


def _mark(columns: Mapping[Column, int], row: Taken, outcome: Outcome | None) -> tuple[str, str]:
    if outcome is None:
        told = [f"{column_name(columns, problem.column)}: {ADVICE[problem.reason]}" for problem in row.problems]
        return FATE_TEXT[Fate.REFUSED], " ".join(told)
    if outcome.reason is RowReason.DUPLICATE_ROW:
        return DUPLICATE_TEXT, ADVICE[RowReason.DUPLICATE_ROW]
    if outcome.reason is not None:
        return FATE_TEXT[outcome.fate], ADVICE[outcome.reason]
    notes = dict.fromkeys((*row.notes, *outcome.notes))
    return FATE_TEXT[outcome.fate], " ".join(ADVICE[note] for note in notes)
