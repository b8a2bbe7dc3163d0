"""The race between a cancel and the payment: whatever is said in whatever order, a line is paid at most once and no dong is lost."""

from collections import defaultdict
from dataclasses import replace
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payout import ledger
from services.payout.answering import Answers, judge
from services.payout.batch import DEAD, INSTRUCTION_MOVES
from services.payout.breaks import BreakType, contradictions
from services.payout.recalling import (
    CANCEL_MOVES,
    IN_FLIGHT,
    OPEN,
    After,
    CancelState,
    Wish,
    by_month,
    cancel_sha256,
    disputes,
    follows,
    judge_cancel,
    refused,
)
from services.payout.refusals import Refusal
from services.payout.results import Fate
from shared.events import PaymentResult
from shared.topics import Provider
from shared.words import CancelOutcome, InstructionState, LineStatus, ResultKind
from tests.unit.payout.test_results import BATCH, ENDS, NOW, PAYMENT, a_payment, an_answer

S, C, O = InstructionState, CancelState, CancelOutcome  # noqa: E741
VND = 360_000


def a_word(outcome: CancelOutcome, provider: Provider = Provider.BANK_A, **changes: Any) -> PaymentResult:
    same: dict[str, Any] = {"kind": ResultKind.CANCEL, "status": None, "amount_vnd": None, "outcome": outcome}
    return an_answer(provider=provider, **{**same, **changes})


@pytest.mark.parametrize(
    ("state", "cancel", "outcome", "fate", "payment_goes", "cancel_goes"),
    [
        (S.SENDING, C.ASKED, O.CANCELLED, Fate.APPLIED, S.CANCELLED, C.CANCELLED),
        (S.ACCEPTED, C.ASKED, O.CANCELLED, Fate.APPLIED, S.CANCELLED, C.CANCELLED),
        (S.ISSUED, C.UNKNOWN, O.CANCELLED, Fate.APPLIED, S.CANCELLED, C.CANCELLED),
        (S.UNKNOWN, C.NOT_KNOWN, O.CANCELLED, Fate.APPLIED, S.CANCELLED, C.CANCELLED),
        (S.CANCELLED, C.CANCELLED, O.CANCELLED, Fate.REPEAT, None, None),
        (S.REJECTED, C.MOOT, O.CANCELLED, Fate.REPEAT, None, None),
        (S.PAID, C.TOO_LATE, O.CANCELLED, Fate.CONFLICT, None, None),
        (S.ACCEPTED, C.TOO_LATE, O.CANCELLED, Fate.CONFLICT, None, None),  # too late and cancelled: not both
        (S.RETURNED, C.MOOT, O.CANCELLED, Fate.CONFLICT, None, None),
        (S.SENDING, C.PROPOSED, O.CANCELLED, Fate.CONFLICT, None, None),  # nobody asked
        (S.SENDING, None, O.CANCELLED, Fate.CONFLICT, None, None),
        (S.ACCEPTED, C.ASKED, O.TOO_LATE, Fate.APPLIED, None, C.TOO_LATE),
        (S.PAID, C.TOO_LATE, O.TOO_LATE, Fate.REPEAT, None, None),
        (S.RETURNED, C.MOOT, O.TOO_LATE, Fate.REPEAT, None, None),
        (S.REJECTED, C.MOOT, O.TOO_LATE, Fate.CONFLICT, None, None),
        (S.CANCELLED, C.CANCELLED, O.TOO_LATE, Fate.CONFLICT, None, None),
        (S.SENDING, C.ASKED, O.UNKNOWN_ID, Fate.APPLIED, None, C.NOT_KNOWN),
        (S.UNKNOWN, C.UNKNOWN, O.UNKNOWN_ID, Fate.APPLIED, None, C.NOT_KNOWN),
        (S.SENDING, C.NOT_KNOWN, O.UNKNOWN_ID, Fate.REPEAT, None, None),
        (S.ACCEPTED, C.ASKED, O.UNKNOWN_ID, Fate.CONFLICT, None, None),  # it accepted what it does not know
        (S.CANCELLED, C.CANCELLED, O.UNKNOWN_ID, Fate.CONFLICT, None, None),
    ],
)
def test_word_about_a_cancel(
    state: S, cancel: C | None, outcome: O, fate: Fate, payment_goes: S | None, cancel_goes: C | None
) -> None:
    provider = Provider.POST if state is S.ISSUED else Provider.BANK_A
    word = a_word(outcome, provider)
    assert judge_cancel(a_payment(state, provider), cancel, word) == (fate, payment_goes, cancel_goes)


def test_word_about_something_else() -> None:
    assert judge_cancel(None, C.ASKED, a_word(O.CANCELLED)).fate is Fate.FOREIGN
    for change in ({"amount_vnd": 1}, {"provider": Provider.BANK_B}, {"batch_id": UUID(int=9)}, {"outcome": None}):
        word = a_word(O.CANCELLED).model_copy(update=change)
        assert judge_cancel(a_payment(), C.ASKED, word).fate is Fate.CONFLICT
    assert judge_cancel(replace(a_payment(), closed=True), C.ASKED, a_word(O.CANCELLED)).fate is Fate.CONFLICT


