"""The defects planted on purpose: how many, on whom, how the list then reads, and what the register
then says.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from sandbox.model import Fate, Mess, MessKind, Person, RegisterRow, Written
from sandbox.names import decomposed, i_for_y, old_tone_placement, without_accents
from sandbox.numbers import NumberMaker, written_phone

# Per 10,000 people. OURS, NOT PUBLISHED: no mismatch rate of a province was found.
MESS_RATES = {
    MessKind.NUMBER_OLD9: 150,
    MessKind.NUMBER_MISSING: 60,
    MessKind.NUMBER_AS_NUMBER: 150,
    MessKind.NUMBER_LOST_ZERO: 80,
    MessKind.BIRTH_YEAR_ONLY: 500,
    MessKind.NAME_NFD: 80,
    MessKind.NAME_TONE: 120,
    MessKind.NAME_I_FOR_Y: 30,
    MessKind.NAME_NO_ACCENTS: 60,
    MessKind.ROW_DOUBLED: 25,
    MessKind.AMOUNT_WRONG: 8,
    MessKind.DEAD: 35,
    MessKind.MOVED_AWAY: 30,
    MessKind.BIRTH_YEAR_WRONG: 40,
    MessKind.NOT_IN_REGISTER: 25,
    MessKind.NUMBER_CHANGED: 15,
}

_HELD = (
    MessKind.AMOUNT_WRONG, MessKind.DEAD, MessKind.MOVED_AWAY, MessKind.BIRTH_YEAR_WRONG,
    MessKind.NOT_IN_REGISTER,
)  # fmt: skip
FATE = (
    dict.fromkeys(MessKind, Fate.PAY)
    | dict.fromkeys(_HELD, Fate.HOLD)
    | dict.fromkeys((MessKind.NUMBER_MISSING, MessKind.NUMBER_CHANGED), Fate.PAY_OR_HOLD)
    | {MessKind.NAME_NO_ACCENTS: Fate.PAY_NOT_NEW_ACCOUNT, MessKind.LATE_DEATH: Fate.WITHDRAW}
)
ELSEWHERE = ("18073", "18115", "18229", "18406", "18673")  # communes of other districts of the province


def choose(rng: Random, people: list[Person]) -> dict[int, MessKind]:
    """Which person (by index) gets which defect; one at most each, every kind at least once where
    names allow.
    """
    chosen: dict[int, MessKind] = {}
    order = list(range(len(people)))
    rng.shuffle(order)
    for kind in sorted(MESS_RATES, key=_pickiest_first):
        wanted = max(1, round(len(people) * MESS_RATES[kind] / 10_000))
        fitting = (i for i in order if i not in chosen and _fits(kind, people[i]))
        chosen |= {i: kind for i, _ in zip(fitting, range(wanted), strict=False)}
    return chosen


def _pickiest_first(kind: MessKind) -> tuple[bool, str]:
    return kind not in _NEEDS, kind.value


_NEEDS: dict[MessKind, Callable[[Person], bool]] = {
    MessKind.NUMBER_OLD9: lambda p: p.old_number is not None,
    MessKind.NUMBER_MISSING: lambda p: p.birth_date.year < 1950,
    MessKind.BIRTH_YEAR_ONLY: lambda p: p.birth_date.year < 1960,
    MessKind.NAME_TONE: lambda p: old_tone_placement(p.full_name) != p.full_name,
    MessKind.NAME_I_FOR_Y: lambda p: i_for_y(p.full_name) != p.full_name,
    MessKind.AMOUNT_WRONG: lambda p: len(p.benefits) == 1 and p.benefits[0].code in ("BT-5a2", "BT-6d", "BT-6b"),
    MessKind.DEAD: lambda p: p.birth_date.year < 1960,
}


def _fits(kind: MessKind, person: Person) -> bool:
    needs = _NEEDS.get(kind)
    return needs is None or needs(person)


def clean_writing(rng: Random, person: Person) -> Written:
    """How the list writes a person without a defect; a birth date is text or an Excel date, both are
    normal.
    """
    birth: date | str = person.birth_date if rng.randrange(10) < 3 else f"{person.birth_date:%d/%m/%Y}"
    old = person.old_number if rng.randrange(10) < 4 else None
    return Written(person.full_name, birth, person.personal_number, old, written_phone(rng, person.phone))


def clean_register(rng: Random, person: Person) -> tuple[RegisterRow, ...]:
    """The register's row of a person without a defect; it knows only the year for a few of the very old."""
    year_only = person.birth_date.year < 1945 and rng.randrange(100) < 4
    birth = str(person.birth_date.year) if year_only else person.birth_date.isoformat()
    return (RegisterRow(person.personal_number, birth, person.commune_code),)


