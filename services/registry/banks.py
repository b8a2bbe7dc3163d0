"""Which bank a list means, and the zeros a spreadsheet took from an account number. Pure once the table is read.

The table is shared with verification (`shared/banks.py`): BIN, every name the bank has or had, and the length of its account numbers where
that is fixed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from services.registry.cells import BadCell, Cell, folded, is_empty, text
from services.registry.refusals import RowNote, RowReason
from shared.banks import BANKS_FILE

ZEROS_MAX = 2
_BIN = re.compile(r"[0-9]{6}")
_NUMBER = re.compile(r"[0-9A-Za-z]{1,30}")


@dataclass(frozen=True, slots=True)
class AccountNumber:
    """An account number; `note` when zeros were put back, or may be missing."""

    value: str
    note: RowNote | None = None


class BankNames:
    """The table of names."""

    def __init__(self, rows: Iterable[tuple[str, tuple[str, ...], int | None]]) -> None:
        """(BIN, names, fixed length or None)."""
        self._by_name: dict[str, str] = {}
        self._length: dict[str, int] = {}
        for bank_bin, names, length in rows:
            self._by_name |= {folded(name).replace(" ", ""): bank_bin for name in names}
            if length:
                self._length[bank_bin] = length

    @classmethod
    def from_file(cls, path: Path = BANKS_FILE) -> BankNames:
        """Read the table. Raises KeyError or ValueError for a file of another shape: the process must not start with it."""
        with path.open(encoding="utf-8", newline="") as file:
            return cls(
                (row["bin"], _names(row), int(row["number_length"]) if row["number_length"] else None)
                for row in csv.DictReader(file)
            )

    def bank_bin(self, bin_cell: Cell, name_cell: Cell) -> str:
        """The BIN, from its own cell first. Any 6 digits pass: whether such a bank exists is verification's finding. Raises BadCell."""
        if not is_empty(bin_cell):
            written = text(bin_cell).value
            if _BIN.fullmatch(written):
                return written
            raise BadCell(RowReason.BANK_UNKNOWN)
        key = folded(text(name_cell).value).replace(" ", "").removeprefix("nganhang")
        found = self._by_name.get(key) or self._by_name.get(key.removesuffix("bank"))
        if found is None:
            raise BadCell(RowReason.BANK_UNKNOWN)
        return found

    def account_number(self, cell: Cell, bank_bin: str) -> AccountNumber:
        """The number as text. A shorter one gets up to two zeros back where the bank's numbers have one length. Raises BadCell."""
        written = re.sub(r"[ .-]", "", text(cell).value.lstrip("'"))
        length = self._length.get(bank_bin)
        if not _NUMBER.fullmatch(written) or (isinstance(cell, float) and not cell.is_integer()):
            raise BadCell(RowReason.ACCOUNT_BAD)
        if length and written.isdigit() and 0 < length - len(written) <= ZEROS_MAX:
            return AccountNumber(written.zfill(length), RowNote.ACCOUNT_REPAIRED)
        as_number = not isinstance(cell, str) and length is None
        return AccountNumber(written, RowNote.ACCOUNT_AS_NUMBER if as_number else None)


def _names(row: dict[str, str]) -> tuple[str, ...]:
    return (row["name"], *filter(None, row["other_names"].split("|")))
