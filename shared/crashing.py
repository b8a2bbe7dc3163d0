"""Named crash points: places where a fault run makes this process kill itself, before and after every commit, publish and outside call.

Not armed, a point costs one look at an empty dictionary. Armed by the setting `crash_point` at the start, or later by SIGUSR1 with what
then stands in the file of the setting `crash_file`; the production profile refuses both.
`python -m shared.crashing` prints the inventory; a house test fails where a point is missing.
"""

from __future__ import annotations

import ast
import os
import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("shared", "services")
_ONE = re.compile(r"([a-z0-9_]+(?:\.[a-z0-9_]+)+)(?::([1-9][0-9]*))?")
_left: dict[str, int] = {}
_to_hand_down: list[str] = []


def point(name: str) -> None:
    """Does nothing, or SIGKILLs this process at the passage it is armed for. `name` is a literal, unique in the repository."""
    if _left:
        _pass(name)


def arm(text: str) -> None:
    """Arm `name:n` or a comma list of them: die at the n-th passage (the first, without n). Raises ValueError for an unknown name."""
    known = set(inventory())
    wanted = dict(map(parsed, text.split(",")))
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise ValueError(f"no such crash point: {', '.join(unknown)}")
    _set(text, wanted)


def arm_from(file: Path) -> None:
    """Arm what a file says and tell so on standard error. Whether the points exist is not asked: it would hold the process up."""
    text = file.read_text("utf-8")
    _set(text, dict(map(parsed, text.split(","))))
    os.write(2, b'{"event": "crash_armed"}\n')


def _set(text: str, wanted: Mapping[str, int]) -> None:
    _left.clear()
    _left.update(wanted)
    _to_hand_down[:] = [text]


def hand_down() -> str | None:
    """What the next process that this one starts is to be armed for: as this one was, and only the first, so that the second lives."""
    return _to_hand_down.pop() if _to_hand_down else None


def parsed(text: str) -> tuple[str, int]:
    """(name, passage) of `name` or `name:n`. Raises ValueError."""
    match = _ONE.fullmatch(text.strip())
    if match is None:
        raise ValueError("a crash point is written name or name:n")
    return match[1], int(match[2] or 1)


def _pass(name: str) -> None:
    left = _left.get(name)
    if left is None:
        return
    _left[name] = left - 1
    if left == 1:
        os.write(2, f'{{"event": "crash_point", "code": "{name}"}}\n'.encode())
        os.kill(os.getpid(), signal.SIGKILL)


def inventory() -> list[str]:
    """Every name in the code, sorted: literals given to `point`, and the two points of every `Database.transaction`."""
    paths = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return sorted(name for path in paths for name in names_in(ast.parse(path.read_text("utf-8"))))


def names_in(tree: ast.AST) -> Iterator[str]:
    """The names in one module."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        name = str(node.args[0].value)
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "point":
            yield name
        elif called == "transaction":
            yield from (f"{name}.before_commit", f"{name}.after_commit")


if __name__ == "__main__":
    print("\n".join(inventory()))