def test_what_a_payment_does_to_its_cancel() -> None:
    for cancel in OPEN | {C.PROPOSED}:
        assert follows(cancel, S.PAID) is follows(cancel, S.COLLECTED) is C.TOO_LATE
        assert follows(cancel, S.REJECTED) is follows(cancel, S.EXPIRED) is C.MOOT
        assert follows(cancel, S.ACCEPTED) is follows(cancel, S.UNKNOWN) is None
    assert follows(C.TOO_LATE, S.RETURNED) is C.MOOT
    assert follows(C.CANCELLED, S.REJECTED) is follows(None, S.PAID) is None


def test_only_the_open_ones_may_still_end_as_cancelled() -> None:
    assert {before for before, to in CANCEL_MOVES.items() if C.CANCELLED in to} == OPEN
    assert not {C.CANCELLED, C.MOOT} & CANCEL_MOVES.keys()
    assert {before for before, to in INSTRUCTION_MOVES.items() if S.CANCELLED in to} == IN_FLIGHT


# --- all interleavings -------------------------------------------------------------------------------------------------------

SHARES = {"merit": 300_000, "social_assistance": 60_000}
WORDS: tuple[LineStatus | CancelOutcome, ...] = (*LineStatus, *CancelOutcome)


def the_payment(provider: Provider, cancel: C | None, *, keep: bool) -> dict[str, Any]:
    """One sent payment as `answered_payments` gives it."""
    return {
        "instruction_id": PAYMENT, "batch_id": BATCH, "end_to_end_id": "A" * 16, "provider": provider, "vnd": VND,
        "channel": "counter" if provider is Provider.POST else "account", "state": S.SENDING, "period": "2024-02", "payer": "p",
        "programmes": list(SHARES), "vnds": list(SHARES.values()), "months": None, "closed": False, "cancel": cancel, "keep": keep,
    }  # fmt: skip


def hear(words: Any, provider: Provider, cancel: C | None = C.ASKED, *, keep: bool = True) -> Answers:
    """A batch of answers about one payment, one after the other."""
    answers = Answers.of([], [the_payment(provider, cancel, keep=keep)])
    for word in words:
        said = an_answer(word, provider) if isinstance(word, LineStatus) else a_word(word, provider)
        answers.judged.append((said, "hash", judge(answers, said)))
    return answers


def check(answers: Answers, provider: Provider) -> None:
    """Moves are legal one after the other, the ledger follows the state to the dong, nothing that was paid is called dead."""
    state, cancel, balance = S.SENDING, C.ASKED, defaultdict(int)
    for wave in answers.waves:
        (after, _reason) = wave[PAYMENT]
        assert after in INSTRUCTION_MOVES[state]
        state = after
    for wishes in answers.cancel_waves:
        assert wishes[PAYMENT] in CANCEL_MOVES[cancel]
        cancel = wishes[PAYMENT]
    assert answers.states[PAYMENT] is state
    assert (state is S.CANCELLED) == (cancel is C.CANCELLED)
    if state in (S.PAID, S.COLLECTED):
        assert cancel is C.TOO_LATE
    postings = [*ledger.on_sent(PAYMENT, provider, SHARES), *(posting for _period, _payer, posting in answers.postings)]
    assert len({posting.posting_id for posting in postings}) == len(postings)
    for posting in postings:
        balance[posting.debit] += posting.vnd
        balance[posting.credit] -= posting.vnd
    assert sum(balance.values()) == 0
    assert balance["paid"] == (VND if state in (S.PAID, S.COLLECTED) else 0)
    assert balance["returned"] == (VND if state in (S.RETURNED, S.EXPIRED) else 0)
    assert (balance[f"in_flight:{provider}"] == 0) == (state in ENDS | {S.CANCELLED})
    if state in DEAD:
        assert PAYMENT in answers.kept, "its lines are not paid again by themselves"


@pytest.mark.parametrize("provider", [Provider.BANK_A, Provider.POST])
def test_every_order_of_words_conserves_money_and_pays_at_most_once(provider: Provider) -> None:
    for length in range(5):
        for words in permutations(WORDS, length):
            check(hear(words, provider), provider)


@given(st.lists(st.sampled_from(WORDS), max_size=12), st.sampled_from([Provider.BANK_A, Provider.POST]))
def test_any_words_any_number_of_times(words: list[LineStatus | CancelOutcome], provider: Provider) -> None:
    check(hear(words, provider), provider)


