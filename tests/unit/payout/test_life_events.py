"""Stories: one or more for every row of the table of life events (domain 2.2), with every open question answered both ways."""

import pytest
from entitlement_cases import months_of, person, rules, shown

from services.payout.entitlement import assess

ADULT = "BT-6a@2022-01-01"
BORN = "born=1980-01-01"


def vnd_by_month(facts, periods, grants=ADULT, **settings):
    """VND of the monthly part of each period, 0 where nothing is owed; then the reasons of stops of the whole person."""
    found = assess(person(grants, f"{BORN} {facts}"), months_of(periods), rules(**settings))
    monthly = {o.period: o.vnd for o in found.owed if o.part in ("monthly", "arrears") and o.period == o.month}
    reasons = {s.reason for s in found.stops}
    return [monthly.get(month, 0) for month in months_of(periods)], reasons


def test_death_is_owed_through_its_month_and_brings_funeral_money():
    found = assess(person(ADULT, f"{BORN} died=2025-03-31"), months_of("2025-03..2025-05"), rules())
    assert shown(found) == (
        ["2025-03 monthly BT-6a 2025-03 1000000", "2025-04 funeral FUNERAL 2025-03 10000000"],
        ["2025-04 * ended DEAD", "2025-05 * ended DEAD"],
    )


@pytest.mark.parametrize(("died", "vnd"), [("2024-06-30", 7_200_000), ("2024-07-01", 10_000_000)])
def test_funeral_money_is_that_of_the_month_of_death(died, vnd):
    found = assess(person(ADULT, f"{BORN} died={died}"), ("2024-08",), rules())
    assert found.vnd == vnd


def test_funeral_money_is_paid_once():
    dead = f"{BORN} died=2025-03-31"
    assert assess(person(ADULT, dead), ("2025-04", "2025-05"), rules()).vnd == 10_000_000
    assert assess(person(ADULT, dead + " funeral_settled"), ("2025-04",), rules()).vnd == 0


def test_funeral_money_by_the_provinces_own_standard_where_policy_says_so():
    from dataclasses import replace

    from services.payout.policy import Policy
    from services.payout.rate_book import Override
    from services.payout.rate_files import shipped
    from services.payout.rules import Rules

    row = {"from": "2025-01", "standard": "assistance", "vnd": 600_000, "instrument": "made up", "source": "made up", "mark": "c"}
    own = Override.model_validate(row | {"province": "42"})
    book = replace(shipped(), overrides={("42", "assistance"): [own]})
    dead = person(ADULT, f"{BORN} died=2025-03-31")
    months = ("2025-03", "2025-04")
    assert [o.vnd for o in assess(dead, months, Rules(book, Policy())).owed] == [1_200_000, 10_000_000]
    assert [o.vnd for o in assess(dead, months, Rules(book, Policy(funeral_standard="province"))).owed] == [1_200_000, 12_000_000]
    assert [o.vnd for o in assess(dead, months, Rules(book, Policy(province="40"))).owed] == [1_000_000, 10_000_000]


def test_death_on_social_pension_puts_funeral_money_on_the_list():
    pensioner = person("HT-1@2025-07-10:requested", "born=1949 died=2025-09-01 funeral=9000000")
    assert shown(assess(pensioner, ("2025-09", "2025-10"), rules()))[0] == [
        "2025-09 monthly HT-1 2025-09 500000",
        "2025-10 funeral FUNERAL 2025-09 9000000",
    ]
    assert assess(pensioner, ("2025-10",), rules(unconfirmed_rates="table")).vnd == 10_000_000


def test_death_of_a_heroic_mother_goes_to_relatives():
    mother = person("NCC-BM@2020-01-01 + NCC-BM-PC@2020-01-01", "died=2024-08-20 funeral=12000000")
    assert shown(assess(mother, ("2024-08", "2024-09"), rules()))[0] == [
        "2024-08 monthly NCC-BM 2024-08 8367000",
        "2024-08 monthly NCC-BM-PC 2024-08 2337000",
        "2024-09 funeral FUNERAL 2024-08 12000000",
        "2024-09 relatives NCC-BM 2024-08 25101000",
    ]


