"""One Kafka broker on loopback: prepare its folder, start it, know when it answers, stop it."""

import asyncio
import logging
import shutil
import signal
import subprocess
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.data_folder import link_into_memory, remove_data
from deploy.local.java import find_java
from deploy.local.kafka.cluster import Cluster
from deploy.local.kafka.jars import ensure_jars
from deploy.local.ports import LOOPBACK
from deploy.local.process import Server
from deploy.local.unavailable import StackUnavailable

HERE = Path(__file__).parent
JVM = ("-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
HEAP = "-Xmx512m"
READY_WITHIN_S = 60.0


class KafkaBroker:
    """A broker whose folder is `home`. Started again after `stop` or `kill`, it has its old ports and data."""

    def __init__(
        self, root: Path, home: Path, *, cluster: Cluster | None = None, number: int = 0, in_memory: bool = False
    ) -> None:
        """`number`: which node of the cluster, from 0; without a cluster it is alone and finds ports when it starts.

        `in_memory`: its data live no longer than the machine's power, and cost no disk.
        """
        self._in_memory = in_memory
        self._data = home / "data"
        self._root = root
        self._home = home
        self._cluster = cluster
        self._number = number
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
            self.remove()
        self._home.mkdir(parents=True, exist_ok=True)
        if self._in_memory:
            link_into_memory(self._data)
        java, jars = find_java(), ensure_jars(self._root)
        self._cluster = self._cluster or Cluster.plan()
        node = self._cluster.nodes[self._number]
        self._config.write_text(
            (HERE / "server.properties").read_text().format(data=self._data.resolve(), **self._cluster.properties(node))
        )
        bootstrap = f"{LOOPBACK}:{node.client}"
        java_on_jars = [java, *JVM, f"-Dansinh.kafka.log={self._server.log}"]
        java_on_jars += [f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}", "-cp", f"{jars}/*"]
        if not (self._data / "meta.properties").exists():
            self._format(java_on_jars, self._cluster.id)
        self._server.spawn([java, HEAP, *java_on_jars[1:], "kafka.Kafka", str(self._config)])
        asyncio.run(self._server.until_ready(lambda: answers(bootstrap), within_s=READY_WITHIN_S))
        return bootstrap

    def stop(self) -> None:
        """End the broker and wait for it."""
        self._server.stop()

    def kill(self) -> None:
        """End the broker at once, as a power cut of its machine would, and wait until it is gone."""
        self._server.kill()

    def stop_left_over(self) -> None:
        """End the broker of a crashed run in this folder."""
        self._server.stop_left_over()

    def remove(self) -> None:
        """Delete every datum of a broker that does not run."""
        remove_data(self._data)
        shutil.rmtree(self._home, ignore_errors=True)

    def _format(self, java_on_jars: list[str], cluster_id: str) -> None:
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
