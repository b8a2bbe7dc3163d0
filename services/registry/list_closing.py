"""Freezing a list: lines as they are published, totals per programme, an order-independent digest. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared import ids
from shared.ages import reached
from shared.events import DeclaredLine, EntitlementLine, ListClosing, ProgrammeTotal, Version
from shared.money import total
from shared.words import Programme


@dataclass(frozen=True, slots=True)
class OpenRow:
    """An active row with the version of the person it is frozen with, their birth date and what is known of their circumstances."""

    source: str
    record: str
    beneficiary_id: UUID
    area: str
    line: DeclaredLine
    version: tuple[int, int]
    birth_date: str | None = None
    circumstances: str | None = None
    """The sealed block."""


def freeze(rows: Sequence[OpenRow], period: str, payer: str) -> list[EntitlementLine]:
    """One line per row. The same rows give the same ids: a restore freezes the same lines again."""
    return [
        EntitlementLine(
            entitlement_id=ids.entitlement_id(period=period, payer=payer, source=row.source, record=row.record),
            beneficiary_id=row.beneficiary_id,
            period=period,
            payer=payer,
            area=row.area,
            snapshot_version=Version(epoch=row.version[0], n=row.version[1]),
            declared_vnd=row.line.declared_vnd,
            line=row.line,
            ages=reached(row.birth_date, period),
            circumstances=row.circumstances,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Totals:
    """What the lines frozen so far add up to; a list is frozen in parts, and the sum does not depend on their order."""

    digest: int = 0
    programmes: tuple[ProgrammeTotal, ...] = ()

    @property
    def count(self) -> int:
        """Lines."""
        return sum(part.count for part in self.programmes)

    @property
    def vnd(self) -> int:
        """Declared VND."""
        return total(part.vnd for part in self.programmes)

    def plus(self, lines: Sequence[EntitlementLine]) -> Totals:
        """With more lines."""
        digest = self.digest
        counts, vnd = (Counter({part.programme: getattr(part, name) for part in self.programmes}) for name in ("count", "vnd"))
        for line in lines:
            digest = ids.add_to_digest(digest, line.canonical())
            counts[line.line.programme] += 1
            vnd[line.line.programme] += line.declared_vnd
        parts = [ProgrammeTotal(programme=p, count=counts[p], vnd=vnd[p]) for p in Programme if counts[p]]
        return Totals(digest, tuple(parts))

    def closing(self, period: str, payer: str, *, closed_at: datetime) -> ListClosing:
        """What readers may rely on. Raises AssertionError for a list without lines."""
        assert self.count, "an empty list does not close"
        return ListClosing(
            period=period,
            payer=payer,
            count=self.count,
            vnd=self.vnd,
            digest=ids.digest_hex(self.digest),
            programmes=self.programmes,
            closed_at=closed_at,
        )
