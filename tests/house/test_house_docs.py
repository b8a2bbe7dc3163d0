"""What the documents list is what there is."""

import ast
import re

import pytest
from house_tree import ROOT, Source, name_of, sources

from sandbox.provider_desk import Refusal
from sandbox.provider_mix import BANK_REASONS, NOT_COLLECTED, POST_REASONS, RETURN_REASONS
from shared.words import AccountCheck, AccountSource, HeldReason, NoAccountReason, Outcome

STYLE_LINES_MAX = 120
GLOSSARY = (ROOT / "docs/GLOSSARY.md").read_text("utf-8")
STYLE = (ROOT / "docs/STYLE.md").read_text("utf-8")
_R_CODE = re.compile(r"R_[A-Z]+")
_TOOLS = ("ruff", "mypy", "review")


def listed(text: str) -> set[str]:
    """Words in the first cell of a table row, and everything in backticks."""
    cells = re.findall(r"^\| *([^|]+?) *\|", text, re.MULTILINE)
    return {word for cell in cells for word in cell.split()} | set(re.findall(r"`([^`]+)`", text))


def refusal_words(source: Source) -> list[str]:
    """The values of a service's enums that say why something is not done."""
    found = []
    for node in ast.walk(source.tree):
        names = [name_of(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
        if "StrEnum" in names and re.search(r"(Refusal|Refused|LeftOut|Reason)$", node.name):
            values = (part.value for part in node.body if isinstance(part, ast.Assign))
            found += [value.value for value in values if isinstance(value, ast.Constant)]
    return found


def untested_rules(text: str) -> list[str]:
    """Rules (list items) that name neither a test nor a tool nor, honestly, a reviewer."""
    rules = [line for line in text.splitlines() if line.startswith("- ")]
    return [rule for rule in rules if not re.search(r"\[[^\]]+\]$", rule)]


def named_tests(text: str) -> list[str]:
    """What stands in the brackets at the end of the rules."""
    ends = re.findall(r"^- .*\[([^\]]+)\]$", text, re.MULTILINE)
    return [name.strip() for end in ends for name in end.split(",")]


@pytest.mark.parametrize("word", [*HeldReason, *NoAccountReason])
def test_reason_is_in_the_glossary(word):
    assert word in listed(GLOSSARY)


@pytest.mark.parametrize("word", Outcome)
def test_outcome_is_in_the_glossary(word):
    assert f"`{word}`" in GLOSSARY


def test_account_findings_are_in_the_glossary():
    assert [word for word in AccountCheck if word not in listed(GLOSSARY)] == []


def test_wish_codes_are_in_the_glossary():
    used = {
        code for source in sources() for node in source.strings() for code in _R_CODE.findall(node.value) if code == node.value
    }
    assert used
    assert used - listed(GLOSSARY) == set()


def test_account_sources_are_told_in_the_order_in_which_they_count():
    text = (ROOT / "services/registry/README.md").read_text("utf-8").partition("**Competing accounts**")[2].partition("\n\n")[0]
    assert [word for word in re.findall(r"`([a-z_]+)`", text) if word in set(AccountSource)] == list(AccountSource)


def test_codes_of_providers_are_in_the_glossary():
    assert {*BANK_REASONS, *POST_REASONS, *RETURN_REASONS, NOT_COLLECTED, *Refusal} - listed(GLOSSARY) == set()


def test_refusals_of_a_service_are_in_its_readme():
    missing = []
    for source in sources():
        if source.path.startswith("services/") and (words := refusal_words(source)):
            readme = ROOT / "/".join(source.path.split("/")[:2]) / "README.md"
            text = readme.read_text("utf-8") if readme.exists() else ""
            missing += [f"{source.path}: {word}" for word in words if f"`{word}`" not in text]
    assert missing == []


def test_style_is_short_and_every_rule_names_its_test():
    assert STYLE.count("\n") <= STYLE_LINES_MAX
    assert untested_rules(STYLE) == []


@pytest.mark.parametrize("name", sorted(set(named_tests(STYLE))))
def test_named_test_exists(name):
    if name in _TOOLS:
        return
    file, _, function = name.partition("::")
    text = (ROOT / "tests" / file).read_text("utf-8")
    assert not function or re.search(rf"def {function}\b", text)


# --- negative examples -------------------------------------------------------------------------------------------------------


def test_listing_is_read_from_first_cells_and_backticks():
    assert listed("| code | meaning |\n|---|---|\n| A_B C | `d` other |") >= {"A_B", "C", "d"}
    assert "other" not in listed("| A_B C | `d` other |")


def test_refusals_are_read_from_enums():
    text = "class Refusal(StrEnum):\n    '''Doc.'''\n    NO = 'NO'\nclass Other(StrEnum):\n    YES = 'YES'\n"
    assert refusal_words(Source("services/payout/refusals.py", text)) == ["NO"]


def test_rule_without_a_test_is_found():
    assert untested_rules("- A rule.\n- Another. [ruff]") == ["- A rule."]
    assert named_tests("- A. [house/a.py::b, mypy]") == ["house/a.py::b", "mypy"]
