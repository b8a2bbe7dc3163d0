"""Everybody of the hand-over of July 2025: who lived where under the districts, who lives where under the communes. SYNTHETIC DATA.

Every old unit of June 2025 has people, the units that were split more than others, because they are what is hard. The truth of a split
unit is drawn here; what upstream writes of it is a hamlet of the table, one that no table has, or nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.registry.areas import Areas
from shared.areas import read_areas, read_changes, read_hamlets

JUNE, JULY = "2025-06", "2025-07"
LAST_DAY, FIRST_DAY = date(2025, 6, 30), date(2025, 7, 1)
MONTHLY_VND, BENEFIT, HUNDREDTHS = 750_000, "BT-5a1", 150
SPLIT_WEIGHT = 9
DIES_EACH, ACCOUNT_PERCENT, NO_NUMBER_EACH = 97, 19, 20
AREAS = Areas(read_areas(), read_changes(), read_hamlets())


@dataclass(frozen=True, slots=True)
class Resident:
    """One person. `home`: the code of the commune they live in since July; `hamlet`: what their lists say; `is_open`: nobody decides."""

    number: int
    old: str
    district: str
    home: str
    hamlet: str = ""
    is_open: bool = False
    dies: bool = False

    @property
    def record(self) -> str:
        """The ministry's name of the person's benefit."""
        return f"r-{self.number:07d}"

    @property
    def record_of_july(self) -> str:
        """The commune's name of it: its own for who has no number, who is found by name, birth date and what became of the commune."""
        return self.record if self.has_number else f"j-{self.number:07d}"

    @property
    def has_number(self) -> bool:
        """Whether lists know the person's number; the register always does."""
        return self.number % NO_NUMBER_EACH != 0

    @property
    def commune(self) -> str:
        """Who pays the person in July."""
        return f"xa-{self.home}"

    @property
    def birth_date(self) -> str:
        """Between 63 and 78 years old, what the benefit is for."""
        return date(1947 + self.number % 15, 1 + self.number % 12, 1 + self.number % 28).isoformat()

    @property
    def given(self) -> str:
        """A name that nobody else has."""
        return "Thử " + "".join(chr(ord("A") + int(digit)) for digit in f"{self.number:06d}").capitalize()

    @property
    def personal_number(self) -> str:
        """Twelve digits of a man born in the last century."""
        return f"0420{self.birth_date[2:4]}{self.number:06d}"

    @property
    def has_account(self) -> bool:
        """About as many as in Hà Tĩnh in December 2023."""
        return self.number % 100 < ACCOUNT_PERCENT

    def register_row(self) -> tuple[str, ...]:
        """The person's line of the population extract, as the register stood in May."""
        return (self.personal_number, "", "Nguyễn", "Văn", self.given, self.birth_date, "male", self.old, "alive", "", "")


def residents(count: int) -> Iterator[Resident]:
    """So many people over all units of June 2025, always the same."""
    units = AREAS.on(LAST_DAY)
    split = {area.code: sorted(AREAS.successors(area.code, LAST_DAY, FIRST_DAY)) for area in units}
    turns = [area for area in units for _ in range(SPLIT_WEIGHT if len(split[area.code]) > 1 else 1)]
    hamlets = {hamlet.old + hamlet.new: hamlet.name for hamlet in read_hamlets()}
    seen: Counter[str] = Counter()
    for number in range(1, count + 1):
        area = turns[number % len(turns)]
        codes, place = split[area.code], seen[area.code]
        seen[area.code] += 1
        home = codes[place % len(codes)]
        if len(codes) == 1:
            yield Resident(number, area.code, area.payer, home, "Thôn 1", dies=number % DIES_EACH == 0)
        elif place % 4 < 2:
            yield Resident(number, area.code, area.payer, home, hamlets[area.code + home])
        else:
            yield Resident(number, area.code, area.payer, home, "Xóm Chợ" if place % 4 == 2 else "", is_open=place % 8 == 7)
