"""A whole installation for the stories: real Kafka, PostgreSQL, services and partners; every story has its own people and payroll."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from office import STACKS, InMemory, Office

from ansinh.client import Client
from ansinh.installation import Installation
from deploy.local.stack import remove_abandoned
from shared.clock import LOCAL
from shared.topics import Provider
from tests.conftest import ROOT
from tests.faults import oracle
from tests.faults.oracle import Kind

# bank-a pays and never says so, bank-b rejects everything, the post pays everybody.
QUIET = {"rejected_per_10000": 0, "late_per_10000": 0, "returned_per_10000": 0, "expired_per_10000": 0, "lost": 0, "twice": 0}
MIXES = {
    Provider.BANK_A: QUIET | {"lost": 1_000},
    Provider.BANK_B: QUIET | {"rejected_per_10000": 10_000},
    Provider.POST: QUIET,
}

# Files are handed out in this order, and a long one that begins last is waited for alone.
LONG = (
    "test_life_events_month_by_month.py", "test_demo_report_equals_tables_and_truth.py", "test_two_months_are_paid_in_one_go.py",
    "test_hand_over_from_district_to_communes.py", "test_payroll_life_by_command.py", "test_people_asked_about_and_reviewed.py",
    "test_move_on_request_between_communes.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long stories begin first; every other file stays where it is."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
async def office() -> AsyncIterator[Office]:
    """One running installation for all stories; its clock stands before February 2024."""
    remove_abandoned(ROOT, STACKS)
    start = datetime(2024, 1, 28, 9, 0, tzinfo=LOCAL)
    installation = Installation(f"{STACKS}{os.getpid()}", business_time=start, fresh=True, mixes=MIXES, routes=InMemory())
    addresses = await installation.start(lambda _what: None)
    watching = asyncio.create_task(installation.supervisor.watch())
    client = Client(addresses)
    office = Office(installation, addresses, client)
    await office.open_register()
    yield office
    try:
        await nothing_was_lost_doubled_or_paid_wrongly(office)
    finally:
        watching.cancel()
        await client.close()
        installation.end()
        assert installation._stack is not None
        installation._stack.remove()


async def nothing_was_lost_doubled_or_paid_wrongly(office: Office) -> None:
    """After all its stories, whichever met here: topics, databases and partners' truth of this installation compared in full."""
    await office.at_rest()
    found = await oracle.examine(
        kafka=office.addresses.kafka, databases=office.addresses.databases, truth=Path(office.addresses.folder) / "truth"
    )
    # One story sends poison: to the ministries' topic, where it is set aside, and to registry's own, where nobody decided it.
    poison = [finding for finding in found.findings if finding.kind is Kind.PHANTOM and finding.what.endswith("event garbage")]
    assert [finding for finding in found.without(Kind.SET_ASIDE) if finding not in poison] == []
    assert found.deliveries > 0
    assert found.decisions > 0
