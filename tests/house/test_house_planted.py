"""Every planted bug still applies, breaks something of ours, and names a command that exists. `make planted` shows that they are caught."""

import re
from pathlib import Path

import pytest
from house_tree import ROOT

from tests.faults.scenarios import table
from tests.planted import tree
from tests.planted.catalogue import BadHeader, Bug, everything, read
from tests.planted.runner import Run, Verdict, verdict_of

BUGS = everything()
BUGS_MIN = 18


def missing(bug: Bug) -> str:
    """What a header names that is not there; empty when all is."""
    for test in bug.tests:
        file, _, function = test.partition("::")
        path = ROOT / file
        if not path.is_file() or f"def {function.partition('[')[0]}" not in path.read_text("utf-8"):
            return test
    return "" if bug.tests or bug.words[1] in table() else bug.words[1]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bug_applies_to_our_code_and_names_a_command(bug):
    assert tree.applies(bug.file) == ""
    touched = re.findall(r"^diff --git a/(\S+)", bug.file.read_text("utf-8"), re.MULTILINE)
    assert touched
    assert all(path.startswith(("shared/", "services/", "ansinh/", "sandbox/")) for path in touched)
    assert missing(bug) == ""
    re.compile(bug.finds)


def test_there_are_enough_of_them_and_some_are_caught_by_faults():
    assert len(BUGS) >= BUGS_MIN
    assert any(not bug.tests for bug in BUGS)


# --- negative examples -------------------------------------------------------------------------------------------------------

GOOD = "name: x\nbreaks: a\npromise: b\ncaught-by: pytest tests/a.py::test_b\nfinds: c\n\ndiff --git a/x b/x\n"


def bug(tmp_path: Path, text: str = GOOD) -> Bug:
    file = tmp_path / "x.diff"
    file.write_text(text)
    return read(file)


@pytest.mark.parametrize(
    "text",
    [GOOD.replace("promise: b\n", ""), GOOD.replace("name: x", "name: y"), GOOD.replace("pytest ", "make "), "finds: d\n" + GOOD],
)
def test_bad_header_is_found(tmp_path, text):
    with pytest.raises(BadHeader):
        bug(tmp_path, text)


def test_command_that_does_not_exist_is_found(tmp_path):
    assert missing(bug(tmp_path)) == "tests/a.py::test_b"
    assert missing(bug(tmp_path, GOOD.replace("pytest tests/a.py::test_b", "faults no-such-fault 1"))) == "no-such-fault"
    assert missing(bug(tmp_path, GOOD.replace("pytest tests/a.py::test_b", "faults kill-payout 1"))) == ""


def test_diff_that_does_not_apply_is_found(tmp_path):
    (tmp_path / "x.diff").write_text(GOOD + "--- a/Makefile\n+++ b/Makefile\n@@ -1 +1 @@\n-nobody wrote this\n+nor this\n")
    assert tree.applies(tmp_path / "x.diff")


@pytest.mark.parametrize(
    ("code", "output", "verdict"),
    [
        (1, "E   assert c", Verdict.CAUGHT),
        (0, "1 passed c", Verdict.NOT_CAUGHT),
        (1, "E   assert d", Verdict.OTHER_FINDING),
        (1, "ImportError: c", Verdict.NOT_STARTED),
        (2, "c\n1 error during collection", Verdict.NOT_STARTED),
        (4, "c", Verdict.NOT_STARTED),
        (None, "c", Verdict.TIMED_OUT),
    ],
)
def test_caught_is_told_from_could_not_even_start(tmp_path, code, output, verdict):
    assert verdict_of(bug(tmp_path), Run(code, output, 1.0))[0] is verdict
