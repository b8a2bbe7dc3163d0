"""What four databases hold after a province of `people` was paid, written straight into them. Synthetic; the same people every time.

Nothing here decides anything: shapes and amounts are those the services leave behind, and `ansinh check --full` is asked whether they
keep every promise. Ways of payment: 27.5 % each of two banks, 43 % post, 2 % held; some rejected and paid again, returned, unknown,
withdrawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import asyncpg

from shared.database import load_queries
from shared.topics import Service

queries = load_queries(__file__)

# Per service: (topic, bytes of a payload, rows per person) of what it published about everybody.
PUBLISHED: Mapping[Service, tuple[tuple[str, int, int], ...]] = {
    Service.REGISTRY: (("registry.beneficiary.v1", 1_300, 1), ("registry.entitlement.v1", 500, 1)),
    Service.VERIFICATION: (("verification.result.v1", 500, 1),),
    Service.PAYOUT: (("payout.entry.v1", 350, 3), ("payout.instruction.bank-a.v1", 800, 1)),
    Service.NOTIFY: (("notify.message.v1", 250, 1),),
}
STEPS: Mapping[Service, tuple[str, ...]] = {
    Service.REGISTRY: (
        "registry_people", "registry_records", "registry_rows", "registry_events", "registry_lists", "registry_declarations",
        "registry_lines", "registry_verified", "registry_payments", "registry_texts",
    ),
    Service.VERIFICATION: ("verification_register", "verification_people", "verification_verdicts"),
    Service.PAYOUT: (
        "payout_people", "payout_verdicts", "payout_lines", "payout_closings", "payout_payrolls", "payout_payments", "payout_shares",
        "payout_batches", "payout_moves", "payout_settled", "payout_approvals", "payout_held", "payout_withdrawal_lists",
        "payout_withdrawals", "payout_postings", "payout_links", "payout_heads", "payout_budget_use", "payout_results",
        "payout_batch_results", "payout_choices", "payout_files", "tell_payments",
    ),
    Service.NOTIFY: ("notify_people", "notify_verdicts", "notify_payments", "notify_round", "notify_texts", "notify_served"),
}  # fmt: skip


async def make(dsns: Mapping[str, str], people: int) -> dict[str, int]:
    """Fill freshly migrated databases; bytes of each afterwards. `people` is a multiple of 1000."""
    assert people % 1000 == 0
    async with asyncio.TaskGroup() as side_by_side:
        filling = {str(service): side_by_side.create_task(_fill(dsns[service], service, people)) for service in Service}
    return {service: filled.result() for service, filled in filling.items()}


async def _fill(dsn: str, service: Service, people: int) -> int:
    session = await asyncpg.connect(dsn)
    try:
        await queries.prepare(session)
        for step in ("make_people", "make_lines", "make_payments"):
            await getattr(queries, step)(session, people=people)
        await queries.find_seed(session)
        for step in STEPS[service]:
            await getattr(queries, step)(session)
        for topic, size, copies in PUBLISHED[service]:
            await queries.fill_outbox(session, topic=topic, size=size, copies=copies)
        await queries.publish_all(session)
        await queries.drop_seed(session)
        await queries.vacuum(session)
        return int((await queries.size(session))["bytes"])
    finally:
        await session.close()


async def largest(dsn: str, most: int = 8) -> list[tuple[str, int, int]]:
    """(table, rows, bytes with indexes) of the largest tables."""
    session = await asyncpg.connect(dsn)
    try:
        return [(row["name"], row["rows"], row["bytes"]) async for row in queries.largest(session, most=most)]
    finally:
        await session.close()