def plant(rng: Random, numbers: NumberMaker, *, person: Person, kind: MessKind) -> Person:
    """The same person with the defect in the list or the register, and the right fate noted."""
    spoiled = replace(person, mess=Mess(kind, FATE[kind]))
    if kind is MessKind.AMOUNT_WRONG:
        return _with_wrong_amount(spoiled)
    if kind in (MessKind.NUMBER_CHANGED, MessKind.NOT_IN_REGISTER, MessKind.DEAD, MessKind.MOVED_AWAY):
        return replace(spoiled, register=_spoiled_register(rng, numbers, person=person, kind=kind))
    return replace(spoiled, written=_spoiled_writing(rng, person, kind))


def _spoiled_writing(rng: Random, person: Person, kind: MessKind) -> Written:
    written, name = person.written, person.full_name
    name_forms = {
        MessKind.NAME_NFD: decomposed, MessKind.NAME_TONE: old_tone_placement, MessKind.NAME_I_FOR_Y: i_for_y,
        MessKind.NAME_NO_ACCENTS: without_accents,
    }  # fmt: skip
    if kind in name_forms:
        return replace(written, full_name=name_forms[kind](name))
    if kind is MessKind.BIRTH_YEAR_WRONG:
        return replace(written, birth=_wrong_birth(rng, person.birth_date))
    changes: dict[MessKind, Written] = {
        MessKind.NUMBER_OLD9: replace(written, number=person.old_number, old_number=None),
        MessKind.NUMBER_MISSING: replace(written, number=None, old_number=None, birth=f"{person.birth_date:%d/%m/%Y}"),
        MessKind.NUMBER_AS_NUMBER: replace(written, number=int(person.personal_number)),
        MessKind.NUMBER_LOST_ZERO: replace(written, number=person.personal_number.lstrip("0")),
        MessKind.BIRTH_YEAR_ONLY: replace(written, birth=person.birth_date.year),
        MessKind.ROW_DOUBLED: replace(written, times=2),
    }
    return changes[kind]


def _wrong_birth(rng: Random, true: date) -> str:
    """The right day and month in a year that is two to five years off; 28 February stands in for a
    leap day.
    """
    day = 28 if (true.month, true.day) == (2, 29) else true.day
    return f"{day:02d}/{true.month:02d}/{true.year - rng.randrange(2, 6)}"


def _spoiled_register(rng: Random, numbers: NumberMaker, *, person: Person, kind: MessKind) -> tuple[RegisterRow, ...]:
    row = RegisterRow(person.personal_number, person.birth_date.isoformat(), person.commune_code)
    day = date(2023, 1, 10) + timedelta(days=rng.randrange(350))
    if kind is MessKind.DEAD:
        return (replace(row, status="dead", status_date=day),)
    if kind is MessKind.MOVED_AWAY:
        return (replace(row, status="moved", status_date=day, area_code=rng.choice(ELSEWHERE)),)
    if kind is MessKind.NUMBER_CHANGED:
        new = numbers.personal(person.sex, person.birth_date.year)
        return (replace(row, replaced_by=new, status_date=day), replace(row, personal_number=new))
    return ()


def _with_wrong_amount(person: Person) -> Person:
    """The list pays the standard once although the coefficient it shows is higher."""
    benefit = person.benefits[0]
    wrong = replace(benefit, monthly_vnd=360_000, arrears_periods=(), arrears_vnd=0, unpaid_periods=(), unpaid_vnd=0)
    return replace(person, benefits=(wrong,))
