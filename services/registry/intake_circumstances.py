"""What a payroll list says of a person's circumstances: household, request, study, pension, and what happened to them. Pure.

No official form was found (domain 2.3); the columns are ours, and a list without them states nothing. An empty cell states nothing either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from services.registry import cells
from services.registry.columns import Column
from services.registry.intake import RowReader
from services.registry.refusals import RowReason
from shared.personal import Circumstances, Happened, PovertyOf
from shared.words import LifeEvent, Poverty

Word = TypeVar("Word")
_COLUMNS = frozenset(
    {
        Column.POVERTY, Column.REQUEST, Column.STUDYING, Column.OTHER_PENSION, Column.EVENT, Column.EVENT_FROM, Column.EVENT_UNTIL,
    }
)  # fmt: skip
_POVERTY: Mapping[str, Poverty] = {
    "ho ngheo": Poverty.POOR, "ngheo": Poverty.POOR, "ho can ngheo": Poverty.NEAR_POOR, "can ngheo": Poverty.NEAR_POOR,
    "khong": Poverty.NEITHER, "khong thuoc dien": Poverty.NEITHER,
}  # fmt: skip
_YES_NO: Mapping[str, bool] = {"co": True, "x": True, "da co": True, "khong": False, "chua co": False}
_EVENTS: Mapping[str, LifeEvent] = {
    "tam giam": LifeEvent.CUSTODY, "tam giu": LifeEvent.CUSTODY, "chap hanh an": LifeEvent.PRISON, "chap hanh an phat tu": LifeEvent.PRISON,
    "vao co so": LifeEvent.CARE_HOME, "vao co so tro giup xa hoi": LifeEvent.CARE_HOME, "tu nguyen thoi huong": LifeEvent.GIVEN_UP,
    "tu choi nhan": LifeEvent.GIVEN_UP, "mat tich": LifeEvent.MISSING, "toa tuyen mat tich": LifeEvent.MISSING,
    "tu choi ra soat": LifeEvent.REFUSED_CHECK, "tu choi danh gia lai": LifeEvent.REFUSED_CHECK, "den nhan lai": LifeEvent.RESUMED,
    "tiep tuc huong": LifeEvent.RESUMED,
}  # fmt: skip


def circumstances(reader: RowReader, year: int) -> Circumstances | None:
    """What the row says; None where it says nothing. `year`: for which the household's status is stated. Problems are gathered."""
    if _COLUMNS.isdisjoint(reader.line.columns):
        return None
    status = _word(reader, Column.POVERTY, _POVERTY)
    pension = reader.read(Column.OTHER_PENSION, cells.money) if reader.line.has(Column.OTHER_PENSION) else None
    said = Circumstances(
        poverty=(PovertyOf(year=year, status=status),) if status else (),
        requested=_word(reader, Column.REQUEST, _YES_NO),
        studying=_word(reader, Column.STUDYING, _YES_NO),
        other_benefit_vnd=pension,
        events=_event(reader),
    )
    return said if said != Circumstances() else None


def _word(reader: RowReader, column: Column, words: Mapping[str, Word]) -> Word | None:
    if not reader.line.has(column):
        return None
    found = words.get(reader.word(column))
    if found is None:
        reader.problem(column, RowReason.WORD_UNKNOWN)
    return found


def _event(reader: RowReader) -> tuple[Happened, ...]:
    """An event has a first day; days without an event are a slip."""
    event = _word(reader, Column.EVENT, _EVENTS)
    since, until = (reader.read(column, cells.day) for column in (Column.EVENT_FROM, Column.EVENT_UNTIL))
    if event is None:
        if (since or until) and not reader.line.has(Column.EVENT):
            reader.problem(Column.EVENT, RowReason.MISSING)
        return ()
    if since is None:
        if not reader.line.has(Column.EVENT_FROM):
            reader.problem(Column.EVENT_FROM, RowReason.MISSING)
        return ()
    return (Happened(event=event, since=since, until=until),)
