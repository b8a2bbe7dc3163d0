"""A list as text with separators: encoding and quotes checked once over the whole file, rows then read in constant memory.

UTF-8 with or without a mark, separated by commas, semicolons or tabs: whichever makes the most of the header. UTF-16 with a mark,
Windows-1258, TCVN3 and VNI are told by their words and turned into UTF-8 first; any other encoding is refused by its name. Nothing of a
file is taken that cannot be read to its end.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from services.registry import headers, transcoding
from services.registry.columns import HEADER_ROWS_MAX, NOTHING_SAID, Column, Said
from services.registry.headers import Needs
from services.registry.legacy_text import TextCode
from services.registry.refusals import FileReason, NotAList
from shared.crashing import point

ROWS_MAX = 2_000_000
SEPARATORS = (",", ";", "\t")
UTF8 = "UTF-8"
_BLOCK = 1 << 20
_GUESSES = ("utf-16", "utf-16-le", "utf-16-be", "cp1258", "cp1252")
# What a spreadsheet runs as a formula when it opens text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MAY_BEGIN = frozenset((*_FORMULA, "'"))


@dataclass(frozen=True, slots=True)
class Delimited:
    """A checked list. Rows count from 1, as a spreadsheet that opens the file does. `path`: in UTF-8; `written_in`: what it was in."""

    path: Path
    separator: str
    header_row: int
    columns: dict[Column, int]
    width: int
    written_in: str = UTF8
    codes: Mapping[int, TextCode] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row of the file with its number, above the header too."""
        return enumerate(_rows(self.path, self.separator), start=1)


def open_delimited(path: Path, needs: Needs, said: Said = NOTHING_SAID) -> Delimited:
    """Raises NotAList with what the officer must do; nothing is taken then."""
    wrong = _first_wrong_byte(path)
    written_in, in_utf8 = UTF8, path
    if wrong is not None:
        kind = transcoding.kind_of(path)
        if kind is None:
            raise _wrong_encoding(path, wrong, needs)
        written_in, in_utf8 = kind.name, transcoding.as_utf8(path, kind)
    separator = max(SEPARATORS, key=lambda one: _columns_under(in_utf8, one, said))
    top = list(islice(_rows(in_utf8, separator), HEADER_ROWS_MAX))
    header_row, columns = headers.find(top, needs, said)
    _check_rows(in_utf8, separator)
    return Delimited(in_utf8, separator, header_row, columns, len(top[header_row - 1]), written_in)


def write_returned(source: Delimited, marks: Iterator[tuple[int, str, str]], target: Path, *, headings: tuple[str, str]) -> None:
    """The same rows in the same order with two cells more; what would run as a formula is escaped. `marks`: by row number, rising."""
    mark = next(marks, None)
    point("list_returned.before_write")
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=source.separator)
        for number, row in source.rows():
            told: tuple[str, ...] = ()
            if number == source.header_row:
                told = headings
            elif mark and mark[0] == number:
                told, mark = mark[1:], next(marks, None)
            padded = row + [""] * (source.width - len(row)) if told else row
            writer.writerow([escaped(cell) if cell[:1] in _MAY_BEGIN else cell for cell in (*padded, *told)])
    point("list_returned.after_write")


def escaped(cell: str) -> str:
    """The cell as text that no spreadsheet runs; `unescaped` takes it back."""
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def unescaped(cell: str) -> str:
    """The cell that `escaped` was given."""
    return cell[1:] if cell.lstrip("'").startswith(_FORMULA) else cell


def _rows(path: Path, separator: str) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file, delimiter=separator):
            # Nearly no row has such a sign: one look instead of one for every cell.
            yield [unescaped(cell) if cell.startswith("'") else cell for cell in row] if "'" in "".join(row) else row


def _columns_under(path: Path, separator: str, said: Said) -> int:
    """How many columns a separator makes of the header, whether or not they are enough."""
    try:
        return len(headers.find(list(islice(_rows(path, separator), HEADER_ROWS_MAX)), (), said)[1])
    except (NotAList, csv.Error):
        return 0


def _first_wrong_byte(path: Path) -> int | None:
    """The line of the first byte that is no UTF-8; None for a file that is all UTF-8."""
    decoder, line = codecs.getincrementaldecoder("utf-8-sig")(), 1
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                decoder.decode(block, final=False)
            except UnicodeDecodeError as error:
                # The block and what was kept of the one before: the error counts from there.
                return line + bytes(error.object[: error.start]).count(b"\n")
            line += block.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return line
    return None


def _wrong_encoding(path: Path, line: int, needs: Needs) -> NotAList:
    """Named by the encoding under which the header can be read, where there is one."""
    with path.open("rb") as file:
        top = file.read(_BLOCK)
    for name in _GUESSES:
        text = top.decode(name, "ignore").lstrip("\ufeff")
        for separator in SEPARATORS:
            if _names_columns(text, separator, needs):
                return NotAList(FileReason.FILE_NOT_UTF8, f"Dòng {line}; tệp có vẻ ghi bằng {name.upper()}.")
    return NotAList(FileReason.FILE_NOT_UTF8, f"Dòng {line}.")


def _names_columns(text: str, separator: str, needs: Needs) -> bool:
    try:
        rows = list(islice(csv.reader(text.splitlines(), delimiter=separator), HEADER_ROWS_MAX))
    except csv.Error:
        return False
    return headers.named(rows, needs) > 0


def _check_rows(path: Path, separator: str) -> None:
    count = line = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            for count, _row in enumerate(reader, start=1):  # noqa: B007
                line = reader.line_num
        except csv.Error:
            raise NotAList(FileReason.FILE_QUOTES, f"Dòng {line + 1}.") from None
    if count > ROWS_MAX:
        raise NotAList(FileReason.FILE_TOO_LARGE, f"Nhiều nhất {ROWS_MAX} dòng.")
