"""The examples of docs/integrate-a-bank.md, each as a process on a real broker, hear the conformance kit and pass it."""

import ast
import asyncio
import json
import shutil
import sqlite3
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ansinh import conformance
from ansinh.conformance_judge import judge
from deploy.local.stack import LocalStack
from deploy.local.topics import create_topics
from shared.topics import RETENTION_MS, Provider, Topic
from tests.contract.test_contract_conformance import leave

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
QUIET_MS = 1_500


class Bank:
    """An example under a name of its own, so that nobody else on the broker is disturbed."""

    def __init__(self, bootstrap: str, kit: Path, example: str) -> None:
        self.example = EXAMPLES / example
        self.bootstrap, self.kit, self.name = bootstrap, kit, f"bank-{uuid.uuid4().hex[:8]}"
        self.book = kit / "book.sqlite"
        self.process: asyncio.subprocess.Process | None = None

    def topic(self, kind: str) -> str:
        return f"payment.result.{self.name}.v1" if kind == "result" else f"payout.{kind}.{self.name}.v1"

    async def create(self) -> None:
        names = [self.topic(kind) for kind in ("batch", "instruction", "result")]
        await create_topics(
            self.bootstrap, [Topic(name, "batch_id", "payout", (self.name,), 1, "test", RETENTION_MS) for name in names]
        )

    async def start(self) -> None:
        # The kit names bank-b; the topics are the test's own, so the copy reads and writes those.
        text = self.example.read_text("utf-8")
        for kind in ("payout.{kind}", "payment.result"):
            assert f"{kind}.{{PROVIDER}}.v1" in text
            text = text.replace(f"{kind}.{{PROVIDER}}.v1", f"{kind}.{self.name}.v1")
        copy = self.kit / "bank_consumer.py"
        copy.write_text(text, "utf-8")
        keys = self.kit / "keys"
        arguments = [self.bootstrap, "bank-b", str(keys / "provider.json"), str(keys / "payout.public.json"), str(self.book)]
        self.process = await asyncio.create_subprocess_exec(sys.executable, str(copy), *arguments)

    async def kill(self) -> None:
        assert self.process is not None
        assert self.process.returncode is None, "it runs until it is killed"
        self.process.kill()
        await self.process.wait()

    async def publish(self, steps: Sequence[dict[str, Any]]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await producer.start()
        try:
            for step in steps:
                topic = self.topic("instruction" if ".instruction." in step["topic"] else "batch")
                headers = [(name, text.encode()) for name, text in step["headers"].items()]
                await producer.send_and_wait(topic, json.dumps(step["value"]).encode(), key=step["key"].encode(), headers=headers)
        finally:
            await producer.stop()

    async def said(self) -> list[dict[str, Any]]:
        """Everything it ever said, once nothing more comes."""
        consumer = AIOKafkaConsumer(self.topic("result"), bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        said: list[dict[str, Any]] = []
        try:
            while polled := await consumer.getmany(timeout_ms=QUIET_MS):
                said += [json.loads(record.value) for records in polled.values() for record in records]
        finally:
            await consumer.stop()
        return said

    def paid(self) -> dict[str, int]:
        with sqlite3.connect(self.book) as book:
            return dict(book.execute("SELECT id, vnd FROM paid WHERE vnd > 0"))  # 0: cancelled


def rounds(steps: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Records up to each `wait` or `replay`."""
    cut: list[list[dict[str, Any]]] = [[]]
    for step in steps:
        if step["do"] == "record":
            cut[-1].append(step)
        elif cut[-1]:
            cut.append([])
    return cut


async def hears_everything(bank: Bank, cases: Sequence[list[dict[str, Any]]]) -> None:
    """All first rounds, then all second ones: after each it is killed and starts again from the first offset."""
    for number in range(max(len(rounds(steps)) for steps in cases)):
        for steps in cases:
            await bank.publish(dict(enumerate(rounds(steps))).get(number, []))
        await bank.start()
        before = -1
        while before != (before := len(await bank.said())) or not before:
            pass
        await bank.kill()


def speaks_of_cancels(owed: dict[str, Any]) -> bool:
    return any("words" in batch or "DS02" in batch.get("reasons", ()) for batch in owed["batches"].values())


@pytest.mark.timeout(170)
@pytest.mark.parametrize(("example", "cancels"), [("bank_consumer.py", False), ("bank_with_cancels.py", True)])
async def test_example_passes_the_conformance_kit(stack: LocalStack, tmp_path: Path, *, example: str, cancels: bool) -> None:
    """The short one has no word for cancels: it is judged by the cases that ask for none."""
    kit = tmp_path / "kit"
    conformance.make(kit, Provider.BANK_B)
    for place in kit.glob("*/expected.json"):
        if not cancels and speaks_of_cancels(json.loads(place.read_text())):
            shutil.rmtree(place.parent)
    bank = Bank(stack.kafka_bootstrap, kit, example)
    await bank.create()
    folders = sorted(path.parent for path in kit.glob("*/records.jsonl"))
    assert len(folders) > 20
    cases = {folder: [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()] for folder in folders}
    await hears_everything(bank, list(cases.values()))
    said, paid = await bank.said(), bank.paid()
    for folder in cases:
        batches = json.loads((folder / "expected.json").read_text())["batches"]
        lines = {line for owed in batches.values() for line in owed.get("lines", {})}
        leave(folder, [body for body in said if body["batch_id"] in batches], [row for row in paid.items() if row[0] in lines])
    assert list(map(str, judge(kit)[1])) == []
    ids = {line for folder in cases for owed in json.loads((folder / "expected.json").read_text())["batches"].values()
           for line in owed.get("lines", {})}  # fmt: skip
    assert paid.keys() == ids, "nothing else was paid"


@pytest.mark.parametrize(("example", "most"), [("bank_consumer.py", 60), ("bank_with_cancels.py", 70)])
def test_example_is_so_many_lines_of_public_libraries(example: str, most: int) -> None:
    """Lines of code, without imports, the text above and lines that are empty or a remark; one statement a line."""
    text = (EXAMPLES / example).read_text("utf-8")
    body = ast.parse(text).body
    imported = {alias.name.split(".")[0] for node in body if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.split(".")[0] for node in body if isinstance(node, ast.ImportFrom) and node.module}
    assert imported - set(sys.stdlib_module_names) == {"aiokafka", "joserfc"}
    code = [node for node in body[1:] if not isinstance(node, ast.Import | ast.ImportFrom)]
    lines = [line for node in code for line in text.splitlines()[node.lineno - 1 : node.end_lineno] if line.strip()]
    assert len([line for line in lines if not line.strip().startswith("#")]) <= most
    starts = [node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    assert len(starts) == len(set(starts)), "no line holds two statements"
