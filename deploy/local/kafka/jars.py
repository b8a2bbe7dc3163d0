"""The Kafka jars: resolved once, compared with jars.sha256, kept from run to run.

Standard library only, but for the resolver that stands in when there is no Maven.
`python -m deploy.local.kafka.jars` fetches them into the current folder's `.ansinh`.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.unavailable import StackUnavailable

HERE = Path(__file__).parent
COORDINATES = (
    "org.apache.kafka:kafka_2.13:4.3.1",
    "org.apache.kafka:kafka-tools:4.3.1",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
)


def ensure_jars(root: Path) -> Path:
    """Return the folder of jars, fetching them first when one is missing or differs.

    Raises StackUnavailable when neither Maven nor jgo can bring exactly the jars of jars.sha256.
    """
    libs = root / ".ansinh" / "tools" / "kafka" / "libs"
    if not wrong_jars(libs):
        return libs
    print("Kafka jars: fetching (once)", file=sys.stderr, flush=True)
    libs.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=libs.parent, prefix="fetching-") as scratch:
        fetched = Path(scratch) / "libs"
        fetched.mkdir()
        trouble = fetch(fetched)
        wrong = wrong_jars(fetched)
        if wrong:
            raise StackUnavailable(
                f"The Kafka jars could not be had ({len(wrong)} missing or different, such as {wrong[0]}). "
                "Install Maven (apt-get install maven) with a way to its repository, or run `make setup`, "
                f"or set ANSINH_KAFKA_BOOTSTRAP to a Kafka of yours.{trouble}"
            )
        shutil.rmtree(libs, ignore_errors=True)
        fetched.rename(libs)
    return libs


def wrong_jars(libs: Path) -> list[str]:
    """Names of jars that are missing, unexpected or have another content than jars.sha256 says."""
    lines = (HERE / "jars.sha256").read_text().splitlines()
    expected = {name: digest for digest, name in (line.split() for line in lines)}
    present = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in libs.glob("*.jar")}
    return sorted(name for name in expected | present if expected.get(name) != present.get(name))


def fetch(into: Path) -> str:
    """Copy the jars into `into` by Maven or jgo; return what went wrong, for the message."""
    if shutil.which("mvn"):
        trouble = fetch_by_maven(into)
        if not trouble:
            return ""
    else:
        trouble = "\nMaven is not installed."
    return trouble + fetch_by_jgo(into)


def fetch_by_maven(into: Path) -> str:
    """Let Maven resolve pom.xml; return the end of its output when it fails."""
    command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={into}", "-DincludeScope=runtime"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return "" if ran.returncode == 0 else "\nMaven said: " + ran.stdout.strip()[-800:]


def fetch_by_jgo(into: Path) -> str:
    """Let jgo resolve the same coordinates.

    The `!` after each keeps one artifact's managed versions from replacing another's: without it
    a 4.3.1 broker silently gets kafka-clients 3.8.0. `jgo.build` would download a JDK only to sort the jars.
    """
    try:
        import jgo
    except ImportError:
        return "\njgo is not installed (make setup installs it when Maven is missing)."
    try:
        for artifact in jgo.resolve("+".join(f"{one}!" for one in COORDINATES)):
            shutil.copy2(artifact.resolve(), into)
    except Exception as trouble:  # jgo's errors have no common base; any of them means "not by this way"
        return f"\njgo said: {trouble}"
    return ""


if __name__ == "__main__":
    try:
        ensure_jars(Path.cwd())
    except StackUnavailable as unavailable:
        sys.exit(str(unavailable))
