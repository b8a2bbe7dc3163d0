"""`ansinh payroll what-if`: files become a question, the answer becomes tables."""

import pytest

from ansinh.client import Refusal
from ansinh.what_if import CHARACTERS_MAX, question, tables

HELD = {"count": 2, "now_vnd": 900_000, "then_vnd": 800_000, "difference_vnd": -100_000, "without_rule": 0}
SUM = {"count": 3, "now_vnd": 1_500_000, "then_vnd": 1_200_000, "difference_vnd": -300_000, "without_rule": 1, "held": HELD}


def test_files_become_the_question(tmp_path):
    path = tmp_path / "new.csv"
    path.write_bytes("\ufeffstandard,from\n".encode())
    asked = question("2026-07", [path, path], at="2027-01", payer=None)
    assert asked.query() == {"rates": ["standard,from\n", "standard,from\n"], "at": "2027-01"}


def test_too_long_a_question_is_refused(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("x" * (CHARACTERS_MAX + 1))
    with pytest.raises(Refusal, match="RATES_TOO_LONG"):
        question("2026-07", [path], at=None, payer=None)


def test_tables_show_counts_and_signed_differences():
    by = [{"name": "one", **SUM}]
    found = {"period": "2026-07", "at": "2027-01", "total": SUM, "programmes": by, "communes": by, "codes": by}
    shown = list(tables(found))
    assert [table.title for table in shown] == [
        f"{what}: 2026-07 by the rates of 2027-01, VND a month" for what in ("Programmes", "Communes", "Codes")
    ]
    assert all(table.row_count == 2 for table in shown)
    cells = [list(column.cells) for column in shown[0].columns]
    payable = [["one", "all"], ["3", "3"], ["1.500.000"] * 2, ["1.200.000"] * 2, ["-300.000"] * 2, ["1", "1"]]
    assert cells == [*payable, ["2", "2"], ["900.000"] * 2, ["800.000"] * 2], "what is held is in no other column"
