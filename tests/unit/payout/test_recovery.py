"""A death or a move told late claims back the months after it, to the dong, and nothing else."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payout.recovering import cases_of
from services.payout.recovery import CLAIMED, OPEN, Ending, accounts, claim, proposal_sha256
from shared.after_death import vnd_after
from shared.clock import period_of
from shared.events import Arrears, DeclaredLine
from shared.words import Programme

LINE, FIRST, SECOND, WHO = (UUID(int=number) for number in range(1, 5))


def a_line(**changes: object) -> DeclaredLine:
    same = {"programme": Programme.SOCIAL_ASSISTANCE, "benefit_code": "BT-5c", "monthly_vnd": 360_000}
    return DeclaredLine(**{**same, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("died_on", "vnd"),
    [
        (date(2023, 12, 31), 360_000),
        (date(2024, 1, 1), 360_000),
        (date(2024, 1, 31), 360_000),
        (date(2024, 2, 1), 0),  # the month of death is owed still
        (date(2024, 2, 29), 0),
        (date(2024, 3, 1), 0),
    ],
)
def test_month_of_death_is_owed_still(died_on: date, vnd: int) -> None:
    assert vnd_after(a_line(), "2024-02", period_of(died_on)) == vnd


def test_carer_goes_with_the_month_and_one_off_money_is_left_alone() -> None:
    line = a_line(carer_vnd=540_000, one_off_vnd=10_000_000)
    assert vnd_after(line, "2024-02", "2024-01") == 900_000
    assert vnd_after(line, "2024-01", "2024-01") == 0


def test_of_arrears_only_the_months_after() -> None:
    arrears = Arrears(periods=("2023-11", "2023-12", "2024-01"), vnd=1_000_001)
    unpaid = Arrears(periods=("2023-10",), vnd=360_000)
    line = a_line(arrears=arrears, unpaid=unpaid)
    assert vnd_after(line, "2024-02", "2023-12") == 360_000 + 333_333, "the odd dong stays with the family"
    assert vnd_after(line, "2024-02", "2023-09") == 360_000 + 1_000_001 + 360_000
    assert vnd_after(line, "2024-02", "2024-02") == 0


DAYS = st.dates(date(2023, 6, 1), date(2024, 6, 30))


@given(DAYS, DAYS, st.integers(0, 10**7), st.integers(0, 10**7))
def test_dying_later_never_claims_more_and_never_more_than_declared(one: date, two: date, monthly: int, arrears: int) -> None:
    line = a_line(monthly_vnd=monthly, arrears=Arrears(periods=("2023-11", "2023-12"), vnd=arrears))
    earlier, later = sorted((one, two))
    assert (
        0 <= vnd_after(line, "2024-02", period_of(later)) <= vnd_after(line, "2024-02", period_of(earlier)) <= line.declared_vnd
    )


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=6), DAYS)
def test_parts_of_a_line_together_give_back_what_is_vnd_after(parts: list[int], died_on: date) -> None:
    line = a_line(monthly_vnd=sum(parts))
    claimed = 0
    for paid in parts:
        claimed += claim(paid, line, "2024-02", through=period_of(died_on), claimed_vnd=claimed)
    assert claimed == vnd_after(line, "2024-02", period_of(died_on))


def test_cases_of_a_line_paid_in_two_parts() -> None:
    arrears = Arrears(periods=("2023-12",), vnd=100_000)
    content = a_line(arrears=arrears).model_dump_json()
    same = {
        "entitlement_id": LINE, "beneficiary_id": WHO, "period": "2024-02", "payer": "p", "content": content, "claimed_vnd": 0,
        "reason": "DEAD", "fact_on": date(2024, 1, 5), "through": "2024-01", "payroll": "2024-02",
    }  # fmt: skip
    rows = [{**same, "instruction_id": FIRST, "vnd": 300_000}, {**same, "instruction_id": SECOND, "vnd": 160_000}]
    cases = cases_of(rows)
    assert [(case.instruction_id, case.vnd) for case in cases] == [(FIRST, 300_000), (SECOND, 60_000)]
    assert len({case.case_id for case in cases}) == 2
    assert cases_of([{**rows[1], "claimed_vnd": 360_000}]) == []


def test_every_end_takes_the_claim_out_of_what_is_open() -> None:
    assert {accounts(ending)[1] for ending in Ending} == {OPEN}
    assert len({accounts(ending)[0] for ending in Ending} | {OPEN, CLAIMED}) == 5


def test_second_signature_is_bound_to_case_end_reason_and_proposer() -> None:
    same = {"ending": Ending.WAIVED, "why": "NO_HEIRS", "proposed_by": "one"}
    bound = proposal_sha256(LINE, 5, **same)
    others = [
        proposal_sha256(WHO, 5, **same),
        proposal_sha256(LINE, 6, **same),
        proposal_sha256(LINE, 5, **{**same, "ending": Ending.RECOVERED}),
        proposal_sha256(LINE, 5, **{**same, "why": "POOR"}),
        proposal_sha256(LINE, 5, **{**same, "proposed_by": "two"}),
    ]
    assert bound not in others
