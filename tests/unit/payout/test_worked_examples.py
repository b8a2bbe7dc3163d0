"""The table of worked examples, one by one: what a benefit group is worth, with the clause it comes from."""

import pytest
from entitlement_cases import examples

from services.payout.owed import total_of

GROUPS = {
    "BT-1", "BT-2", "BT-3", "BT-4", "BT-5", "BT-6", "BT-7", "BT-8", "CS", "HT", "NCC", "several", "death", "arrears", "gift", "batch",
}  # fmt: skip


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"{example.group}: {example.case}")
def test_worked_example(example):
    found = example.assessed()
    assert found.vnd == total_of(found.owed) == example.expected_vnd
    assert {example.stop} - {""} <= {stop.reason for stop in found.stops}


def test_every_benefit_group_has_examples_with_a_source():
    table = examples()
    assert len(table) >= 60
    assert {example.group for example in table} == GROUPS
    assert all(example.source for example in table)
