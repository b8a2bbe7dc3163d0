"""The officer's workbook comes back whole, with two columns more."""

import io
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pytest
from registry_workbooks import PAYROLL, payroll, workbook

from services.registry.refusals import NotAList
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
