"""What may be decided of two people we hold, and why not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class Paper(StrEnum):
    """What the decider looked at; the birth certificate wins over other papers (domain 3)."""

    IDENTITY_CARD = "IDENTITY_CARD"
    BIRTH_CERTIFICATE = "BIRTH_CERTIFICATE"
    POLICE_CONFIRMATION = "POLICE_CONFIRMATION"
    COMMUNE_FILE = "COMMUNE_FILE"
    HOME_VISIT = "HOME_VISIT"


class PairReason(StrEnum):
    """Why a pair is not decided, in order of precedence. Nothing was changed."""

    SAME_PERSON = "SAME_PERSON"
    NOT_SEEN = "NOT_SEEN"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    ALREADY_DECIDED = "ALREADY_DECIDED"


PAIR_ADVICE: Mapping[PairReason, str] = {
    PairReason.SAME_PERSON: "Hai mã chỉ cùng một hồ sơ.",
    PairReason.NOT_SEEN: "Người quyết định phải tự xem hai bên trước.",
    PairReason.CHANGED_MEANWHILE: "Thông tin một bên đã thay đổi; xem lại rồi quyết định.",
    PairReason.ALREADY_DECIDED: "Cặp hồ sơ này đã được quyết định.",
}


class Pair(NamedTuple):
    """Two people, the lower id first: a pair has one name."""

    one: UUID
    other: UUID

    @classmethod
    def of(cls, one: UUID, other: UUID) -> Pair:
        """The pair of two ids in either order."""
        return cls(*sorted((one, other)))


class PairSight(NamedTuple):
    """What somebody saw of a pair: both identities by their digests."""

    sight_id: UUID
    pair: Pair
    digests: tuple[str, str]
    actor: str


def unseen(sight: PairSight | None, pair: Pair, *, actor: str, digests: tuple[str, str]) -> PairReason | None:
    """Why a decision of this actor about the pair as it is now cannot rest on that sight."""
    if sight is None or (sight.pair, sight.actor) != (pair, actor):
        return PairReason.NOT_SEEN
    return None if sight.digests == digests else PairReason.CHANGED_MEANWHILE
