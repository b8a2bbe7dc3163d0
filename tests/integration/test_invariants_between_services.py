"""What one service decided has reached the others: planted losses are found, events on their way are no findings."""

import asyncio
from collections.abc import Mapping
from uuid import uuid4

import asyncpg
import pytest

from ansinh.check import run_checks
from services.notify.texts import render
from shared import outbox
from shared.topics import Service
from tests.integration import invariant_world
from tests.integration.invariant_world import plant
from tests.integration.payout import conftest as payout

keys = payout.keys
dsns, paid, world = invariant_world.dsns, invariant_world.paid, invariant_world.world

LOST: Mapping[str, tuple[set[str], Service, str]] = {
    "a line that became another": ({"I02"}, Service.PAYOUT, "UPDATE line SET beneficiary_id = gen_random_uuid()"),
    "a snapshot on no topic": ({"I19"}, Service.REGISTRY, "UPDATE person SET n = n + 1"),
    "a snapshot verification lost": ({"I19", "I20"}, Service.VERIFICATION, "DELETE FROM person"),
    "a snapshot payout lost": ({"I19"}, Service.PAYOUT, "DELETE FROM person"),
    "a snapshot from nowhere": ({"I19"}, Service.NOTIFY, "UPDATE person SET beneficiary_id = gen_random_uuid()"),
    "a result on somebody they were before": ({"I14"}, Service.VERIFICATION, "UPDATE verdict SET identity_digest = 'old'"),
    "a verdict on no topic": ({"I20"}, Service.VERIFICATION, "UPDATE person SET result_seq = result_seq + 1"),
    "a verdict registry lost": ({"I20"}, Service.REGISTRY, "DELETE FROM verified WHERE outcome = 'not_found'"),
    "a verdict payout lost": ({"I13", "I20"}, Service.PAYOUT, "DELETE FROM verdict"),
    "a verdict notify lost": ({"I20"}, Service.NOTIFY, "DELETE FROM verdict"),
    "a payment registry believes rejected": ({"I21"}, Service.REGISTRY, "UPDATE payment SET state_seq = 2 WHERE state = 'paid'"),
    "a payment notify never heard of": ({"I21"}, Service.NOTIFY, "DELETE FROM account_payment"),
    "a text registry never heard of": (
        {"I22"},
        Service.NOTIFY,
        "INSERT INTO message VALUES (gen_random_uuid(), 'tet', 1, '\\x01', 's', gen_random_uuid(), true, 1, 'delivered', 0, '2024-02-01Z')",
    ),
    "a statement without effect": ({"I23"}, Service.REGISTRY, "UPDATE source_record SET sequence = 0"),
    "a statement that waits nowhere": ({"I23"}, Service.REGISTRY, "UPDATE source_event SET fate = 'no_person'"),
    "a file's row that waits nowhere": (
        {"I23"},
        Service.REGISTRY,
        "UPDATE source_event SET fate = 'no_person', record = 'unmatched.1'",
    ),
    "a row that ended after closing": (
        {"I24"},
        Service.REGISTRY,
        "UPDATE list_row SET state = 'ended', end_reason = 'death' WHERE declared_vnd = 2055000",
    ),
    "a wish that changed unheard": (
        {"I44"},
        Service.REGISTRY,
        "INSERT INTO wish_change SELECT beneficiary_id, 1, 99, wish, 'other', NULL, '2024-02-01Z' FROM person",
    ),
    "a person on a list and in no funnel": ({"I19", "I44"}, Service.REGISTRY, "DELETE FROM person"),
    "somebody merged away in silence": (
        {"I50"},
        Service.REGISTRY,
        "INSERT INTO merged SELECT beneficiary_id, gen_random_uuid(), gen_random_uuid() FROM person LIMIT 1",
    ),
    "somebody erased by nobody": (
        {"I51"},
        Service.REGISTRY,
        "UPDATE person SET erased_at = '2024-02-01Z', identity = NULL, payee = NULL, delivery = NULL, identity_digest = NULL,"
        " account_digest = NULL, delivery_digest = NULL, account_source = NULL, wish = 'none', home_delivery = false, contact = NULL",
    ),
    "a result of somebody erased": (
        {"I51"},
        Service.VERIFICATION,
        "UPDATE person SET erased_at = '2024-02-01Z', identity = NULL, payee = NULL, identity_digest = NULL, account_digest = NULL",
    ),
    "a verdict on somebody erased": (
        {"I51"},
        Service.PAYOUT,
        "UPDATE person SET erased_at = '2024-02-01Z', payee = NULL, delivery = NULL, bank_bin = NULL, identity_digest = NULL,"
        " account_digest = NULL, delivery_digest = NULL, wish = 'none', home_delivery = false",
    ),
    "a verdict on somebody erased, in notify": ({"I51"}, Service.NOTIFY, "UPDATE person SET erased_at = '2024-02-01Z'"),
    "an upstream that declared more": ({"I24"}, Service.REGISTRY, "UPDATE list_declaration SET count = count + 1"),
}


