"""A copy of the tree to plant a bug in: what git knows or would add, as it stands; environment and tools are shared, nothing is fetched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from deploy.local.stack import remove_abandoned
from tests.planted.catalogue import ROOT

PLACE = ROOT / ".ansinh" / "planted"
SNAPSHOT = PLACE / "snapshot"
SHARED = (".venv", ".ansinh/tools")
STACKS = ("test-", "story-", "faulted-")


class DoesNotApply(Exception):
    """The code has moved on and the diff has not: a planted bug that nobody plants any more. The text is git's."""


def snapshot() -> None:
    """The tree as it stands now, from which every copy is made: without a bug and with one it is the same code."""
    shutil.rmtree(SNAPSHOT, ignore_errors=True)
    for path in _known():
        target = SNAPSHOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)


def copy(name: str) -> Path:
    """A copy of the snapshot under `.ansinh/planted/<name>`, a repository of its own so that git and house tests see it as one."""
    tree = PLACE / name
    remove(tree)
    shutil.copytree(SNAPSHOT, tree)
    for shared in SHARED:
        (tree / shared).parent.mkdir(parents=True, exist_ok=True)
        (tree / shared).symlink_to(ROOT / shared, target_is_directory=True)
    _git(tree, "init", "-q")
    return tree


def plant(tree: Path, diff: Path) -> None:
    """Apply a diff. Raises DoesNotApply."""
    done = _git(tree, "apply", str(diff))
    if done.returncode:
        raise DoesNotApply(done.stderr.strip())


def applies(diff: Path) -> str:
    """Empty when the diff applies to the tree as it stands; else git's words."""
    return _git(ROOT, "apply", "--check", str(diff)).stderr.strip()


def remove(tree: Path) -> None:
    """End what a run left running in the copy, by id, then delete it."""
    if not tree.exists():
        return
    end_left_over(tree)
    for prefix in STACKS:
        remove_abandoned(tree, prefix)
    shutil.rmtree(tree, ignore_errors=True)


def end_left_over(tree: Path) -> None:
    """Processes that work inside the copy were started by the run in it, and by nobody else."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            where = Path(os.readlink(folder / "cwd"))
            if where.is_relative_to(tree) and int(folder.name) != os.getpid():
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:
            continue


def _known() -> list[str]:
    """Files git knows or would add that are still there."""
    listed = _git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    return [name for name in listed if name and (ROOT / name).is_file()]


def _git(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=where, capture_output=True, text=True, check=False)
