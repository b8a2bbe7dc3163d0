"""A sandbox bank as a process on a real broker: paid and answered once, also after it was killed in the middle; then its statement."""

import asyncio
import collections
import json
import signal
import sys
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.topics import create_topics
from sandbox.provider_desk import lines_sha256
from sandbox.truth import outcomes, payments
from shared.ids import end_to_end_id
from shared.keyfiles import make_key_files
from shared.topics import RETENTION_MS, Topic
from shared.vault import Vault


@dataclass
class Bank:
    """One provider of its own name, so that tests on one broker do not meet."""

    name: str
    bootstrap: str
    folder: Path

    @property
    def truth(self) -> Path:
        return self.folder / "truth.jsonl"

    def arguments(self, *more: str) -> list[str]:
        common = ("-m", "sandbox.provider", "--provider", self.name, "--bootstrap", self.bootstrap, "--truth", str(self.truth))
        return [*common, *more]

    @asynccontextmanager
    async def open(self, **mix: int):
        keys = ("--key", str(self.folder / "bank-a.json"), "--payout-key", str(self.folder / "payout.public.json"))
        given = self.arguments(*keys, "--mix", json.dumps({"pay_after_seconds": 0.1, "late_after_seconds": 0.2, **mix}))
        process = await asyncio.create_subprocess_exec(sys.executable, *given, stdout=asyncio.subprocess.PIPE)
        try:
            assert json.loads(await asyncio.wait_for(process.stdout.readline(), 20))["event"] == "ready"
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.communicate(), 20)

    def batch(self, count: int) -> tuple[str, list[bytes], bytes]:
        vault = Vault.load(self.folder / "payout.json")
        key, batch_id = vault.new_batch_key("bank-a"), str(uuid.uuid4())
        ids = [end_to_end_id(b"test", uuid.uuid5(uuid.UUID(batch_id), str(index)), 1) for index in range(count)]
        jwes = [key.seal_line(json.dumps({"end_to_end_id": end, "amount_vnd": 720_000}).encode()) for end in ids]
        manifest = {
            "batch_id": batch_id, "provider": self.name, "count": count, "vnd": 720_000 * count, "currency": "VND",
            "execution_date": "2024-02-01", "lines_sha256": lines_sha256(jwes), "batch_key": key.wrapped,
        }  # fmt: skip
        jws = vault.sign(json.dumps(manifest).encode())
        lines = [json.dumps({"batch_id": batch_id, "index": index, "jwe": jwe}).encode() for index, jwe in enumerate(jwes)]
        return batch_id, lines, json.dumps({"batch_id": batch_id, "kind": "manifest", "jws": jws}).encode()

    async def publish(self, batch: tuple[str, list[bytes], bytes]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=5)
        await producer.start()
        headers = [("ce_time", b"2024-01-31T15:00:00+07:00")]
        try:
            topic = f"payout.instruction.{self.name}.v1"
            await asyncio.gather(*[await producer.send(topic, line, headers=headers) for line in batch[1]])
            await producer.send_and_wait(f"payout.batch.{self.name}.v1", batch[2], headers=headers)
        finally:
            await producer.stop()

    async def answers(self, until) -> list[dict]:
        """What the bank said, from the beginning, until `until(answers)` holds and then nothing more comes."""
        consumer = AIOKafkaConsumer(
            f"payment.result.{self.name}.v1", bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        said: list[dict] = []
        try:
            async with asyncio.timeout(60):
                while True:
                    polled = await consumer.getmany(timeout_ms=700)
                    said += [json.loads(record.value) for records in polled.values() for record in records]
                    if not polled and until(said):
                        return said
        finally:
            await consumer.stop()


@pytest.fixture
async def bank(stack, tmp_path):
    name = f"bank-{uuid.uuid4().hex[:8]}"
    make_key_files(tmp_path / "keys")
    topics = [f"payout.batch.{name}.v1", f"payout.instruction.{name}.v1", f"payment.result.{name}.v1"]
    specs = [Topic(topic, "batch_id", "payout", (name,), 1, "test", RETENTION_MS) for topic in topics]
    await create_topics(stack.kafka_bootstrap, specs)
    return Bank(name, stack.kafka_bootstrap, tmp_path / "keys")


def complete(said):
    return any(body["kind"] == "batch_complete" for body in said)


async def test_batch_is_paid_and_answered_and_its_statement_tells_what_was_lost(bank):
    batch = bank.batch(200)
    async with bank.open(lost=1, twice=1) as process:
        await bank.publish(batch)
        said = await bank.answers(complete)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    last = {body["end_to_end_id"]: body["status"] for body in said if body["kind"] == "line"}
    truth = {key: str(status) for key, _, status in outcomes(bank.truth)}
    (lost,) = truth.keys() - last.keys()
    assert {key: status for key, status in truth.items() if key != lost} == last
    process = await asyncio.create_subprocess_exec(
        sys.executable, *bank.arguments("--emit-statement"), stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
    told = await bank.answers(lambda said: any(body.get("basis") == "statement" for body in said))
    statement = {body["end_to_end_id"]: body["status"] for body in told if body.get("basis") == "statement"}
    assert statement == truth


async def test_bank_killed_in_the_middle_pays_nobody_twice(bank):
    batch = bank.batch(3_000)
    for pause in (0.0, 0.15, 0.3):
        async with bank.open() as process:
            await bank.publish(batch)
            await asyncio.sleep(pause)
            process.kill()
            await process.wait()
    async with bank.open():
        said = await bank.answers(complete)
    paid = [key for key, _ in payments(bank.truth)]
    assert len(paid) == len(set(paid))
    assert len(outcomes(bank.truth)) == 3_000
    by_id = collections.defaultdict(set)
    for body in said:
        by_id[body["result_id"]].add(json.dumps(body, sort_keys=True))
    assert all(len(contents) == 1 for contents in by_id.values())


async def test_bank_pays_twenty_thousand(bank):
    batch = bank.batch(20_000)
    await bank.publish(batch)
    async with bank.open(late_per_10000=0) as process:
        assert json.loads(await process.stdout.readline())["event"] == "batch_received"
        while len(outcomes(bank.truth)) < 20_000:
            await asyncio.sleep(0.05)