def payers(move, periods, **settings):
    """Who pays each month; `-` for nobody."""
    found = assess(person(ADULT, f"{BORN} move={move}"), months_of(periods), rules(**settings))
    paid = {o.month: o.payer for o in found.owed}
    return [paid.get(month, "-") for month in months_of(periods)]


@pytest.mark.parametrize(("setting", "expected"), [("old", ["old", "old", "new"]), ("new", ["old", "new", "new"])])
def test_move_inside_a_district_loses_no_month(setting, expected):
    assert payers("2024-03-10/within_district", "2024-02..2024-04", month_of_move=setting) == expected


def test_move_elsewhere_before_july_2025_is_paid_from_the_month_after_the_new_decision():
    assert payers("2024-03-10/elsewhere/2024-04-20", "2024-03..2024-06") == ["old", "-", "new", "new"]
    assert payers("2024-03-10/elsewhere/2024-03-20", "2024-03..2024-05") == ["old", "new", "new"]
    assert payers("2024-03-10/elsewhere", "2024-03..2024-05") == ["old", "-", "-"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["old", "new", "new"]),
        ({"gap_after_move": "from_decision"}, ["old", "-", "new"]),
        ({"month_of_move": "new"}, ["new", "new", "new"]),
        ({"month_of_move": "new", "gap_after_move": "from_decision"}, ["-", "-", "new"]),
    ],
)
def test_move_between_communes_since_july_2025(settings, expected):
    assert payers("2025-08-10/between_communes/2025-10-05/asked", "2025-08..2025-10", **settings) == expected


def test_move_between_communes_continues_only_on_request():
    assert payers("2025-08-10/between_communes/2025-09-05", "2025-08..2025-10") == ["old", "-", "-"]
    assert payers("2025-08-10/between_communes//asked", "2025-08..2025-10") == ["old", "-", "-"]


@pytest.mark.parametrize(("setting", "expected"), [("next_month", [1_000_000, 0]), ("this_month", [0, 0])])
@pytest.mark.parametrize(
    ("event", "reason"), [("prison", "PRISON"), ("given_up", "GIVEN_UP"), ("missing", "MISSING"), ("home", "CARE_HOME")]
)
def test_prison_giving_up_missing_and_a_care_home_end_it(event, reason, setting, expected):
    owed, reasons = vnd_by_month(f"{event}=2025-02-14", "2025-02..2025-03", stop_takes_effect=setting)
    assert owed == expected
    assert reasons == {reason}


def test_care_home_beside_the_benefit_where_policy_says_so():
    assert vnd_by_month("home=2025-02-14", "2025-02..2025-03", care_home="both")[0] == [1_000_000, 1_000_000]


def test_care_home_leaves_benefits_of_other_laws_alone():
    owed, _reasons = vnd_by_month("home=2025-02-14", "2025-03", grants="NCC-LS1@2015-01-01")
    assert owed == [2_789_000]


@pytest.mark.parametrize(
    ("custody", "expected"),
    [
        ("2025-02-10/2025-03-09", [1, 1, 1, 1]),  # a day less than a month
        ("2025-02-10/2025-03-10", [1, 1, 1, 1]),  # a month, and released in the month in which it is full
        ("2025-02-10/2025-05-20", [1, 1, 0, 1]),
        ("2025-02-10", [1, 1, 0, 0]),
    ],
)
def test_custody_of_a_month_or_more_suspends_until_the_month_of_release(custody, expected):
    owed, reasons = vnd_by_month(f"custody={custody}", "2025-02..2025-05")
    assert owed == [1_000_000 * one for one in expected]
    assert reasons == ({"CUSTODY"} if 0 in expected else set())


def test_custody_from_the_month_in_which_it_is_full():
    owed, _ = vnd_by_month("custody=2025-02-10/2025-05-20", "2025-02..2025-05", stop_takes_effect="this_month")
    assert owed == [1_000_000, 0, 0, 1_000_000]


