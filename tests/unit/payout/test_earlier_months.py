"""Arrears and sums nobody collected, against what other lines brought of the same months: no month is owed twice."""

import pytest
from entitlement_cases import rules
from hypothesis import given
from hypothesis import strategies as st

from services.payout.comparing import Earlier, already_brought
from shared.events import Arrears, DeclaredLine
from shared.words import Programme

NOW = "2024-03"
FULL = 720_000
RAISED = 900_000
"""The most that a month of BT-6a can bring before July 2024: as BT-6b, into which the person may have grown."""


def line(code="BT-6a", monthly_vnd=FULL, **earlier):
    parts = {name: Arrears(periods=months, vnd=vnd) for name, (months, vnd) in earlier.items()}
    return DeclaredLine(programme=Programme.SOCIAL_ASSISTANCE, benefit_code=code, monthly_vnd=monthly_vnd, **parts)


def shown(declared, *earlier, period=NOW):
    return [(one.declared_vnd, one.owed_vnd) for one in already_brought(declared, period, earlier, rules=rules())]


FEB, JAN = "2024-02", "2024-01"
PAID = Earlier(FEB, "BT-6a", FULL, FULL)


@pytest.mark.parametrize(
    ("arrears", "earlier", "found"),
    [
        (((FEB,), FULL), (), []),
        (((FEB,), FULL), (Earlier(FEB, "BT-6a", FULL, 0),), []),  # it came back and its month is finished
        (((FEB,), FULL), (PAID,), [(FULL, RAISED - FULL)]),
        (((FEB,), RAISED - FULL), (PAID,), []),
        (((FEB,), FULL), (Earlier(FEB, "BT-6b", RAISED, RAISED),), [(FULL, 0)]),  # the same right under the code of another age
        (((FEB,), FULL), (Earlier(FEB, "BT-5c", 360_000, 360_000),), [(FULL, RAISED - 360_000)]),  # one that excludes it
        (((FEB,), FULL), (Earlier(FEB, "NCC-LS1", 2_055_000, 2_055_000),), []),  # one of another law
        (((FEB,), FULL), (Earlier(FEB, "BT-6a", arrears_vnd=FULL),), [(FULL, RAISED - FULL)]),
        (((FEB,), FULL), (Earlier(FEB, "BT-6a", unpaid_vnd=FULL),), [(FULL, RAISED - FULL)]),
        (((JAN, FEB), 2 * FULL), (PAID,), [(2 * FULL, 2 * RAISED - FULL)]),
        (((JAN, FEB), FULL), (PAID,), []),
        (((JAN,), FULL), (PAID,), []),
    ],
)  # fmt: skip
def test_arrears_leave_room_for_what_their_months_brought(arrears, earlier, found):
    assert shown(line(arrears=arrears), *earlier) == found


@pytest.mark.parametrize(
    ("vnd", "earlier", "found"),
    [
        (50_000, (Earlier(FEB, "BT-9", 700_000, 700_000),), []),  # a raise
        (700_000, (Earlier(FEB, "BT-9", 700_000, 700_000),), [(700_000, 0)]),  # the month again
        (50_000, (Earlier(FEB, "BT-9", 700_000, 700_000, arrears_vnd=1),), [(50_000, 0)]),  # two lines speak of it
    ],
)
def test_without_a_rule_a_raise_is_as_declared_and_a_month_again_is_not(vnd, earlier, found):
    assert shown(line("BT-9", 700_000, arrears=((FEB,), vnd)), *earlier) == found


def test_what_nobody_collected_is_not_paid_after_arrears_brought_the_month():
    unpaid = line(unpaid=((FEB,), FULL))
    assert shown(unpaid, Earlier(FEB, "BT-6a", FULL, 0, arrears_vnd=RAISED - FULL)) == []
    assert shown(unpaid, Earlier(FEB, "BT-6a", FULL, 0, arrears_vnd=FULL)) == [(FULL, 0)]


def test_a_month_is_not_paid_by_its_own_list_after_a_later_one_brought_it():
    assert shown(line(), Earlier(NOW, "BT-6a", arrears_vnd=RAISED - FULL)) == []
    assert shown(line(), Earlier(NOW, "BT-6a", arrears_vnd=FULL)) == [(FULL, 0)]
    assert shown(line(), Earlier(NOW, "BT-6a", unpaid_vnd=1)) == [(FULL, 0)]
    assert shown(line("BT-9", 700_000), Earlier(NOW, "BT-9", arrears_vnd=1)) == [(700_000, 0)]


sums = st.integers(1, RAISED)


@given(st.booleans(), st.lists(sums, max_size=8))
def test_whatever_lists_ask_for_a_month_never_brings_more_than_its_rule(with_its_own, asked):
    given_vnd, brought = FULL if with_its_own else 0, 0
    for vnd in asked:
        before = Earlier(FEB, "BT-6a", FULL, given_vnd, arrears_vnd=brought)
        if vnd <= RAISED and not shown(line(arrears=((FEB,), vnd)), before):
            brought += vnd
    assert given_vnd + brought <= RAISED
