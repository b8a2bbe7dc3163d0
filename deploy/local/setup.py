"""Prepare a fresh clone: `.venv` from the hash-locked requirements, the Kafka jars, a Java, a PostgreSQL.

Runs under the system's python3 with nothing installed (`python3 -m deploy.local.setup`), and does again only
what changed. The part that needs the environment (`tools`) is run a second time inside it.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from deploy.local.unavailable import StackUnavailable

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST_PYTHON = (3, 11)


def main() -> None:
    """Bring this clone to where `python -m ansinh demo` can run; exits with a text when it cannot."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit("Python 3.11 or later is needed.")
    make_environment()
    install("requirements-dev.lock")
    if tools_found():
        return
    print("setup: bringing stand-ins for what this machine lacks", flush=True)
    install("requirements-local.lock")
    if not tools_found():
        sys.exit(1)


def make_environment() -> None:
    """Create `.venv` when there is none with a pip in it."""
    if (VENV / "bin" / "pip").exists():
        return
    print("setup: making .venv", flush=True)
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False).returncode:  # noqa: S603
        sys.exit("Python's venv module does not work here. Install it (apt-get install python3-venv).")


def install(lock: str) -> None:
    """Install exactly what `lock` says, hashes compared, when it changed since it was last installed."""
    text = (ROOT / lock).read_bytes()
    stamp, digest = VENV / f"{lock}.installed", hashlib.sha256(text).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"setup: installing {lock} ({text.count(b'==')} packages)", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
    if subprocess.run([*command, "-r", str(ROOT / lock)], check=False).returncode:  # noqa: S603
        sys.exit(f"{lock} could not be installed; pip said why above.")
    stamp.write_text(digest)


def tools_found() -> bool:
    """Run `tools` in the environment."""
    command = [str(PYTHON), "-m", "deploy.local.setup", "tools"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0  # noqa: S603


def tools() -> None:
    """Find or fetch what the local stack runs on; exits with a text when something cannot be had.

    What the environment gives an address for is not needed.
    """
    from deploy.local.java import find_java
    from deploy.local.kafka.jars import ensure_jars
    from deploy.local.postgres import find_binaries
    from deploy.local.stack import KAFKA_ADDRESS, POSTGRES_ADDRESS
    from deploy.local.xsd import ensure_schemas

    try:
        if not os.environ.get(KAFKA_ADDRESS):
            print(f"setup: Java is {find_java()}", flush=True)
            print(f"setup: Kafka is {ensure_jars(ROOT)}", flush=True)
        if not os.environ.get(POSTGRES_ADDRESS):
            print(f"setup: PostgreSQL is {find_binaries()}", flush=True)
        print(f"setup: the schemas of bank files are in {ensure_schemas(ROOT)}", flush=True)
    except StackUnavailable as unavailable:
        sys.exit(f"setup: {unavailable}")


if __name__ == "__main__":
    tools() if sys.argv[1:] == ["tools"] else main()
