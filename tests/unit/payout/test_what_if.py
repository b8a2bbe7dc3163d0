"""What other rates would cost, and how proposed rows take the place of known ones."""

from uuid import UUID

import pytest
from entitlement_cases import rules
from hypothesis import given
from hypothesis import strategies as st

from services.payout.policy import Policy
from services.payout.rate_files import BadRates, proposed, shipped
from services.payout.rules import Rules
from services.payout.what_if import COLUMNS, Alike, WhatIf, WhatIfLine
from shared.events import DeclaredLine
from shared.words import Programme

STANDARDS = "standard,from,until,vnd,instrument,source,mark\n"
RATES = "code,kind,value,standard,from,until,setting,instrument,source,mark\n"
RAISED = STANDARDS + "assistance,2026-07,,600000,made up,made up,c\n"
PROGRAMMES = {"NCC": Programme.MERIT, "HT-": Programme.SOCIAL_PENSION}


def line(code, monthly_vnd, **rest):
    programme = PROGRAMMES.get(code[:3], Programme.SOCIAL_ASSISTANCE)
    return DeclaredLine(programme=programme, benefit_code=code, monthly_vnd=monthly_vnd, **rest)


LINES = (
    Alike("xa-1", "18496", line("BT-6a", 1_000_000, carer_vnd=500_000), 3),
    Alike("xa-1", "18496", line("HT-1", 500_000), 2),
    Alike("xa-2", "18502", line("NCC-TB-75", 6_900_000), 1),
    Alike("xa-2", "18502", line("BT-6a", 1_000_001), 1),
)


NONE = dict.fromkeys(("count", "now_vnd", "then_vnd", "difference_vnd", "without_rule"), 0)


def asked(*texts, period="2026-07", at=None):
    then = Rules(proposed(shipped(), texts), Policy())
    return WhatIf(period, at or period, rules(), then)


def test_report_per_programme_commune_and_code():
    found = asked(RAISED).report(LINES)
    assert found["total"] == {
        "count": 7, "now_vnd": 3 * 1_500_000 + 2 * 500_000 + 6_900_000 + 1_000_000,
        "then_vnd": 3 * 1_800_000 + 2 * 500_000 + 6_900_000 + 1_200_000, "difference_vnd": 3 * 300_000 + 200_000, "without_rule": 1,
        "held": NONE,
    }  # fmt: skip
    assert [(row["name"], row["count"], row["difference_vnd"]) for row in found["programmes"]] == [
        ("merit", 1, 0), ("social_assistance", 4, 1_100_000), ("social_pension", 2, 0),
    ]  # fmt: skip
    assert [(row["name"], row["difference_vnd"]) for row in found["communes"]] == [("18496", 900_000), ("18502", 200_000)]
    assert [(row["name"], row["without_rule"]) for row in found["codes"]] == [("BT-6a", 0), ("HT-1", 0), ("NCC-TB-75", 1)]


def test_lines_carry_rules_and_no_personal_data():
    rows = list(asked(RAISED).rows([WhatIfLine(UUID(int=1), "xa-1", "18496", LINES[0].line, "DEAD")]))
    now, then = "BT-6a@2021-07*assistance@2024-07", "BT-6a@2021-07*assistance@2026-07"
    assert rows == [
        (UUID(int=1), "xa-1", "18496", "social_assistance", "BT-6a", 1_500_000, 1_800_000, 300_000, now, then, "DEAD")
    ]
    assert len(COLUMNS) == len(rows[0])


def test_what_is_held_is_summed_apart_on_both_sides():
    held = LINES[0]._replace(lines=2, held=True)
    found = asked(RAISED).report([*LINES, held])
    paid = asked(RAISED).report(LINES)
    assert {**found["total"], "held": NONE} == paid["total"]
    assert found["total"]["held"] == {
        "count": 2, "now_vnd": 3_000_000, "then_vnd": 3_600_000, "difference_vnd": 600_000, "without_rule": 0,
    }  # fmt: skip
    assert [(row["name"], row["held"]["then_vnd"]) for row in found["communes"]] == [("18496", 3_600_000), ("18502", 0)]
    alone = asked(RAISED).report([held])
    assert [(row["count"], row["held"]["count"]) for row in alone["codes"]] == [(0, 2)], "what is only held is still shown"


