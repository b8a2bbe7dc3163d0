"""A workbook read row by row holds what a workbook held whole holds, and nothing of it stays in memory."""

import io
import tracemalloc
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from services.registry.cells import is_empty
from shared.xlsx_rows import SMALL_PART_BYTES_MAX, BadSheet, Book

cells = (
    st.none() | st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=8)
    | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9).map(lambda x: round(x, 3)) | st.booleans()
    | st.dates(date(1901, 1, 1), date(2090, 1, 1))
)  # fmt: skip


def written(rows, *, strings=True):
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "constant_memory": not strings})
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, bool):
                sheet.write_boolean(number, column, value)
            elif isinstance(value, date):
                sheet.write_datetime(number, column, value, day)
            elif isinstance(value, str):
                sheet.write_string(number, column, value)
            elif value is not None:
                sheet.write_number(number, column, value)
    book.close()
    return target.getvalue()


def plain(cell):
    """One form of a value, however a reader gives it."""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return None if is_empty(cell) else cell


def trimmed(row):
    values = [plain(cell) for cell in row]
    while values and values[-1] is None:
        values.pop()
    return values


def with_sheet(change):
    """A workbook of two rows whose sheet was changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written([["STT", "Họ tên"], ["1", "Hòa"]]))) as old, zipfile.ZipFile(target, "w") as new:
        for part in old.infolist():
            xml = old.read(part.filename)
            new.writestr(part, change(xml) if part.filename == "xl/worksheets/sheet1.xml" else xml)
    return target.getvalue()


@pytest.fixture
def at(tmp_path):
    def put(body):
        path = tmp_path / "list"
        path.write_bytes(body)
        return path

    return put


@given(rows=st.lists(st.lists(cells, max_size=5), max_size=6), strings=st.booleans())
def test_both_ways_of_reading_agree(tmp_path_factory, rows, strings):
    path = tmp_path_factory.mktemp("sheet") / "list"
    path.write_bytes(written(rows, strings=strings))
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    held = [trimmed(row) for row in sheet.to_python(skip_empty_area=False)]
    streamed = [trimmed(row) for _, row in Book(path).rows()]
    while streamed and not streamed[-1]:
        streamed.pop()
    while held and not held[-1]:
        held.pop()
    assert streamed == held


def test_rows_and_cells_without_places_and_texts_in_pieces(at):
    body = written([["STT", "Họ tên"], ["1", "Hòa"]])
    space = 'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rows = (
        '<x:row r="2"><x:c r="B2" t="inlineStr"><x:is><x:r><x:t>Hò</x:t></x:r><x:r><x:t>a</x:t></x:r>'
        '<x:rPh><x:t>ho</x:t></x:rPh></x:is></x:c><x:c><x:v>7</x:v></x:c><x:c r="Z2" s="1"/></x:row>'
        '<x:row><x:c r="A3" t="b"><x:v>1</x:v></x:c><x:c r="C3" t="e"><x:v>#N/A</x:v></x:c></x:row>'
    )
    sheet = f'<?xml version="1.0"?><x:worksheet {space}><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(target, "w") as new:
        for part in old.infolist():
            new.writestr(part, sheet if part.filename == "xl/worksheets/sheet1.xml" else old.read(part.filename))
    found = list(Book(at(target.getvalue())).rows())
    assert found == [(1, ()), (2, [None, "Hòa", 7]), (3, [True, None, "#N/A"])]


@pytest.mark.parametrize("spoil", ["cut", "doctype", "wide", "no-sheet", "text", "far", "backwards"])
def test_a_sheet_that_does_not_fit_together_is_refused(at, spoil):
    body = written([["STT", "Họ tên"], ["1", "Hòa"]])
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(target, "w") as new:
        for part in old.infolist():
            xml = old.read(part.filename)
            if part.filename == "xl/worksheets/sheet1.xml":
                if spoil == "no-sheet":
                    continue
                xml = xml[:-40] if spoil == "cut" else xml
                xml = xml.replace(b"<worksheet", b"<!DOCTYPE a><worksheet", 1) if spoil == "doctype" else xml
                xml = xml.replace(b'r="A2"', b'r="ZZZ2"') if spoil == "wide" else xml
                xml = xml.replace(b'<row r="2"', b'<row r="4000000000"') if spoil == "far" else xml
                xml = xml.replace(b'r="B2"', b'r="A2"') if spoil == "backwards" else xml
                xml = xml.replace(b"<v>0</v>", b"<v>99999</v>") if spoil == "text" else xml
            new.writestr(part, xml)
    with pytest.raises(BadSheet):
        list(Book(at(target.getvalue())).rows())


def test_what_is_held_does_not_grow_with_the_sheet(tmp_path):
    def peak(rows):
        path = tmp_path / f"{rows}.xlsx"
        path.write_bytes(written([[f"Người thứ {n}", n] for n in range(rows)]))
        tracemalloc.start()
        count = sum(1 for _ in Book(path).rows())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == rows
        return most

    small, large = peak(12_000), peak(36_000)
    # Eight bytes for each text, several times that while their array grows; a row that is held takes hundreds.
    assert large - small < 40 * 24_000, (small, large)


def test_one_stray_cell_at_the_far_end_costs_nothing(at):
    """What a sheet spans is not what it holds: seventeen thousand million cells, of which three show something."""
    rows = list(Book(at(with_sheet(lambda xml: xml.replace(b'<row r="2"', b'<row r="1048576"')))).rows())
    assert len(rows) == 1_048_576
    assert [row for row in rows if row[1]] == [(1, ["STT", "Họ tên"]), (1_048_576, ["1", "Hòa"])]


def test_a_small_part_that_unpacks_into_more_than_the_machine_has_is_not_read(at):
    body = written([["STT"]])
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            more = b" " * SMALL_PART_BYTES_MAX if part.filename == "xl/workbook.xml" else b""
            new.writestr(part, old.read(part.filename) + more)
    with pytest.raises(BadSheet):
        Book(at(target.getvalue()))
