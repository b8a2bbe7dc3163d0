"""Workbooks for the post and for officers, read back by another library."""

import io
from dataclasses import astuple, replace
from datetime import UTC, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payout.post_returns import read_post_list
from services.payout.postal_list import REASONS, HeldRow, PostalRow, family_collects, held_list, listed, postal_list
from services.payout.statement_line import LineKind
from shared.personal import Collector
from shared.words import HeldReason

AT = datetime(2024, 1, 25, 2, tzinfo=UTC)


def a_row(name: str, hamlet: str = "Xóm 1", *, home: bool = False, vnd: int = 360_000, collector: str = "") -> PostalRow:
    return PostalRow("ABCDEFGH234567AB", name, hamlet, "Số 7", collector, home, vnd)


def read(content: bytes) -> list[list[object]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_home_first_then_hamlet_then_given_name_with_sums() -> None:
    rows = [
        a_row("Trần Thị Ước", "Xóm 2"),
        a_row("Lê Văn Đào", "Xóm 1"),
        a_row("Phan Thị Dung", "Xóm 1", vnd=720_000),
        a_row("Bùi Thị Ánh", "Xóm 9", home=True, collector="Bùi Văn Con"),
    ]
    table = read(postal_list(rows, area="18496", period="2024-02", made_at=AT))
    assert [row[1] for row in table[3:7]] == ["Bùi Thị Ánh", "Phan Thị Dung", "Lê Văn Đào", "Trần Thị Ước"]
    assert [row[0] for row in table[3:7]] == [1, 2, 3, 4]
    assert [row[6] for row in table[7:10]] == [360_000, 1_440_000, 1_800_000]
    assert table[2][-1] == "Ký nhận"


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', "+84", "-1+2", "@SUM(A1)"])
def test_formula_like_text_stays_text(name: str) -> None:
    content = postal_list([a_row(name)], area="18496", period="2024-02", made_at=AT)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    assert (sheet.cell(4, 2).value, sheet.cell(4, 2).data_type) == (name, "s")


@given(st.text(max_size=60))
def test_any_name_is_read_back(name: str) -> None:
    table = read(postal_list([a_row(name), a_row("&lt; <b> \x01 &")], area="18496", period="2024-02", made_at=AT))
    names = {row[1] or "" for row in table[3:5]}
    shown = "".join(char if char.isprintable() else " " for char in name)
    assert names == {" ".join(shown.split()), "&lt; <b> &"}


def test_long_list_is_one_table() -> None:
    rows = [a_row(f"Trần Thị {number}", vnd=number + 1) for number in range(1_000)]
    table = read(postal_list(rows, area="18496", period="2024-02", made_at=AT))
    assert [row[0] for row in table[3:1_003]] == list(range(1, 1_001))
    assert sum(int(str(row[6])) for row in table[3:1_003]) == table[1_005][6] == 500_500


def test_same_rows_give_the_same_bytes() -> None:
    rows = [a_row("Trần Thị Ước"), a_row("Lê Văn Đào")]
    first = postal_list(rows, area="18496", period="2024-02", made_at=AT)
    assert first == postal_list(rows[::-1], area="18496", period="2024-02", made_at=AT)


def test_held_list_tells_reason_and_next_step() -> None:
    rows = [HeldRow("Lê Văn Đào", "Xóm 1", reason, 360_000) for reason in HeldReason]
    table = read(held_list(rows, area="18496", period="2024-02", made_at=AT))
    assert {row[4] for row in table[3:-1]} == {told for told, _step in REASONS.values()}
    assert table[-1][3] == 360_000 * len(HeldReason)
    assert set(REASONS) == set(HeldReason)


_WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x1EF9, exclude_categories=("C", "Z")), max_size=12)
ROWS = st.builds(
    PostalRow,
    st.text("ABCDEFGH234567", min_size=16, max_size=16),
    _WORDS,
    _WORDS,
    _WORDS,
    _WORDS,
    st.booleans(),
    st.integers(1, 10**12),
    _WORDS,
    _WORDS,
)


def test_a_note_is_a_last_column_and_only_where_somebody_has_one() -> None:
    plain, noted = a_row("Lê Văn Đào"), replace(a_row("Bùi Thị Ánh"), note=family_collects(Collector(full_name="Bùi Văn Con")))
    assert read(postal_list([plain], area="18496", period="2024-02", made_at=AT))[2][-1] == "Ký nhận"
    table = read(postal_list([plain, noted], area="18496", period="2024-02", made_at=AT))
    assert table[2][-1] == "Lưu ý"
    assert {row[1]: row[10] for row in table[3:5]} == {"Lê Văn Đào": None, "Bùi Thị Ánh": "Gia đình nhận"}


@pytest.mark.parametrize(
    ("paper", "told"),
    [
        (None, "Gia đình nhận"),
        ("12/UQ-2024", "Gia đình nhận, giấy số 12/UQ-2024"),
        ("042050000001", "Gia đình nhận"),
        ("UQ 183000001", "Gia đình nhận"),
    ],
)
def test_the_paper_of_a_family_is_named_unless_it_is_an_identity_number(paper: str | None, told: str) -> None:
    assert family_collects(Collector(full_name="Bùi Văn Con", paper_number=paper)) == told


def test_what_the_post_says_of_a_note_of_ours_is_nothing() -> None:
    """Our own list sent back with nothing filled in says nothing about who collected."""
    noted = replace(a_row("Bùi Thị Ánh"), note="Gia đình nhận, giấy số 12/UQ")
    (line,) = read_post_list(postal_list([noted], area="18496", period="2024-02", made_at=AT)).lines
    assert (line.kind, line.code) == (LineKind.UNKNOWN, None)


@given(st.lists(ROWS, min_size=1, max_size=20))
def test_a_list_is_read_back_as_it_was_written(rows: list[PostalRow]) -> None:
    found = listed(postal_list(rows, area="Xã Hương Khê", period="2024-02", made_at=AT))
    assert sorted(map(astuple, found)) == sorted(map(astuple, rows))
