"""Conservation: every open line ends in exactly one of cashless, postal, held, by count and by VND."""

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from entitlement_cases import rules
from hypothesis import given
from hypothesis import strategies as st

from services.payout import deciding
from services.payout.contracts import read_contracts
from services.payout.deciding import Plan
from services.payout.emitting import Entries, paged
from services.payout.ledger import Posting
from services.payout.store import HeldLine
from shared.events import DeclaredLine, EntryBook
from shared.topics import Provider
from shared.words import AccountCheck, Channel, HeldReason, Life, NoAccountReason, Outcome, Programme, Wish

decide = partial(deciding.decide, contracts=read_contracts())
CONTENT = {
    vnd: DeclaredLine(
        programme=Programme.SOCIAL_ASSISTANCE, benefit_code="BT-5c", coefficient_hundredths=100, monthly_vnd=vnd
    ).model_dump_json(exclude_none=True)
    for vnd in (0, 360_000, 400_000)
}

MERIT = DeclaredLine(programme=Programme.MERIT, benefit_code="NCC-LS1", monthly_vnd=2_055_000).model_dump_json(exclude_none=True)
DISABLED = DeclaredLine(programme=Programme.SOCIAL_ASSISTANCE, benefit_code="BT-6a", monthly_vnd=720_000).model_dump_json(
    exclude_none=True
)


def a_row(**changes: Any) -> dict[str, Any]:
    row = {
        "entitlement_id": UUID(int=1), "beneficiary_id": UUID(int=2), "programme": "social_assistance", "declared_vnd": 360_000,
        "content": CONTENT[360_000], "open_vnd": 360_000, "pieces": 0, "attempts": 0, "failed": None, "held": None, "area": "18496",
        "life": "alive", "died_on": None, "wish": "account", "home_delivery": False, "can_be_delivered": True, "bank_bin": "970405",
        "paper_scope": None, "paper_from": None, "paper_until": None, "bulk_unused": None, "merged": False, "moved_out_on": None,
        "identity_digest": "i", "account_digest": "a", "judged_identity": "i", "judged_account": "a", "outcome": "match",
        "judged_died_on": None, "account": "usable", "beside": None, "ages": None, "circumstances": None, "period": "2024-02", "gift": None,
    }  # fmt: skip
    return {**row, **changes}


PEOPLE = st.fixed_dictionaries(
    {
        "life": st.none() | st.sampled_from(list(map(str, Life))), "wish": st.sampled_from(list(map(str, Wish))),
        "home_delivery": st.booleans(), "can_be_delivered": st.booleans(), "account_digest": st.none() | st.sampled_from("ab"),
        "outcome": st.none() | st.sampled_from(list(map(str, Outcome))),
        "account": st.none() | st.sampled_from(list(map(str, AccountCheck))),
        "judged_identity": st.sampled_from("ij"), "failed": st.sampled_from((None, "rejected", "returned")),
    }
)  # fmt: skip
LINES = st.lists(
    st.tuples(st.sampled_from(sorted(CONTENT)), st.none() | st.sampled_from(sorted(map(str, HeldReason)))), min_size=1, max_size=3
)


def rows_of(people: list[tuple[dict[str, Any], list[tuple[int, str | None]]]]) -> list[dict[str, Any]]:
    return [
        a_row(
            **person, beneficiary_id=UUID(int=who), entitlement_id=UUID(int=1_000 + 10 * who + place), content=CONTENT[vnd],
            declared_vnd=vnd, open_vnd=vnd, held=held,
        )
        for who, (person, lines) in enumerate(people)
        for place, (vnd, held) in enumerate(lines)
    ]  # fmt: skip


def held_now(plan: Plan, rows: list[dict[str, Any]]) -> dict[UUID, int]:
    """Lines held when the build is over: those held before and not freed, and the new ones."""
    before = {row["entitlement_id"]: row["open_vnd"] for row in rows if row["held"] and row["entitlement_id"] not in plan.freed}
    new = {line.entitlement_id: int(line.vnd) for line in plan.held}
    assert not before.keys() & new.keys(), "held once"
    return before | new


