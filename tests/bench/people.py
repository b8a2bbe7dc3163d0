"""Synthetic recipients in any number: drawn from a seed, in the words of the sandbox, with the outcome each must have. SYNTHETIC DATA.

Shares are the sandbox's (`sandbox/mess.py`, `sandbox/banks.py`); 18.6 % hold an account (Hà Tĩnh, December 2023), about 60 % a phone.
Everybody born before 1998 has an old number, so that two people of one name and birth date are never taken for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from sandbox.areas import COMMUNES
from sandbox.banks import BANKS
from sandbox.benefits import Group, draw_group, second_group
from sandbox.model import Family, Sex
from sandbox.names import draw_name, old_tone_placement, without_accents
from sandbox.numbers import MOBILE_PREFIXES
from shared.words import HeldReason, Outcome

PEOPLE_PER_PAYER = 10_000
ACCOUNT_PER_MILLE, PHONE_PERCENT, MERIT_PERCENT, TWO_BENEFITS_PERCENT = 186, 60, 38, 3
POST_WISH_PERCENT, HOME_PERCENT, CANNOT_PERCENT, SHARED_PHONE_PERCENT = 8, 5, 4, 3
YEAR = 2024
_BIRTH_YEARS_WITH_OLD_NUMBER = 1998

# Per 10,000 people, one at most each; `plain` has the rest.
TROUBLES = {
    "old9": 150, "year_only": 500, "tone": 120, "no_accents": 60, "amount": 8, "dead": 35, "moved": 30, "birth_wrong": 40,
    "not_in_register": 25, "number_changed": 15,
}  # fmt: skip
OUTCOME_OF = {
    "old9": Outcome.WEAK_MATCH, "no_accents": Outcome.WEAK_MATCH, "dead": Outcome.DEAD, "moved": Outcome.MOVED,
    "birth_wrong": Outcome.MISMATCH, "not_in_register": Outcome.NOT_FOUND, "number_changed": Outcome.NUMBER_CHANGED,
}  # fmt: skip
HELD_FOR = {
    "dead": HeldReason.DEAD, "moved": HeldReason.MOVED, "birth_wrong": HeldReason.IDENTITY_MISMATCH,
    "not_in_register": HeldReason.NOT_FOUND, "amount": HeldReason.AMOUNT_DIFFERS,
}  # fmt: skip
_ROLLS = [trouble for trouble, share in TROUBLES.items() for _ in range(share)]
_COMMUNE_CODES = [commune.code for commune in COMMUNES for _ in range(commune.weight)]
_HAMLETS = {commune.code: commune.hamlets for commune in COMMUNES}
_BANKS = [bank for bank in BANKS for _ in range(bank.share // 10)]


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person: what the ministry writes, what the register holds, what must come of it.

    `trouble`: a key of TROUBLES, `keyboard` or `plain`.
    """

    number: int
    trouble: str
    area: str
    identity: dict[str, str]
    details: dict[str, Any]
    lines: tuple[dict[str, Any], ...]
    account: dict[str, str] | None
    wishes_post: bool
    register: tuple[tuple[str, ...], ...]

    @property
    def outcome(self) -> Outcome:
        """What verification must say."""
        return OUTCOME_OF.get(self.trouble, Outcome.MATCH)

    @property
    def held(self) -> HeldReason | None:
        """Why payout must hold the lines; None when they are paid."""
        return HELD_FOR.get(self.trouble)


def payer_name(payer: int) -> str:
    """How a payer is called."""
    return f"xa-{payer:05d}"


def recipients(seed: int, payer: int, count: int) -> Iterator[Recipient]:
    """The `count` people of a payer, always the same for a seed; numbers never meet those of another payer."""
    rng = Random(f"{seed}:{payer}")
    for place in range(count):
        yield _recipient(rng, payer * PEOPLE_PER_PAYER + place)


