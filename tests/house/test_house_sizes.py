"""Functions and files stay small enough to be read at once. Exceptions stand in ratchet.json and can only shrink."""

import ast
import json
import statistics
from collections.abc import Iterator

import pytest
from house_tree import ROOT, Function, Source, length, sources

FUNCTION_MAX, FUNCTION_P90, FUNCTION_MEDIAN = 60, 30, 10
FILE_MAX, FILE_P90 = 400, 300
NESTING_MAX = 4
POSITIONAL_MAX, PARAMETERS_MAX = 3, 7
READING_PATH = (
    "shared/topics.py", "shared/consuming.py", "services/registry/handlers.py", "services/verification/handlers.py",
    "services/payout/handlers.py", "services/payout/batch.py", "services/payout/bank_file.py", "services/notify/handlers.py",
)  # fmt: skip
READING_PATH_MAX = 1_500
RATCHET: dict[str, dict[str, int]] = json.loads((ROOT / "tests/house/ratchet.json").read_text("utf-8"))
LIMITS = {"function_lines": FUNCTION_MAX, "file_lines": FILE_MAX, "nesting": NESTING_MAX, "parameters": PARAMETERS_MAX}
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


def over(measured: dict[str, int], rule: str, ratchet: dict[str, dict[str, int]] = RATCHET) -> list[str]:
    """What is over the limit or its exception, and exceptions nobody needs any more."""
    limit, allowed = LIMITS[rule], ratchet.get(rule, {})
    most = {place: allowed.get(place, limit) for place in measured}
    found = [f"{place}: {rule} {value}, at most {most[place]}" for place, value in measured.items() if value > most[place]]
    return found + [f"{place}: take it out of ratchet.json, {rule}" for place in allowed if measured.get(place, 0) <= limit]


def function_lines(files: tuple[Source, ...]) -> dict[str, int]:
    """path:name -> lines."""
    return {place: length(function) for place, function in _functions(files)}


def nesting(files: tuple[Source, ...]) -> dict[str, int]:
    """path:name -> the deepest nesting of if, for, while, with, try and match; `elif` is not deeper than its `if`."""
    return {place: _depth(function.body) for place, function in _functions(files)}


def parameters(files: tuple[Source, ...]) -> dict[str, int]:
    """path:name -> parameters without self, cls and a leading tx; a function with too many that are not keyword-only counts as 99."""
    return {place: _parameters(function) for place, function in _functions(files)}


def _functions(files: tuple[Source, ...]) -> Iterator[tuple[str, Function]]:
    for source in files:
        for function in source.functions():
            yield f"{source.path}:{function.name}", function


def _depth(body: list[ast.stmt]) -> int:
    return max((_depth_of(node) for node in body), default=0)


def _depth_of(node: ast.stmt) -> int:
    if isinstance(node, Function | ast.ClassDef):
        return 0
    inside = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        inside += part.body
    if isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        return max(1 + _depth(node.body), _depth_of(node.orelse[0]))
    return int(isinstance(node, _BLOCKS)) + _depth(inside)


def _parameters(function: Function) -> int:
    positional = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if positional and positional[0] in ("self", "cls", "tx"):
        positional = positional[1:]
    return 99 if len(positional) > POSITIONAL_MAX else len(positional) + len(function.args.kwonlyargs)


def p90(values: list[int]) -> int:
    """The value nine of ten do not exceed."""
    return sorted(values)[max(0, -(-len(values) * 9 // 10) - 1)]


def test_no_function_is_too_long():
    assert over(function_lines(sources()), "function_lines") == []


def test_most_functions_are_short():
    lines = list(function_lines(sources()).values())
    assert statistics.median(lines) <= FUNCTION_MEDIAN
    assert p90(lines) <= FUNCTION_P90


def test_no_file_is_too_long_and_most_are_short():
    lines = {source.path: source.text.count("\n") for source in sources()}
    assert over(lines, "file_lines") == []
    assert p90([count for count in lines.values() if count]) <= FILE_P90


def test_nothing_is_nested_too_deep():
    assert over(nesting(sources()), "nesting") == []


def test_parameters_are_few_and_named():
    assert over(parameters(sources()), "parameters") == []


def test_reading_path_is_short():
    """Somebody new follows one person in eight files (design 2)."""
    missing = [path for path in READING_PATH if not (ROOT / path).exists()]
    assert missing == []
    assert sum((ROOT / path).read_text("utf-8").count("\n") for path in READING_PATH) <= READING_PATH_MAX


def test_ratchet_names_only_rules_there_are():
    assert RATCHET.keys() <= LIMITS.keys()


# --- negative examples -------------------------------------------------------------------------------------------------------


def example(text: str) -> tuple[Source, ...]:
    return (Source("services/payout/example.py", text),)


def test_long_function_is_found():
    text = "def long():\n" + "    x = 1\n" * FUNCTION_MAX
    assert (
        over(function_lines(example(text)), "function_lines")[0]
        == "services/payout/example.py:long: function_lines 61, at most 60"
    )


@pytest.mark.parametrize(
    ("body", "depth"),
    [
        ("if a:\n  for b in c:\n   while d:\n    with e:\n     try:\n      f()\n     finally:\n      g()", 5),
        ("if a:\n  pass\n elif b:\n  pass\n elif c:\n  if d:\n   pass", 2),
        ("try:\n  pass\n except E:\n  if a:\n   pass", 2),
        ("match a:\n  case 1:\n   if b:\n    pass", 2),
        ("def inner():\n  if a:\n   pass", 0),
    ],
)
def test_nesting_is_measured(body, depth):
    assert nesting(example(f"def f():\n {body}\n"))["services/payout/example.py:f"] == depth


@pytest.mark.parametrize(
    ("signature", "count"),
    [
        ("self, a, b, c", 3),
        ("tx, a, b, c", 3),
        ("a, b, c, d", 99),
        ("a, *, b, c, d", 4),
        ("*, a, b, c, d, e, f, g, h", 8),
        ("*args, **options", 0),
    ],
)
def test_parameters_are_counted(signature, count):
    assert parameters(example(f"def f({signature}): pass\n"))["services/payout/example.py:f"] == count


def test_percentile():
    assert p90(list(range(1, 11))) == 9
    assert p90([5]) == 5


def test_exception_that_is_no_longer_needed_is_found():
    ratchet = {"nesting": {"a.py:f": 6}}
    assert over({"a.py:f": 6}, "nesting", ratchet) == []
    assert over({"a.py:f": 7}, "nesting", ratchet) == ["a.py:f: nesting 7, at most 6"]
    assert over({"a.py:f": 4}, "nesting", ratchet) == ["a.py:f: take it out of ratchet.json, nesting"]