def test_rates_of_a_later_month_on_the_lines_of_an_earlier_one():
    assert asked(RAISED, period="2026-06").report(LINES)["total"]["difference_vnd"] == 0
    assert asked(RAISED, period="2026-06", at="2026-07").report(LINES)["total"]["difference_vnd"] == 1_100_000


def test_a_line_without_a_rule_now_is_compared_as_declared():
    invalid = line("NCC-TB-21", 1_384_000)
    assert asked(period="2024-02", at="2024-07").effect(invalid) == (1_384_000, 1_878_000, None, "NCC-TB-21@2024-07")
    assert asked(period="2024-02", at="2024-07").effect(line("NCC-TB-21", 1_384_000, scaled=True)).difference_vnd == 0


def test_the_same_rates_cost_the_same():
    assert asked().report(LINES)["total"]["difference_vnd"] == 0


def test_proposed_rows_end_the_open_row_and_take_the_place_of_later_ones():
    book = proposed(shipped(), [RAISED, STANDARDS + "assistance,2022-01,2022-06,1,made up,made up,c\n"])
    assert [(row.since, row.until, row.vnd) for row in book.standards["assistance"]] == [
        ("2015-01", "2021-06", 270_000), ("2021-07", "2021-12", 360_000), ("2022-01", "2022-06", 1),
    ]  # fmt: skip
    assert book.standards["merit"] == shipped().standards["merit"]


def test_a_table_handed_in_whole_is_the_table_itself():
    from services.payout.rate_files import FOLDER

    texts = [(FOLDER / name).read_text("utf-8") for name in ("standards.csv", "rates.csv", "war_invalids.csv", "overrides.csv")]
    book = proposed(shipped(), texts)
    assert (book.standards, book.rates, book.overrides) == (shipped().standards, shipped().rates, shipped().overrides)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("hello", "proposal 1 row 1 column (first)"),
        (RAISED + "assistance,2026-09,,1,made up,made up,c\n", "proposal 1 row 3 column from: overlaps"),
        (STANDARDS + "assistance,2026-07,,,made up,made up,c\n", "proposal 1 row 2 column vnd"),
        (RATES + "BT-99,coefficient,100,assistance,2026-07,,,made up,made up,c\n", "proposal 1 row 2 column code"),
        (RATES + "BT-6a,coefficient,100,wages,2026-07,,,made up,made up,c\n", "proposal 1 row 2 column standard"),
    ],
)
def test_bad_proposal_is_refused_with_its_place(text, place):
    with pytest.raises(BadRates) as caught:
        proposed(shipped(), [text])
    assert str(caught.value).startswith(place)


@given(st.lists(st.tuples(st.sampled_from(["BT-6a", "BT-1a", "HT-1", "NCC-LS1", "NCC-TB-75"]), st.integers(0, 9), st.integers(0, 4),
                          st.booleans())), st.integers(1, 3_000_000))  # fmt: skip
def test_parts_sum_to_the_total_and_a_higher_standard_never_costs_less(drawn, vnd):
    groups = [Alike(f"xa-{place}", f"1850{place}", line(code, 1_000_000), count, held) for code, count, place, held in drawn]
    level = STANDARDS + f"assistance,2026-07,,{vnd},made up,made up,c\n"
    found = asked(level).report(groups)
    for name in ("count", "now_vnd", "then_vnd", "difference_vnd", "without_rule"):
        for key in ("programmes", "communes", "codes"):
            assert sum(row[name] for row in found[key]) == found["total"][name]
            assert sum(row["held"][name] for row in found[key]) == found["total"]["held"][name]
    assert (found["total"]["difference_vnd"] >= 0) or vnd < 500_000