def _recipient(rng: Random, number: int) -> Recipient:
    group = draw_group(rng, Family.MERIT if rng.randrange(100) < MERIT_PERCENT else Family.ASSISTANCE)
    sex = Sex.FEMALE if rng.randrange(100) < group.women_percent else Sex.MALE
    youngest, oldest = group.ages
    born = date(YEAR - rng.randrange(youngest, oldest - 1) - 1, rng.randrange(1, 13), rng.randrange(1, 29))
    parts = draw_name(rng, sex, born.year)
    roll = rng.randrange(10_000)
    trouble = _ROLLS[roll] if roll < len(_ROLLS) else "plain"
    if trouble == "old9" and born.year >= _BIRTH_YEARS_WITH_OLD_NUMBER:
        trouble = "plain"
    if trouble == "no_accents" and without_accents(parts.full) == parts.full.replace("Đ", "D").replace("đ", "d"):
        trouble = "keyboard"  # d for đ is a habit of keyboards, not a lost accent: one in a million has nothing else to lose
    if trouble == "amount" and group.family is Family.MERIT:
        trouble = "plain"
    # A number has room for a million people of a province: the next million are of another one.
    province, place = 42 + 4 * (number // 1_000_000), number % 1_000_000
    personal_number = f"{province:03d}{2 * (born.year // 100 - 19) + (sex is Sex.FEMALE)}{born.year % 100:02d}{place:06d}"
    old_number = f"18{number:07d}" if born.year < _BIRTH_YEARS_WITH_OLD_NUMBER else ""
    area = rng.choice(_COMMUNE_CODES)
    account = _account(rng, number, parts.full) if rng.randrange(1_000) < ACCOUNT_PER_MILLE else None
    return Recipient(
        number=number,
        trouble=trouble,
        area=area,
        identity=_identity(trouble, parts.full, born, sex=sex, personal_number=personal_number, old_number=old_number),
        details=_details(rng, number, area),
        lines=_lines(rng, group, wrong=trouble == "amount"),
        account=account,
        wishes_post=account is not None and rng.randrange(100) < POST_WISH_PERCENT,
        register=_register(
            trouble, (personal_number, old_number, parts.family, parts.middle, parts.given), born, sex=sex, area=area
        ),
    )


def _identity(trouble: str, name: str, born: date, *, sex: Sex, personal_number: str, old_number: str) -> dict[str, str]:
    """How the list writes the person."""
    forms = {"tone": old_tone_placement, "no_accents": without_accents, "keyboard": without_accents}
    written = forms.get(trouble, str)(name)
    birth = str(born.year) if trouble == "year_only" else born.isoformat()
    said = {"full_name": written, "birth_date": birth, "sex": sex.value}
    if trouble != "old9":
        said["personal_number"] = personal_number
    return said | ({"old_number": old_number} if old_number else {})


def _details(rng: Random, number: int, area: str) -> dict[str, Any]:
    """Everything personal but identity and account."""
    said: dict[str, Any] = {"delivery": {"hamlet": rng.choice(_HAMLETS[area])}}
    if rng.randrange(100) < PHONE_PERCENT:
        phone = number - 1 if number and rng.randrange(100) < SHARED_PHONE_PERCENT else number
        prefixes = len(MOBILE_PREFIXES)
        said["phone"] = f"{MOBILE_PREFIXES[phone % prefixes]}00{phone // prefixes:05d}"
    if rng.randrange(100) < HOME_PERCENT:
        said["home_delivery"] = True
    if rng.randrange(100) < CANNOT_PERCENT:
        said["cannot_reason"] = "R_WEAK"
    return said


def _lines(rng: Random, group: Group, *, wrong: bool) -> tuple[dict[str, Any], ...]:
    """What the list declares: one benefit, for a few people a second one. A wrong amount is one the rules do not give."""
    groups = [group]
    if not wrong and rng.randrange(100) < TWO_BENEFITS_PERCENT:
        other = second_group(group, rng.choice((Family.MERIT, Family.ASSISTANCE)))
        groups += [other] if other and other.code != group.code else []
    return tuple(_line(one, 10_000 if wrong else 0) for one in groups)


def _line(group: Group, extra_vnd: int) -> dict[str, Any]:
    said: dict[str, Any] = {
        "programme": "merit" if group.family is Family.MERIT else "social_assistance",
        "benefit_code": group.code,
        "monthly_vnd": group.monthly_vnd + extra_vnd,
    }
    if group.coefficient is not None:
        said["coefficient_hundredths"] = int(group.coefficient * 100)
    return said | ({"scaled": True} if group.note else {})


def _account(rng: Random, number: int, name: str) -> dict[str, str]:
    bank = rng.choice(_BANKS)
    holder = "NGUYEN VAN KHAC" if rng.randrange(100) < 2 else without_accents(name).upper()
    return {"bank_bin": bank.bin, "number": f"{bank.start}{number:0{bank.length - len(bank.start)}d}", "holder": holder}


def _register(trouble: str, number_and_name: tuple[str, ...], born: date, *, sex: Sex, area: str) -> tuple[tuple[str, ...], ...]:
    """Rows of the population extract, in the order of its columns."""
    if trouble == "not_in_register":
        return ()
    birth = born.replace(year=born.year - 3).isoformat() if trouble == "birth_wrong" else born.isoformat()
    status, day = {"dead": ("dead", "2024-01-10"), "moved": ("moved", "2024-01-08")}.get(trouble, ("alive", ""))
    if trouble != "number_changed":
        return ((*number_and_name, birth, sex.value, area, status, day, ""),)
    new = f"{int(number_and_name[0][:3]) + 2:03d}{number_and_name[0][3:]}"
    return (
        (*number_and_name, birth, sex.value, area, status, day, new),
        (new, *number_and_name[1:], birth, sex.value, area, status, day, ""),
    )
