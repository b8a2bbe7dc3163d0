"""One identity against its candidates in the population register: an outcome with evidence per field, never a bare yes. Pure.

`match`           number equal, name T1 to T3, birth date equal at the coarser precision
`number_changed`  the same or a weak name, but the register says the number was replaced
`weak_match`      number and birth date equal with name T4 or T5; or no number and exactly one such person, proven by the old number or
                  by the whole birth date
`dead`, `moved`   the person is found, by either proof, and the register says so
`mismatch`        the number belongs to somebody who differs in name or birth date, or was replaced by the number of such a one
`not_found`       nobody, or without a number more than one, or only a namesake of the same year

What a number itself says of sex and birth year (domain 3) is evidence where it contradicts, never a verdict: the police re-issue such
numbers, and lists get sex and year wrong too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple

from shared.evidence import FieldEvidence
from shared.names import SAME_NAME, WEAK_NAME, compare
from shared.personal import Identity
from shared.words import Finding, IdentityField, Outcome

YEAR, DAY = 4, 10
_FIRST_CENTURY = 19


class RegisterPerson(NamedTuple):
    """One entry of the population register. `token` stands for its number; `replaced_by` is the new number, if it was changed; `digest`
    of everything the entry says; `old_ix` stands for the old number; `named`: the newest extract of the whole register names it."""

    token: str
    identity: Identity
    status: Literal["alive", "dead", "moved"]
    status_on: date | None = None
    replaced_by: str | None = None
    digest: str = ""
    old_ix: bytes | None = None
    named: bool = True


class Judgement(NamedTuple):
    """What the register says of one identity. `token`: the register person it was judged to be, if any."""

    outcome: Outcome
    evidence: tuple[FieldEvidence, ...] = ()
    died_on: date | None = None
    token: str | None = None


UNAVAILABLE = Judgement(Outcome.UNAVAILABLE)
PAYABLE = (Outcome.MATCH, Outcome.WEAK_MATCH, Outcome.NUMBER_CHANGED)
"""Outcomes that would let money go out."""
MERGED_AWAY = Judgement(Outcome.DUPLICATE)
"""Of an id that registry merged into another one: nobody is paid under it."""
_ABSENT = (FieldEvidence(field=IdentityField.NUMBER, finding=Finding.ABSENT),)
_CONTRADICTS = (FieldEvidence(field=IdentityField.NUMBER_STRUCTURE, finding=Finding.DIFFERENT),)


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


def fits_structure(identity: Identity) -> bool:
    """Whether century, sex and birth year in a personal number are those of the person, as far as they are known (domain 3)."""
    number = identity.personal_number
    return number is None or _structured(number[3:6], (identity.birth_date or "")[:YEAR], identity.sex)


@lru_cache(maxsize=2_048)
def _structured(century_sex_year: str, birth_year: str, sex: str | None) -> bool:
    digit = int(century_sex_year[0])
    if birth_year and f"{_FIRST_CENTURY + digit // 2}{century_sex_year[1:]}" != birth_year:
        return False
    return sex is None or (sex == "female") == bool(digit % 2)


def _by_number(identity: Identity, candidates: Sequence[RegisterPerson]) -> Judgement:
    entry = next((c for c in candidates if c.identity.personal_number == identity.personal_number), None)
    if entry is None:
        return _nobody(identity)
    evidence = _evidence(identity, entry, Finding.EQUAL)
    if not _same_person(evidence):
        return Judgement(Outcome.MISMATCH, evidence)
    if entry.replaced_by is None:
        return alive_or_not(entry, Outcome.MATCH if evidence[1].finding in SAME_NAME else Outcome.WEAK_MATCH, evidence)
    # The new entry, where the extract has it, knows what happened since; the old one is only a signpost, and it can point to a stranger.
    successor = _newest(entry, candidates)
    led_to = _evidence(identity, successor, Finding.EQUAL)
    if not _same_person(led_to):
        return Judgement(Outcome.MISMATCH, led_to)
    return alive_or_not(successor, Outcome.NUMBER_CHANGED, evidence)


def _newest(entry: RegisterPerson, candidates: Sequence[RegisterPerson]) -> RegisterPerson:
    """Where the notes of replaced numbers lead; a note that leads nowhere, or round in a circle, is the end."""
    passed = {entry.token}
    while entry.replaced_by is not None:
        new = next((c for c in candidates if c.identity.personal_number == entry.replaced_by and c.token not in passed), None)
        if new is None:
            break
        passed.add(new.token)
        entry = new
    return entry


def _by_the_rest(identity: Identity, candidates: Sequence[RegisterPerson]) -> Judgement:
    """Without a personal number: the old number decides if it leads to anybody, else name and whole birth date do if they are unique."""
    found = [(c, _evidence(identity, c, _old_number(identity, c))) for c in candidates if c.replaced_by is None]
    same = [(c, e) for c, e in found if e[1].finding in SAME_NAME and _same_birth(e)]
    by_old = [(c, e) for c, e in found if e[0].finding is Finding.OLD_NUMBER]
    if by_old:
        same = [pair for pair in same if pair in by_old]
        if not same:
            return Judgement(Outcome.MISMATCH, by_old[0][1])
    same = [(c, e) for c, e in same if e[0].finding is not Finding.DIFFERENT]
    if len(same) != 1 or not (by_old or _whole_day(identity, same[0][0])):
        return _nobody(identity)
    return alive_or_not(same[0][0], Outcome.WEAK_MATCH, same[0][1])


def alive_or_not(entry: RegisterPerson, proof: Outcome, evidence: tuple[FieldEvidence, ...]) -> Judgement:
    """Whoever is found is judged by what the register says became of them, before any other outcome."""
    if entry.status == "dead":
        return Judgement(Outcome.DEAD, evidence, entry.status_on, entry.token)
    if entry.status == "moved":
        return Judgement(Outcome.MOVED, evidence, token=entry.token)
    return Judgement(proof, evidence, token=entry.token)


def if_named(said: Judgement, entry: RegisterPerson | None) -> Judgement:
    """Nobody is paid by an entry that the newest extract of the whole register no longer names: that is no answer. The evidence stays, so
    it differs from never having been answered; a death or a move that was said holds."""
    gone = entry is not None and not entry.named and said.outcome in PAYABLE
    return said._replace(outcome=Outcome.UNAVAILABLE, died_on=None) if gone else said


def _nobody(identity: Identity) -> Judgement:
    return Judgement(Outcome.NOT_FOUND, _ABSENT if fits_structure(identity) else _ABSENT + _CONTRADICTS)


def _evidence(identity: Identity, entry: RegisterPerson, number: Finding) -> tuple[FieldEvidence, ...]:
    known = entry.identity
    name = compare(identity.full_name, known.full_name)
    birth = birth_finding(identity.birth_date, known.birth_date)
    return _findings(number, name=name, birth=birth, sex=_sex(identity.sex, known.sex), structured=fits_structure(identity))


@lru_cache(maxsize=1_024)
def _findings(number: Finding, *, name: Finding, birth: Finding, sex: Finding, structured: bool) -> tuple[FieldEvidence, ...]:
    """Number, name, birth date, sex, always in this order, then what the number contradicts. Sex is told, it decides nothing: lists get
    it wrong too often."""
    findings = (
        (IdentityField.NUMBER, number), (IdentityField.NAME, name), (IdentityField.BIRTH_DATE, birth), (IdentityField.SEX, sex),
    )  # fmt: skip
    told = tuple(FieldEvidence(field=field, finding=finding) for field, finding in findings)
    return told if structured else told + _CONTRADICTS


def _same_person(evidence: tuple[FieldEvidence, ...]) -> bool:
    return _same_birth(evidence) and evidence[1].finding in SAME_NAME + WEAK_NAME


def _same_birth(evidence: tuple[FieldEvidence, ...]) -> bool:
    return evidence[2].finding in (Finding.EQUAL, Finding.YEAR_ONLY)


def _whole_day(identity: Identity, entry: RegisterPerson) -> bool:
    return len(identity.birth_date or "") == len(entry.identity.birth_date or "") == DAY


def _old_number(identity: Identity, entry: RegisterPerson) -> Finding:
    ours, theirs = identity.old_number, entry.identity.old_number
    if not ours or not theirs:
        return Finding.ABSENT
    return Finding.OLD_NUMBER if ours == theirs else Finding.DIFFERENT


def _sex(ours: str | None, theirs: str | None) -> Finding:
    if not ours or not theirs:
        return Finding.ABSENT
    return Finding.EQUAL if ours == theirs else Finding.DIFFERENT
