"""The planted bugs: one diff each, with a header that says what it breaks, which promise that breaks, and which command must notice.

    name: fence-removed
    breaks: the fence of a batch no longer asks where reading stood
    promise: a record takes effect once, whoever else believes to own its partition
    caught-by: pytest tests/integration/test_consuming.py::test_stale_owner_is_fenced
    finds: assert .*== \\['a', 'c'\\]

`caught-by` is `pytest <node ids>` or `faults <scenario> <seed>`. `finds` is a regular expression that stands in the output when the bug is
found, and does not in the output of a tree without it: a run that could not even start does not count.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
FIELDS = ("name", "breaks", "promise", "caught-by", "finds")
_FIELD = re.compile(r"^(name|breaks|promise|caught-by|finds): (.+)$")


class BadHeader(Exception):
    """A diff that does not say what it is for. The text names the file."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One planted bug."""

    name: str
    breaks: str
    promise: str
    caught_by: str
    finds: str
    file: Path

    @property
    def words(self) -> tuple[str, ...]:
        """The command in words: the tool, then its arguments."""
        return tuple(shlex.split(self.caught_by))

    @property
    def tests(self) -> tuple[str, ...]:
        """Node ids, when pytest is to notice."""
        return self.words[1:] if self.words[0] == "pytest" else ()


def read(file: Path) -> Bug:
    """One diff. Raises BadHeader when a field is missing, stands twice, or the name is not the file's."""
    head = file.read_text("utf-8").split("diff --git", 1)[0].splitlines()
    found = [(match[1], match[2]) for line in head if (match := _FIELD.match(line))]
    fields = dict(found)
    if sorted(name for name, _ in found) != sorted(FIELDS) or fields["name"] != file.stem:
        raise BadHeader(f"{file.name} needs each of {', '.join(FIELDS)} once, and its own name")
    if shlex.split(fields["caught-by"])[0] not in ("pytest", "faults"):
        raise BadHeader(f"{file.name} is caught by neither pytest nor faults")
    return Bug(fields["name"], fields["breaks"], fields["promise"], fields["caught-by"], fields["finds"], file)


def everything() -> list[Bug]:
    """All planted bugs, by name."""
    return [read(file) for file in sorted(FOLDER.glob("*.diff"))]
