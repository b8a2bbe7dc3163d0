"""A real OpenSSH server on loopback with keys of its own, for one test session."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.payout.sftp import Target

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
INSTALL = "openssh-server and openssh-client are needed (apt-get install openssh-server openssh-client; .ci/run does)"


@dataclass
class Server:
    """`folder`: what a client sees as its start folder. `known_hosts` pins this server's key, `stranger_hosts` another's."""

    port: int
    home: Path
    folder: Path
    process: subprocess.Popen[bytes]

    def target(self, **changes: object) -> Target:
        """This server as payout's settings describe it."""
        same = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "key_file": str(self.home / "client"),
            "known_hosts": str(self.home / "known_hosts"),
            "folder": "in",
            "seconds": 30,
        }
        return Target.model_validate({**same, **changes})

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Nobody listens for a while."""
        end(self.process)
        try:
            yield
        finally:
            self.process = start(self.home, self.port)


def make(home: Path) -> Server:
    """Keys, configuration and a running server. Fails, never skips, where OpenSSH is missing."""
    if not Path(SSHD).exists() or not shutil.which("sftp"):
        pytest.fail(INSTALL)
    for name in ("host", "client", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = home / "root"
    folder.mkdir()
    (home / "authorized").write_text((home / "client.pub").read_text())
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {(home / 'host.pub').read_text()}")
    (home / "stranger_hosts").write_text(f"[127.0.0.1]:{port} {(home / 'stranger.pub').read_text()}")
    (home / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nPidFile none\nAuthorizedKeysFile {home}/authorized\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
        f"AllowTcpForwarding no\nPermitTTY no\nSubsystem sftp internal-sftp\nForceCommand internal-sftp -d {folder}\n"
    )
    return Server(port, home, folder, start(home, port))


def start(home: Path, port: int) -> subprocess.Popen[bytes]:
    """Start and wait until it answers."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with (home / "sshd.log").open("ab") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(home / "sshd_config")], stderr=log, start_new_session=True)
    for _try in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as answer:
            if answer.recv(4) == b"SSH-":
                return process
        assert process.poll() is None, (home / "sshd.log").read_text()
        time.sleep(0.05)
    pytest.fail("sshd does not answer")


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop the server with the sessions it opened."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(20)
