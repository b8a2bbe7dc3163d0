"""How many identities verification compares with the register in a second, on one core: the rules alone, no database, no cryptography."""

from __future__ import annotations

import time
from typing import Any

from services.verification.matching import RegisterPerson, judge
from shared.personal import Identity
from tests.bench.people import Recipient, recipients
from tests.bench.world import SEED

PEOPLE = 20_000


def run(people: int = PEOPLE) -> dict[str, Any]:
    """Matches a second; every outcome is the one the person must have. People without a number get a candidate of another name too."""
    drawn = [person for person in recipients(SEED, 0, people) if person.trouble != "old9"]
    pairs = [(Identity.model_validate(person.identity), _candidates(person)) for person in drawn]
    began = time.process_time()
    outcomes = [judge(identity, candidates).outcome for identity, candidates in pairs]
    seconds = time.process_time() - began
    right = sum(outcome is person.outcome for outcome, person in zip(outcomes, drawn, strict=True))
    return {"people": len(drawn), "matches_per_second": round(len(drawn) / seconds), "valid": right == len(drawn)}


def _candidates(person: Recipient) -> list[RegisterPerson]:
    return [_register_person(row) for row in person.register]


def _register_person(row: tuple[str, ...]) -> RegisterPerson:
    number, old_number, family, middle, given, birth, sex, _area, status, _day, replaced_by = row
    name = " ".join(part for part in (family, middle, given) if part)
    said = {"full_name": name, "birth_date": birth, "sex": sex, "personal_number": number, "old_number": old_number or None}
    return RegisterPerson(number, Identity.model_validate(said), status, None, replaced_by or None)  # type: ignore[arg-type]
