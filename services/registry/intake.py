"""From a row of a list to what it states: every cell read strictly, every problem named by row, column and rule, never by value. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol, TypeVar

from pydantic import Field

from services.registry import cells
from services.registry.cells import BadCell, Cell, Sex, folded
from services.registry.columns import Column
from services.registry.phones import e164
from services.registry.refusals import RowNote, RowReason
from services.registry.sheets import Line, letter
from services.registry.statements import Enrol, RegisterAccount, Split
from shared.personal import Identity

T = TypeVar("T")
_SEXES: dict[str, Sex] = {"nam": "male", "nu": "female", "male": "male", "female": "female"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is wrong: `column` is `E: Số định danh/CCCD`, or empty for the whole row."""

    row: int
    column: str
    rule: str
    advice: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that one cell of a row breaks."""

    column: Column
    reason: RowReason


@dataclass(frozen=True, slots=True)
class Taken:
    """One data row: an act, or the problems that keep it from being one. `split`: the act's commune is to be decided yet. `who`: whom a
    row means that is no act, as far as that can be read."""

    row_no: int
    act: Annotated[Enrol | RegisterAccount, Field(discriminator="kind")] | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[RowNote, ...] = ()
    split: Split | None = None
    who: Identity | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """A totals row and the columns in which it is not what stands above it."""

    row_no: int
    wrong: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a list in order: data rows, rows that are none, totals rows."""

    rows: tuple[Taken, ...]
    remarks: tuple[int, ...] = ()
    totals: tuple[Totals, ...] = ()


class ListReader(Protocol):
    """Reads the rows of one list, part by part."""

    needs: Sequence[tuple[Column, ...]]

    def part(self, lines: Sequence[Line]) -> Part:
        """What these rows state; they follow those of the call before."""

    def passed(self, lines: Sequence[Line]) -> None:
        """These rows were taken by an earlier run: they count for the totals row only."""


def column_name(columns: Mapping[Column, int], column: Column) -> str:
    """Letter and name of a column, as an officer finds it."""
    index = columns.get(column)
    return f"{letter(index)}: {column}" if index is not None else str(column)


@dataclass
class RowReader:
    """Reads the cells of one row and gathers problems and notes."""

    line: Line
    problems: list[Problem] = field(default_factory=list)
    notes: list[RowNote] = field(default_factory=list)

    def read(self, column: Column, parse: Callable[[Cell], T]) -> T | None:
        """The parsed cell; None, with the problem gathered, when it breaks a rule."""
        try:
            return parse(self.line.cell(column))
        except BadCell as bad:
            self.problem(column, bad.reason)
            return None

    def text(self, column: Column, most: int = 200) -> str:
        """A text, empty when there is none."""
        if (cell := self.line.cell(column)) is None or cell == "":
            return ""
        try:
            return cells.text(cell, most).value
        except BadCell as bad:
            self.problem(column, bad.reason)
            return ""

    def word(self, column: Column) -> str:
        """A word of a closed list, folded; signs alone are a word nobody knows, not an empty cell."""
        written = self.text(column, 60)
        return folded(written) or written

    def problem(self, column: Column, reason: RowReason) -> None:
        """Gather a problem."""
        self.problems.append(Problem(column, reason))

    def note(self, note: RowNote | None) -> None:
        """Gather a note, once."""
        if note is not None and note not in self.notes:
            self.notes.append(note)

    def identity(self, today_text: Callable[[Cell], str | None]) -> Identity | None:
        """Whom the row means; None, with the problem gathered, when it does not say enough. `today_text` reads a birth date."""
        name = self.read(Column.NAME, cells.name)
        birth = self.read(Column.BIRTH, today_text)
        sex = self._sex()
        number, old_number = self._numbers(int(birth[:4]) if birth else None, sex)
        if name is None:
            return None
        if name.cleaned:
            self.note(RowNote.TEXT_CLEANED)
        if not (number or old_number or birth) and not self.problems:
            self.problem(Column.NUMBER, RowReason.IDENTITY_TOO_THIN)
            return None
        return Identity(full_name=name.value, birth_date=birth, sex=sex, personal_number=number, old_number=old_number)

    def phone(self) -> str | None:
        """The phone as E.164; a bad one only loses the phone."""
        if not self.line.has(Column.PHONE):
            return None
        try:
            found = e164(cells.text(self.line.cell(Column.PHONE), 40).value)
        except BadCell:
            found = None
        if found is None:
            self.note(RowNote.PHONE_DROPPED)
        return found

    def _sex(self) -> Sex | None:
        written = self.word(Column.SEX)
        if written and written not in _SEXES:
            self.problem(Column.SEX, RowReason.WORD_UNKNOWN)
        return _SEXES.get(written)

    def _numbers(self, birth_year: int | None, sex: Sex | None) -> tuple[str | None, str | None]:
        found = self.read(Column.NUMBER, lambda cell: cells.person_number(cell, birth_year, sex))
        if found:
            self.note(found.note)
        try:
            other = cells.person_number(self.line.cell(Column.OLD_NUMBER), birth_year, sex)
        except BadCell:
            other = None
            self.note(RowNote.OLD_NUMBER_DROPPED)
        number = old_number = None
        for one in (other, found):  # the column's own number comes before one of the other column
            if one and one.is_old:
                old_number = one.value
            elif one:
                number = one.value
        if number is None and not self.problems:
            self.note(RowNote.OLD_NUMBER_USED if old_number else RowNote.NUMBER_MISSING)
        return number, old_number
