"""Money that reached somebody who was not owed it is claimed back once, and the claim ends by two people or by the provider's return."""

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.payout.policy import MonthOfMove
from services.payout.recovering import RecoveryDesk
from shared.events import Entry
from shared.topics import Provider
from shared.words import Life, LineStatus, Outcome, Role
from tests.integration.payout.payout_bench import PAYER, Bench, a_line, an_account
from tests.integration.payout.test_payout_guarantees import refused

VND = 360_000


async def paid(bench: Bench, people: int = 1) -> list[Any]:
    """So many people, paid on their accounts; returns their snapshots."""
    found = []
    for number in range(people):
        snapshot = bench.snapshot(account=an_account(number=f"370900000000{number}"))
        await bench.see(snapshot)
        await bench.verify(bench.result(snapshot))
        bench.freeze(snapshot, a_line())
        found.append(snapshot)
    await bench.close()
    await bench.pay()
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    return found


async def dies(bench: Bench, snapshot: Any, on: date) -> None:
    """Registry says so."""
    await bench.see(bench.snapshot(snapshot.beneficiary_id, an_account(), life=Life.DEAD, died_on=on))


def desk(bench: Bench) -> RecoveryDesk:
    return RecoveryDesk(bench.database, bench.clock)


async def shown(bench: Bench, still_open: bool = True) -> list[dict[str, Any]]:
    return list((await bench.client.get("/v1/recoveries", params={"open": still_open})).json()["recoveries"])


async def step(bench: Bench, case: str, act: str, actor: str, role: Role, **more: Any) -> httpx.Response:
    token = bench.issuer.token(actor, (role,), sha256=more.pop("sha256", None))
    return await bench.client.post(f"/v1/recoveries/{case}/{act}", headers={"Authorization": f"Bearer {token}"}, **more)


async def balances(bench: Bench) -> dict[str, int]:
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT debit, credit, vnd FROM recovery_posting")
    found: dict[str, int] = {}
    for row in rows:
        found[row["debit"]] = found.get(row["debit"], 0) + row["vnd"]
        found[row["credit"]] = found.get(row["credit"], 0) - row["vnd"]
    assert sum(found.values()) == 0
    return {account: vnd for account, vnd in found.items() if vnd}


async def test_death_told_late_opens_a_case_once(bench: Bench) -> None:
    early, late, _alive = await paid(bench, 3)
    assert await desk(bench).look() == 0
    await dies(bench, early, date(2024, 1, 20))
    await dies(bench, late, date(2024, 2, 20))  # died in the month that was paid: owed still
    assert await asyncio.gather(desk(bench).look(), desk(bench).look()) in ([1, 0], [0, 1])
    assert await desk(bench).look() == 0
    (case,) = await shown(bench)
    assert (case["beneficiary_id"], case["vnd"], case["reason"]) == (str(early.beneficiary_id), VND, "DEAD")
    assert (case["fact_on"], case["owner"], case["age_days"]) == ("2024-01-20", None, 0)
    assert await balances(bench) == {"recovery:open": VND, "recovery:claimed": -VND}
    (fact,) = [entry for entry in await bench.told(Entry) if entry.fact == "recovery"]
    assert (fact.vnd, fact.debit, fact.credit, fact.reason) == (VND, "recovery:open", "recovery:claimed", "DEAD")


async def test_the_register_counts_as_well_and_the_later_day_of_two(bench: Bench) -> None:
    (snapshot,) = await paid(bench)
    await bench.verify(bench.result(snapshot, Outcome.DEAD, died_on=date(2024, 1, 31)))
    await dies(bench, snapshot, date(2024, 2, 1))
    assert await desk(bench).look() == 0, "of two days told the later counts"


@pytest.mark.parametrize(("moved_on", "month_of_move", "claimed"), [
    (date(2024, 1, 31), "old", VND), (date(2024, 2, 1), "old", 0), (date(2024, 2, 1), "new", VND), (date(2024, 3, 1), "new", 0),
])  # fmt: skip
async def test_money_for_months_after_a_move_is_claimed_back(
    bench: Bench, moved_on: date, month_of_move: MonthOfMove, claimed: int
) -> None:
    (snapshot,) = await paid(bench)
    away = bench.snapshot(snapshot.beneficiary_id, an_account(), life=Life.MOVED_OUT, moved_out_on=moved_on)
    await bench.see(away)
    await RecoveryDesk(bench.database, bench.clock, month_of_move).look()
    assert [(case["vnd"], case["reason"], case["fact_on"]) for case in await shown(bench)] == (
        [(claimed, "MOVED_OUT", str(moved_on))] if claimed else []
    )


async def test_of_a_move_and_a_death_the_death_counts_and_another_payers_month_is_not_claimed(bench: Bench) -> None:
    dead, elsewhere = await paid(bench, 2)
    await bench.verify(bench.result(dead, Outcome.DEAD, died_on=date(2024, 2, 3)))
    for snapshot, payer in ((dead, PAYER), (elsewhere, "huyen-445")):
        moved = {"life": Life.MOVED_OUT, "moved_out_on": date(2024, 1, 5), "payer": payer}
        await bench.see(bench.snapshot(snapshot.beneficiary_id, an_account(), **moved))
    await desk(bench).look()
    assert await shown(bench) == []


