"""Kafka and PostgreSQL for the tests from containers, when asked for with ANSINH_TESTS_USE=containers and an engine answers.

Images and settings are those of docker-compose.yml. NOT RUN HERE: no engine (docs/decisions/0011-containers.md); what is tested is the
refusal when none answers.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import docker
import yaml
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs

from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.stack import KAFKA_ADDRESS, POSTGRES_ADDRESS
from deploy.local.unavailable import StackUnavailable

ASKED = "ANSINH_TESTS_USE"
CONTAINERS = "containers"
COMPOSE = Path(__file__).parents[1] / "docker-compose.yml"
READY_WITHIN_S = 120


@contextmanager
def servers(environment: Mapping[str, str] = os.environ) -> Iterator[Mapping[str, str]]:
    """The environment for LocalStack: as it is, or with the addresses of containers that live as long as the block.

    Raises StackUnavailable for a word nobody knows, and when containers are asked for and no engine answers.
    """
    asked = environment.get(ASKED, "local")
    if asked == "local":
        yield environment
    elif asked == CONTAINERS:
        require_engine()
        with ExitStack() as stack:
            yield {**environment, **_kafka(stack), **_postgres(stack)}
    else:
        raise StackUnavailable(f"{ASKED} is `{asked}`; it may be `local` or `{CONTAINERS}`.")


def require_engine() -> None:
    """Raises StackUnavailable, with what to do about it, when no container engine answers."""
    try:
        client = docker.from_env(timeout=5)
        try:
            client.ping()
        finally:
            client.close()
    except DockerException:
        raise StackUnavailable(
            f"{ASKED}={CONTAINERS}, but no container engine answers. Start one, or set DOCKER_HOST to its address, "
            f"or leave {ASKED} away: the tests then run on the local stack."
        ) from None


def _kafka(stack: ExitStack) -> dict[str, str]:
    (port,) = free_ports(1)
    settings = _settings("kafka")
    container = DockerContainer(settings["image"]).with_bind_ports(9092, port)
    for name, value in settings["environment"].items():
        container = container.with_env(name, str(value).replace(f"CLIENT://{LOOPBACK}:9092", f"CLIENT://{LOOPBACK}:{port}"))
    started = stack.enter_context(container.with_env("KAFKA_LOG_DIRS", "/tmp/kafka"))
    wait_for_logs(started, "Kafka Server started", timeout=READY_WITHIN_S)
    return {KAFKA_ADDRESS: f"{LOOPBACK}:{port}"}


def _postgres(stack: ExitStack) -> dict[str, str]:
    (port,) = free_ports(1)
    settings, password = _settings("postgres"), secrets.token_hex(16)
    container = DockerContainer(settings["image"]).with_bind_ports(5432, port).with_command(settings["command"])
    container = container.with_env("POSTGRES_USER", "ansinh").with_env("POSTGRES_PASSWORD", password)
    # The first start makes the database and stops again.
    wait_for_logs(
        stack.enter_context(container), r"(?s)ready to accept connections.*ready to accept connections", timeout=READY_WITHIN_S
    )
    return {POSTGRES_ADDRESS: f"postgresql://ansinh:{password}@{LOOPBACK}:{port}/postgres?sslmode=disable"}


def _settings(name: str) -> dict[str, dict[str, str]]:
    return dict(yaml.safe_load(COMPOSE.read_text("utf-8"))["services"][name])
