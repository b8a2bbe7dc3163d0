"""People of a unit that was split: a person decides in which commune they live, and what was said of them is taken there.

An enrolment under the old unit's name, whose hamlet says nothing, is refused as `AREA_SPLIT` and kept sealed. It stands on no list, so no
payer pays for it meanwhile; the list it was meant for closes without it and says so (`held`). The decision is remembered with its
evidence: who is listed under the old name again needs no other one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class AreaEvidence(StrEnum):
    """What shows in which commune somebody lives."""

    RESIDENCE_PAPER = "RESIDENCE_PAPER"
    POLICE_REGISTER = "POLICE_REGISTER"
    COMMUNE_PAPER = "COMMUNE_PAPER"
    HAMLET_HEAD = "HAMLET_HEAD"
    HOME_VISIT = "HOME_VISIT"


class PlaceReason(StrEnum):
    """Why decisions are not taken, in order of precedence; then none of them is."""

    CASE_UNKNOWN = "CASE_UNKNOWN"
    DECIDED_TWICE = "DECIDED_TWICE"
    NOT_A_CANDIDATE = "NOT_A_CANDIDATE"
    DECIDED_OTHERWISE = "DECIDED_OTHERWISE"
    CASE_ENDED = "CASE_ENDED"


PLACE_ADVICE: Mapping[PlaceReason, str] = {
    PlaceReason.CASE_UNKNOWN: "Không có hồ sơ chờ này.",
    PlaceReason.DECIDED_TWICE: "Một người bị ghi hai đơn vị khác nhau trong cùng một lần quyết định.",
    PlaceReason.NOT_A_CANDIDATE: "Đơn vị này không nhận phần nào của đơn vị cũ.",
    PlaceReason.DECIDED_OTHERWISE: "Người này đã có quyết định khác: ghi tên đơn vị mới trong danh sách để sửa.",
    PlaceReason.CASE_ENDED: "Dòng này đã được ghi lại trong danh sách: không cần quyết định.",
}


class Decision(NamedTuple):
    """Where the person of a case lives, and what shows it."""

    case_id: UUID
    area: str
    evidence: AreaEvidence


class Undecided(NamedTuple):
    """A case. `unit` is `Split.unit`; `subject` the blind index of who is listed; `area` what was decided of them, if anything."""

    case_id: UUID
    source: str
    record: str
    period: str
    payer: str
    unit: tuple[str, date, date]
    codes: tuple[str, ...]
    subject: bytes
    sealed: str
    is_open: bool
    area: str | None
    beneficiary_id: UUID | None = None


def judged(decisions: Sequence[Decision], cases: Mapping[UUID, Undecided]) -> PlaceReason | list[Decision]:
    """What is new of these decisions, one for each person, or why none of them can be taken. Pure."""
    if not all(one.case_id in cases for one in decisions):
        return PlaceReason.CASE_UNKNOWN
    said: dict[tuple[object, object], Decision] = {}
    for one in decisions:
        case = cases[one.case_id]
        if said.setdefault((case.unit, case.beneficiary_id or case.subject), one).area != one.area:
            return PlaceReason.DECIDED_TWICE
    refusals = {refusal for one in said.values() if (refusal := _against(one, cases[one.case_id]))}
    if refusals:
        return min(refusals, key=tuple(PlaceReason).index)
    return [one for one in said.values() if cases[one.case_id].area is None]


def _against(one: Decision, case: Undecided) -> PlaceReason | None:
    if one.area not in case.codes:
        return PlaceReason.NOT_A_CANDIDATE
    if case.area is not None:
        return None if case.area == one.area else PlaceReason.DECIDED_OTHERWISE
    return None if case.is_open else PlaceReason.CASE_ENDED


def payers_needed(
    decisions: Collection[Decision], lists: Mapping[UUID, tuple[str, str]], payers: Mapping[UUID, str | None]
) -> set[str]:
    """Whose reviewer decides: of the list somebody stands on, and of the commune they are put into. Pure."""
    named = {lists[one.case_id][0] for one in decisions} | {payers[one.case_id] for one in decisions}
    return {payer for payer in named if payer}
