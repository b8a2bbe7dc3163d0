"""The visible sheets of an XLSX workbook, row after row in constant memory, whatever its size. Reads files, writes none that stay.

A parser tells where elements begin and end; nothing of a row is kept once it was handed out. Texts that cells share lie in a temporary file
and are found by eight bytes each. openpyxl's own streaming keeps an element for every row and all texts, a million of each; calamine holds
every cell of the rectangle a sheet spans, so that one stray cell at the far end takes more memory than there is and ends the process.
"""

from __future__ import annotations

import mmap
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from posixpath import join, normpath
from typing import IO, Any
from xml.parsers import expat

from lxml import etree
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

Cell = str | int | float | bool | date | datetime | time | timedelta | None
Range = tuple[int, int, int, int]
"""First row, first column, last row, last column; rows count from 1, columns from 0."""
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_BLOCK = 1 << 18
COLUMNS_MAX = 512
ROWS_MAX = 1_048_576  # what a sheet holds
MERGED_MAX = 100_000
SMALL_PART_BYTES_MAX = 16 * 1024 * 1024  # of what is read whole: the book, its relations, its styles
TEXT_MAX = 32_767  # what a cell holds


class BadSheet(Exception):
    """A workbook whose parts do not fit together."""


class FarCell(BadSheet):
    """A cell that shows something beyond COLUMNS_MAX. `row` counts from 1."""

    def __init__(self, row: int) -> None:
        """Keep the place."""
        super().__init__()
        self.row = row


def parsed(archive: zipfile.ZipFile, part: str) -> etree._Element:
    """A small part. Raises KeyError, BadSheet or etree.XMLSyntaxError."""
    if archive.getinfo(part).file_size > SMALL_PART_BYTES_MAX:
        raise BadSheet
    return etree.fromstring(archive.read(part), etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


def visible_sheets(archive: zipfile.ZipFile) -> list[str]:
    """The paths of the sheets that somebody sees who opens the workbook, in their order, at least one. Raises KeyError, StopIteration,
    BadSheet or etree.XMLSyntaxError."""
    book, relations = parsed(archive, "xl/workbook.xml"), parsed(archive, "xl/_rels/workbook.xml.rels")
    targets = {one.get("Id"): one.get("Target") for one in relations.iter(f"{_PACKAGE}Relationship")}
    shown = [one.get(_RELATION) for one in book.iter(f"{MAIN}sheet") if one.get("state", "visible") == "visible"]
    if not shown:
        raise BadSheet
    return [_part(targets[relation]) for relation in shown]


def _part(target: str | None) -> str:
    if target is None:
        raise BadSheet
    return target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))


def unpacked(file: Path | IO[bytes]) -> dict[str, int]:
    """Every part of an archive and the bytes it says it unpacks into. Raises BadSheet."""
    with sound(), zipfile.ZipFile(file) as archive:
        return {part.filename: part.file_size for part in archive.infolist()}


class Book:
    """A workbook whose sheets are read as often as they are asked for. Its texts are looked through once.

    `sheets`: how many of them are visible; hidden ones are not read. `merged`: ranges of the sheet that was read last.
    """

    def __init__(self, file: Path | IO[bytes]) -> None:
        """Open it. Raises BadSheet."""
        self.merged: list[Range] = []
        with sound():
            self._archive = zipfile.ZipFile(file)
            self._sheets = visible_sheets(self._archive)
            self.sheets = len(self._sheets)
            self._texts = _Texts(self._archive)
            self._dates, self._epoch = _date_styles(self._archive), _epoch(self._archive)

    def rows(self, sheet: int = 0) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Every row of a visible sheet with its number; one that is not in the file is given as empty. `merged` is known at the end. Raises
        BadSheet."""
        reader, last = _Sheet(self._texts, self._dates, self._epoch), 0
        with sound(), self._archive.open(self._sheets[sheet]) as xml:
            while block := xml.read(_BLOCK):
                for number, cells in reader.feed(block):
                    yield from ((missing, ()) for missing in range(last + 1, number))
                    yield number, cells
                    last = max(last, number)
            reader.feed(b"", last=True)
            self.merged = [_range(reference) for reference in reader.merged]


def _range(reference: str) -> Range:
    left, top, right, bottom = range_boundaries(reference)
    if left is None or top is None or right is None or bottom is None:
        raise BadSheet
    return top, left - 1, bottom, right - 1


@contextmanager
def sound() -> Iterator[None]:
    """Reading an archive of XML parts from outside: whatever their libraries raise becomes BadSheet."""
    try:
        yield
    except _BROKEN:
        raise BadSheet from None


# LookupError: an encoding that nobody knows; RuntimeError: a part with a password, or a way of packing that the library lacks.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, LookupError, StopIteration, etree.XMLSyntaxError, expat.ExpatError, ValueError, OSError, EOFError,
    RuntimeError, OverflowError, TypeError,
)  # fmt: skip


class _Parser:
    """What both parts have in common: an expat parser that refuses document types, and local names."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._text: list[str] | None = None
        self._local: dict[str, str] = {}
        self._sounds = 0  # how a text is read aloud is no part of it

    def _named(self, name: str) -> str:
        local = self._local.get(name)
        if local is None:
            local = self._local[name] = name.rpartition(":")[2]
        return local

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def _end(self, name: str) -> None:
        raise NotImplementedError

    def _data(self, text: str) -> None:
        if self._text is not None and not self._sounds:
            self._text.append(text)

    def _doctype(self, *_: object) -> None:
        raise expat.ExpatError("no part of a workbook declares a document type")


