"""docs/FAULTS.md lists what is tried, and nothing else."""

import re
from pathlib import Path

from tests.faults.oracle_model import Kind
from tests.faults.scenarios import table

TEXT = (Path(__file__).parents[2] / "docs/FAULTS.md").read_text("utf-8")
MATRIX = TEXT.split("## The matrix")[1].split("\n## ")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in MATRIX.splitlines() if line.startswith("| ")][1:]


def test_matrix_names_every_fault_and_its_limit():
    limits: dict[str, set[str]] = {}
    for scenario in table().values():
        limits.setdefault(scenario.fault, set()).add(f"{scenario.limit:.0f}" if scenario.limit else "")
    documented = {row[0]: row[3] for row in ROWS}
    assert documented.keys() == limits.keys()
    wrong = {fault: said for fault, said in documented.items() if {said} != limits[fault] - {""} and {said} != limits[fault]}
    assert wrong == {}


def test_matrix_names_scenarios_there_are():
    named = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[4])}
    patterns = {name: re.sub(r"<[a-z]+>", ".+", re.escape(name).replace(r"\<", "<").replace(r"\>", ">")) for name in named}
    assert [name for name, pattern in patterns.items() if not any(re.fullmatch(pattern, each) for each in table())] == []


def test_every_kind_of_finding_is_explained():
    assert [kind for kind in Kind if not re.search(rf"\b{kind}\b", TEXT)] == []
