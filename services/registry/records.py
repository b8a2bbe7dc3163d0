"""What registry holds of records: whose they are, what they say for a period, what became of what they said. Pure."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from services.registry.refusals import Fate, RowNote, RowReason, Undone
from services.registry.statements import Statement
from shared.events import DeclaredLine
from shared.words import EndReason

RecordKey = tuple[str, str]
ListKey = tuple[str, str]
RowKey = tuple[str, str, str]


class Record(NamedTuple):
    """Whose record it is and its last statement that took effect."""

    beneficiary_id: UUID
    sequence: int
    digest: str


class ListRow(NamedTuple):
    """What a record says for one period. `end_reason` is None while the row is active."""

    source: str
    record: str
    period: str
    beneficiary_id: UUID
    payer: str
    area: str
    line: DeclaredLine
    end_reason: EndReason | Undone | None = None
    row_no: int | None = None

    @property
    def key(self) -> RowKey:
        """What a row is known by: source, record, period."""
        return self.source, self.record, self.period

    @property
    def once(self) -> tuple[str, UUID, str]:
        """What may be active once: a benefit of a person in a period."""
        return self.period, self.beneficiary_id, self.line.benefit_code


class Outcome(NamedTuple):
    """What became of one statement."""

    statement: Statement
    digest: str
    fate: Fate
    record: str | None = None
    reason: RowReason | None = None
    notes: tuple[RowNote, ...] = ()
    beneficiary_id: UUID | None = None


Done = tuple[RowNote, ...] | RowReason
"""What to tell of an act that took effect, or why it did not."""