async def test_a_case_is_owned_and_ends_by_two(bench: Bench) -> None:
    (snapshot,) = await paid(bench)
    await bench.verify(bench.result(snapshot, Outcome.DEAD, died_on=date(2024, 1, 31)))
    await desk(bench).look()
    (case,) = await shown(bench)
    key, wish = case["case_id"], {"ending": "waived", "why": "NO_HEIRS"}
    assert (await step(bench, key, "resolve", "op", Role.OPERATOR, json=wish)).json()["code"] == "NOT_THE_OWNER"
    assert (await step(bench, key, "approve", "boss", Role.APPROVER)).json()["code"] == "NOTHING_PROPOSED"
    assert (await step(bench, key, "take", "op", Role.OPERATOR)).json()["owner"] == "op"
    sha256 = (await step(bench, key, "resolve", "op", Role.OPERATOR, json=wish)).json()["sha256"]
    assert (await step(bench, key, "approve", "op", Role.APPROVER, sha256=sha256)).json()["code"] == "PROPOSER_APPROVES"
    assert (await step(bench, key, "approve", "boss", Role.APPROVER, sha256="0" * 64)).json()["code"] == "PROPOSAL_DIFFERS"
    done = await step(bench, key, "approve", "boss", Role.APPROVER, sha256=sha256)
    assert done.json() == {"case_id": key, "ending": "waived"}
    assert (await step(bench, key, "take", "op", Role.OPERATOR)).json()["code"] == "RECOVERY_ENDED"
    assert (await step(bench, str(uuid4()), "take", "op", Role.OPERATOR)).status_code == 404
    assert await shown(bench) == []
    assert await balances(bench) == {"recovery:waived": VND, "recovery:claimed": -VND}
    facts = [(entry.debit, entry.reason, entry.actor) for entry in await bench.told(Entry) if entry.fact == "recovery"]
    assert facts == [("recovery:open", "DEAD", None), ("recovery:waived", "NO_HEIRS", "boss")]
    assert await desk(bench).look() == 0, "what ended is not opened again"
    missing = await step(bench, key, "resolve", "op", Role.OPERATOR, json={"ending": "waived"})
    assert missing.status_code == 422, "nothing is written off without a reason"


async def test_payment_that_comes_back_ends_its_case(bench: Bench) -> None:
    (snapshot,) = await paid(bench)
    await dies(bench, snapshot, date(2024, 1, 20))
    await desk(bench).look()
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.RETURNED, reason="MD07"))
    assert await desk(bench).look() == 1
    assert await desk(bench).look() == 0
    (case,) = await shown(bench, still_open=False)
    assert (case["ending"], case["proposed_by"]) == ("came_back", None)
    assert await balances(bench) == {"recovery:came_back": VND, "recovery:claimed": -VND}


async def test_database_opens_and_ends_a_case_only_as_it_may(bench: Bench) -> None:
    one, _two = await paid(bench, 2)
    await dies(bench, one, date(2024, 1, 20))
    await desk(bench).look()
    copy = """INSERT INTO recovery_case (case_id, entitlement_id, instruction_id, beneficiary_id, period, payer, vnd, reason, fact_on,
                                         opened_at)
              SELECT gen_random_uuid(), {line}, instruction_id, beneficiary_id, period, payer, {vnd}, reason, fact_on, opened_at
                FROM recovery_case"""
    await refused(bench, copy.format(line="entitlement_id", vnd="vnd"), by="recovery_once")
    await refused(bench, copy.format(line="entitlement_id", vnd="vnd + 1"), by="only money that was paid")
    await refused(bench, copy.format(line="gen_random_uuid()", vnd="vnd"), by="only money that was paid")
    ends = "UPDATE recovery_case SET ending = '{ending}', ended_at = now()"
    await refused(bench, ends.format(ending="recovered"), by="ends once")
    await refused(bench, ends.format(ending="came_back"), by="ends once")
    proposed = "UPDATE recovery_case SET ending = 'recovered', proposed_by = 'one', proposed_at = now(), proposed_token = 't'"
    posting = """INSERT INTO recovery_posting (posting_id, case_id, payer, debit, credit, vnd, at)
                 SELECT gen_random_uuid(), case_id, payer, 'recovery:recovered', 'recovery:open', vnd, now() FROM recovery_case"""
    alone = "UPDATE recovery_case SET approved_by = 'one', approved_at = now(), approved_token = 't', ended_at = now()"
    await refused(bench, proposed, posting, alone, by="recovery_by_two")
    await refused(bench, "UPDATE recovery_case SET ended_at = now()", by="recovery_case_check")
    await refused(bench, "UPDATE recovery_case SET vnd = vnd - 1", by="ends once")
    await refused(bench, "DELETE FROM recovery_case", by="append-only")


async def test_claims_are_a_chain_that_shows_a_cut(bench: Bench) -> None:
    people = await paid(bench, 3)
    for snapshot in people:
        await dies(bench, snapshot, date(2024, 1, 20))
    assert await desk(bench).look() == 3
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT payer, seq, sha256 FROM recovery_posting ORDER BY payer, seq")
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert len({row["sha256"] for row in rows}) == 3
