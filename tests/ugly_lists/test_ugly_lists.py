"""Every ugly list ends as its expected result says: refused by name, or row by row. `python -m tests.ugly_lists` writes them anew."""

import json
from pathlib import Path

import pytest

from tests.ugly_lists.results import EXPECTED, result
from tests.ugly_lists.ugly import LISTS

LISTS_MIN = 30


@pytest.mark.parametrize("name", LISTS)
def test_an_ugly_list_ends_as_expected(name: str, tmp_path: Path) -> None:
    expected = json.loads((EXPECTED / f"{name}.json").read_text("utf-8"))
    assert result(LISTS[name], tmp_path / "list") == expected


def test_there_are_enough_and_each_has_one_result() -> None:
    assert len(LISTS) >= LISTS_MIN
    assert {path.stem for path in EXPECTED.glob("*.json")} == set(LISTS)
