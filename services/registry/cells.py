"""What stands in a spreadsheet cell, read strictly: text, numbers of people, dates, periods, money. Pure; never guesses, never quotes.

Each reader returns a value or raises `BadCell` with a code. Spreadsheets turn texts into numbers: what was lost is only put back where
the rest of the row proves it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal, NamedTuple

from services.registry.refusals import RowNote, RowReason
from shared.money import DONG_MAX, Dong

Cell = str | int | float | bool | date | datetime | time | timedelta | None
Sex = Literal["male", "female"]

FIRST_BIRTH_YEAR = 1880
_PROVINCES = range(1, 97)  # codes 001 to 096 of Circular 07/2016
_SCIENTIFIC = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]{1,2}")
_PLAIN_MONEY = re.compile(r"[0-9]+([.,]0{1,2})?")
_GROUPED_MONEY = re.compile(r"[0-9]{1,3}(([. ,])[0-9]{3})(\2[0-9]{3})*")
_YEAR = re.compile(r"[0-9]{4}")
_MONTH = re.compile(r"([0-9]{1,2})[/.-]([0-9]{4})")
_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")
_SPACES = re.compile(r"\s+")


class BadCell(Exception):
    """A cell that cannot be read; the code says which rule it breaks."""

    def __init__(self, reason: RowReason) -> None:
        """Keep the code; the value is left behind."""
        super().__init__(reason)
        self.reason = reason


class _Folded(dict[int, str]):
    """What a letter without its accents is, by code point: each is worked out once, as long as there are few."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = "" if unicodedata.combining(char) else char if char.isalnum() else " "
        return self.setdefault(code, plain) if len(self) < 5_000 else plain


_FOLDED = _Folded({ord("đ"): "d"})


@lru_cache(maxsize=20_000)
def folded(text: str) -> str:
    """Letters without accents in lower case, one space between words, nothing else: how headers, areas and words are compared."""
    return " ".join(unicodedata.normalize("NFD", text.casefold()).translate(_FOLDED).split())


def is_empty(cell: Cell) -> bool:
    """Whether a cell shows nothing."""
    return cell is None or cell == "" or (isinstance(cell, str) and cell.isspace())


class Text(NamedTuple):
    """A cleaned text; `cleaned`: hidden characters were taken out."""

    value: str
    cleaned: bool = False


NO_TEXT = Text("")


def text(cell: Cell, most: int = 200) -> Text:
    """The cell as NFC text without control, bidirectional and zero-width characters. Raises BadCell(TEXT_BAD) when too long."""
    if cell is None or cell == "":
        return NO_TEXT
    if isinstance(cell, str) and cell.isascii() and cell.isalnum() and len(cell) <= most:  # numbers: no two rows have the same
        return Text(cell)
    return _cleaned(cell if isinstance(cell, str) else _as_text(cell), most)


