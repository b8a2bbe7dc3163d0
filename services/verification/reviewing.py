"""What a person may decide of an unclear case, and how long it holds. Pure.

A decision is about two sides as they were: the identity on the list, and one register entry. When either says something else, it counts no
more and the rules decide again. It makes nobody alive who is dead, and nobody single who is a duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from services.verification.matching import Judgement, RegisterPerson, alive_or_not
from shared.words import Outcome

UNCLEAR = (Outcome.WEAK_MATCH, Outcome.NUMBER_CHANGED, Outcome.MISMATCH, Outcome.NOT_FOUND)
"""Outcomes that a person may decide about. `duplicate` is for registry: which of its people are one."""


class CaseQuestion(StrEnum):
    """What somebody must find out of whom nothing can be said, and nothing will change by itself. Nothing is decided here."""

    BIRTH_DATE_MISSING = "BIRTH_DATE_MISSING"
    NOT_IN_NEWEST_EXTRACT = "NOT_IN_NEWEST_EXTRACT"


QUESTION_ADVICE: Mapping[CaseQuestion, str] = {
    CaseQuestion.BIRTH_DATE_MISSING: (
        "Danh sách không ghi ngày sinh nên không hỏi được cơ sở dữ liệu: xem giấy tờ, hỏi xã, rồi sửa danh sách."
    ),
    CaseQuestion.NOT_IN_NEWEST_EXTRACT: (
        "Bản trích dân cư mới nhất không còn người này: hỏi công an xã vì sao; nếu trích sót, nộp dòng còn thiếu với --part."
    ),
}


def question_of(outcome: Outcome | None, *, birth_known: bool, was_answered: bool) -> CaseQuestion | None:
    """What is to be asked of an unavailable person; None of whom the register can still answer about by itself."""
    if outcome is not Outcome.UNAVAILABLE:
        return None
    if was_answered:
        return CaseQuestion.NOT_IN_NEWEST_EXTRACT
    return None if birth_known else CaseQuestion.BIRTH_DATE_MISSING


class Sameness(StrEnum):
    """What was decided: the register entry is this person, or is not."""

    SAME = "same"
    DIFFERENT = "different"


class ReviewReason(StrEnum):
    """Why the two sides differ."""

    SPELLING = "SPELLING"
    NAME_CHANGED = "NAME_CHANGED"
    BIRTH_DATE_CORRECTED = "BIRTH_DATE_CORRECTED"
    NUMBER_CORRECTED = "NUMBER_CORRECTED"
    REGISTER_WRONG = "REGISTER_WRONG"
    OTHER_PERSON = "OTHER_PERSON"


class ReviewEvidence(StrEnum):
    """What the decider looked at; the birth certificate wins over other papers (domain 3)."""

    IDENTITY_CARD = "IDENTITY_CARD"
    BIRTH_CERTIFICATE = "BIRTH_CERTIFICATE"
    POLICE_CONFIRMATION = "POLICE_CONFIRMATION"
    COMMUNE_FILE = "COMMUNE_FILE"
    HOME_VISIT = "HOME_VISIT"


class ReviewRefusal(StrEnum):
    """Why a decision is not taken, in order of precedence. Nothing was changed."""

    REASON_CONTRADICTS = "REASON_CONTRADICTS"
    NOT_SEEN = "NOT_SEEN"
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    NOT_UNDER_REVIEW = "NOT_UNDER_REVIEW"
    NOT_A_CANDIDATE = "NOT_A_CANDIDATE"
    ALREADY_DECIDED = "ALREADY_DECIDED"


ADVICE: Mapping[ReviewRefusal, str] = {
    ReviewRefusal.REASON_CONTRADICTS: (
        "Lý do trái với quyết định: OTHER_PERSON chỉ dùng với different; SPELLING, NAME_CHANGED, BIRTH_DATE_CORRECTED chỉ dùng với same."
    ),
    ReviewRefusal.NOT_SEEN: "Người quyết định phải tự xem hai bên trước.",
    ReviewRefusal.CHANGED_MEANWHILE: "Thông tin một bên đã thay đổi; xem lại rồi quyết định.",
    ReviewRefusal.NOT_UNDER_REVIEW: "Trường hợp này không cần người quyết định.",
    ReviewRefusal.NOT_A_CANDIDATE: "Mục này trong cơ sở dữ liệu không thuộc trường hợp đang xem.",
    ReviewRefusal.ALREADY_DECIDED: "Đã có quyết định; muốn thay thì ghi rõ quyết định bị thay.",
}


_ONLY_SAME = frozenset({ReviewReason.SPELLING, ReviewReason.NAME_CHANGED, ReviewReason.BIRTH_DATE_CORRECTED})


def contradicts(sameness: Sameness, reason: ReviewReason) -> bool:
    """Whether a reason says the opposite of the decision it is given for. The table `review_decision` has the same rule."""
    return reason in _ONLY_SAME if sameness is Sameness.DIFFERENT else reason is ReviewReason.OTHER_PERSON


class Decision(NamedTuple):
    """What was decided of two sides."""

    decision_id: UUID
    identity_digest: str
    token: str
    register_digest: str
    sameness: Sameness


def holding(decisions: Iterable[Decision], identity_digest: str, candidates: Sequence[RegisterPerson]) -> list[Decision]:
    """The decisions whose two sides still say what they said."""
    said = {(entry.token, entry.digest) for entry in candidates}
    return [d for d in decisions if d.identity_digest == identity_digest and (d.token, d.register_digest) in said]


def with_decisions(said: Judgement, decisions: Sequence[Decision], candidates: Sequence[RegisterPerson]) -> Judgement:
    """The judgement with what people decided. Only decisions that hold may be given.

    Confirmed by a person an entry is the person's like a full match. Two entries confirmed are none: the rules decide.
    """
    same = {d.token for d in decisions if d.sameness is Sameness.SAME}
    different = {d.token for d in decisions if d.sameness is Sameness.DIFFERENT}
    confirmed = [entry for entry in candidates if entry.token in same - different and entry.replaced_by is None]
    if len(confirmed) == 1:
        return alive_or_not(confirmed[0], Outcome.MATCH, said.evidence)
    if said.token in different:
        return Judgement(Outcome.MISMATCH, said.evidence)
    return said


def refused(
    outcome: Outcome, seen: Mapping[str, str], candidates: Sequence[RegisterPerson], *, token: str, same_identity: bool
) -> ReviewRefusal | None:
    """Why a decision about an entry cannot be taken now. `seen`: entries and their digests as the decider saw them."""
    entry = next((entry for entry in candidates if entry.token == token), None)
    if (
        not same_identity
        or (entry is None and token in seen)
        or (entry is not None and seen.get(token, entry.digest) != entry.digest)
    ):
        return ReviewRefusal.CHANGED_MEANWHILE
    if outcome not in UNCLEAR:
        return ReviewRefusal.NOT_UNDER_REVIEW
    if entry is None or token not in seen or entry.replaced_by is not None:
        return ReviewRefusal.NOT_A_CANDIDATE
    return None
