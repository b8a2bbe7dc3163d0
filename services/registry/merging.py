"""Two records that are one person: what who stays takes over, what they give back, and why a pair is not merged or separated. Pure.

Only gaps are filled, and their names are kept with the act; so a separation gives back exactly that, where nobody has said otherwise since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from services.registry.person import Person
from shared.personal import Identity


class ActKind(StrEnum):
    """What is proposed of a pair."""

    MERGE = "merge"
    UNMERGE = "unmerge"


class Act(NamedTuple):
    """Who goes into whom, or comes out of whom again; for a separation the merge it takes back."""

    act_id: UUID
    kind: ActKind
    merged_id: UUID
    survivor_id: UUID
    undoes: UUID | None = None


class MergeReason(StrEnum):
    """Why people are not merged or separated, in order of precedence. Nothing was changed."""

    ACT_UNKNOWN = "ACT_UNKNOWN"
    ALREADY_CONFIRMED = "ALREADY_CONFIRMED"
    SECOND_PERSON_NEEDED = "SECOND_PERSON_NEEDED"
    ALREADY_PROPOSED = "ALREADY_PROPOSED"
    ALREADY_MERGED = "ALREADY_MERGED"
    OTHERS_MERGED_INTO_IT = "OTHERS_MERGED_INTO_IT"
    NOT_MERGED = "NOT_MERGED"
    LATER_MERGE_FIRST = "LATER_MERGE_FIRST"
    LIFE_DIFFERS = "LIFE_DIFFERS"
    LIST_CLOSING = "LIST_CLOSING"
    PERSON_ERASED = "PERSON_ERASED"


MERGE_ADVICE: Mapping[MergeReason, str] = {
    MergeReason.ACT_UNKNOWN: "Không có đề nghị này.",
    MergeReason.ALREADY_CONFIRMED: "Đề nghị này đã được xác nhận.",
    MergeReason.SECOND_PERSON_NEEDED: "Người xác nhận phải khác người đề nghị.",
    MergeReason.ALREADY_PROPOSED: "Cặp hồ sơ này đang có đề nghị chờ xác nhận.",
    MergeReason.ALREADY_MERGED: "Một trong hai hồ sơ đã được gộp vào hồ sơ khác.",
    MergeReason.OTHERS_MERGED_INTO_IT: "Đã có hồ sơ khác gộp vào hồ sơ này: giữ lại hồ sơ này, gộp hồ sơ kia.",
    MergeReason.NOT_MERGED: "Hai hồ sơ này không phải là hồ sơ đã gộp.",
    MergeReason.LATER_MERGE_FIRST: "Phải tách hồ sơ gộp sau trước.",
    MergeReason.LIFE_DIFFERS: "Một hồ sơ ghi đã mất hoặc chuyển đi, hồ sơ kia thì không: ghi cho đúng trước khi gộp.",
    MergeReason.LIST_CLOSING: "Danh sách của một trong hai người đang được chốt: chờ chốt xong.",
    MergeReason.PERSON_ERASED: "Dữ liệu cá nhân của một trong hai người đã được xoá.",
}

_IDENTITY = ("birth_date", "sex", "personal_number", "old_number")
_TOGETHER: Mapping[str, tuple[str, ...]] = {
    "account": ("account", "account_source", "authorisation", "aside"),
    "phone": ("phone",),
    "wish": ("wish", "wish_reason"),
    "cannot_reason": ("cannot_reason", "cannot_until"),
    "collector": ("collector", "collector_from", "collector_until"),
}
"""What is taken over as a whole, by the part that says whether it is there."""
_NOBODY = Person(UUID(int=0), (1, 0), "", "", Identity(full_name="-"))


def absorbed(stays: Person, goes: Person) -> tuple[Person, tuple[str, ...]]:
    """Who stays with what only the other one had, and the names of that."""
    said = [name for name in _IDENTITY if getattr(stays.identity, name) is None and getattr(goes.identity, name) is not None]
    whole = [name for name in _TOGETHER if getattr(stays, name) == getattr(_NOBODY, name) != getattr(goes, name)]
    identity = stays.identity.model_copy(update={name: getattr(goes.identity, name) for name in said})
    parts = {part: getattr(goes, part) for name in whole for part in _TOGETHER[name]}
    return stays._replace(identity=identity, **parts), (*said, *whole)


def released(stays: Person, goes: Person, taken: Collection[str]) -> Person:
    """Who stays without what they had from the other one, but for what reads otherwise now."""
    back = [name for name in _IDENTITY if name in taken and getattr(stays.identity, name) == getattr(goes.identity, name)]
    parts = {
        part: getattr(_NOBODY, part)
        for name, whole in _TOGETHER.items()
        if name in taken and all(getattr(stays, part) == getattr(goes, part) for part in whole)
        for part in whole
    }
    return stays._replace(identity=stays.identity.model_copy(update=dict.fromkeys(back)), **parts)


class Standing(NamedTuple):
    """How a pair stands: who of the two and of those merged into them leads where, and the newest merge into who stays."""

    leads: Mapping[UUID, UUID]
    newest: UUID | None
    merged_by: UUID | None = None


def why_not(act: Act, standing: Standing, *, same_life: bool) -> MergeReason | None:
    """Why the act cannot be done as the two stand now."""
    goes, stays, leads = act.merged_id, act.survivor_id, standing.leads
    if act.kind is ActKind.UNMERGE:
        if leads.get(goes) != stays:
            return MergeReason.NOT_MERGED
        return None if standing.merged_by == standing.newest else MergeReason.LATER_MERGE_FIRST
    if goes in leads or stays in leads:
        return MergeReason.ALREADY_MERGED
    if goes in leads.values():
        return MergeReason.OTHERS_MERGED_INTO_IT
    return None if same_life else MergeReason.LIFE_DIFFERS