@lru_cache(maxsize=4_000)
def _cleaned(raw: str, most: int) -> Text:
    # Nearly every cell is clean already: one look instead of one per character.
    if raw.isascii() and raw.isprintable() and "  " not in raw and len(raw) <= most:
        return Text(raw.strip())
    visible = (
        raw
        if raw.isprintable()
        else "".join(char for char in raw if char in "\n\t\r" or unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cn", "Cs"))
    )
    value = _SPACES.sub(" ", unicodedata.normalize("NFC", visible)).strip()
    if len(value) > most:
        raise BadCell(RowReason.TEXT_BAD)
    return Text(value, len(visible) != len(raw))


def name(cell: Cell) -> Text:
    """A person's name: letters, spaces and the few signs names have. Raises BadCell."""
    return _name(cell if isinstance(cell, str) else _as_text(cell))


@lru_cache(maxsize=20_000)
def _name(written: str) -> Text:
    found = text(written, 100)
    if not found.value:
        raise BadCell(RowReason.MISSING)
    # Nearly every name is letters and spaces: one look instead of one per character.
    if not found.value.replace(" ", "").isalpha() and not all(map(_stands_in_names, found.value)):
        raise BadCell(RowReason.TEXT_BAD)
    return found


def _stands_in_names(char: str) -> bool:
    return char.isalpha() or char in " .'-()" or unicodedata.combining(char) > 0


def _as_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


# --- numbers of people ---------------------------------------------------------------------------------------------------------


class PersonNumber(NamedTuple):
    """A personal number (12 digits) or an old one (9); `note` when something was put back."""

    value: str
    note: RowNote | None = None

    @property
    def is_old(self) -> bool:
        """Whether it is the 9-digit number of before."""
        return len(self.value) == 9


def person_number(cell: Cell, birth_year: int | None, sex: Sex | None) -> PersonNumber | None:
    """The number in a cell, None when empty. Raises BadCell.

    10 or 11 digits lost one or two zeros; they are put back when the 12 digits then name a province and agree with the birth year
    and the sex of the row (domain 3).
    """
    if is_empty(cell):
        return None
    digits = _digits(cell)
    if len(digits) in (9, 12):
        return PersonNumber(digits)
    if len(digits) not in (10, 11):
        raise BadCell(RowReason.NUMBER_BAD)
    padded = digits.zfill(12)
    if not fits(padded, birth_year, sex):
        raise BadCell(RowReason.NUMBER_ZEROS_LOST)
    return PersonNumber(padded, RowNote.NUMBER_REPAIRED)


def fits(number: str, birth_year: int | None, sex: Sex | None) -> bool:
    """Whether a 12-digit number has a province and says the same birth year (and sex, when known) as the row."""
    century_and_sex = int(number[3])
    year = 1900 + 100 * (century_and_sex // 2) + int(number[4:6])
    same_sex = sex is None or (century_and_sex % 2 == 1) == (sex == "female")
    return int(number[:3]) in _PROVINCES and year == birth_year and same_sex


def _digits(cell: Cell) -> str:
    if isinstance(cell, str) and cell.isascii() and cell.isdigit():
        return cell
    if isinstance(cell, str):
        bare = text(cell).value.lstrip("'").replace(" ", "")
        if _SCIENTIFIC.fullmatch(bare):
            raise BadCell(RowReason.NUMBER_SCIENTIFIC)
        bare = bare.replace(".", "")
    elif _is_whole(cell):
        bare = str(int(cell))  # type: ignore[arg-type]
    else:
        raise BadCell(RowReason.NUMBER_BAD)
    if not (bare.isascii() and bare.isdigit()):
        raise BadCell(RowReason.NUMBER_BAD)
    return bare


def _is_whole(cell: Cell) -> bool:
    if isinstance(cell, bool):
        return False
    return isinstance(cell, int) or (isinstance(cell, float) and cell.is_integer())


# --- dates and periods ---------------------------------------------------------------------------------------------------------


def birth(cell: Cell, today: date) -> str | None:
    """A birth date as YYYY, YYYY-MM or YYYY-MM-DD, None when empty. Raises BadCell: a year of two digits is not guessed."""
    if is_empty(cell):
        return None
    found = _date_text(cell)
    if int(found[:4]) < FIRST_BIRTH_YEAR or found > today.isoformat()[: len(found)]:
        raise BadCell(RowReason.DATE_BAD)
    return found


def day(cell: Cell) -> date | None:
    """A whole day, None when empty. Raises BadCell."""
    found = birth(cell, date.max)
    if found is None:
        return None
    if len(found) < len("2024-01-31"):
        raise BadCell(RowReason.DATE_BAD)
    return date.fromisoformat(found)


def _date_text(cell: Cell) -> str:
    if isinstance(cell, datetime | date):
        return f"{cell:%Y-%m-%d}"
    if isinstance(cell, str):
        return _date_in(cell)
    if _is_whole(cell):
        return _written_date(str(int(cell)))  # type: ignore[arg-type]
    raise BadCell(RowReason.DATE_BAD)


@lru_cache(maxsize=30_000)
def _date_in(cell: str) -> str:
    return _written_date(text(cell).value.replace(" ", ""))


def _written_date(written: str) -> str:
    try:
        if _YEAR.fullmatch(written):
            return written
        if match := _DAY.fullmatch(written):
            return date(int(match[3]), int(match[2]), int(match[1])).isoformat()
        if match := _MONTH.fullmatch(written):
            return date(int(match[2]), int(match[1]), 1).isoformat()[:7]
        if match := _ISO.fullmatch(written):
            return date(int(match[1]), int(match[2]), int(match[3] or 1)).isoformat()[: len(written)]
    except ValueError:
        pass
    raise BadCell(RowReason.DATE_BAD)


def periods(cell: Cell) -> tuple[str, ...]:
    """Months as YYYY-MM, in order, none twice; empty when the cell is. Raises BadCell."""
    if is_empty(cell):
        return ()
    parts = [_date_text(cell)[:7]] if not isinstance(cell, str) else [_month(part) for part in re.split(r"[,;+]", cell)]
    if len(set(parts)) != len(parts) or any(len(part) != 7 for part in parts):
        raise BadCell(RowReason.PERIOD_BAD)
    return tuple(sorted(parts))


def _month(written: str) -> str:
    try:
        return _written_date(text(written).value.casefold().removeprefix("t").removeprefix("háng").replace(" ", ""))
    except BadCell:
        raise BadCell(RowReason.PERIOD_BAD) from None


# --- money and coefficients ----------------------------------------------------------------------------------------------------


def money(cell: Cell) -> Dong:
    """Whole dong, 0 when empty. `1.250.000`, `1,250,000`, `1 250 000 đ` are the same. Raises BadCell for parts of a dong."""
    if is_empty(cell):
        return Dong(0)
    if isinstance(cell, str):
        value = _written_money(cell)
    elif _is_whole(cell):
        value = int(cell)  # type: ignore[arg-type]
    else:
        raise BadCell(RowReason.MONEY_BAD)
    if not 0 <= value <= DONG_MAX:
        raise BadCell(RowReason.MONEY_BAD)
    return Dong(value)


@lru_cache(maxsize=20_000)
def _written_money(cell: str) -> int:
    bare = text(cell).value.casefold().removesuffix("đồng").removesuffix("vnd").removesuffix("vnđ").removesuffix("đ").strip()
    if not bare.isascii():
        raise BadCell(RowReason.MONEY_BAD)
    if _GROUPED_MONEY.fullmatch(bare):
        return int(re.sub(r"[. ,]", "", bare))
    if _PLAIN_MONEY.fullmatch(bare):
        return int(re.split(r"[.,]", bare)[0])
    raise BadCell(RowReason.MONEY_BAD)


def coefficient_hundredths(cell: Cell) -> int | None:
    """A coefficient in hundredths (1,5 is 150), None when empty. Raises BadCell."""
    if is_empty(cell):
        return None
    if not isinstance(cell, str | int | float) or isinstance(cell, bool):
        raise BadCell(RowReason.COEFFICIENT_BAD)
    return _hundredths(text(cell).value)


@lru_cache(maxsize=1_000)
def _hundredths(written: str) -> int:
    try:
        hundredths = Decimal(written.replace(",", ".")) * 100
    except InvalidOperation:
        raise BadCell(RowReason.COEFFICIENT_BAD) from None
    if not hundredths.is_finite() or hundredths != int(hundredths) or not 0 <= hundredths <= 10_000:
        raise BadCell(RowReason.COEFFICIENT_BAD)
    return int(hundredths)
