"""The officer's workbook comes back whole, with two columns more."""

import io
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pytest
from registry_workbooks import PAYROLL, payroll, workbook

from services.registry.refusals import NotAList
from services.registry.workbook import Marker, RisingMarks
from services.registry.workbook import with_marks as workbook_marks


def with_marks(body, marks):
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        source.write_bytes(body)
        workbook_marks(source, target, marks, width=len(PAYROLL))
        return target.read_bytes()


def sheet_of(body):
    return openpyxl.load_workbook(io.BytesIO(body)).active


def test_two_columns_are_added_beside_the_last_one_and_the_rest_stays():
    body = workbook([payroll(), payroll(STT=2)], header_row=3)
    marked = with_marks(body, {3: ("Kết quả", "Lý do"), 4: ("Đã nhận", ""), 5: ("TRÙNG", "=1+1 & <b>")})
    before, after = sheet_of(body), sheet_of(marked)
    width = before.max_column
    for row in before.iter_rows():
        for cell in row:
            same = after.cell(cell.row, cell.column)
            assert (same.value, same.number_format) == (cell.value, cell.number_format)
    assert [after.cell(row, width + 1).value for row in (3, 4, 5)] == ["Kết quả", "Đã nhận", "TRÙNG"]
    assert after.cell(5, width + 2).value == "=1+1 & <b>"
    assert after.cell(5, width + 2).data_type == "s"
    assert after.max_column == width + 2


def test_other_parts_of_the_file_stay_byte_for_byte():
    body = workbook([payroll()])
    marked = with_marks(body, {2: ("Đã nhận", "")})
    with zipfile.ZipFile(io.BytesIO(body)) as one, zipfile.ZipFile(io.BytesIO(marked)) as other:
        assert one.namelist() == other.namelist()
        changed = [name for name in one.namelist() if one.read(name) != other.read(name)]
    assert changed == ["xl/worksheets/sheet1.xml"]


def test_a_broken_archive_is_no_list():
    with pytest.raises(NotAList):
        with_marks(b"PK\x03\x04", {})


def sheet(rows, *, prefix=""):
    """A workbook whose sheet is written by hand; `P` stands for the prefix."""
    name = f"{prefix}:" if prefix else ""
    space = f'xmlns{":" + prefix if prefix else ""}="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    xml = f'<?xml version="1.0" encoding="UTF-8"?><Pworksheet {space}><Pdimension ref="A1:B9"/><PsheetData>{rows}</PsheetData></Pworksheet>'
    body = workbook([payroll()])
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(target, "w") as new:
        for part in old.infolist():
            is_sheet = part.filename == "xl/worksheets/sheet1.xml"
            new.writestr(part, xml.replace("P", name) if is_sheet else old.read(part.filename))
    return target.getvalue()


@pytest.mark.parametrize("prefix", ["", "x"])
def test_rows_without_numbers_or_cells_and_sheets_with_a_prefix(prefix):
    rows = '<Prow spans="1:2"><Pc t="inlineStr"><Pis><Pt>a</Pt></Pis></Pc></Prow><Prow r="3" spans=\'1:2\'/><Prow/><Prow r="9"></Prow>'
    marked = sheet_of(with_marks(sheet(rows, prefix=prefix), {n: (f"r{n}", "<&>") for n in (1, 3, 4, 9)}))
    width = len(PAYROLL)
    assert {n: marked.cell(n, width + 1).value for n in range(1, 10) if marked.cell(n, width + 1).value} == {
        1: "r1", 3: "r3", 4: "r4", 9: "r9",
    }  # fmt: skip
    assert (marked.cell(1, 1).value, marked.cell(9, width + 2).value) == ("a", "<&>")


@pytest.mark.parametrize("block", [1, 2, 7, 64])
def test_blocks_may_end_anywhere(block):
    body = workbook([payroll(STT=number) for number in range(1, 6)])
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
    marks = dict.fromkeys(range(1, 7), ("Đã nhận", "x"))
    in_blocks = b"".join(Marker(marks, 27, block=block).blocks(io.BytesIO(xml)))
    assert in_blocks == b"".join(Marker(marks, 27).blocks(io.BytesIO(xml)))
    assert in_blocks.count("Đã nhận".encode()) == 6


def test_a_sheet_that_declares_entities_is_no_list():
    with zipfile.ZipFile(io.BytesIO(sheet(""))) as old:
        xml = old.read("xl/worksheets/sheet1.xml").replace(b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet')
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as new:
            for part in old.infolist():
                new.writestr(part, xml if part.filename == "xl/worksheets/sheet1.xml" else old.read(part.filename))
    with pytest.raises(NotAList):
        with_marks(target.getvalue(), {1: ("a", "b")})


@pytest.mark.parametrize("painted", ['<c r="C2" s="0"/>', '<c r="AB2" s="0"/><c r="AC2" s="0"/>', '<c r="AB2" s="0" />'])
def test_cells_that_are_painted_behind_the_list_give_way(painted):
    body = sheet(f'<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c>{painted}</row>')
    marked = with_marks(body, {2: ("Đã nhận", "x")})
    with zipfile.ZipFile(io.BytesIO(marked)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    names = [part.split('"')[0] for part in xml.split('<c r="')[1:]]
    assert len(names) == len(set(names))
    assert names[-2:] == ["AB2", "AC2"]
    assert sheet_of(marked).cell(2, len(PAYROLL) + 1).value == "Đã nhận"


def test_marks_in_rising_order_are_found_like_those_of_a_mapping():
    rows = {2: ("a", "b"), 3: ("c", ""), 9: ("d", "e")}
    rising = RisingMarks((number, *mark) for number, mark in rows.items())
    assert [rising.get(number) for number in range(1, 12)] == [rows.get(number) for number in range(1, 12)]
    assert RisingMarks(()).get(1) is None


def test_marks_stand_on_the_first_visible_sheet():
    book = openpyxl.Workbook()
    book.active.sheet_state = "hidden"
    shown = book.create_sheet("Danh sách")
    shown.append(list(PAYROLL))
    book.active = 1
    target = io.BytesIO()
    book.save(target)
    marked = openpyxl.load_workbook(io.BytesIO(with_marks(target.getvalue(), {1: ("Kết quả", "Lý do")})))
    assert [cell.value for cell in marked["Danh sách"][1]][len(PAYROLL) :] == ["Kết quả", "Lý do"]
    assert marked.worksheets[0].max_column == 1
