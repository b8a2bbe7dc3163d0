"""One Kafka broker on loopback: prepare its folder, start it, know when it answers, stop it."""

import asyncio
import base64
import logging
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.java import find_java
from deploy.local.kafka.jars import ensure_jars
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.process import Server
from deploy.local.unavailable import StackUnavailable

HERE = Path(__file__).parent
JVM = ("-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
HEAP = "-Xmx512m"
READY_WITHIN_S = 60.0


class KafkaBroker:
    """A broker whose folder is `home`; start and stop each at most once."""

    def __init__(self, root: Path, home: Path) -> None:
        self._root = root
        self._home = home
        self._config = home / "server.properties"
        self._server = Server(
            name="Kafka",
            pid_file=home / "pid",
            log=home / "kafka.log",
            marker=str(self._config),
            stop_signal=signal.SIGTERM,
        )

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._server.pid

    def start(self, *, fresh: bool) -> str:
        """Return the bootstrap address of a broker that answers; `fresh` throws earlier data away.

        Raises StackUnavailable when Java or the jars cannot be had, or the broker does not come up.
        """
        self._server.stop_left_over()
        if fresh:
            shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(parents=True, exist_ok=True)
        java, jars = find_java(), ensure_jars(self._root)
        bootstrap = self._configure()
        java_on_jars = [java, *JVM, f"-Dansinh.kafka.log={self._server.log}"]
        java_on_jars += [f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}", "-cp", f"{jars}/*"]
        if not (self._home / "data" / "meta.properties").exists():
            self._format(java_on_jars)
        self._server.spawn([java, HEAP, *java_on_jars[1:], "kafka.Kafka", str(self._config)])
        asyncio.run(self._server.until_ready(lambda: answers(bootstrap), within_s=READY_WITHIN_S))
        return bootstrap

    def stop(self) -> None:
        """End the broker and wait for it."""
        self._server.stop()

    def stop_left_over(self) -> None:
        """End the broker of a crashed run in this folder."""
        self._server.stop_left_over()

    def _configure(self) -> str:
        client_port, controller_port = free_ports(2)
        template = (HERE / "server.properties").read_text()
        ports = {"client_port": client_port, "controller_port": controller_port}
        self._config.write_text(template.format(data=self._home / "data", **ports))
        return f"{LOOPBACK}:{client_port}"

    def _format(self, java_on_jars: list[str]) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # With "=": one id in 64 starts with a dash and would be taken for an option.
        options = [f"--cluster-id={cluster_id}", f"--config={self._config}"]
        command = [*java_on_jars, "kafka.tools.StorageTool", "format", *options]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if ran.returncode != 0:
            raise StackUnavailable(f"Kafka's folder could not be formatted: {ran.stderr.strip()[-800:]}")


async def answers(bootstrap: str) -> bool:
    """Whether the cluster at `bootstrap` names a live broker, asked by the admin protocol."""
    quiet = logging.getLogger("aiokafka")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)  # a refused connection is what we wait out, not an error
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
        quiet.setLevel(level)
