"""The oracle: whether anything was lost, doubled, reordered, misplaced or paid wrongly, after whatever happened.

    found = await oracle.examine(kafka=..., databases=addresses.databases, truth=folder / "truth")
    assert not found.findings, ...

It trusts nothing it compares: topics against outboxes against stored offsets (`oracle_log`), effects against events (`oracle_effects`),
money and texts hop by hop down to what the partners say really happened (`oracle_money`). Findings are empty when all is well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

from shared import topics
from shared.topics import Service
from tests.faults.oracle_effects import compare_effects
from tests.faults.oracle_log import compare_log, repeats
from tests.faults.oracle_model import Examination, Finding, Kind, World
from tests.faults.oracle_money import compare_money, provider_facts
from tests.faults.oracle_read import read_books, read_log, read_truth

__all__ = ["Examination", "Finding", "Kind", "examine", "findings_of", "read_world"]


async def examine(*, kafka: str, databases: Mapping[str, str], truth: Path, settled: bool = True) -> Examination:
    """Read everything and compare. Addresses must reach the servers themselves, not a proxy.

    `databases`: service name -> dsn. `settled`: everything was read and published and the partners have answered. While work is under
    way pass False: then only what must hold at every moment is compared.
    """
    return judge(await read_world(kafka=kafka, databases=databases, truth=truth, settled=settled))


async def read_world(*, kafka: str, databases: Mapping[str, str], truth: Path, settled: bool = True) -> World:
    """Databases first, then the topics, then truth: what was acknowledged when we looked is on the topic when we look there."""
    books = dict(zip(Service, await asyncio.gather(*(read_books(s, databases[s]) for s in Service)), strict=True))
    log = await read_log(kafka)
    return World(log, books, read_truth(truth), settled)


def judge(world: World) -> Examination:
    """The findings over a world, and how much was looked at. Pure."""
    facts = list(provider_facts(world.truth))
    return Examination(
        findings=tuple(sorted(set(findings_of(world)))),
        deliveries=world.log.deliveries,
        repeats=repeats(world.log),
        decisions=sum(len(book.outbox) for book in world.books.values()),
        events_in=len(world.log.bodies(topics.MINISTRY_BENEFICIARY)),
        paid=sum(fact["status"] == "paid" for fact in facts),
        texts=len(world.truth.get("sms", ())),
    )


def findings_of(world: World) -> Iterator[Finding]:
    """Every comparison there is. Pure."""
    yield from compare_log(world.log, world.books, settled=world.settled)
    yield from compare_effects(world)
    yield from compare_money(world)
