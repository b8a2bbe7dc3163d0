"""A payroll from frozen lines to money that reached people, on a real database."""

from datetime import date

import pytest

from shared.topics import Provider
from shared.words import LineStatus, Outcome
from tests.integration.payout.payout_bench import Bench, a_line, a_merit_line, an_account


async def test_two_benefits_are_one_transfer_and_both_paid(bench: Bench) -> None:
    who = await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.close()
    await bench.pay()
    ((_batch, (manifest, lines)),) = (await bench.mail(Provider.BANK_A)).items()
    assert [line.amount_vnd for line in lines] == [2_415_000]
    assert (manifest.count, manifest.vnd, manifest.withdrawn) == (1, 2_415_000, 0)
    await bench.answer(*await bench.answers_to(Provider.BANK_A, LineStatus.PAID))
    trace = await bench.trace(who)
    assert [payment["state"] for payment in trace["payments"]] == ["paid"]
    assert len(trace["payments"][0]["lines"]) == 2
    page = await bench.page()
    assert page["paid"] == {"count": 1, "vnd": 2_415_000}
    assert page["ledger"] == {
        "budget:merit": -2_055_000,
        "budget:social_assistance": -360_000,
        "in_flight:bank-a": 0,
        "paid": 2_415_000,
    }
    assert page["accounts"] == {"exists": 1, "wished": 1, "verified": 1, "paid": 1}
    assert [batch["state"] for batch in page["batches"]] == ["settled"]


async def test_bank_rejects_then_post_pays_once(bench: Bench) -> None:
    who = await bench.enrol(account=an_account(bank_bin="970436"))
    await bench.close()
    await bench.pay()
    await bench.answer(*await bench.answers_to(Provider.BANK_B, LineStatus.REJECTED, reason="AC04"))
    assert (await bench.page())["account_gap"] == {"bank_rejected": 1}
    await bench.pay()
    await bench.answer(*await bench.answers_to(Provider.POST, LineStatus.PAID))
    payments = (await bench.trace(who))["payments"]
    assert [(p["provider"], p["attempt"], p["state"], p["reason"]) for p in payments] == [
        ("bank-b", 1, "rejected", "AC04"),
        ("post", 2, "collected", None),
    ]
    page = await bench.page()
    assert page["paid"] == {"count": 1, "vnd": 360_000}
    assert page["account_gap"] == {"bank_rejected": 1}
    assert page["lines"]["postal"] == {"count": 1, "vnd": 360_000}


async def test_every_line_ends_in_exactly_one_place(bench: Bench) -> None:
    await bench.enrol(account=an_account())
    await bench.enrol(account=an_account(), outcome=Outcome.WEAK_MATCH)
    await bench.enrol(home_delivery=True)
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    await bench.enrol(a_line(monthly_vnd=400_000), a_merit_line())
    closing = await bench.close()
    await bench.step("build")
    page = await bench.page()
    lines = page["lines"]
    places = [lines["cashless"], lines["postal"], lines["held"]]
    assert [place["count"] for place in places] == [1, 3, 2]
    assert sum(place["vnd"] for place in places) == closing.vnd == lines["vnd"]
    assert page["held"] == {"AMOUNT_DIFFERS": {"count": 1, "vnd": 400_000}, "NOT_FOUND": {"count": 1, "vnd": 360_000}}
    assert lines["undecided_vnd"] == 0


@pytest.mark.parametrize("bench", [{"limit_vnd": 1_000_000}], indirect=True)
async def test_above_the_limit_in_parts_and_only_the_rejected_part_goes_to_the_post(bench: Bench) -> None:
    who = await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.close()
    await bench.pay()
    parts = await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    assert sorted(part.amount_vnd or 0 for part in parts) == [415_000, 1_000_000, 1_000_000]
    rejected = parts[0].model_copy(update={"status": LineStatus.REJECTED, "reason": "AM09"})
    await bench.answer(rejected, *parts[1:])
    await bench.pay()
    ((_batch, (_manifest, lines)),) = (await bench.mail(Provider.POST)).items()
    assert [line.amount_vnd for line in lines] == [rejected.amount_vnd]
    await bench.answer(*await bench.answers_to(Provider.POST, LineStatus.PAID))
    page = await bench.page()
    assert page["paid"] == {"count": 3, "vnd": 2_415_000}
    assert page["lines"]["undecided_vnd"] == 0
    assert {payment["attempt"] for payment in (await bench.trace(who))["payments"]} == {1, 2}


@pytest.mark.parametrize("bench", [{"tolerance_vnd": 50_000}], indirect=True)
async def test_difference_within_the_tolerance_is_paid_as_declared(bench: Bench) -> None:
    await bench.enrol(a_line(monthly_vnd=400_000))
    await bench.close()
    await bench.pay()
    assert (await bench.page())["lines"]["postal"] == {"count": 1, "vnd": 400_000}


async def test_month_of_death_is_paid_by_post_and_the_month_after_is_held(bench: Bench) -> None:
    await bench.enrol(account=an_account(), outcome=Outcome.DEAD, died_on=date(2024, 2, 3))
    await bench.enrol(outcome=Outcome.DEAD, died_on=date(2024, 1, 28))
    await bench.close()
    await bench.step("build")
    page = await bench.page()
    assert (page["lines"]["postal"]["count"], page["held"]["DEAD"]["count"]) == (1, 1)


async def test_held_line_is_paid_by_a_later_build_once_verified(bench: Bench) -> None:
    snapshot = bench.snapshot(account=an_account())
    await bench.see(snapshot)
    await bench.verify(bench.result(snapshot, Outcome.NOT_FOUND))
    bench.freeze(snapshot, a_line())
    await bench.close()
    await bench.step("build")
    assert (await bench.page())["account_gap"] == {"held": 1}
    await bench.verify(bench.result(snapshot))
    await bench.pay()
    page = await bench.page()
    assert page["held"] == {}
    assert page["cashless"] == {"payments": 1, "vnd": 360_000}
    assert page["account_gap"] == {"no_answer_yet": 1}
