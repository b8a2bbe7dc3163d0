"""The walkthrough follows the reading path, and every function it names exists; so does every page that the code cites."""

import ast
import re
from collections.abc import Iterator

import pytest
from house_tree import FOLDERS, ROOT, Function, repository_texts
from test_house_sizes import READING_PATH

DECISIONS = ROOT / "docs/decisions"
DECISION_LINES_MAX = 40
WALKTHROUGH = (ROOT / "docs/WALKTHROUGH.md").read_text("utf-8")
_NAME = re.compile(rf"`((?:{'|'.join(FOLDERS)})(?:\.\w+)+)(?:\(\))?`")
_HEADING = re.compile(r"^## [0-9]+\. `([^`]+)`", re.MULTILINE)


def named_functions(text: str) -> list[str]:
    """Everything in backticks that is a dotted name of this tree: `module.function` or `module.Class.method`."""
    return sorted(set(_NAME.findall(text)))


def defined(name: str) -> bool:
    """Whether the longest part that is a file defines the rest as a function or method."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        file = ROOT.joinpath(*parts[:cut]).with_suffix(".py")
        if file.is_file():
            return ".".join(parts[cut:]) in set(_functions(ast.parse(file.read_text("utf-8"))))
    return False


def _functions(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, Function):
            yield prefix + node.name
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")


@pytest.mark.parametrize("name", named_functions(WALKTHROUGH))
def test_named_function_exists(name):
    assert defined(name)


def test_hops_are_the_reading_path_in_order():
    assert tuple(_HEADING.findall(WALKTHROUGH)) == READING_PATH


@pytest.mark.parametrize("path", READING_PATH)
def test_a_function_of_every_file_of_the_path_is_named(path):
    module = path.removesuffix(".py").replace("/", ".")
    assert [name for name in named_functions(WALKTHROUGH) if name.startswith(f"{module}.")]


def test_readme_gives_the_reading_path_in_order():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert tuple(re.findall(r"^[0-9]\. `([a-z_/]+\.py)`", readme, re.MULTILINE)) == READING_PATH


def test_relative_links_of_the_readme_lead_somewhere():
    readme = (ROOT / "README.md").read_text("utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", readme)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_cited_decisions_exist():
    texts = [text for path, text in repository_texts() if not path.startswith("tests/")]
    cited = {page for text in texts for page in re.findall(r"docs/decisions/([\w-]+\.md)", text)}
    assert cited
    assert [page for page in sorted(cited) if not (DECISIONS / page).is_file()] == []


def test_decisions_are_numbered_without_a_gap_and_have_one_page():
    pages = sorted(DECISIONS.glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    assert [page.name for page in pages if page.read_text("utf-8").count("\n") > DECISION_LINES_MAX] == []


# --- negative examples -------------------------------------------------------------------------------------------------------


def test_names_are_read_from_backticks():
    text = "`shared.topics.read_by`, `services.payout.batch.Draft.of()`, `shared/topics.py`, `registry.list.v1`, shared.ids.x"
    assert named_functions(text) == ["services.payout.batch.Draft.of", "shared.topics.read_by"]


@pytest.mark.parametrize(
    ("name", "exists"),
    [
        ("shared.topics.read_by", True),
        ("shared.consuming.TopicConsumer._own", True),
        ("shared.topics.read_by_nobody", False),
        ("shared.topics.TOPICS", False),
        ("shared.consuming._own", False),
        ("shared.nothing.at_all", False),
        ("services.payout", False),
    ],
)
def test_existence_is_found_out(name, exists):
    assert defined(name) is exists
