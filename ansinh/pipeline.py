"""The steps of a payroll period as an office takes them, one function each; the demo and the stories run the same ones."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from ansinh.client import Client
from ansinh.installation import Addresses
from ansinh.look import connection, consumed_offsets
from shared import topics

STEPS = (("check", "checker"), ("approve", "approver"), ("release", "releaser"))
QUIET_ROUNDS = 3


async def import_list(client: Client, kind: str, path: Path, *, dry_run: bool, **query: str) -> dict[str, Any]:
    """Hand a workbook or a CSV file in at registry's door; the same list comes back beside it with fate and reason of each row,
    under a name that nothing there has (`name_beside`)."""
    answer: dict[str, Any] = await client.send(
        "registry", f"/v1/lists/{kind}", path, actor="officer", dry_run=str(dry_run).lower(), **query
    )
    returned = name_beside(path, "dry-run" if dry_run else "result")
    await client.fetch("registry", answer.pop("returned_list"), returned, actor="officer")
    return {**answer, "workbook": str(returned)}


def name_beside(path: Path, word: str) -> Path:
    """An empty file beside a list, made here so that two commands never have one name and nobody's file is written over: `list.result.xlsx`
    of `list.xlsx`, `list.xls.result.xlsx` of `list.xls`, which comes back as XLSX; `list.result-2.xlsx` where the first is taken."""
    rewritten = path.suffix.casefold() in (".xls", ".ods")
    stem, suffix = (path.name, ".xlsx") if rewritten else (path.stem, path.suffix)
    for nth in itertools.count(1):
        name = path.with_name(f"{stem}.{word}{'' if nth == 1 else f'-{nth}'}{suffix}")
        with contextlib.suppress(FileExistsError):
            name.touch(exist_ok=False)
            return name
    raise AssertionError("there is always a next number")


async def close_list(client: Client, period: str, payer: str) -> dict[str, Any]:
    """Freeze a payer's list."""
    answer: dict[str, Any] = await client.post("registry", f"/v1/lists/{period}/{payer}/close", actor="officer")
    return answer


async def build(client: Client, period: str, payer: str) -> dict[str, Any]:
    """Put every line that is not paid yet into a draft, or hold it with a reason."""
    answer: dict[str, Any] = await client.post("payout", f"/v1/payrolls/{period}/{payer}/build", actor="maker")
    return answer


async def status(client: Client, period: str, payer: str) -> dict[str, Any]:
    """The payroll as it stands."""
    answer: dict[str, Any] = await client.get("payout", f"/v1/payrolls/{period}/{payer}")
    return answer


async def differences(client: Client, period: str, payer: str) -> dict[str, Any]:
    """Lines the rate tables contradict, and codes without a rule."""
    answer: dict[str, Any] = await client.get("payout", f"/v1/payrolls/{period}/{payer}/differences")
    return answer


async def sign(client: Client, period: str, payer: str, *, step: str) -> dict[str, Any]:
    """One actor signs the hash over the lists that wait for the step: check, approve or release."""
    shown = await status(client, period, payer)
    actor = dict(STEPS)[step]
    sha256 = shown["to_sign"][step]
    answer: dict[str, Any] = await client.post("payout", f"/v1/payrolls/{period}/{payer}/{step}", actor=actor, sha256=sha256)
    return answer


async def withdraw(
    client: Client, period: str, payer: str, *, beneficiary_ids: list[str], reason: str, periods: Sequence[str] = ()
) -> dict[str, Any]:
    """Take people off lists that are approved and not sent: the checker proposes, the approver signs the withdrawal's hash. `periods`: only
    what is paid for these months."""
    path = f"/v1/payrolls/{period}/{payer}"
    body = {"beneficiary_ids": beneficiary_ids, "reason": reason, "periods": list(periods)}
    proposed: dict[str, Any] = await client.post("payout", f"{path}/withdraw", actor="checker", body=body)
    sha256 = proposed["sha256"]
    await client.post("payout", f"{path}/confirm-withdrawal", actor="approver", body={"sha256": sha256}, sha256=sha256)
    return proposed


async def settled(addresses: Addresses, *, within_seconds: float = 120.0) -> None:
    """Wait until every service has read its topics to their ends and no outbox row waits, twice in a row. Raises TimeoutError."""
    deadline = asyncio.get_running_loop().time() + within_seconds
    ends = AIOKafkaConsumer(bootstrap_servers=addresses.kafka)
    await ends.start()
    async with contextlib.AsyncExitStack() as opened:
        opened.push_async_callback(ends.stop)
        databases = {name: await opened.enter_async_context(connection(dsn)) for name, dsn in addresses.databases.items()}
        quiet, before = 0, None
        while quiet < QUIET_ROUNDS:
            now = await _lag(databases, ends)
            quiet = quiet + 1 if now[0] == 0 and now == before else 0
            before = now
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError("the topics did not come to rest")
            await asyncio.sleep(0.15)


async def _lag(databases: Mapping[str, Any], ends: AIOKafkaConsumer) -> tuple[int, int]:
    """(records and outbox rows that wait, sum of all ends)."""
    places = [TopicPartition(topic.name, n) for topic in topics.TOPICS for n in range(topic.partitions)]
    reached: dict[TopicPartition, int] = await ends.end_offsets(places)
    waiting = 0
    for name, tx in databases.items():
        offsets, unpublished = await consumed_offsets(tx)
        assert offsets, f"{name} has no partitions"
        waiting += unpublished + sum(reached[TopicPartition(*place)] - offset for place, offset in offsets.items())
    return waiting, sum(reached.values())


async def until(true: Callable[[], Awaitable[bool]], *, within_seconds: float = 60.0) -> None:
    """Ask until it is so. Raises TimeoutError."""
    async with asyncio.timeout(within_seconds):
        while not await true():
            await asyncio.sleep(0.2)