@pytest.mark.parametrize(("misses", "maximum", "vnd"), [(2, 3, 1_000_000), (3, 3, 0), (7, 3, 0), (2, 2, 0), (3, 4, 1_000_000)])
def test_not_collected_three_times_running_suspends(misses, maximum, vnd):
    owed, reasons = vnd_by_month(f"misses={misses}", "2025-02", misses_max=maximum)
    assert owed == [vnd]
    assert reasons == (set() if vnd else {"NOT_COLLECTED"})


def test_uncollected_sums_wait_while_suspended_and_come_afterwards():
    facts = f"{BORN} unpaid=BT-6a/2025-01/1000000"
    assert assess(person(ADULT, facts + " misses=3"), ("2025-02",), rules()).vnd == 0
    assert assess(person(ADULT, facts), ("2025-02",), rules()).vnd == 2_000_000


def test_refused_check_suspends_and_ends_after_three_more_months():
    found = assess(person(ADULT, f"{BORN} refused=2025-01-15"), months_of("2025-01..2025-06"), rules())
    assert shown(found) == (
        ["2025-01 monthly BT-6a 2025-01 1000000"],
        [
            "2025-02 * suspended REFUSED_CHECK",
            "2025-03 * suspended REFUSED_CHECK",
            "2025-04 * suspended REFUSED_CHECK",
            "2025-05 * ended REFUSED_CHECK",
            "2025-06 * ended REFUSED_CHECK",
        ],
    )


def test_refusal_that_is_given_up_in_time_is_paid_again():
    assert vnd_by_month("refused=2025-01-15 checked=2025-03-02", "2025-02..2025-06")[0] == [0, *[1_000_000] * 4]
    assert vnd_by_month("refused=2025-01-15 checked=2025-05-02", "2025-02..2025-06")[0] == [0] * 5


def test_wrong_suspension_is_made_good_with_each_month_at_its_own_rate():
    facts = f"{BORN} custody=2024-04-01/2024-08-02 restored=BT-6a/2024-06..2024-07"
    found = assess(person(ADULT, facts), ("2024-08",), rules())
    assert shown(found)[0] == [
        "2024-08 arrears BT-6a 2024-06 720000",
        "2024-08 arrears BT-6a 2024-07 1000000",
        "2024-08 monthly BT-6a 2024-08 1000000",
    ]


def test_no_decision_restores_a_month_after_the_end():
    found = assess(person(ADULT, f"{BORN} prison=2025-01-10 restored=BT-6a/2025-01..2025-02"), ("2025-03",), rules())
    assert shown(found)[0] == ["2025-03 arrears BT-6a 2025-01 1000000"]


@pytest.mark.parametrize(("setting", "vnd"), [("family", 12_000_000), ("lapses", 10_000_000)])
def test_what_was_owed_before_a_death_goes_to_the_family_or_lapses(setting, vnd):
    facts = f"{BORN} died=2025-03-03 unpaid=BT-6a/2025-02/1000000 restored=BT-6a/2025-01 unpaid=BT-6a/2025-04/1000000"
    found = assess(person(ADULT, facts), ("2025-05",), rules(unpaid_after_death=setting))
    assert found.vnd == vnd
    assert ("LAPSED" in {s.reason for s in found.stops}) == (setting == "lapses")


def test_since_july_2025_a_grant_is_paid_from_the_month_the_chairman_signs():
    assert vnd_by_month("", "2025-07..2025-09", grants="BT-6a@2025-08-31:from=2025-07")[0] == [0, 1_000_000, 1_000_000]
    assert vnd_by_month("", "2025-04..2025-06", grants="BT-6a@2025-06-10:from=2025-05")[0] == [0, 1_000_000, 1_000_000]


def test_hand_over_month_is_paid_by_both_laws_and_never_twice():
    """June 2025 by the district, July by the commune; BT-5c becomes social pension without a new decision."""
    grant = "BT-5c@2021-09-01:own=100"
    found = assess(person(grant, "born=1940"), months_of("2025-06..2025-07"), rules())
    assert shown(found)[0] == ["2025-06 monthly BT-5c 2025-06 500000", "2025-07 monthly BT-5c>HT-1 2025-07 500000"]
    kept = assess(person(grant, "born=1940"), ("2025-07",), rules(older_benefits="kept"))
    assert shown(kept)[0] == ["2025-07 monthly BT-5c 2025-07 500000"]
