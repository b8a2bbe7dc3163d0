"""What counts against a budget when a list is released: what really would leave now. Everybody is worth 360,000."""

from datetime import date

import pytest

from shared.words import Outcome, Role
from tests.integration.payout.payout_bench import PAYER, Bench, a_merit_line, an_account
from tests.integration.payout.test_payroll_life import MONTH, a_budget, code, release

ONE = 360_000


async def approved(bench: Bench, people: int = 2) -> list[str]:
    """So many people on approved lists."""
    who = [str(await bench.enrol()) for _ in range(people)]
    await bench.close()
    for act in ("build", "check", "approve"):
        await bench.step(act)
    return who


async def test_who_was_withdrawn_does_not_count(bench: Bench) -> None:
    first, _second = await approved(bench)
    await a_budget(bench, social_assistance=ONE)
    assert code(await release(bench)) == (409, "BUDGET_EXCEEDED")
    body = {"beneficiary_ids": [first], "reason": "LATE_DEATH"}
    sha256 = (await bench.post("withdraw", "the-check", Role.CHECKER, json=body)).json()["sha256"]
    confirmed = await bench.post("confirm-withdrawal", "the-approve", Role.APPROVER, sha256=sha256, json={"sha256": sha256})
    assert confirmed.status_code == 200, confirmed.text
    assert await sheet_says(bench) is True
    assert (await release(bench)).status_code == 200


async def test_who_falls_out_at_the_last_comparison_does_not_count(bench: Bench) -> None:
    snapshot = bench.snapshot()
    await bench.see(snapshot)
    await bench.verify(bench.result(snapshot))
    bench.freeze(snapshot, a_merit_line(monthly_vnd=2_055_000))
    await approved(bench, 1)
    await a_budget(bench, social_assistance=ONE)
    assert code(await release(bench)) == (409, "BUDGET_EXCEEDED"), "merit has nothing to spend"
    await bench.verify(bench.result(snapshot, Outcome.DEAD, died_on=date(2024, 1, 2)))
    done = await release(bench)
    assert done.status_code == 200, done.text
    assert done.json()["dropped"] == 1


async def test_a_draft_beside_the_approved_lists_does_not_count(bench: Bench) -> None:
    snapshot = bench.snapshot(account=an_account())
    await bench.see(snapshot)
    await bench.verify(bench.result(snapshot, Outcome.NOT_FOUND))
    bench.freeze(snapshot, a_merit_line())
    await approved(bench)
    await bench.verify(bench.result(snapshot))
    assert [batch["vnd"] for batch in (await bench.step("build", "another"))["batches"]] == [2_055_000]
    await a_budget(bench, social_assistance=2 * ONE)
    assert await sheet_says(bench) is False, "an early word: the draft will not leave within this budget"
    page = await bench.page()
    done = await bench.post("release", "the-release", Role.RELEASER, sha256=page["to_sign"]["release"])
    assert done.status_code == 200, done.text
    for act in ("check", "approve"):
        await bench.step(act, f"another-{act}")
    assert code(await release(bench)) == (409, "BUDGET_EXCEEDED")
    await a_budget(bench, social_assistance=2 * ONE, merit=2_055_000)
    assert await sheet_says(bench) is True
    assert (await release(bench)).status_code == 200


@pytest.mark.parametrize("rows", [{"merit": 5 * ONE}, {"social_assistance": ONE, "merit": 5 * ONE}])
async def test_one_programme_does_not_pay_for_another(bench: Bench, rows: dict[str, int]) -> None:
    await approved(bench)
    await a_budget(bench, **rows)
    assert await sheet_says(bench) is False
    assert code(await release(bench)) == (409, "BUDGET_EXCEEDED")


async def sheet_says(bench: Bench) -> bool:
    """The go / no-go sheet's answer about the budget."""
    rows = (await bench.client.get(f"{MONTH}/go-no-go")).json()["payers"]
    return bool(next(row["budget"] for row in rows if row["payer"] == PAYER))
