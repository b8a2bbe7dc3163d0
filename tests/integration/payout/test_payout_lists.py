"""The list that people sign is the same text whoever makes it, and a release is made of what is known at its commit."""

import asyncio
from itertools import count

import pytest

from services.payout import store_sending
from services.payout.batch import list_sha256
from services.payout.release import recheck
from shared.events import Entry, EntryBook
from shared.topics import Provider
from shared.words import Life, Outcome, Role, Wish
from tests.integration.payout.payout_bench import PERIOD, Bench, a_line, a_merit_line, an_account

_numbers = count()


async def enrol_some(bench: Bench, people: int) -> None:
    """People of every way to be paid."""
    for number in range(people):
        account = an_account(number=f"37{next(_numbers):011d}", bank_bin=("970405", "970436")[number % 2])
        lines = (a_line(), a_merit_line()) if number % 3 == 0 else (a_line(),)
        await bench.enrol(*lines, account=account if number % 4 else None, area=f"{18_400 + number % 3:05d}")


@pytest.mark.parametrize("bench", [{"limit_vnd": 1_000_000}], indirect=True)
async def test_database_and_code_hash_one_text(bench: Bench) -> None:
    """Drafts are hashed by the code as they are made, and by the database whenever somebody signs."""
    await enrol_some(bench, 24)
    await bench.close()
    drafts = (await bench.step("build"))["batches"]
    assert len(drafts) == 3
    async with bench.database.reading() as tx:
        rows = await tx.fetch("SELECT batch_id, count, vnd, sha256 FROM batch")
        stored = await store_sending.lists(tx, [row["batch_id"] for row in rows])
    assert {row["batch_id"]: (row["count"], row["vnd"], row["sha256"]) for row in rows} == {
        key: (one.count, one.vnd, one.sha256) for key, one in stored.items()
    }
    assert store_sending.EMPTY.sha256 == list_sha256([])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE instruction SET vnd = vnd + 1",
        "UPDATE instruction SET area = '00000'",
        "UPDATE instruction SET account_digest = repeat('0', 64) WHERE account_digest IS NOT NULL",
        "UPDATE instruction_line SET piece = piece + 1",
        "UPDATE instruction SET beneficiary_id = gen_random_uuid()",
    ],
)
async def test_list_that_is_not_as_it_was_built_is_never_signed(bench: Bench, change: str) -> None:
    """Whatever slips past the triggers (here they are off) the signer's hash does not match any more."""
    await bench.enrol(account=an_account())
    await bench.close()
    await bench.step("build")
    async with bench.database.session() as session:
        await session.execute("SET session_replication_role = replica")
        await session.execute(change)
        await session.execute("SET session_replication_role = origin")
    answer = await bench.post("check", "cam", Role.CHECKER, sha256=(await bench.page())["sha256"])
    assert answer.json()["code"] == "LIST_CHANGED"


async def test_only_payments_that_could_fall_out_are_asked_for(bench: Bench) -> None:
    """The question for doubtful payments leaves out none that the comparison would drop."""
    people = [
        await bench.enrol(account=an_account(number=f"37{next(_numbers):011d}") if number % 2 else None) for number in range(24)
    ]
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    changes = [
        {"life": Life.DEAD}, {"life": Life.MOVED_OUT}, {"wish": Wish.POST}, {"identity_digest": "0" * 64}, {"delivery": None},
        {"home_delivery": True, "delivery": None}, {"home_delivery": True}, {"account": an_account(number="370000")}, {},
    ]  # fmt: skip
    for number, who in enumerate(people):
        given = dict(changes[number % len(changes)])
        snapshot = bench.snapshot(who, given.pop("account", None), **given)
        await bench.see(snapshot)
        if number % 4 == 0:
            await bench.verify(bench.result(snapshot, list(Outcome)[number % len(Outcome)]))
    async with bench.database.reading() as tx:
        batches = [row["batch_id"] for row in await tx.fetch("SELECT batch_id FROM batch")]
        asked = await store_sending.doubtful_payments(tx, batches)
        every = await tx.fetch(store_sending.queries.doubtful_payments.sql.replace("'created'", "'created' OR true"), batches)
    assert len(every) >= len(asked)
    dropped = {one.row["instruction_id"] for one in recheck(every, PERIOD)}
    assert dropped
    assert dropped == {one.row["instruction_id"] for one in recheck(asked, PERIOD)}


async def test_what_changes_while_a_release_is_made_is_seen(bench: Bench) -> None:
    """A snapshot that arrives between packing and sending: the release starts over and the payment stays."""
    dead = await bench.enrol(account=an_account())
    await enrol_some(bench, 8)
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    async with bench.database.session() as other:
        turn = other.transaction()
        await turn.start()
        await other.fetch(store_sending.queries.take_turns.sql, PERIOD, "huyen-444")
        releasing = asyncio.create_task(bench.step("release"))
        await asyncio.sleep(0.5)  # packed by now, and waiting for its turn
        await bench.see(bench.snapshot(dead, an_account(), life=Life.DEAD))
        await turn.rollback()
    assert (await releasing)["dropped"] == 1
    assert (await bench.trace(dead))["payments"][0]["state"] == "withdrawn"
    assert all(
        "370900000000" not in line.account.number
        for _manifest, lines in (await bench.mail(Provider.BANK_A)).values()
        for line in lines
        if line.account
    )


async def test_auditors_hear_every_fact(bench: Bench) -> None:
    await enrol_some(bench, 6)
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    closing = await bench.close()
    await bench.pay()
    facts = [fact for book in await bench.told(EntryBook) for fact in book.facts]
    held = [entry for entry in await bench.told(Entry) if entry.fact == "held"]
    assigned = [fact for fact in facts if fact.fact == "assigned"]
    assert len(assigned) + len(held) == closing.count == len({fact.subject for fact in [*assigned, *held]})
    assert sum(fact.vnd for fact in [*assigned, *held]) == closing.vnd
    postings = [fact for fact in facts if fact.fact == "posting"]
    assert sum(fact.vnd for fact in postings) == closing.vnd - held[0].vnd
    assert len({fact.entry_id for fact in facts}) == len(facts)


async def test_account_holder_paid_on_it_after_all_needs_no_reason_any_more(bench: Bench) -> None:
    snapshot = bench.snapshot(account=an_account())
    await bench.see(snapshot)
    await bench.verify(bench.result(snapshot, Outcome.NOT_FOUND))
    bench.freeze(snapshot, a_line())
    await bench.close()
    await bench.step("build")
    async with bench.database.session() as session:
        assert await session.fetchval("SELECT gap FROM channel_choice") == "held"
        await bench.verify(bench.result(snapshot))
        await bench.step("build")
        assert await session.fetchval("SELECT count(*) FROM channel_choice") == 0
