"""An answer under an Idempotency-Key and what it tells are of one transaction: never one without the other, and once."""

import asyncio
from datetime import timedelta

import pytest

from shared.words import Role
from tests.integration.payout.payout_bench import PATH, ROLES, Bench, an_account
from tests.integration.payout.test_payroll_life import MONTH, a_budget, ask, code

WRITTEN_BY = {
    "build": "SELECT DISTINCT xmin::text FROM batch",
    "check": "SELECT xmin::text FROM approval WHERE step = 'check'",
    "release": "SELECT DISTINCT xmin::text FROM posting",
}


@pytest.mark.parametrize("act", WRITTEN_BY)
async def test_answer_is_kept_in_the_transaction_of_its_effect(bench: Bench, act: str) -> None:
    await bench.enrol(account=an_account())
    await bench.close()
    for before in ("build", "check", "approve", "release"):
        if before == act:
            break
        await bench.step(before, f"some-{before}")
    page = await bench.page()
    first = await ask(bench, f"{PATH}/{act}", f"the-{act}", ROLES[act], sha256=page["sha256"], key=f"{act}-2024-02")
    assert first.status_code == 200, first.text
    again = await ask(bench, f"{PATH}/{act}", f"the-{act}", ROLES[act], sha256=page["sha256"], key=f"{act}-2024-02")
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    async with bench.database.session() as session:
        kept = [row["xmin"] for row in await session.fetch("SELECT xmin::text FROM idempotency")]
        assert [row["xmin"] for row in await session.fetch(WRITTEN_BY[act])] == kept


async def test_refusal_keeps_nothing_and_the_key_is_free(bench: Bench) -> None:
    for _time in range(2):
        refused = await ask(
            bench, f"{MONTH}/huyen-444/budget", "m", Role.MAKER, key="budget-1", json={"programmes": {"merit": 1}}
        )
        assert code(refused) == (409, "PERIOD_NOT_OPEN")
    await ask(bench, f"{MONTH}/open", "chief", Role.APPROVER)
    done = await ask(bench, f"{MONTH}/huyen-444/budget", "m", Role.MAKER, key="budget-1", json={"programmes": {"merit": 1}})
    assert done.status_code == 200
    await a_budget(bench, merit=1)


async def test_two_at_once_under_one_key_have_one_effect(bench: Bench) -> None:
    """A freeze said twice would be two freezes: nothing but the key tells that they are one."""
    now = bench.clock.now()
    freeze = {"payer": "*", "starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=1)).isoformat(), "reason": "AUDIT"}
    async with bench.database.session() as session:
        held = session.transaction()
        await held.start()
        await session.execute("LOCK TABLE idempotency IN SHARE MODE")
        both = [asyncio.create_task(ask(bench, "/v1/freezes", "chief", Role.APPROVER, key="freeze-1", json=freeze)) for _ in "ab"]
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'idempotency'::regclass"
        async with asyncio.timeout(20):
            while await session.fetchval(waiting) < 2:
                await asyncio.sleep(0.02)
        await held.rollback()
        answers = await asyncio.gather(*both)
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert {code(answer)[1] for answer in answers} == {"", "TRY_AGAIN"}
        assert await session.fetchval("SELECT count(*) FROM freeze_window") == 1
    again = await ask(bench, "/v1/freezes", "chief", Role.APPROVER, key="freeze-1", json=freeze)
    assert again.content == next(answer.content for answer in answers if answer.status_code == 200)