@pytest.mark.parametrize("what", LOST)
async def test_what_was_lost_between_services_is_found(world, what):
    expected, service, statement = LOST[what]
    await plant(world.dsns[service], statement)
    found = await world.broken()
    assert expected <= found.keys(), found
    assert all(verdict.rows for verdict in found.values())


async def test_a_difference_names_the_row_and_both_sides(world):
    who = await world.one("SELECT beneficiary_id FROM person LIMIT 1")
    await plant(world.dsns["registry"], "UPDATE person SET n = 7 WHERE beneficiary_id = $1", who)
    found = (await world.broken())["I19"]
    assert found.count == 3
    assert f"{who}: registry version 1.7, payout version 1.1" in found.rows


async def test_a_result_that_gave_way_to_a_newer_one_is_no_finding(world):
    verification = world.dsns["verification"]
    await plant(verification, "UPDATE person SET result_seq = result_seq + 1")
    await plant(
        verification,
        "INSERT INTO verdict SELECT beneficiary_id, result_seq + 1, identity_digest, account_digest, outcome, evidence, died_on,"
        " account, checked_at FROM verdict",
    )
    await plant(
        verification,
        "UPDATE verdict v SET identity_digest = 'old' FROM person p"
        " WHERE (p.beneficiary_id, p.result_seq - 1) = (v.beneficiary_id, v.result_seq)",
    )
    assert set(await world.broken()) == {"I20"}


async def test_an_event_on_its_way_is_no_finding(world):
    await plant(world.dsns["notify"], "UPDATE person SET n = 0")
    checking = asyncio.create_task(run_checks(world.dsns.__getitem__, patience=4))
    await asyncio.sleep(3)
    assert not checking.done()
    await plant(world.dsns["notify"], "UPDATE person SET n = 1")
    assert [verdict for verdict in await checking if not verdict.ok] == []


async def test_the_relay_publishes_while_a_check_reads(dsns):
    """A read-only transaction has no id, so it holds back no horizon: what commits after it began is published before it ends."""
    reader, writer = await asyncpg.connect(dsns["payout"]), await asyncpg.connect(dsns["payout"])
    try:
        async with reader.transaction(isolation="repeatable_read", readonly=True):
            assert await reader.fetchval("SELECT count(*) FROM outbox") == 0
            await writer.execute(
                "INSERT INTO outbox (day, event_id, topic, key, type, at, payload)"
                " VALUES ('2024-02-01', $1, 't', 'k', 'x', '2024-02-01Z', '')",
                uuid4(),
            )
            assert await reader.fetchval("SELECT pg_current_xact_id_if_assigned()") is None
            waiting = [row async for row in outbox.queries.unpublished(writer, xid="0", id=0, most=10)]
            assert len(waiting) == 1
    finally:
        await reader.close()
        await writer.close()


@pytest.mark.parametrize("accented", [True, False])
def test_no_text_says_that_anything_was_paid(accented):
    """Nobody is told of money before it is there, because no wording speaks of it: the only texts ask to register an account."""
    words = " ".join(render(number, accented=accented) for number in range(1, 9)).lower()
    paid = ("đã nhận", "đã chi", "đã trả", "đã chuyển", "da nhan", "da chi", "da tra", "da chuyen", "đồng")
    assert not any(said in words for said in paid)
