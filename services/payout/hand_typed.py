"""What people type into the cells of a list: ids, amounts, dates, words. Reads what can only mean one thing and nothing else. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from itertools import product

from shared.ids import END_TO_END_LENGTH, is_end_to_end_id
from shared.money import DONG_MAX

Cell = str | int | float | bool | date | datetime | time | timedelta | None

_FIRST_SERIAL, _LAST_SERIAL = date(2015, 1, 1), date(2050, 1, 1)
_SERIAL_ZERO = date(1899, 12, 30)  # day 0 of spreadsheets
_CURRENCY = re.compile(r"(đồng|vnđ|vnd|đ)\.?$")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([. ,])[0-9]{3})(?:\1[0-9]{3})*")
_NO_PARTS = re.compile(r"([0-9 .]+),0{1,2}|([0-9 ,]+)\.0{1,2}")  # a mark that groups does not also begin parts
_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[ t].*)?")
_DAY = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4}|[0-9]{2})(?:\s.*)?")
_SPOKEN = re.compile(r"(?:ngay )?([0-9]{1,2}) thang ([0-9]{1,2}) nam ([0-9]{4})")
# Signs that no id holds, and the letters that people mean by them.
_MEANT = {"0": "O", "1": "IL", "8": "B", "9": "G"}
_REPAIRS_MAX = 3


def folded(text: str) -> str:
    """Letters without accents in lower case, one space between words, nothing else."""
    decomposed = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    kept = "".join(char if char.isalnum() else " " for char in decomposed if not unicodedata.combining(char))
    return " ".join(kept.split())


def shown(cell: Cell) -> str:
    """What a cell shows, in one line of visible characters."""
    if cell is None or isinstance(cell, bool):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = unicodedata.normalize("NFC", str(cell))
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def typed_id(cell: Cell) -> str | None:
    """An end-to-end id however it is spaced and cased; a 0 for an O is put back where the check character proves it."""
    text = "".join(char for char in shown(cell).upper() if char.isascii() and char.isalnum())
    if len(text) != END_TO_END_LENGTH:
        return None
    if is_end_to_end_id(text):
        return text
    if sum(char in _MEANT for char in text) not in range(1, _REPAIRS_MAX + 1):
        return None
    meant = {"".join(chars) for chars in product(*(_MEANT.get(char, char) for char in text))}
    right = [one for one in meant if is_end_to_end_id(one)]
    return right[0] if len(right) == 1 else None


def typed_amount(cell: Cell) -> int | None:
    """Whole dong: `1.500.000 đ`, `1,500,000`, `1 500 000 đồng`, `1500000,00`; None for anything else."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int):
        return cell if 0 <= cell <= DONG_MAX else None
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and 0 <= cell <= DONG_MAX else None
    text = shown(cell).casefold()
    bare = _CURRENCY.sub("", text).strip()
    if match := _NO_PARTS.fullmatch(bare):
        bare = match[1] or match[2]
    if _GROUPED.fullmatch(bare):
        bare = re.sub(r"[. ,]", "", bare)
    if not (bare.isascii() and bare.isdigit()) or len(bare) > 15:
        return None
    return int(bare) if int(bare) <= DONG_MAX else None


def typed_date(cell: Cell) -> date | None:
    """A day, first as people here write it: `1/2/2024` is 1 February. A serial number of a spreadsheet is read as its day."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, bool) or cell is None or isinstance(cell, time | timedelta):
        return None
    if isinstance(cell, int | float):
        return _serial(int(cell)) if float(cell).is_integer() else None
    text = shown(cell).casefold()
    return _written(text) or (_serial(int(text)) if text.isascii() and text.isdigit() and len(text) == 5 else None)


def _serial(number: int) -> date | None:
    if not 0 <= number <= 100_000:
        return None
    day = _SERIAL_ZERO + timedelta(days=number)
    return day if _FIRST_SERIAL <= day <= _LAST_SERIAL else None


def _written(text: str) -> date | None:
    if match := _ISO.fullmatch(text):
        year, month, day = match.groups()
    elif match := _DAY.fullmatch(text) or _SPOKEN.fullmatch(folded(text)):
        day, month, year = match.groups()
    else:
        return None
    try:
        # A payment of a list made by hand is of this century.
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