class _Texts(_Parser):
    """The texts that cells share, on disk."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__()
        self._ends = array("Q", [0])
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        if "xl/sharedStrings.xml" in archive.namelist():
            with archive.open("xl/sharedStrings.xml") as xml:
                while block := xml.read(_BLOCK):
                    self._parser.Parse(block, False)
                self._parser.Parse(b"", True)
        self._file.flush()
        self._map: Any = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if self._ends[-1] else b""
        self.text = lru_cache(maxsize=4_000)(self._found)

    def _found(self, index: int) -> str:
        if not 0 <= index < len(self._ends) - 1:
            raise BadSheet
        return bytes(self._map[self._ends[index] : self._ends[index + 1]]).decode()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = self._named(name)
        if local == "si":
            self._text = []
        elif local == "rPh":
            self._sounds += 1

    def _end(self, name: str) -> None:
        local = self._named(name)
        if local == "rPh":
            self._sounds -= 1
        elif local == "si":
            raw = "".join(self._text or ())[:TEXT_MAX].encode()
            self._file.write(raw)
            self._ends.append(self._ends[-1] + len(raw))
            self._text = None


class _Sheet(_Parser):
    """The sheet's rows. A cell that shows nothing takes no place, however it is painted."""

    def __init__(self, texts: _Texts, dates: frozenset[str], epoch: datetime) -> None:
        super().__init__()
        self._texts, self._dates, self._epoch = texts, dates, epoch
        self._ready: list[tuple[int, list[Cell]]] = []
        self._cells: list[Cell] = []
        self._row = 0
        self._column = -1
        self._kind, self._style = "n", ""
        self._value: str | None = None
        self._columns: dict[str, int] = {}
        self.merged: list[str] = []

    def feed(self, block: bytes, *, last: bool = False) -> list[tuple[int, list[Cell]]]:
        """The rows that end in this block."""
        self._parser.Parse(block, last)
        ready, self._ready = self._ready, []
        return ready

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = self._named(name)
        if local == "c":
            self._column = self._index(attributes["r"]) if "r" in attributes else self._column + 1
            self._kind, self._style, self._value = attributes.get("t", "n"), attributes.get("s", "0"), None
        elif local in ("v", "is"):
            self._text = []
        elif local == "row":
            self._row = int(attributes.get("r") or self._row + 1)
            if not 0 < self._row <= ROWS_MAX:
                raise BadSheet
            self._cells, self._column = [], -1
        elif local == "mergeCell":
            self.merged.append(attributes["ref"])
            if len(self.merged) > MERGED_MAX:
                raise BadSheet
        elif local == "rPh":
            self._sounds += 1

    def _end(self, name: str) -> None:
        local = self._named(name)
        if local in ("v", "is"):
            self._value, self._text = "".join(self._text or ()), None
        elif local == "c":
            if self._value:
                self._put(self._read(self._value))
        elif local == "row":
            self._ready.append((self._row, self._cells))
        elif local == "rPh":
            self._sounds -= 1

    def _put(self, value: Cell) -> None:
        if not len(self._cells) <= self._column < COLUMNS_MAX:
            raise FarCell(self._row) if self._column >= COLUMNS_MAX else BadSheet
        self._cells += [None] * (self._column - len(self._cells))
        self._cells.append(value)

    def _read(self, value: str) -> Cell:
        if self._kind == "s":
            return self._texts.text(int(value))
        if self._kind == "b":
            return value == "1"
        if self._kind == "d":
            return datetime.fromisoformat(value)
        if self._kind != "n":
            return value
        number = int(value) if value.isdigit() else float(value)
        return _moment(number, self._epoch) if self._style in self._dates else number

    def _index(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        found = self._columns.get(letters)
        if found is None:
            found = 0
            for letter in letters:
                found = found * 26 + ord(letter) - ord("A") + 1
            self._columns[letters] = found = found - 1
        return found


def _moment(number: int | float, epoch: datetime) -> Cell:
    try:
        moment: Cell = from_excel(number, epoch)
    except (OverflowError, ValueError):
        return number
    return moment


def _epoch(archive: zipfile.ZipFile) -> datetime:
    found = parsed(archive, "xl/workbook.xml").find(f"{MAIN}workbookPr")
    return MAC_EPOCH if found is not None and found.get("date1904") in ("1", "true") else WINDOWS_EPOCH


def _date_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    """The styles of cells under which a number is a day."""
    if "xl/styles.xml" not in archive.namelist():
        return frozenset()
    root = parsed(archive, "xl/styles.xml")
    own = {one.get("numFmtId"): one.get("formatCode") or "" for one in root.iter(f"{MAIN}numFmt")}
    styles = root.find(f"{MAIN}cellXfs")
    dates = set[str]()
    for place, style in enumerate(styles if styles is not None else ()):
        number = style.get("numFmtId") or "0"
        if is_date_format(own.get(number) or BUILTIN_FORMATS.get(int(number), "General")):
            dates.add(str(place))
    return frozenset(dates)
