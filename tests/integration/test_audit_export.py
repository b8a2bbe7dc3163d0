"""The export copies every record of its topics exactly once, however often it is stopped, from a real broker."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaProducer

from ansinh.audit_export import Cut, Exporter
from ansinh.audit_files import FilesDiffer, read_partition, unlike_manifest
from deploy.local.topics import create_topics
from shared.ids import random_id
from shared.topics import RETENTION_MS


@pytest.fixture
async def topic(stack) -> str:
    """One topic of this test's own."""
    name = f"audit-{random_id()}"
    await create_topics(stack.kafka_bootstrap, [SimpleNamespace(name=name, partitions=2, retention_ms=RETENTION_MS)])
    return name


async def say(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    for value in values:
        await producer.send_and_wait(topic, value, key=b"k", headers=[("ce_type", b"t"), ("ce_id", value)], partition=0)
    await producer.stop()


async def copy(stack, folder: Path, topic: str) -> int:
    done = await Exporter(folder, stack.kafka_bootstrap, [(topic, 2)]).run(asyncio.Event(), follow=False)
    return done.records


async def test_each_record_is_copied_once_however_often_the_export_stops(stack, topic: str, tmp_path: Path) -> None:
    await say(stack.kafka_bootstrap, topic, *(b"%d" % n for n in range(5)))
    assert await copy(stack, tmp_path, topic) == 5
    assert await copy(stack, tmp_path, topic) == 0
    await say(stack.kafka_bootstrap, topic, b"5", b"\xff6")
    [path] = (tmp_path / topic).iterdir()
    path.write_bytes(path.read_bytes() + b'{"offset":5,"at"')  # killed while it wrote, before the manifest
    assert await copy(stack, tmp_path, topic) == 2
    assert [one.value for one in read_partition(tmp_path, topic, 0)] == [b"0", b"1", b"2", b"3", b"4", b"5", b"\xff6"]
    assert [one.offset for one in read_partition(tmp_path, topic, 0)] == list(range(7))
    assert unlike_manifest(tmp_path) == []


async def test_it_follows_until_it_is_stopped(stack, topic: str, tmp_path: Path) -> None:
    stop = asyncio.Event()
    exporter = Exporter(tmp_path, stack.kafka_bootstrap, [(topic, 2)])
    running = asyncio.create_task(exporter.run(stop, follow=True))
    await say(stack.kafka_bootstrap, topic, b"1", b"2")
    async with asyncio.timeout(60):
        while exporter.done.records < 2:
            await asyncio.sleep(0.1)
    stop.set()
    assert (await running).records == 2


async def test_files_that_were_changed_or_are_ahead_of_the_topic_are_refused(stack, topic: str, tmp_path: Path) -> None:
    await say(stack.kafka_bootstrap, topic, b"one", b"two")
    await copy(stack, tmp_path, topic)
    [path] = (tmp_path / topic).iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"one", b"One"))
    with pytest.raises(FilesDiffer, match="not what was exported"):
        await copy(stack, tmp_path, topic)
    path.write_bytes(whole + whole.splitlines(keepends=True)[1].replace(b'"offset":1', b'"offset":7'))
    with pytest.raises(Cut, match="files end before 8"):
        await copy(stack, tmp_path, topic)
