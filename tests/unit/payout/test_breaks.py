"""When a line is proven, and the type of what is not: each rule by itself, and the order in which they count."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansinh.audit_books import Books
from services.payout.breaks import (
    LATE_DAYS,
    Booking,
    BreakType,
    Remedy,
    Told,
    accounts,
    break_of_line,
    contradiction,
    contradictions,
    doubt,
    proposal_sha256,
)
from services.payout.emitting import by_file
from services.payout.proving import answer_of
from services.payout.statement_line import Fault, FileKind, LineKind, StatementLine
from shared.events import PaymentResult
from shared.facts import Fact
from shared.topics import Provider
from shared.words import InstructionState, LineStatus, ResultKind
from tests.unit.payout.statement_files import MADE_AT, an_id

DAY = date(2024, 2, 1)
FILE = UUID(int=7)


def told(**changes: Any) -> Told:
    same: dict[str, Any] = {
        "instruction_id": UUID(int=1), "batch_id": UUID(int=2), "provider": Provider.BANK_A, "vnd": 360_000, "execution_on": DAY,
        "state": InstructionState.SENDING, "payroll": ("2024-02", "huyen-444"), "account_ix": b"account",
    }  # fmt: skip
    return Told(**{**same, **changes})


def a_line(**changes: Any) -> StatementLine:
    same: dict[str, Any] = {
        "line": 1, "kind": LineKind.PAID, "end_to_end_id": an_id(1), "vnd": 360_000, "booked_on": DAY, "bank_ref": "B1",
    }  # fmt: skip
    return StatementLine(**{**same, **changes})


def found(line: StatementLine, payment: Told | None, *before: Booking, **changes: Any) -> BreakType | None:
    same: dict[str, Any] = {"provider": Provider.BANK_A, "kind": FileKind.CAMT_053, "account_ix": None, "before": before}
    return doubt(line, payment, **{**same, **changes})


def earlier(**changes: Any) -> Booking:
    same: dict[str, Any] = {"same_file": False, "kind": LineKind.PAID, "bank_ref": "B1", "booked_on": DAY}
    return Booking(**{**same, **changes})


def test_what_is_proven() -> None:
    assert found(a_line(), told()) is None
    assert found(a_line(vnd=None, kind=LineKind.REJECTED), told(), kind=FileKind.PAIN_002) is None
    assert found(a_line(), told(), account_ix=b"account") is None
    assert found(a_line(), told(account_ix=None), account_ix=b"other") is None, "an account nobody can compare is no disagreement"
    assert found(a_line(kind=LineKind.REJECTED, booked_on=DAY - timedelta(days=3)), told()) is None


@pytest.mark.parametrize(
    ("changes", "payment", "kind"),
    [
        ({"end_to_end_id": None}, told(), BreakType.EXTRA),
        ({"end_to_end_id": None, "fault": Fault.ID}, None, BreakType.UNKNOWN_ID),
        ({}, None, BreakType.UNKNOWN_ID),
        ({}, told(provider=Provider.BANK_B), BreakType.UNKNOWN_ID),
        ({"vnd": 360_001}, told(), BreakType.AMOUNT),
        ({"vnd": None, "fault": Fault.AMOUNT}, told(), BreakType.AMOUNT),
        ({"booked_on": DAY - timedelta(days=1)}, told(), BreakType.DATE),
        ({"booked_on": DAY + timedelta(days=LATE_DAYS + 1)}, told(), BreakType.DATE),
        ({"booked_on": None, "fault": Fault.DATE}, told(), BreakType.DATE),
        ({"kind": LineKind.REVERSAL}, told(), BreakType.REVERSAL),
        ({"kind": LineKind.REVERSAL, "vnd": 1}, told(), BreakType.AMOUNT),
        ({"booked_on": DAY - timedelta(days=1), "vnd": 1}, told(), BreakType.AMOUNT),
    ],
)
def test_type_of_what_is_not(changes: dict[str, Any], payment: Told | None, kind: BreakType) -> None:
    assert found(a_line(**changes), payment) is kind


def test_another_account_is_found_by_its_keyed_index() -> None:
    assert found(a_line(), told(), account_ix=b"other") is BreakType.ACCOUNT


@pytest.mark.parametrize(
    ("before", "changes", "twice"),
    [
        (earlier(), {}, False),
        (earlier(bank_ref="B2"), {}, True),
        (earlier(same_file=True), {}, True),
        (earlier(bank_ref=None), {}, False),
        (earlier(bank_ref=None, booked_on=DAY + timedelta(days=1)), {}, True),
        (earlier(kind=LineKind.RETURNED, bank_ref="B2"), {}, False),
        (earlier(bank_ref="B2"), {"kind": FileKind.PAIN_002}, False),
        (earlier(bank_ref="B2"), {"kind": FileKind.POST_LIST}, False),
        (earlier(same_file=True), {"kind": FileKind.POST_LIST}, True),
    ],
)
def test_second_movement_is_a_duplicate_and_the_same_one_told_again_is_none(
    before: Booking, changes: dict[str, Any], *, twice: bool
) -> None:
    assert (found(a_line(), told(), before, **changes) is BreakType.DUPLICATE) is twice


def test_same_disagreement_told_in_another_file_is_the_same_break() -> None:
    first = break_of_line(BreakType.AMOUNT, a_line(vnd=1), told(), provider=Provider.BANK_A, file_id=FILE)
    again = break_of_line(BreakType.AMOUNT, a_line(vnd=1, line=9), told(), provider=Provider.BANK_A, file_id=uuid4())
    assert (first.break_id, first.vnd) == (again.break_id, 359_999)
    nameless = a_line(bank_ref=None, vnd=1)
    assert break_of_line(BreakType.AMOUNT, nameless, told(), provider=Provider.BANK_A, file_id=FILE).break_id != first.break_id


@given(state=st.one_of(st.none(), st.sampled_from(InstructionState)), status=st.one_of(st.none(), st.sampled_from(LineStatus)))
def test_every_contradiction_has_a_type(state: InstructionState | None, status: LineStatus | None) -> None:
    assert contradiction(state, status) in (BreakType.EXTRA, BreakType.REVERSAL)


def an_answer(**changes: Any) -> PaymentResult:
    line = a_line()
    answer = answer_of(line, told(), file_id=FILE, kind=FileKind.CAMT_053, received_at=MADE_AT)
    return answer.model_copy(update=changes)


@pytest.mark.parametrize(
    ("changes", "state", "kind"),
    [
        ({"status": LineStatus.REJECTED}, InstructionState.PAID, BreakType.REVERSAL),
        ({}, InstructionState.REJECTED, BreakType.EXTRA),
        ({"amount_vnd": 1}, InstructionState.PAID, BreakType.AMOUNT),
        ({"provider": Provider.BANK_B}, InstructionState.PAID, BreakType.UNKNOWN_ID),
        ({"end_to_end_id": an_id(9)}, InstructionState.PAID, BreakType.UNKNOWN_ID),
        (
            {"end_to_end_id": None, "status": None, "kind": ResultKind.BATCH_REFUSED, "vnd": 5},
            InstructionState.PAID,
            BreakType.EXTRA,
        ),
    ],
)
def test_contradicting_answers_of_a_topic_are_breaks(changes: dict[str, Any], state: InstructionState, kind: BreakType) -> None:
    payments = {an_id(1): {"provider": "bank-a", "vnd": 360_000, "instruction_id": UUID(int=1)}}
    (one,) = contradictions([(an_answer(**changes), "h", "conflict")], payments, {UUID(int=1): state})
    assert one.type is kind
    assert contradictions([(an_answer(**changes), "h", "applied")], payments, {UUID(int=1): state}) == []


def test_rejected_twice_in_the_words_of_a_clerk_is_one_thing() -> None:
    line = a_line(kind=LineKind.RETURNED)
    rejected = told(state=InstructionState.REJECTED, provider=Provider.POST)
    assert answer_of(line, rejected, file_id=FILE, kind=FileKind.POST_LIST, received_at=MADE_AT).status is LineStatus.REJECTED
    assert answer_of(line, told(), file_id=FILE, kind=FileKind.POST_LIST, received_at=MADE_AT).status is LineStatus.RETURNED


def test_second_person_signs_exactly_what_was_proposed() -> None:
    same: dict[str, Any] = {"remedy": "accepted", "proposed_by": "a"}
    signed = proposal_sha256(FILE, "extra", 5, **same)
    others = [
        proposal_sha256(UUID(int=8), "extra", 5, **same), proposal_sha256(FILE, "amount", 5, **same),
        proposal_sha256(FILE, "extra", 6, **same), proposal_sha256(FILE, "extra", 5, remedy="claimed", proposed_by="a"),
        proposal_sha256(FILE, "extra", 5, remedy="accepted", proposed_by="b"),
    ]  # fmt: skip
    assert signed not in others
    assert len(set(others)) == len(others)


@pytest.mark.parametrize("remedy", Remedy)
def test_every_end_takes_the_amount_out_of_what_is_unexplained(remedy: Remedy) -> None:
    debit, credit = accounts(remedy, "bank-a")
    assert credit == "breaks:bank-a" != debit


def test_auditor_hears_what_a_file_proved_like_an_answer() -> None:
    books = Books()
    refused = an_answer(end_to_end_id=None, status=None, kind=ResultKind.BATCH_REFUSED, amount_vnd=None)
    for fact in by_file([an_answer(), refused.model_copy(update={"result_id": uuid4()})], "a" * 64):
        books.fact(("2024-02", "huyen-444"), Fact.model_validate(fact))
    assert books.answers == {an_id(1): {LineStatus.PAID: 360_000}}
    assert books.refused == {UUID(int=2)}
