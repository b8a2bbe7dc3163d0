"""One identity against its candidates in the population register: an outcome with evidence per field, never a bare yes. Pure.

`match`           number equal, name T1 to T3, birth date equal at the coarser precision
`number_changed`  the same, but the register says the number was replaced
`weak_match`      number and birth date equal with name T4 or T5; or no number (or only the old one) and exactly one such person
`dead`, `moved`   the person is found, by either proof, and the register says so
`mismatch`        the number belongs to somebody who differs in name or birth date
`not_found`       nobody, or without a number more than one
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

from services.verification.names import SAME_NAME, WEAK_NAME, compare
from shared.events import FieldEvidence
from shared.personal import Identity
from shared.words import Finding, IdentityField, Outcome

YEAR = 4


class RegisterPerson(NamedTuple):
    """One entry of the population register. `token` stands for its number; `replaced_by` is the new number, if it was changed."""

    token: str
    identity: Identity
    status: Literal["alive", "dead", "moved"]
    status_on: date | None = None
    replaced_by: str | None = None


class Judgement(NamedTuple):
    """What the register says of one identity. `token`: the register person it was judged to be, if any."""

    outcome: Outcome
    evidence: tuple[FieldEvidence, ...] = ()
    died_on: date | None = None
    token: str | None = None


UNAVAILABLE = Judgement(Outcome.UNAVAILABLE)


def judge(identity: Identity, candidates: Sequence[RegisterPerson]) -> Judgement:
    """The outcome. `candidates` hold every entry with this number, the one a changed number leads to, and, for an identity without
    a personal number, every entry with its old number or with its name (T4) and birth year."""
    if identity.personal_number:
        return _by_number(identity, candidates)
    return _by_the_rest(identity, candidates)


def birth_finding(one: str | None, other: str | None) -> Finding:
    """Birth dates compared at the coarser precision: YYYY, YYYY-MM or YYYY-MM-DD. Year-only dates are normal (domain 3)."""
    if not one or not other:
        return Finding.ABSENT
    length = min(len(one), len(other))
    if one[:length] != other[:length]:
        return Finding.DIFFERENT
    return Finding.YEAR_ONLY if length == YEAR else Finding.EQUAL


def _by_number(identity: Identity, candidates: Sequence[RegisterPerson]) -> Judgement:
    entry = next((c for c in candidates if c.identity.personal_number == identity.personal_number), None)
    if entry is None:
        return Judgement(Outcome.NOT_FOUND, (FieldEvidence(field=IdentityField.NUMBER, finding=Finding.ABSENT),))
    evidence = _evidence(identity, entry, Finding.EQUAL)
    name = evidence[1].finding
    if not _same_birth(evidence) or name not in SAME_NAME + WEAK_NAME:
        return Judgement(Outcome.MISMATCH, evidence, token=None)
    proof = Outcome.MATCH if name in SAME_NAME else Outcome.WEAK_MATCH
    if entry.replaced_by is None:
        return _alive_or_not(entry, proof, evidence)
    # The new entry, where the extract has it, knows what happened since; the old one is only a signpost.
    successor = next((c for c in candidates if c.identity.personal_number == entry.replaced_by), entry)
    return _alive_or_not(successor, Outcome.NUMBER_CHANGED, evidence)


def _by_the_rest(identity: Identity, candidates: Sequence[RegisterPerson]) -> Judgement:
    """Without a personal number: the old number decides if it leads to anybody, else name and birth date do if they are unique."""
    found = [(c, _evidence(identity, c, _old_number(identity, c))) for c in candidates if c.replaced_by is None]
    same = [(c, e) for c, e in found if e[1].finding in SAME_NAME and _same_birth(e)]
    by_old = [(c, e) for c, e in found if e[0].finding is Finding.OLD_NUMBER]
    if by_old:
        same = [pair for pair in same if pair in by_old]
        if not same:
            return Judgement(Outcome.MISMATCH, by_old[0][1])
    same = [(c, e) for c, e in same if e[0].finding is not Finding.DIFFERENT]
    if len(same) != 1:
        return Judgement(Outcome.NOT_FOUND, (FieldEvidence(field=IdentityField.NUMBER, finding=Finding.ABSENT),))
    return _alive_or_not(same[0][0], Outcome.WEAK_MATCH, same[0][1])


def _alive_or_not(entry: RegisterPerson, proof: Outcome, evidence: tuple[FieldEvidence, ...]) -> Judgement:
    if entry.status == "dead":
        return Judgement(Outcome.DEAD, evidence, entry.status_on, entry.token)
    if entry.status == "moved":
        return Judgement(Outcome.MOVED, evidence, token=entry.token)
    return Judgement(proof, evidence, token=entry.token)


def _evidence(identity: Identity, entry: RegisterPerson, number: Finding) -> tuple[FieldEvidence, ...]:
    known = entry.identity
    name = compare(identity.full_name, known.full_name)
    birth = birth_finding(identity.birth_date, known.birth_date)
    return _findings(number, name=name, birth=birth, sex=_sex(identity.sex, known.sex))


@lru_cache(maxsize=1_024)
def _findings(number: Finding, *, name: Finding, birth: Finding, sex: Finding) -> tuple[FieldEvidence, ...]:
    """Number, name, birth date, sex, always in this order. Sex is told, it decides nothing: lists get it wrong too often."""
    findings = (
        (IdentityField.NUMBER, number), (IdentityField.NAME, name), (IdentityField.BIRTH_DATE, birth), (IdentityField.SEX, sex),
    )  # fmt: skip
    return tuple(FieldEvidence(field=field, finding=finding) for field, finding in findings)


def _same_birth(evidence: tuple[FieldEvidence, ...]) -> bool:
    return evidence[2].finding in (Finding.EQUAL, Finding.YEAR_ONLY)


def _old_number(identity: Identity, entry: RegisterPerson) -> Finding:
    ours, theirs = identity.old_number, entry.identity.old_number
    if not ours or not theirs:
        return Finding.ABSENT
    return Finding.OLD_NUMBER if ours == theirs else Finding.DIFFERENT


def _sex(ours: str | None, theirs: str | None) -> Finding:
    if not ours or not theirs:
        return Finding.ABSENT
    return Finding.EQUAL if ours == theirs else Finding.DIFFERENT
