"""Payments made from lines, the canonical list, parts above a limit, and the state tables."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.payout.batch import (
    BATCH_MOVES,
    DEAD,
    INSTRUCTION_MOVES,
    BatchState,
    Draft,
    OpenLine,
    Order,
    Payment,
    joint_sha256,
    list_sha256,
    pay,
    withdrawal_sha256,
)
from shared.ids import is_end_to_end_id
from shared.money import Dong
from shared.topics import Provider
from shared.words import Channel, InstructionState

BATCH, KEY = UUID(int=7), b"k" * 32
LINES = st.lists(
    st.builds(
        OpenLine, st.uuids(), st.integers(1, 30_000_000).map(Dong), st.sampled_from(("merit", "social_assistance")), st.integers(0, 3),
        st.integers(0, 3),
    ),
    min_size=1, max_size=5, unique_by=lambda line: line.entitlement_id,
)  # fmt: skip
ORDERS = st.lists(
    st.builds(Order, st.uuids(), st.just(Channel.COUNTER), st.just("18496"), st.none(), LINES.map(tuple)),
    min_size=1, max_size=6, unique_by=lambda order: order.beneficiary_id,
)  # fmt: skip


def paid(order: Order, limit_vnd: int = 499_999_999, least_vnd: int = 1) -> list[Payment]:
    return pay(order, batch_id=BATCH, provider=Provider.POST, bounds=(least_vnd, limit_vnd), key=KEY)


@given(ORDERS, st.integers(1_000_000, 40_000_000), st.sampled_from((1, 2_000, 500_000)))
def test_every_dong_of_every_line_is_in_exactly_one_payment(orders: list[Order], limit_vnd: int, least_vnd: int) -> None:
    for order in orders:
        whole = sum(line.vnd for line in order.lines)
        if whole < least_vnd:
            continue  # the build pays it by post
        payments = paid(order, limit_vnd, least_vnd)
        assert [payment.part for payment in payments] == list(range(1, len(payments) + 1))
        assert all(least_vnd <= payment.vnd <= limit_vnd for payment in payments)
        for line in order.lines:
            shares = [share for payment in payments for share in payment.shares if share.entitlement_id == line.entitlement_id]
            assert sum(share.vnd for share in shares) == line.vnd
            assert [share.piece for share in shares] == list(range(line.pieces + 1, line.pieces + 1 + len(shares)))
        assert len(payments) == -(-whole // limit_vnd), "as few parts as it takes"


def test_last_part_is_not_below_the_least_a_provider_takes() -> None:
    lines = (OpenLine(UUID(int=1), Dong(499_999_000), "merit"), OpenLine(UUID(int=2), Dong(1_000), "merit"))
    payments = paid(Order(UUID(int=3), Channel.COUNTER, "18496", None, lines), 499_999_999, 2_000)
    assert [payment.vnd for payment in payments] == [499_998_000, 2_000]


@given(ORDERS, st.randoms(use_true_random=False))
def test_hash_does_not_depend_on_order_and_ids_are_made_again(orders: list[Order], random) -> None:  # type: ignore[no-untyped-def]
    payments = [payment for order in orders for payment in paid(order)]
    shuffled = list(orders)
    random.shuffle(shuffled)
    again = [payment for order in shuffled for payment in paid(order)]
    assert list_sha256(payments) == list_sha256(again) == Draft.of(again).sha256
    assert {p.end_to_end_id for p in payments} == {p.end_to_end_id for p in again}
    assert all(is_end_to_end_id(payment.end_to_end_id) for payment in payments)
    assert len({payment.end_to_end_id for payment in payments}) == len(payments)


@given(ORDERS)
def test_hash_changes_with_anything_taken_off(orders: list[Order]) -> None:
    payments = [payment for order in orders for payment in paid(order)]
    assert list_sha256(payments[1:]) != list_sha256(payments)


def test_next_attempt_is_one_above_the_last_of_any_line() -> None:
    lines = (OpenLine(UUID(int=1), Dong(5), "merit", 1, 1), OpenLine(UUID(int=2), Dong(5), "merit", 2, 2))
    (payment,) = paid(Order(UUID(int=3), Channel.COUNTER, "18496", None, lines))
    assert payment.attempt == 3
    (first,) = paid(Order(UUID(int=3), Channel.COUNTER, "18496", None, (OpenLine(UUID(int=1), Dong(5), "merit"),)))
    assert first.end_to_end_id != payment.end_to_end_id


def test_joint_hash_is_of_the_set_and_a_withdrawal_is_bound_to_list_and_reason() -> None:
    assert joint_sha256(["b", "a"]) == joint_sha256(["a", "b"]) != joint_sha256(["a"])
    bound = withdrawal_sha256("LATE_DEATH", [("list", "id")])
    assert bound not in (withdrawal_sha256("RECALL", [("list", "id")]), withdrawal_sha256("LATE_DEATH", [("other", "id")]))


def test_dead_payments_have_no_way_on_and_everything_is_reached() -> None:
    assert not DEAD & INSTRUCTION_MOVES.keys()
    reached = {InstructionState.CREATED} | {to for moves in INSTRUCTION_MOVES.values() for to in moves}
    assert reached == set(InstructionState)
    assert InstructionState.REJECTED not in INSTRUCTION_MOVES[InstructionState.PAID]
    assert {to for to, _step in BATCH_MOVES.values()} | {BatchState.DRAFT} == set(BatchState)


def test_nothing_unsent_can_be_taken_for_paid() -> None:
    for state in (InstructionState.CREATED, InstructionState.SEALED):
        assert INSTRUCTION_MOVES[state] <= {InstructionState.SEALED, InstructionState.SENDING, InstructionState.WITHDRAWN}