@given(st.lists(st.sampled_from(WORDS), min_size=2, max_size=8), st.sampled_from([Provider.BANK_A, Provider.POST]))
def test_money_said_to_have_left_after_a_cancel_is_a_break_and_keeps_the_lines(words: list[Any], provider: Provider) -> None:
    answers = hear([O.CANCELLED, *words], provider, keep=False)
    assert answers.states[PAYMENT] is S.CANCELLED, "the first word counts, later ones change nothing"
    left = [
        word
        for word in words
        if word in (LineStatus.PAID, O.TOO_LATE) or (word is LineStatus.RETURNED and provider is not Provider.POST)
    ]
    wrong = contradictions(answers.judged, {"A" * 16: the_payment(provider, C.CANCELLED, keep=False)}, answers.states)
    assert len([one for one in wrong if one.type is BreakType.EXTRA]) >= len(left)
    assert all(one.vnd == VND for one in wrong)
    assert (PAYMENT in answers.kept) == bool(left)


def test_without_a_signed_wish_nothing_is_cancelled_nor_kept() -> None:
    for cancel in (None, C.PROPOSED):
        answers = hear([O.CANCELLED, O.TOO_LATE, O.UNKNOWN_ID, LineStatus.REJECTED], Provider.BANK_A, cancel)
        assert answers.states[PAYMENT] is S.REJECTED
        assert not answers.kept
        assert [fate for _answer, _hash, fate in answers.judged] == [Fate.CONFLICT] * 3 + [Fate.APPLIED]


def test_a_free_line_is_not_kept() -> None:
    assert hear([O.CANCELLED], Provider.BANK_A, keep=False).kept == set()


def test_doubt_is_only_about_cancelled_ones() -> None:
    assert disputes(S.CANCELLED, an_answer(LineStatus.PAID))
    assert disputes(S.CANCELLED, a_word(O.TOO_LATE))
    assert not disputes(S.CANCELLED, an_answer(LineStatus.REJECTED))
    assert not disputes(S.REJECTED, an_answer(LineStatus.PAID))


def test_refused_batch_leaves_cancelled_lines_as_they_are() -> None:
    batch = {
        "batch_id": BATCH,
        "provider": Provider.BANK_A,
        "sent_count": 1,
        "sent_vnd": VND,
        "received_at": None,
        "completed_at": None,
    }
    other = {**the_payment(Provider.BANK_A, None, keep=False), "instruction_id": UUID(int=7), "end_to_end_id": "B" * 16}
    answers = Answers.of([batch], [the_payment(Provider.BANK_A, C.ASKED, keep=True), other])
    assert judge(answers, a_word(O.CANCELLED)) is Fate.APPLIED
    whole = PaymentResult(
        result_id=uuid4(), provider=Provider.BANK_A, batch_id=BATCH, kind=ResultKind.BATCH_REFUSED, reason="DS24", occurred_at=NOW
    )
    assert judge(answers, whole) is Fate.APPLIED
    assert answers.states == {PAYMENT: S.CANCELLED, UUID(int=7): S.REJECTED}


# --- the command -------------------------------------------------------------------------------------------------------------

WHO = UUID(int=5)


def a_row(state: S, cancel_list: str | None = None) -> dict[str, Any]:
    return {"beneficiary_id": WHO, "state": state, "cancel_list": cancel_list}


@pytest.mark.parametrize(
    ("rows", "refusal"),
    [
        ([a_row(S.SENDING)], None),
        ([a_row(S.UNKNOWN, "mine")], None),
        ([a_row(S.ACCEPTED), a_row(S.PAID)], None),  # of two payments one is still on its way
        ([a_row(S.SENDING, "another")], Refusal.CANCEL_OPEN),
        ([a_row(S.PAID)], Refusal.ALREADY_PAID),
        ([a_row(S.CREATED)], Refusal.NOT_SENT),
        ([], Refusal.NOTHING_TO_CANCEL),
    ],
)
def test_why_a_cancel_is_refused(rows: list[dict[str, Any]], refusal: Refusal | None) -> None:
    assert refused({WHO}, rows, "mine") is refusal


def test_hash_is_bound_to_reason_lines_and_list() -> None:
    dead, may = Wish("LATE_DEATH"), Wish("LATE_DEATH", After.KEEP, frozenset({"2024-05"}))
    bound = cancel_sha256(dead, [("list", "id"), ("list", "id2")])
    assert bound == cancel_sha256(dead, [("list", "id2"), ("list", "id")])
    others = [(Wish("RECALL"), "list"), (Wish("LATE_DEATH", After.FREE), "list"), (may, "list"), (dead, "other")]
    assert bound not in {cancel_sha256(wish, [(a_list, "id"), (a_list, "id2")]) for wish, a_list in others}


@pytest.mark.parametrize(
    ("wish", "kept_back", "owed"),
    [
        (Wish("RECALL"), {"2024-04": 7, "2024-05": 3}, {}),
        (Wish("RECALL", After.FREE), {}, {"2024-04": 7, "2024-05": 3}),
        (Wish("RECALL", After.KEEP, frozenset({"2024-05"})), {"2024-05": 3}, {"2024-04": 7}),
    ],
)
def test_every_dong_is_kept_back_or_owed(wish: Wish, kept_back: dict[str, int], owed: dict[str, int]) -> None:
    payments = [{"months": ["2024-05", "2024-04"], "vnds": [3, 5]}, {"months": ["2024-04"], "vnds": [2]}]
    assert by_month(payments, wish) == (kept_back, owed)
