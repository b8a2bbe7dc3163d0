"""The officer's own workbook back, same rows in the same order, with what became of each row in two new columns. Pure; bytes in and out.

Only two cells are added to each row of the first sheet's XML; every other part of the file, formats included, stays byte for byte.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from posixpath import join, normpath

from lxml import etree

from services.registry.refusals import FileReason, NotAList
from services.registry.sheets import letter

HEADINGS = ("Kết quả", "Lý do")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
Marks = Mapping[int, tuple[str, str]]


def with_marks(body: bytes, marks: Marks, header_row: int) -> bytes:
    """The workbook with a result and a reason beside each marked row. Raises NotAList for a workbook whose parts do not fit together."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            path = _first_sheet(archive)
            sheet = _marked(archive.read(path), {**marks, header_row: HEADINGS})
            return _rewritten(archive, path, sheet)
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError, StopIteration):
        raise NotAList(FileReason.FILE_NOT_EXCEL) from None


def _first_sheet(archive: zipfile.ZipFile) -> str:
    book = _parsed(archive.read("xl/workbook.xml"))
    relation = next(book.iter(f"{_MAIN}sheet")).get(_RELATION)
    relations = _parsed(archive.read("xl/_rels/workbook.xml.rels"))
    target = next(r.get("Target") for r in relations.iter(f"{_PACKAGE}Relationship") if r.get("Id") == relation)
    assert target is not None
    return target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))


def _marked(xml: bytes, marks: Marks) -> bytes:
    root = _parsed(xml)
    rows = [row for data in root.iter(f"{_MAIN}sheetData") for row in data.iter(f"{_MAIN}row")]
    numbers = _numbers(rows)
    width = max((_width(row) for row in rows), default=0)
    for number, row in zip(numbers, rows, strict=True):
        if number in marks:
            row.attrib.pop("spans", "")
            for offset, text in enumerate(marks[number]):
                _add_cell(row, f"{letter(width + offset)}{number}", text)
    for dimension in root.iter(f"{_MAIN}dimension"):
        dimension.set("ref", f"A1:{letter(width + len(HEADINGS) - 1)}{max(numbers, default=1)}")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _numbers(rows: list[etree._Element]) -> list[int]:
    """Row numbers; a writer may leave them out, then a row follows the one before."""
    numbers: list[int] = []
    for row in rows:
        written = row.get("r")
        numbers.append(int(written) if written else (numbers[-1] + 1 if numbers else 1))
    return numbers


def _width(row: etree._Element) -> int:
    if not len(row):
        return 0
    reference = row[-1].get("r") or ""
    letters = reference.rstrip("0123456789")
    return _index(letters) + 1 if letters else len(row)


def _index(letters: str) -> int:
    index = 0
    for char in letters:
        index = index * 26 + ord(char) - ord("A") + 1
    return index - 1


def _add_cell(row: etree._Element, reference: str, text: str) -> None:
    """As an inline string: text that looks like a formula stays text."""
    cell = etree.SubElement(row, f"{_MAIN}c", r=reference, t="inlineStr")
    etree.SubElement(etree.SubElement(cell, f"{_MAIN}is"), f"{_MAIN}t").text = text


def _rewritten(archive: zipfile.ZipFile, path: str, sheet: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as written:
        for part in archive.infolist():
            written.writestr(part, sheet if part.filename == path else archive.read(part.filename))
    return target.getvalue()


def _parsed(xml: bytes) -> etree._Element:
    return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
