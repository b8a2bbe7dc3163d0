"""The officer's own workbook back, same rows in the same order, with what became of each row in two new columns. Files in and out.

Only two cells are added to each row of the first sheet's XML, which flows through in blocks; every other part stays byte for byte.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from posixpath import join, normpath
from typing import IO
from xml.parsers import expat
from xml.sax.saxutils import escape

from lxml import etree

from services.registry.refusals import FileReason, NotAList
from services.registry.sheets import letter
from shared.crashing import point

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_BLOCK = 1 << 18
_SPANS = re.compile(rb'\s+spans\s*=\s*("[^"]*"|\'[^\']*\')')
_LAST_COLUMN = re.compile(rb"(ref\s*=\s*[\"'][A-Z]+[0-9]+:)[A-Z]+")
Marks = Mapping[int, tuple[str, str]]


def with_marks(source: Path, target: Path, marks: Marks, *, width: int) -> None:
    """Write the workbook with a result and a reason beside each marked row, in the two columns after the first `width`.

    Raises NotAList for a workbook whose parts do not fit together.
    """
    point("list_workbook.before_write")
    try:
        with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as written:
            path = _first_sheet(archive)
            for part in archive.infolist():
                marker = Marker(marks, width) if part.filename == path else None
                _copy(archive, written, part, marker=marker)
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError, expat.ExpatError, StopIteration):
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None
    point("list_workbook.after_write")


def _copy(archive: zipfile.ZipFile, written: zipfile.ZipFile, part: zipfile.ZipInfo, *, marker: Marker | None) -> None:
    with archive.open(part) as old, written.open(part, "w", force_zip64=True) as new:
        if marker:
            new.writelines(marker.blocks(old))
        else:
            shutil.copyfileobj(old, new, _BLOCK)


def _first_sheet(archive: zipfile.ZipFile) -> str:
    book = _parsed(archive.read("xl/workbook.xml"))
    relation = next(book.iter(f"{_MAIN}sheet")).get(_RELATION)
    relations = _parsed(archive.read("xl/_rels/workbook.xml.rels"))
    target = next(r.get("Target") for r in relations.iter(f"{_PACKAGE}Relationship") if r.get("Id") == relation)
    assert target is not None
    return target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))


def _parsed(xml: bytes) -> etree._Element:
    return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


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
            if self._row in self._marks:
                self._replace_in_tag(_SPANS, b"")
        elif local == "dimension":
            self._replace_in_tag(_LAST_COLUMN, rb"\g<1>" + self._columns[1].encode())

    def _end(self, name: str) -> None:
        prefix, _, local = name.rpartition(":")
        if local != "row" or self._row not in self._marks:
            return
        cells = self._cells(f"{prefix}:" if prefix else "")
        if self._row_at is None:
            self._edits.append((self._parser.CurrentByteIndex, 0, cells))
            return
        tag = self._tag_at(self._row_at)  # a row without cells: <row r="7"/>
        self._edits = [edit for edit in self._edits if edit[0] != self._row_at]
        opened = _SPANS.sub(b"", tag.removesuffix(b"/>").rstrip()) + b">"
        self._edits.append((self._row_at, len(tag), opened + cells + f"</{name}>".encode()))

    def _cells(self, prefix: str) -> bytes:
        """As inline strings: text that looks like a formula stays text."""
        p = prefix
        return "".join(
            f'<{p}c r="{column}{self._row}" t="inlineStr"><{p}is><{p}t>{escape(text)}</{p}t></{p}is></{p}c>'
            for column, text in zip(self._columns, self._marks[self._row], strict=True)
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
