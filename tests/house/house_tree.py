"""The source tree as the house tests see it: files, parsed modules, functions."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("shared", "services", "ansinh", "sandbox", "deploy")
SERVICES = ("registry", "verification", "payout", "notify")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file; `path` is relative to the root, with slashes."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return _parsed(self.text)

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def strings(self) -> Iterator[ast.Constant]:
        """Every string literal that is not a docstring; the fixed parts of f-strings too."""
        hidden = docstrings(self.tree)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in hidden:
                yield node


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def sources() -> tuple[Source, ...]:
    """All Python files of the product."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return tuple(Source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in paths)


def sql_files() -> list[tuple[str, str]]:
    """(path, text) of every SQL file of the product."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.sql"))
    return [(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in paths]


def repository_texts() -> Iterator[tuple[str, str]]:
    """(path, text) of every text file git knows or would add; of every file where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else _walked()
    for name in sorted(filter(None, names)):
        try:
            yield name, (ROOT / name).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def _walked() -> list[str]:
    hidden = (path for path in ROOT.rglob("*") if path.is_file())
    names = (path.relative_to(ROOT) for path in hidden)
    return [name.as_posix() for name in names if not any(part.startswith(".") or part == "__pycache__" for part in name.parts)]


def docstrings(tree: ast.Module) -> set[ast.Constant]:
    """The docstring nodes of a module."""
    owners = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | Function))
    found = set()
    for owner in owners:
        first = owner.body[0] if owner.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            found.add(first.value)
    return found


def length(node: ast.stmt) -> int:
    """Lines from `def` to the last, docstring included, decorators not."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def name_of(node: ast.expr) -> str:
    """`a.b.c` for a chain of attributes, with `()` where something is called on the way."""
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{name_of(node.func)}()"
    return node.id if isinstance(node, ast.Name) else ""


def problems(check: Callable[[Source], Iterator[str]]) -> list[str]:
    """What a checker says of every file."""
    return [problem for source in sources() for problem in check(source)]


def said_of(check: Callable[[Source], Iterator[str]], text: str, path: str = "services/payout/example.py") -> list[str]:
    """What a checker says of an example: for the negative examples."""
    return list(check(Source(path, text)))
