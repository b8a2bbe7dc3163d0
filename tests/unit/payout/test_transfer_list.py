"""CSV and workbook of transfers read back as they were written."""

import io
from datetime import UTC, datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.payout.bank_file import Transfer
from services.payout.transfer_list import COLUMNS, csv_file, read_csv, xlsx_file

MADE_AT = datetime(2024, 1, 25, 2, tzinfo=UTC)
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)
TRANSFERS = st.builds(
    Transfer,
    end_to_end_id=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16),
    vnd=st.integers(1, 499_999_999),
    name=PLAIN,
    bank_bin=st.text("0123456789", min_size=6, max_size=6),
    account=st.text("0123456789ABCxyz", min_size=1, max_size=30),
    remark=PLAIN,
)


@given(st.lists(TRANSFERS, max_size=20))
def test_csv_reads_back(transfers: list[Transfer]) -> None:
    assert read_csv(csv_file(transfers)) == transfers


@settings(max_examples=25, deadline=None)
@given(st.lists(TRANSFERS, min_size=1, max_size=8))
def test_workbook_reads_back(transfers: list[Transfer]) -> None:
    made = xlsx_file(transfers, payer="huyen-444", period="2024-02", made_at=MADE_AT)
    rows = list(openpyxl.load_workbook(io.BytesIO(made)).active.iter_rows(values_only=True))
    assert rows[2] == tuple(name for name, _width in COLUMNS)
    for transfer, row in zip(transfers, rows[3:], strict=False):
        assert (row[1], row[3], row[4], row[5]) == (transfer.end_to_end_id, transfer.bank_bin, transfer.account, transfer.vnd)
    assert rows[-1][5] == sum(transfer.vnd for transfer in transfers)


@pytest.mark.parametrize("name", ["=1+1", "+84912", "-x", "@SUM(A1)", "'quoted", 'Nguyễn, Thị "Hòa"'])
def test_formulas_are_text(name: str) -> None:
    transfer = Transfer("ABCDEFGH234567AB", 1, name, "970405", "0001", "AN SINH")
    content = csv_file([transfer])
    assert read_csv(content) == [transfer]
    cell = content.decode().splitlines()[1].split(",")[2].strip('"')
    assert not cell.startswith(("=", "+", "-", "@"))


def test_file_cut_anywhere_is_refused() -> None:
    content = csv_file([Transfer(f"ABCDEFGH23456{n}AB", n, "Hòa", "970405", "0001", "AN SINH") for n in range(2, 8)])
    for end in range(len(content) - 2):
        with pytest.raises(ValueError, match=r"."):
            read_csv(content[:end])
