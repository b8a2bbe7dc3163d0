"""The preview says which part of somebody's month changed."""

from typing import Any
from uuid import UUID

import pytest

from services.payout.preview import Changed, difference
from shared.events import Arrears, DeclaredLine
from shared.words import Programme


def a_line(code: str = "BT-6c", vnd: int = 750_000, coefficient: int | None = 150, **more: Any) -> DeclaredLine:
    return DeclaredLine(
        programme=Programme.SOCIAL_ASSISTANCE, benefit_code=code, monthly_vnd=vnd, coefficient_hundredths=coefficient, **more
    )


MONTHS = Arrears(periods=("2025-01",), vnd=750_000)
CARER = a_line("BT-6a", 1_000_000, 200, carer_vnd=500_000)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ([a_line(vnd=540_000)], [a_line()], "rate"),
        ([a_line()], [a_line(vnd=1_000_000, coefficient=200)], "coefficient"),
        ([a_line()], [a_line(arrears=MONTHS)], "arrears"),
        ([a_line(arrears=MONTHS)], [a_line()], "arrears"),
        ([a_line()], [a_line(unpaid=MONTHS)], "carried_over"),
        ([a_line()], [a_line(one_off_vnd=400_000)], "one_off"),
        ([a_line()], [a_line(), a_line("TET-2026-BT", 0, None, one_off_vnd=400_000)], "one_off"),
        ([a_line()], [a_line("MT-BT", 0, None, one_off_vnd=10_000_000)], "benefit_removed+death_money"),
        ([CARER], [a_line("BT-6a", 1_000_000, 200, carer_vnd=750_000)], "carer"),
        ([a_line()], [a_line(), a_line("BT-4", 500_000, 100)], "benefit_added"),
        ([a_line(), a_line("BT-4", 500_000, 100)], [a_line()], "benefit_removed"),
        ([a_line("BT-1a", 1_250_000, 250)], [a_line("BT-1b", 750_000, 150)], "benefit_added+benefit_removed"),
        ([a_line(vnd=540_000)], [a_line(arrears=MONTHS)], "rate+arrears"),
        ([a_line()], [a_line()], "other_amount"),
    ],
)
def test_what_changed_of_an_amount(before: list[DeclaredLine], after: list[DeclaredLine], why: str) -> None:
    row = {
        "beneficiary_id": UUID(int=1), "before_vnd": 1, "after_vnd": 2, "before_channel": "account", "after_channel": "account",
        "held": None, "before_contents": [line.model_dump_json(exclude_none=True) for line in before],
        "after_contents": [line.model_dump_json(exclude_none=True) for line in after],
    }  # fmt: skip
    found = difference(row, "2025-02")
    assert (found.kind, found.why) == ("amount", why)
    assert set(why.split("+")) <= {*Changed, "other_amount"}
