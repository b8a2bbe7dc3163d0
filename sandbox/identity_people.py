"""The people of the corpus: one drawn body, as a list writes it and as a register holds it. All SYNTHETIC."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from sandbox.model import Name, Sex
from sandbox.names import draw_name
from sandbox.numbers import NumberMaker

Written = dict[str, str]
"""Fields of an identity as a list has them; an empty text is an empty cell."""
Entry = dict[str, str]
"""One register entry: token, identity, status, replaced_by."""


@dataclass(frozen=True, slots=True)
class Body:
    """One person."""

    name: Name
    sex: str
    born: date
    number: str
    old: str

    @property
    def full(self) -> str:
        """Family, middle, given."""
        return self.name.full


class Draw:
    """Draws bodies; numbers are given out once."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self._numbers = NumberMaker(rng)

    def body(self, where: Callable[[Body], bool] = lambda _body: True) -> Body:
        """Somebody for whom `where` holds, drawn until there is one."""
        while True:
            body = self._one()
            if where(body):
                return body

    def like(self, body: Body, *, name: Name | None = None, born: date | None = None) -> Body:
        """Somebody else with the same name and birthday, as far as none is given, and other numbers."""
        day = born or body.born
        number = self._numbers.personal(Sex(body.sex), day.year)
        return replace(body, name=name or body.name, born=day, number=number, old=self._numbers.old())

    def renumbered(self, body: Body) -> Body:
        """The same person under the number that the police gave instead."""
        return replace(body, number=self._numbers.personal(Sex(body.sex), body.born.year))

    def other_day(self, born: date) -> date:
        """Another day of the same year."""
        return date(born.year, born.month % 12 + 1, self.rng.randrange(1, 29))

    def other_year(self, born: date, most: int = 9) -> date:
        """The same day up to so many years later."""
        return born.replace(year=born.year + self.rng.randrange(1, most + 1))

    def _one(self) -> Body:
        sex = self.rng.choice((Sex.FEMALE, Sex.MALE))
        born = date(self.rng.randrange(1925, 2006), self.rng.randrange(1, 13), self.rng.randrange(1, 29))
        name = draw_name(self.rng, sex, born.year)
        return Body(name, sex.value, born, self._numbers.personal(sex, born.year), self._numbers.old())


def written(body: Body, **changes: str) -> Written:
    """How a list writes somebody whose number it knows."""
    said = {
        "full_name": body.full, "birth_date": body.born.isoformat(), "sex": body.sex, "personal_number": body.number,
        "old_number": "",
    }  # fmt: skip
    return {**said, **changes}


def entry(body: Body, token: str, **changes: str) -> Entry:
    """How a register holds somebody."""
    known = {
        "token": token, "full_name": body.full, "birth_date": body.born.isoformat(), "sex": body.sex,
        "personal_number": body.number, "old_number": body.old, "status": "alive", "replaced_by": "",
    }  # fmt: skip
    return {**known, **changes}


Made = tuple[Written, tuple[Entry, ...], str | None]
"""A case: what is written, what is registered, which entry is the person."""
Kind = Callable[[Draw], Made]