@given(st.lists(st.tuples(PEOPLE, LINES), max_size=8))
def test_every_line_ends_in_exactly_one_place(people: list[tuple[dict[str, Any], list[tuple[int, str | None]]]]) -> None:
    rows = rows_of(people)
    plan = decide(rows, "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    paid = {line.entitlement_id: int(line.vnd) for orders in plan.orders.values() for order in orders for line in order.lines}
    held = held_now(plan, rows)
    assert not paid.keys() & held.keys()
    assert paid | held == {row["entitlement_id"]: row["open_vnd"] for row in rows}
    assert sum(len(order.lines) for orders in plan.orders.values() for order in orders) == len(paid), "paid once"
    assert plan.considered == len(rows)
    orders = {order.beneficiary_id: order for given in plan.orders.values() for order in given}
    for row in rows:
        who, holder = row["beneficiary_id"], row["life"] is not None and row["account_digest"] is not None
        on_account = who in orders and orders[who].channel is Channel.ACCOUNT
        assert on_account or (who in plan.choices) == holder, "an account holder not paid on the account is explained"


def test_two_lines_of_one_person_are_one_order() -> None:
    rows = [a_row(), a_row(entitlement_id=UUID(int=9), programme="merit", content=MERIT)]
    plan = decide(rows, "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    ((order,),) = plan.orders.values()
    assert len(order.lines) == 2
    assert list(plan.orders) == [Provider.BANK_A]


def test_wrong_amount_holds_that_line_only() -> None:
    rows = [a_row(content=CONTENT[400_000], open_vnd=400_000), a_row(entitlement_id=UUID(int=9), content=MERIT)]
    plan = decide(rows, "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert [(line.entitlement_id, line.reason) for line in plan.held] == [(UUID(int=1), HeldReason.AMOUNT_DIFFERS)]
    ((order,),) = plan.orders.values()
    assert [line.entitlement_id for line in order.lines] == [UUID(int=9)]


def test_lower_of_two_assistance_benefits_is_held() -> None:
    rows = [a_row(), a_row(entitlement_id=UUID(int=9), content=DISABLED, open_vnd=720_000)]
    plan = decide(rows, "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert [(line.entitlement_id, line.reason) for line in plan.held] == [(UUID(int=1), HeldReason.AMOUNT_DIFFERS)]
    ((order,),) = plan.orders.values()
    assert [line.entitlement_id for line in order.lines] == [UUID(int=9)]


def test_lower_benefit_stays_held_when_the_higher_was_paid() -> None:
    row = a_row(held="AMOUNT_DIFFERS", beside=[f"{UUID(int=9)} {DISABLED}"])
    plan = decide([row], "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert (plan.held, plan.freed, dict(plan.orders)) == ([], [], {})
    alone = decide([a_row(held="AMOUNT_DIFFERS", beside=[f"{UUID(int=9)} {MERIT}"])], "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert (alone.freed, sum(map(len, alone.orders.values()))) == ([UUID(int=1)], 1)


def test_reason_about_the_person_comes_before_the_amount() -> None:
    plan = decide([a_row(content=CONTENT[400_000], outcome="not_found")], "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert [line.reason for line in plan.held] == [HeldReason.NOT_FOUND]
    plan = decide(
        [a_row(content=CONTENT[400_000], home_delivery=True, can_be_delivered=False, wish="post")],
        "2024-02",
        rules(),
        tolerance_vnd=0,
    )  # type: ignore[arg-type]
    assert [line.reason for line in plan.held] == [HeldReason.AMOUNT_DIFFERS]


def test_same_reason_again_is_silent_and_a_line_that_became_payable_is_freed() -> None:
    again = decide([a_row(outcome="not_found", held="NOT_FOUND")], "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert (again.held, again.freed) == ([], [])
    now = decide([a_row(held="NOT_FOUND")], "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert now.freed == [UUID(int=1)]
    assert now.orders


@given(held=st.integers(0, 9), posted=st.integers(0, 60), at_once=st.integers(1, 20))
def test_facts_are_written_some_at_a_time_and_in_their_order(held: int, posted: int, at_once: int) -> None:
    entries = Entries("2024-02", "xa-1", datetime(2024, 1, 25, tzinfo=UTC))
    one = Posting(UUID(int=1), UUID(int=2), "a", "b", 5)
    events = [entries.held(HeldLine(UUID(int=number), HeldReason.DEAD, 5)) for number in range(held)]
    for first in range(0, posted, 4):  # books of few facts
        events += entries.posted([one] * min(4, posted - first))
    pages = list(paged(events, at_once))
    assert [event for page in pages for event in page] == events
    for page in pages:
        weights = [len(event.message.facts) if isinstance(event.message, EntryBook) else 1 for event in page]
        assert sum(weights[:-1]) < at_once, "no page goes on once it is full"


def test_less_than_a_bank_takes_as_one_payment_goes_by_post_and_says_so() -> None:
    rows = [a_row(open_vnd=1_999), a_row(beneficiary_id=UUID(int=3), entitlement_id=UUID(int=9), open_vnd=2_000)]
    plan = decide(rows, "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert {provider: [order.beneficiary_id for order in orders] for provider, orders in plan.orders.items()} == {
        Provider.POST: [UUID(int=2)],
        Provider.BANK_A: [UUID(int=3)],
    }
    assert plan.choices[UUID(int=2)].gap is NoAccountReason.BELOW_LEAST


def test_too_little_for_a_bank_and_no_place_to_bring_it_is_held() -> None:
    plan = decide([a_row(open_vnd=500, home_delivery=True, can_be_delivered=False)], "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert [line.reason for line in plan.held] == [HeldReason.NO_DELIVERY]


def test_two_lines_that_are_enough_together_are_one_transfer() -> None:
    rows = [a_row(open_vnd=1_000), a_row(entitlement_id=UUID(int=9), programme="merit", content=MERIT, open_vnd=1_000)]
    plan = decide(rows, "2024-02", rules(), tolerance_vnd=0)  # type: ignore[arg-type]
    assert list(plan.orders) == [Provider.BANK_A]
