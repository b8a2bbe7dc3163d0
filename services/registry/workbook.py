"""The officer's own workbook back, same rows in the same order, with what became of each row in two new columns. Files in and out.

Only two cells are added to each row of the first visible sheet's XML, which flows through in blocks; every other part stays byte for byte.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol
from xml.parsers import expat
from xml.sax.saxutils import escape

from lxml import etree

from services.registry.refusals import FileReason, NotAList
from services.registry.sheets import letter
from shared.crashing import point
from shared.xlsx_rows import BadSheet, visible_sheets

_BLOCK = 1 << 18
_SPANS = re.compile(rb'\s+spans\s*=\s*("[^"]*"|\'[^\']*\')')
_LAST_COLUMN = re.compile(rb"(ref\s*=\s*[\"'][A-Z]+[0-9]+:)[A-Z]+")


class Marks(Protocol):
    """What stands beside a row: result and reason."""

    def get(self, row: int, /) -> tuple[str, str] | None:
        """The mark of a row; None for a row without one."""


class RisingMarks:
    """Marks read one after another, for rows that are asked for in the order of the sheet: a million of them need no room."""

    def __init__(self, marks: Iterable[tuple[int, str, str]]) -> None:
        """(row, result, reason), rows rising."""
        self._rest = iter(marks)
        self._next = next(self._rest, None)

    def get(self, row: int, /) -> tuple[str, str] | None:
        """The mark of a row; rows before it are passed for good."""
        while self._next and self._next[0] < row:
            self._next = next(self._rest, None)
        return self._next[1:] if self._next and self._next[0] == row else None


def with_marks(source: Path, target: Path, marks: Marks, *, width: int) -> None:
    """Write the workbook with a result and a reason beside each marked row, in the two columns after the first `width`.

    Raises NotAList for a workbook whose parts do not fit together.
    """
    point("list_workbook.before_write")
    try:
        with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as written:
            path = visible_sheets(archive)[0]
            for part in archive.infolist():
                marker = Marker(marks, width) if part.filename == path else None
                _copy(archive, written, part, marker=marker)
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError, expat.ExpatError, StopIteration, BadSheet):
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None
    point("list_workbook.after_write")


def _copy(archive: zipfile.ZipFile, written: zipfile.ZipFile, part: zipfile.ZipInfo, *, marker: Marker | None) -> None:
    with archive.open(part) as old, written.open(part, "w", force_zip64=True) as new:
        if marker:
            new.writelines(marker.blocks(old))
        else:
            shutil.copyfileobj(old, new, _BLOCK)


class Marker:
    """A parser says where rows begin and end; the bytes pass by unchanged but for what is put in at those places."""

    def __init__(self, marks: Marks, width: int, *, block: int = _BLOCK) -> None:
        """`width`: cells of a row that the marks stand behind. `block`: bytes read at a time."""
        self._block = block
        self._marks = marks
        self._columns = (letter(width), letter(width + 1))
        self._edits: list[tuple[int, int, bytes]] = []  # offset, bytes left out, bytes put in
        self._held, self._begin = b"", 0
        self._row = 0
        self._mark: tuple[str, str] | None = None
        self._row_at: int | None = None  # where a row without cells stands
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def blocks(self, xml: IO[bytes]) -> Iterator[bytes]:
        """The sheet with its marks. Raises ExpatError."""
        while block := xml.read(self._block):
            self._held += block
            self._parser.Parse(block, False)
            # A tag that is not whole yet is looked at again with the next block.
            yield self._passed(self._held.rfind(b"<"))
        self._parser.Parse(b"", True)
        yield self._passed(len(self._held))

    def _passed(self, length: int) -> bytes:
        parts, at = list[bytes](), 0
        for offset, skipped, put_in in self._edits:
            parts += [self._held[at : offset - self._begin], put_in]
            at = offset - self._begin + skipped
        parts.append(self._held[at : max(at, length)])
        length = max(at, length)
        self._held, self._begin, self._edits = self._held[length:], self._begin + length, []
        return b"".join(parts)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            # A writer may leave the number out, then a row follows the one before.
            self._row = int(attributes.get("r") or self._row + 1)
            at = self._parser.CurrentByteIndex
            self._row_at = at if self._tag_at(at).endswith(b"/>") else None
            self._mark = self._marks.get(self._row)
            if self._mark:
                self._replace_in_tag(_SPANS, b"")
        elif local == "c" and self._mark:
            self._clear_the_place(attributes.get("r", ""))
        elif local == "dimension":
            self._replace_in_tag(_LAST_COLUMN, rb"\g<1>" + self._columns[1].encode())

    def _end(self, name: str) -> None:
        prefix, _, local = name.rpartition(":")
        if local != "row" or not self._mark:
            return
        cells = self._cells(self._mark, f"{prefix}:" if prefix else "")
        if self._row_at is None:
            self._edits.append((self._parser.CurrentByteIndex, 0, cells))
            return
        tag = self._tag_at(self._row_at)  # a row without cells: <row r="7"/>
        self._edits = [edit for edit in self._edits if edit[0] != self._row_at]
        opened = _SPANS.sub(b"", tag.removesuffix(b"/>").rstrip()) + b">"
        self._edits.append((self._row_at, len(tag), opened + cells + f"</{name}>".encode()))

    def _clear_the_place(self, reference: str) -> None:
        """A cell behind the list that is painted and shows nothing goes: marks stand there, and a sheet names no cell twice."""
        letters, at = reference.rstrip("0123456789"), self._parser.CurrentByteIndex
        behind = (len(letters), letters) >= (len(self._columns[0]), self._columns[0])
        if behind and (tag := self._tag_at(at)).endswith(b"/>"):
            self._edits.append((at, len(tag), b""))

    def _cells(self, mark: tuple[str, str], prefix: str) -> bytes:
        """As inline strings: text that looks like a formula stays text."""
        p = prefix
        return "".join(
            f'<{p}c r="{column}{self._row}" t="inlineStr"><{p}is><{p}t>{escape(text)}</{p}t></{p}is></{p}c>'
            for column, text in zip(self._columns, mark, strict=True)
        ).encode()

    def _replace_in_tag(self, pattern: re.Pattern[bytes], by: bytes) -> None:
        at = self._parser.CurrentByteIndex
        tag = self._tag_at(at)
        changed = pattern.sub(by, tag)
        if changed != tag:
            self._edits.append((at, len(tag), changed))

    def _tag_at(self, offset: int) -> bytes:
        begin = offset - self._begin
        return self._held[begin : self._held.index(b">", begin) + 1]

    def _doctype(self, *_: object) -> None:
        raise expat.ExpatError("no sheet declares a document type")
