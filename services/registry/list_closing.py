"""Freezing a list: lines as they are published, totals per programme, an order-independent digest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared import ids
from shared.events import DeclaredLine, EntitlementLine, ListClosing, ProgrammeTotal, Version
from shared.money import total
from shared.words import Programme


@dataclass(frozen=True, slots=True)
class OpenRow:
    """An active row with the version of the person it is frozen with."""

    source: str
    record: str
    beneficiary_id: UUID
    area: str
    line: DeclaredLine
    version: tuple[int, int]


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
            declared_vnd=total([row.line.declared_vnd]),
            line=row.line,
        )
        for row in rows
    ]


def closing_of(lines: Sequence[EntitlementLine], period: str, payer: str, *, closed_at: datetime) -> ListClosing:
    """The totals readers may rely on. Raises AssertionError for no line or a line of another list."""
    assert lines, "an empty list does not close"
    assert all((line.period, line.payer) == (period, payer) for line in lines)
    digest = 0
    for line in lines:
        digest = ids.add_to_digest(digest, line.canonical())
    programmes = tuple(_programme_total(lines, programme) for programme in Programme)
    closing = ListClosing(
        period=period,
        payer=payer,
        count=len(lines),
        vnd=total(line.declared_vnd for line in lines),
        digest=ids.digest_hex(digest),
        programmes=tuple(part for part in programmes if part.count),
        closed_at=closed_at,
    )
    assert sum(part.vnd for part in closing.programmes) == closing.vnd
    return closing


def _programme_total(lines: Sequence[EntitlementLine], programme: Programme) -> ProgrammeTotal:
    amounts = [line.declared_vnd for line in lines if line.line.programme is programme]
    return ProgrammeTotal(programme=programme, count=len(amounts), vnd=total(amounts))
