"""What a list declares against what the tables say, part by part."""

import pytest
from entitlement_cases import rules

from services.payout.comparing import differences, giving_way, shown_differences
from services.payout.entitlement import differs
from shared.events import Arrears, DeclaredLine
from shared.words import Programme


def line(code="BT-6a", monthly_vnd=1_000_000, **rest):
    programme = {"NCC": Programme.MERIT, "HT-": Programme.SOCIAL_PENSION}.get(code[:3], Programme.SOCIAL_ASSISTANCE)
    earlier = {
        name: Arrears(periods=rest.pop(name)[0], vnd=rest.pop(f"{name}_vnd")) for name in ("arrears", "unpaid") if name in rest
    }
    return DeclaredLine(programme=programme, benefit_code=code, monthly_vnd=monthly_vnd, **rest, **earlier)


def shown(declared, period="2025-03", **settings):
    return [(d.reason, d.vnd) for d in differences(declared, period, rules(**settings))]


def test_line_as_the_tables_say_does_not_differ():
    assert shown(line()) == []


@pytest.mark.parametrize("wrong", [1, -1, 280_000])
def test_monthly_part_elsewhere_is_shown_with_its_rule(wrong):
    (found,) = differences(line(monthly_vnd=1_000_000 + wrong), "2025-03", rules())
    assert (found.reason, found.vnd, found.owed_vnd) == ("MONTHLY_DIFFERS", wrong, 1_000_000)
    assert found.rule == "BT-6a@2021-07*assistance@2024-07"


@pytest.mark.parametrize(
    ("vnd", "coefficient", "expected"),
    [
        (500_000, 100, []),
        (1_000_000, 100, []),  # two children, each by the coefficient of the text
        (1_500_000, None, []),
        (1_000_000, 200, []),  # the list adds the coefficients up
        (1_200_000, 100, [("MONTHLY_DIFFERS", 200_000)]),
        (300_000, 100, [("MONTHLY_DIFFERS", -200_000)]),
        (6_500_000, 100, [("MONTHLY_DIFFERS", 500_000)]),  # more children than a list may say without a word
    ],
)
def test_a_single_parents_benefit_is_for_each_child(vnd, coefficient, expected):
    declared = line("BT-4", vnd, coefficient_hundredths=coefficient)
    assert shown(declared, unconfirmed_rates="table") == expected


@pytest.mark.parametrize(
    ("declared", "settings", "expected"),
    [
        (line("BT-5c", 500_000, coefficient_hundredths=100), {}, []),
        (line("BT-5c", 750_000, coefficient_hundredths=150), {}, []),  # ours was seen on no page: the list's counts
        (line("BT-5c", 750_000, coefficient_hundredths=150), {"unconfirmed_rates": "table"}, [("MONTHLY_DIFFERS", 250_000)]),
        (line("BT-5c", 750_000), {"unconfirmed_rates": "table"}, [("MONTHLY_DIFFERS", 250_000)]),
        (line("NCC-LS2", 5_000_000), {}, [("MONTHLY_DIFFERS", -578_000)]),
        (line("NCC-LS2", 5_000_000), {"martyr_relatives": "list"}, []),
        (line("NCC-TB-21", 1_800_000), {}, [("MONTHLY_DIFFERS", -78_000)]),
        (line("NCC-TB-75", 1_800_000), {}, []),  # a hole
        (line("BT-9", 750_000, coefficient_hundredths=150), {}, []),  # a code no table names, at the list's coefficient
        (line("BT-9", 700_000, coefficient_hundredths=150), {}, [("MONTHLY_DIFFERS", -50_000)]),
        (line("NCC-XX", 700_000), {}, []),
        (line("BT-6a", 7, scaled=True), {}, []),
        (line("BT-6a", carer_vnd=123_456), {}, []),
        (line("BT-6a", carer_vnd=500_000), {"unconfirmed_rates": "table"}, []),
        (line("BT-6a", carer_vnd=510_000), {"unconfirmed_rates": "table"}, [("CARER_DIFFERS", 10_000)]),
        (line("BT-5a1", 750_000, carer_vnd=510_000), {"unconfirmed_rates": "table"}, []),  # no carer money is known for it
    ],
)
def test_what_counts_where_ours_is_not_confirmed(declared, settings, expected):
    assert shown(declared, **settings) == expected


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({"arrears": [("2024-06", "2024-07")], "arrears_vnd": 1_720_000}, []),
        ({"arrears": [("2024-06", "2024-07")], "arrears_vnd": 1_000_000}, []),  # a part of a month may have been paid
        ({"arrears": [("2024-06", "2024-07")], "arrears_vnd": 2_150_001}, [("ARREARS_TOO_HIGH", 1)]),
        ({"arrears": [("2025-03",)], "arrears_vnd": 1_000_000}, [("MONTH_TWICE", 1_000_000)]),
        ({"arrears": [("2025-01", "2025-01")], "arrears_vnd": 900_000}, [("MONTH_TWICE", 900_000)]),
        ({"unpaid": [("2025-04",)], "unpaid_vnd": 1_000_000}, [("MONTH_TWICE", 1_000_000)]),
        ({"unpaid": [("2025-02",)], "unpaid_vnd": 3_000_000}, []),  # may hold gifts
        ({"arrears": [("2025-01",)], "arrears_vnd": 200_000, "unpaid": [("2025-01",)], "unpaid_vnd": 1_000_000}, []),
        ({"arrears": [("2025-01",)], "arrears_vnd": 1_000_000, "unpaid": [("2025-01",)], "unpaid_vnd": 1_000_000},
         [("MONTH_TWICE", 750_000)]),
    ],
)  # fmt: skip
def test_earlier_months(rest, expected):
    """BT-6a may have been BT-6b before: 900,000 in June 2024, 1,250,000 since July."""
    assert shown(line(**rest)) == expected


@pytest.mark.parametrize(
    ("lines", "settings", "lower"),
    [
        ([line(), line("BT-8", 750_000)], {}, {1}),
        ([line("BT-8", 750_000), line()], {}, {0}),
        ([line(), line()], {}, {1}),
        ([line(), line("NCC-LS1", 2_789_000)], {}, set()),
        ([line(), line("NCC-LS1", 2_789_000)], {"other_laws": "highest"}, {0}),
        ([line("BT-4", 500_000), line("BT-6c", 750_000)], {}, set()),
        ([line("BT-4", 500_000), line("BT-6c", 750_000)], {"parent_with_own": "highest"}, {0}),
        ([line(), line("BT-9", 1)], {}, set()),  # no table knows how a code nobody knows goes with others
        ([line("NCC-TB-21", 1_878_000), line("NCC-LS1", 2_789_000)], {}, set()),
        ([line("NCC-TB-21", 1_878_000), line("NCC-LS1", 2_789_000)], {"two_merits": "highest"}, {0}),
    ],
)
def test_which_of_a_persons_lines_gives_way(lines, settings, lower):
    assert giving_way(lines, "2025-03", rules(**settings)) == lower
    for place in range(len(lines)):
        shown_of_it = {one.reason for one in shown_differences(lines, place, "2025-03", rules=rules(**settings))}
        assert ("HIGHER_PAID" in shown_of_it) == (place in lower)


def test_difference_holds_a_line_only_above_the_tolerance():
    declared = line(monthly_vnd=1_000_500)
    assert differs(declared, "2025-03", 499, rules=rules())
    assert not differs(declared, "2025-03", 500, rules=rules())
    assert differs(declared, "2025-03", 0, rules=rules())


def test_a_province_that_pays_more_does_not_differ_from_its_own_table():
    assert shown(line(), province="40") == []
