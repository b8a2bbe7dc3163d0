"""Draws true people: who they are, where they live, how to reach them, what they receive. No defect is
planted here.
"""

from dataclasses import dataclass, field
from datetime import date
from random import Random

from sandbox.areas import COMMUNES, Commune
from sandbox.benefits import Group, draw_group, row_of, second_group
from sandbox.model import Benefit, Cannot, Collector, Family, Name, Person, Sex, Wish, Written
from sandbox.names import draw_name
from sandbox.numbers import NumberMaker

MERIT_PERCENT = 38  # 38 : 62 merit to assistance, Thạch Hà April 2020 (domain note 6)
TWO_BENEFITS_PERCENT = 3  # ours
PERIOD_YEAR = 2024
CANNOT = {
    "R_WEAK": "Già yếu, không tự đi lại được",
    "R_IMMOBILE": "Khuyết tật nặng, nằm tại chỗ",
    "R_NOBODY": "Sống một mình, không có người để ủy quyền",
    "R_PAPER": "Chưa có giấy tờ tùy thân hợp lệ",
    "R_CAPACITY": "Mất năng lực hành vi dân sự",
    "R_CHILD": "Trẻ em dưới 14 tuổi, chưa có định danh mức 2",
}
_PHONE_PERCENT_BY_AGE = ((16, 80), (60, 85), (70, 62), (80, 38), (90, 24), (200, 12))


@dataclass
class _Draw:
    """What is remembered while people are drawn one after the other."""

    rng: Random
    numbers: NumberMaker
    taken: set[tuple[str, date]] = field(default_factory=set)
    phone_of_hamlet: dict[tuple[str, str], str] = field(default_factory=dict)


def draw_people(rng: Random, numbers: NumberMaker, count: int) -> list[Person]:
    """`count` people in list order (commune, then as they come); no two share both name and birth date."""
    draw = _Draw(rng, numbers)
    homes = rng.choices(COMMUNES, [commune.weight for commune in COMMUNES], k=count)
    merit = round(count * MERIT_PERCENT / 100)
    families = [Family.MERIT] * merit + [Family.ASSISTANCE] * (count - merit)
    rng.shuffle(families)
    homes.sort(key=lambda commune: commune.code)
    return [
        _person(draw, record=f"HK-{number:05d}", home=home, family=family)
        for number, (home, family) in enumerate(zip(homes, families, strict=True), start=1)
    ]


def _person(draw: _Draw, *, record: str, home: Commune, family: Family) -> Person:
    rng, group = draw.rng, draw_group(draw.rng, family)
    sex = Sex.FEMALE if rng.randrange(100) < group.women_percent else Sex.MALE
    name, born = _name_and_birth(draw, sex, group.ages)
    age, hamlet = PERIOD_YEAR - born.year, rng.choice(home.hamlets)
    cannot = _cannot(rng, age, group.code)
    return Person(
        record=record, name=name, birth_date=born, sex=sex,
        personal_number=draw.numbers.personal(sex, born.year),
        old_number=draw.numbers.old() if born.year < 1998 and rng.randrange(100) < 70 else None,
        commune_code=home.code, hamlet=hamlet, phone=_phone(draw, age, (home.code, hamlet)),
        benefits=_benefits(rng, group), account=None, wish=Wish.POST,
        home_delivery=_home_delivery(rng, age, group.code), collector=_collector(draw, age, cannot),
        cannot=cannot, mess=None, written=Written("", "", None, None, None), register=(),
    )  # fmt: skip


def _name_and_birth(draw: _Draw, sex: Sex, ages: tuple[int, int]) -> tuple[Name, date]:
    """Of age through all of the period, by day or by year alone: nobody stands on an age limit by chance."""
    while True:
        year = PERIOD_YEAR - _age(draw.rng, ages)
        born = date(year, draw.rng.randrange(1, 13), draw.rng.randrange(1, 29))
        name = draw_name(draw.rng, sex, year)
        if (name.full, born) not in draw.taken:
            draw.taken.add((name.full, born))
            return name, born


def _age(rng: Random, ages: tuple[int, int]) -> int:
    """Age reached in the year; among the old the younger ages are likelier."""
    low, high = ages[0] + 1, ages[1] - 1
    return min(rng.randint(low, high), rng.randint(low, high)) if low > 60 else rng.randint(low, high)


def _benefits(rng: Random, group: Group) -> tuple[Benefit, ...]:
    first = row_of(rng, group)
    # Only some groups can be joined by a second, so those are asked more often to reach the share of all
    # people.
    other = Family.ASSISTANCE if rng.randrange(100) < 62 else Family.MERIT
    second = second_group(group, other) if rng.randrange(1_000) < 83 else None
    return (first, row_of(rng, second)) if second else (first,)


def _phone(draw: _Draw, age: int, hamlet: tuple[str, str]) -> str | None:
    """Many of the old have none; some of them leave the number of a child or neighbour who serves several."""
    percent = next(percent for below, percent in _PHONE_PERCENT_BY_AGE if age < below)
    if draw.rng.randrange(100) >= percent:
        return None
    if age >= 70 and hamlet in draw.phone_of_hamlet and draw.rng.randrange(100) < 22:
        return draw.phone_of_hamlet[hamlet]
    phone = draw.numbers.phone()
    draw.phone_of_hamlet[hamlet] = phone
    return phone


def _home_delivery(rng: Random, age: int, code: str) -> bool:
    percent = 45 if code in ("BT-6a", "BT-6b") else 30 if age >= 90 else 4 if age >= 80 else 0
    return rng.randrange(100) < percent


def _collector(draw: _Draw, age: int, cannot: Cannot | None) -> Collector | None:
    """Every child under 14 has one, a few of the adults, nobody who has nobody to authorise."""
    if cannot and cannot.code == "R_NOBODY":
        return None
    if age >= 14 and draw.rng.randrange(1_000) >= 15:
        return None
    sex, year = draw.rng.choice((Sex.FEMALE, Sex.MALE)), draw.rng.randrange(1960, 1998)
    paper = f"UQ-{draw.rng.randrange(1, 900):03d}/2023"
    return Collector(draw_name(draw.rng, sex, year).full, draw.numbers.personal(sex, year), paper)


def _cannot(rng: Random, age: int, code: str) -> Cannot | None:
    reason = _cannot_reason(rng, age, code)
    return Cannot(reason, CANNOT[reason]) if reason else None


def _cannot_reason(rng: Random, age: int, code: str) -> str | None:
    if age < 14:
        return "R_CHILD"
    roll = rng.randrange(100)
    if code in ("BT-6a", "BT-6b") and roll < 15:
        return "R_IMMOBILE" if roll < 11 else "R_CAPACITY"
    if age >= 85 and roll < 8:
        return "R_WEAK" if roll < 5 else "R_NOBODY"
    return "R_PAPER" if age >= 70 and roll >= 99 else None
