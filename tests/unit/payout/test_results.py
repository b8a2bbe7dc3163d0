"""Answers only add knowledge, and money follows them to the dong."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payout import ledger
from services.payout.batch import INSTRUCTION_MOVES
from services.payout.results import Fate, Sent, SentBatch, judge_batch, judge_line
from shared.events import PaymentResult
from shared.topics import Provider
from shared.words import Channel, InstructionState, LineStatus, ResultKind

S = InstructionState
NOW = datetime(2024, 2, 1, 2, tzinfo=UTC)
BATCH, PAYMENT = UUID(int=1), UUID(int=2)
ENDS = {S.PAID, S.COLLECTED, S.REJECTED, S.RETURNED, S.EXPIRED}


def an_answer(status: LineStatus = LineStatus.PAID, provider: Provider = Provider.BANK_A, **changes: Any) -> PaymentResult:
    same: dict[str, Any] = {
        "result_id": uuid4(), "provider": provider, "batch_id": BATCH, "kind": ResultKind.LINE, "end_to_end_id": "A" * 16,
        "status": status, "amount_vnd": 360_000, "occurred_at": NOW,
    }  # fmt: skip
    return PaymentResult(**{**same, **changes})


def a_payment(state: S = S.SENDING, provider: Provider = Provider.BANK_A) -> Sent:
    channel = Channel.COUNTER if provider is Provider.POST else Channel.ACCOUNT
    return Sent(PAYMENT, BATCH, provider, 360_000, state, channel)


@pytest.mark.parametrize(
    ("provider", "state", "status", "fate", "brought"),
    [
        (Provider.BANK_A, S.SENDING, LineStatus.ACCEPTED, Fate.APPLIED, S.ACCEPTED),
        (Provider.BANK_A, S.UNKNOWN, LineStatus.PAID, Fate.APPLIED, S.PAID),
        (Provider.BANK_A, S.PAID, LineStatus.RETURNED, Fate.APPLIED, S.RETURNED),
        (Provider.BANK_A, S.PAID, LineStatus.PAID, Fate.REPEAT, None),
        (Provider.BANK_A, S.PAID, LineStatus.ACCEPTED, Fate.REPEAT, None),
        (Provider.BANK_A, S.RETURNED, LineStatus.PAID, Fate.REPEAT, None),
        (Provider.BANK_A, S.PAID, LineStatus.REJECTED, Fate.CONFLICT, None),
        (Provider.BANK_A, S.REJECTED, LineStatus.PAID, Fate.CONFLICT, None),
        (Provider.BANK_A, S.CREATED, LineStatus.PAID, Fate.CONFLICT, None),
        (Provider.BANK_A, S.WITHDRAWN, LineStatus.PAID, Fate.CONFLICT, None),
        (Provider.POST, S.SENDING, LineStatus.ACCEPTED, Fate.APPLIED, S.ISSUED),
        (Provider.POST, S.ISSUED, LineStatus.PAID, Fate.APPLIED, S.COLLECTED),
        (Provider.POST, S.ISSUED, LineStatus.RETURNED, Fate.APPLIED, S.EXPIRED),
        (Provider.POST, S.COLLECTED, LineStatus.RETURNED, Fate.APPLIED, S.RETURNED),
        (Provider.POST, S.EXPIRED, LineStatus.PAID, Fate.CONFLICT, None),
        (Provider.POST, S.EXPIRED, LineStatus.RETURNED, Fate.REPEAT, None),
    ],
)
def test_answer_about_a_line(provider: Provider, state: S, status: LineStatus, fate: Fate, brought: S | None) -> None:
    assert judge_line(a_payment(state, provider), an_answer(status, provider)) == (fate, brought)


def test_answer_about_something_else() -> None:
    assert judge_line(None, an_answer()) == (Fate.FOREIGN, None)
    for change in ({"amount_vnd": 360_001}, {"provider": Provider.BANK_B}, {"batch_id": UUID(int=9)}, {"status": None}):
        assert judge_line(a_payment(), an_answer(**change))[0] is Fate.CONFLICT


@given(st.lists(st.sampled_from(LineStatus), max_size=12), st.sampled_from(Provider))
def test_any_order_of_answers_keeps_states_legal_and_the_ledger_at_zero(statuses: list[LineStatus], provider: Provider) -> None:
    shares, state, balance = {"merit": 300_000, "social_assistance": 60_000}, S.SENDING, defaultdict(int)
    postings = ledger.on_sent(PAYMENT, provider, shares)
    for status in statuses:
        fate, brought = judge_line(replace(a_payment(state, provider)), an_answer(status, provider))
        assert (fate is Fate.APPLIED) == (brought is not None)
        if brought:
            assert brought in INSTRUCTION_MOVES[state]
            postings += ledger.on_move(PAYMENT, provider, shares, before=state, after=brought)
            state = brought
    assert len({posting.posting_id for posting in postings}) == len(postings)
    for posting in postings:
        balance[posting.debit] += posting.vnd
        balance[posting.credit] -= posting.vnd
    assert sum(balance.values()) == 0
    spent = -balance["budget:merit"] - balance["budget:social_assistance"]
    assert spent == balance["paid"] + balance["returned"] + balance[f"in_flight:{provider}"]
    assert balance["paid"] == (360_000 if state in (S.PAID, S.COLLECTED) else 0)
    assert balance["returned"] == (360_000 if state in (S.RETURNED, S.EXPIRED) else 0)
    assert (balance[f"in_flight:{provider}"] == 0) == (state in ENDS)


HELD_BATCH = SentBatch(Provider.BANK_A, 2, 720_000, None, None)


def about_batch(kind: ResultKind, **changes: Any) -> PaymentResult:
    return an_answer(kind=kind, end_to_end_id=None, status=None, amount_vnd=None, **changes)


def test_answer_about_a_batch() -> None:
    received = about_batch(ResultKind.BATCH_RECEIVED, count=2, vnd=720_000)
    assert judge_batch(HELD_BATCH, [], received) is Fate.APPLIED
    assert judge_batch(replace(HELD_BATCH, received_at=NOW), [], received) is Fate.REPEAT
    assert judge_batch(HELD_BATCH, [], about_batch(ResultKind.BATCH_RECEIVED, count=3)) is Fate.CONFLICT
    assert judge_batch(replace(HELD_BATCH, sent_count=None), [], received) is Fate.CONFLICT
    assert judge_batch(None, [], received) is Fate.FOREIGN
    assert judge_batch(HELD_BATCH, [], about_batch(ResultKind.BATCH_COMPLETE, count=1)) is Fate.APPLIED


def test_refusal_takes_all_or_none() -> None:
    refused = about_batch(ResultKind.BATCH_REFUSED, reason="NARR")
    assert judge_batch(HELD_BATCH, [S.SENDING, S.UNKNOWN], refused) is Fate.APPLIED
    assert judge_batch(HELD_BATCH, [S.SENDING, S.PAID], refused) is Fate.CONFLICT
    assert judge_batch(HELD_BATCH, [S.REJECTED, S.REJECTED], refused) is Fate.REPEAT
