"""Looking at a running installation: offsets and lag, dead letters, one person's trace over the services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from ansinh.client import Client, Refusal
from ansinh.installation import Addresses
from ansinh.installation import shared_queries as queries
from shared import topics
from shared.topics import Service

RELAY_PAUSE_SECONDS = 0.2


@asynccontextmanager
async def connection(dsn: str) -> AsyncIterator[Any]:
    """One plain connection for a moment."""
    opened = await asyncpg.connect(dsn)
    try:
        yield opened
    finally:
        await opened.close()


async def consumed_offsets(tx: Any) -> tuple[dict[tuple[str, int], int], int]:
    """((topic, partition) -> next offset, outbox rows that wait to be published) of one service, by a connection to its database."""
    rows = [row async for row in queries.partitions_expected(tx)]
    waiting = (await queries.outbox_behind(tx))["waiting"]
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}, waiting


async def flow(addresses: Addresses) -> list[dict[str, Any]]:
    """Every topic with records written, and per reading service what it has still to read and why it stopped."""
    found: list[dict[str, Any]] = []
    readers = {name: await _reading(dsn) for name, dsn in addresses.databases.items()}
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses.kafka)
    await consumer.start()
    try:
        for topic in topics.TOPICS:
            places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
            ends = await consumer.end_offsets(places)
            found.append({"topic": topic.name, "records": sum(ends.values()), "readers": _lags(ends, readers)})
    finally:
        await consumer.stop()
    return found


async def _reading(dsn: str) -> list[Any]:
    async with connection(dsn) as tx:
        return [row async for row in queries.partitions_expected(tx)]


def _lags(ends: dict[TopicPartition, int], readers: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    lags: dict[str, dict[str, Any]] = {}
    for service, rows in readers.items():
        mine = [row for row in rows if TopicPartition(row["topic"], row["partition"]) in ends]
        if mine:
            lag = sum(ends[TopicPartition(row["topic"], row["partition"])] - row["next_offset"] for row in mine)
            lags[service] = {"lag": lag, "stopped": [row["stopped_reason"] for row in mine if row["stopped_reason"]]}
    return lags


async def dead_letters(addresses: Addresses, most: int = 100) -> list[dict[str, Any]]:
    """Set-aside records of all services, newest first, without their content."""
    found: list[dict[str, Any]] = []
    for service, dsn in addresses.databases.items():
        async with connection(dsn) as tx:
            found += [{"service": service, **dict(row)} async for row in queries.dead_letters(tx, most=most)]
    return sorted(found, key=lambda letter: str(letter["at"]), reverse=True)[:most]


async def dead_letter(addresses: Addresses, letter_id: UUID) -> dict[str, Any] | None:
    """One set-aside record. Its original stays sealed: only the service that owns the key opens it."""
    for service, dsn in addresses.databases.items():
        async with connection(dsn) as tx:
            row = await queries.dead_letter(tx, dead_letter_id=letter_id)
        if row:
            return {"service": service, **dict(row)}
    return None


async def resume(addresses: Addresses, service: Service, *, topic: str, partition: int) -> bool:
    """Let a stopped partition go on. False when it was not stopped."""
    async with connection(addresses.databases[service]) as tx:
        return await queries.resume_partition(tx, topic=topic, partition=partition) is not None


async def resume_at_log_start(addresses: Addresses, service: Service, *, topic: str, partition: int) -> int | None:
    """Let a partition whose records were cut by retention go on where its log begins; None when that is not why it stopped."""
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses.kafka)
    await consumer.start()
    try:
        place = TopicPartition(topic, partition)
        log_start = (await consumer.beginning_offsets([place]))[place]
    finally:
        await consumer.stop()
    async with connection(addresses.databases[service]) as tx:
        row = await queries.resume_at_log_start(tx, topic=topic, partition=partition, log_start=log_start)
    return row["next_offset"] if row else None


async def redrive(
    client: Client, services: Iterable[Service], *, ids: Sequence[UUID], topic: str | None, reason: str | None, dry_run: bool
) -> list[dict[str, Any]]:
    """Have services handle set-aside records again; what became of each."""
    order = {"ids": [str(one) for one in ids], "topic": topic, "reason": reason, "dry_run": dry_run}
    found: list[dict[str, Any]] = []
    for service in services:
        done = await client.post(service, "/v1/deadletters/redrive", actor="operator", body=order)
        found += [{"service": service, **record} for record in done["records"]]
    return found


async def republish(client: Client, service: Service, wanted: Sequence[str], *, say: Callable[[str], None]) -> dict[str, int]:
    """Have a service tell topics again, all it can where none is named: topic -> messages. Goes on where an earlier call stopped."""
    told: dict[str, int] = {}
    for topic in wanted or await client.get(service, "/v1/republish"):
        now = await client.post(service, "/v1/republish", actor="operator", body={"topic": topic, "begin": True})
        while not now["done"]:
            now = await client.post(service, "/v1/republish", actor="operator", body={"topic": topic})
            if now["waits"]:
                await asyncio.sleep(RELAY_PAUSE_SECONDS)
            else:
                say(f"{topic}: {now['messages']}")
        told[topic] = now["messages"]
    return told


async def restore_state(client: Client, service: Service) -> dict[str, Any]:
    """Whether a service may publish, and the statement that two people sign to let it."""
    found: dict[str, Any] = await client.get(service, "/v1/restore")
    return found


async def sign_unlock(client: Client, service: Service, *, step: str) -> dict[str, Any]:
    """One of two signatures: `propose` by the operator, `confirm` by the approver, each over the statement as it stands."""
    state = await restore_state(client, service)
    actor = {"propose": "operator", "confirm": "approver"}[step]
    signed: dict[str, Any] = await client.post(service, f"/v1/restore/{step}", actor=actor, sha256=state.get("sha256"))
    return signed


async def trace(client: Client, beneficiary_id: str) -> dict[str, Any]:
    """What each service knows of one person; None where it never heard of them."""
    found: dict[str, Any] = {}
    for service in Service:
        try:
            found[service] = await client.get(service, f"/v1/trace/{beneficiary_id}")
        except Refusal as refusal:
            found[service] = {"refused": refusal.code}
    return found
