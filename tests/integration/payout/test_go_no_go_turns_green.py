"""The sheet of the 24th is green for whoever has nothing left to do, however their provider answers."""

from typing import Any

from sandbox.provider_files import camt053, post_list
from shared.topics import Provider
from shared.words import Outcome
from tests.integration.payout.payout_bench import PERIOD, Bench
from tests.integration.payout.statement_world import MADE_AT, OURS, booked, facts, hand_in, sent


async def row(bench: Bench) -> dict[str, Any]:
    (one,) = (await bench.client.get(f"/v1/periods/{PERIOD}/go-no-go")).json()["payers"]
    return dict(one)


async def test_payer_whose_every_line_is_held_is_green_once_it_was_built(bench: Bench) -> None:
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    await bench.close()
    before = await row(bench)
    assert (before["go"], before["checked"], before["todo"]) == (False, False, "Lập bảng chi rồi người kiểm tra ký.")
    assert (await bench.step("build"))["batches"] == []
    assert (await row(bench))["go"]


async def test_bank_that_answers_by_statement_only_has_heard_of_its_list(bench: Bench) -> None:
    lines = await sent(bench)
    assert not (await row(bench))["acknowledged"], "silence is red"
    await hand_in(bench, camt053(booked(*facts(lines[:1])), OURS, message_id="S1", made_at=MADE_AT))
    assert (await row(bench))["go"]


async def test_post_that_answers_by_its_list_only_has_heard_of_its_list(bench: Bench) -> None:
    lines = await sent(bench, provider=Provider.POST)
    assert not (await row(bench))["acknowledged"]
    await hand_in(bench, post_list(facts(lines), period=PERIOD), Provider.POST)
    assert (await row(bench))["go"]
