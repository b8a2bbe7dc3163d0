"""Areas as data: every commune of the province at its time, payers by date, and old units whose people nobody may place by guess."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.areas import Areas, Placed
from services.registry.cells import folded
from services.registry.refusals import ADVICE, RowNote, RowReason
from services.registry.statements import Split
from shared.areas import Area, AreaChange, AreaNames, read_areas, read_changes, read_hamlets

ROWS, CHANGES = read_areas(), read_changes()
HAMLETS = read_hamlets()
AREAS = Areas(ROWS, CHANGES, HAMLETS)
JANUARY, JULY = date(2025, 1, 1), date(2025, 7, 1)
BEFORE, BETWEEN, SINCE = date(2024, 6, 1), date(2025, 3, 1), date(2025, 8, 1)
rows = st.sampled_from(ROWS)
days = st.dates(date(2020, 1, 1), date(2027, 1, 1))


def on(day):
    return [area for area in ROWS if area.holds(day)]


# --- the tables -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "payers", "units"), [(BEFORE, 13, 216), (BETWEEN, 12, 209), (SINCE, 69, 69)])
def test_the_whole_province_at_every_time(day, payers, units):
    assert (len({area.payer for area in on(day)}), len(on(day))) == (payers, units)
    assert len({area.code for area in on(day)}) == units


def test_since_july_2025_there_are_60_communes_and_9_wards_and_each_is_its_own_payer():
    assert sum(area.name.startswith("Phường ") for area in on(SINCE)) == 9
    assert sum(area.name.startswith("Xã ") for area in on(SINCE)) == 60
    assert all(area.payer == f"xa-{area.code}" for area in on(SINCE))
    assert all(area.payer.startswith("huyen-") for area in on(BETWEEN))


def test_loc_ha_is_a_payer_until_the_end_of_2024_only():
    assert AREAS.pays("huyen-448", date(2024, 12, 31))
    assert not AREAS.pays("huyen-448", JANUARY)
    assert AREAS.knows("huyen-448")


@pytest.mark.parametrize("day", [JANUARY, JULY])
def test_every_unit_became_something_that_exists_and_everything_came_from_somewhere(day):
    was = {area.code for area in on(day - timedelta(days=1))}
    became = {change.new for change in CHANGES if change.on == day}
    assert {change.old for change in CHANGES if change.on == day} == was
    assert became == {area.code for area in on(day)}


def test_no_two_rows_claim_one_code_or_one_change_twice():
    assert len({(change.on, change.old, change.new) for change in CHANGES}) == len(CHANGES)
    for day in (BEFORE, JANUARY - timedelta(days=1), JANUARY, BETWEEN, JULY - timedelta(days=1), JULY, SINCE):
        assert len(on(day)) == len({area.code for area in on(day)})


def test_huong_khe_is_seven_communes_of_twenty():
    old = {area.code for area in on(BETWEEN) if area.payer == "huyen-444"}
    new = {"18496", "18502", "18523", "18532", "18544", "18547", "18550"}
    assert len(old) == 20
    assert set().union(*(AREAS.successors(code, BETWEEN, SINCE) for code in old)) == new


# --- old to new is not a function -------------------------------------------------------------------------------------------------


def test_a_split_is_decided_by_an_address_or_a_person_never_here():
    dai_nai = next(area for area in on(BETWEEN) if area.name == "Phường Đại Nài")
    ky_loi = next(area for area in on(BETWEEN) if area.name == "Xã Kỳ Lợi")
    assert len(AREAS.successors(dai_nai.code, BETWEEN, SINCE)) == 2
    assert len(AREAS.successors(ky_loi.code, BETWEEN, SINCE)) == 3
    for old in (dai_nai, ky_loi):
        assert AREAS.moved(old.code, BETWEEN, SINCE) is RowReason.AREA_SPLIT
        for code in AREAS.successors(old.code, BETWEEN, SINCE):
            found = AREAS.find(f"xa-{code}", old.name, SINCE)
            assert found == Placed(code) or isinstance(found, Split)


def test_five_new_units_draw_on_two_old_districts():
    districts: dict[str, set[str]] = {}
    for area in on(BETWEEN):
        for code in AREAS.successors(area.code, BETWEEN, SINCE):
            districts.setdefault(code, set()).add(area.payer)
    names = AreaNames(ROWS)
    mixed = {names.name(code, SINCE) for code, payers in districts.items() if len(payers) > 1}
    assert {name.partition(" ")[2] for name in mixed} == {"Bắc Hồng Lĩnh", "Sông Trí", "Hải Ninh", "Cẩm Bình", "Kỳ Hoa"}


def test_a_code_of_one_time_is_never_taken_for_the_same_code_of_another():
    assert AREAS.refusal("xa-18496", "18499", SINCE) is RowReason.AREA_OTHER_TIME
    assert AREAS.refusal("huyen-444", "18496", SINCE) is RowReason.PAYER_OTHER_TIME
    assert AREAS.refusal("xa-18496", "18496", BETWEEN) is RowReason.PAYER_OTHER_TIME
    assert AREAS.moved("18499", SINCE, SINCE) is RowReason.AREA_OTHER_TIME
    # The town and the commune share code 18496; the town came to the commune because a row says so, and so did its neighbours.
    assert AREAS.moved("18496", BEFORE, SINCE) == "18496"
    assert len([area for area in on(BETWEEN) if AREAS.successors(area.code, BETWEEN, SINCE) == {"18496"}]) > 1


def test_what_no_table_says_is_decided_by_nobody():
    lonely = Areas([Area("00001", "Xã A", "huyen-1", date.min, JULY)], [])
    assert lonely.moved("00001", BEFORE, SINCE) == "00001"  # nothing changed on any day that the table knows
    forgotten = Areas(ROWS, [change for change in CHANGES if change.old != "18499"])
    assert forgotten.moved("18499", BETWEEN, SINCE) is RowReason.AREA_SPLIT


# --- what lists write -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payer", "written", "day", "found"),
    [
        ("huyen-444", "Xã Hà Linh", BEFORE, Placed("18502")),
        ("huyen-444", "ha linh", BEFORE, Placed("18502")),
        ("huyen-444", "X. Hà Linh", BEFORE, Placed("18502")),
        ("huyen-444", "18502", BEFORE, Placed("18502")),
        ("huyen-444", "TT Hương Khê", BEFORE, Placed("18496")),
        ("huyen-444", "Xã Hương Khê", BEFORE, Placed("18496")),
        ("huyen-444", "Xã Phú Phong", BEFORE, Placed("18535")),
        ("huyen-444", "Xã Phú Phong", BETWEEN, Placed("18496", RowNote.AREA_BY_OLD_NAME)),
        ("huyen-444", "18535", BETWEEN, Placed("18496", RowNote.AREA_BY_OLD_NAME)),
        ("xa-18496", "Xã Phú Phong", SINCE, Placed("18496", RowNote.AREA_BY_OLD_NAME)),
        ("xa-18496", "Thị trấn Hương Khê", SINCE, Placed("18496")),
        ("xa-18502", "Xã Hà Linh", SINCE, Placed("18502")),
        ("xa-18502", "Xã Điền Mỹ", SINCE, Placed("18502", RowNote.AREA_BY_OLD_NAME)),
        ("xa-18496", "Xã Hà Linh", SINCE, RowReason.AREA_NOT_OF_PAYER),
        ("huyen-444", "Xã Hương Phố", BEFORE, RowReason.AREA_OTHER_TIME),
        ("huyen-444", "Phường Trần Phú", BEFORE, RowReason.AREA_NOT_OF_PAYER),
        ("huyen-444", "Atlantis", BEFORE, RowReason.AREA_UNKNOWN),
        ("huyen-444", "", BEFORE, RowReason.AREA_UNKNOWN),
    ],
)
def test_a_name_of_a_list(payer, written, day, found):
    assert AREAS.find(payer, written, day) == found


def test_two_units_of_one_name_under_one_payer_need_their_kind():
    both = Areas([Area("00001", "Xã A", "huyen-1", date.min, JULY), Area("00002", "Thị trấn A", "huyen-1", date.min, JULY)])
    assert both.find("huyen-1", "A", BEFORE) is RowReason.AREA_AMBIGUOUS
    assert both.find("huyen-1", "Xã A", BEFORE) == Placed("00001")


def test_two_old_units_of_one_name_that_came_to_one_payer_by_two_ways_are_ambiguous():
    rows = [
        Area("00001", "Xã A", "huyen-1", date.min, JULY),
        Area("00002", "Xã A", "huyen-2", date.min, JULY),
        Area("00003", "Xã B", "xa-3", JULY, date.max),
        Area("00004", "Xã C", "xa-4", JULY, date.max),
    ]
    changes = [AreaChange(JULY, "00001", "00003"), AreaChange(JULY, "00002", "00003"), AreaChange(JULY, "00002", "00004")]
    assert Areas(rows, changes).find("xa-3", "Xã A", SINCE) is RowReason.AREA_AMBIGUOUS
    split = Split(old="00002", until=JULY, since=JULY, codes=("00003", "00004"), mine=("00004",))
    assert Areas(rows, changes).find("xa-4", "Xã A", SINCE) == split


@given(rows, days)
def test_whatever_is_found_exists_on_the_day_and_is_the_payers(area, day):
    found = AREAS.find(area.payer, area.name, day)
    if isinstance(found, Placed):
        assert AREAS.payer_of(found.code, day) == area.payer
    elif isinstance(found, Split):
        assert {AREAS.payer_of(code, day) for code in found.mine} == {area.payer}
        assert set(found.mine) <= set(found.codes)
    else:
        assert found in ADVICE
    if area.holds(day) and sum(folded(a.name) == folded(area.name) and a.payer == area.payer for a in on(day)) == 1:
        assert found == Placed(area.code)


@given(rows, rows, days)
def test_an_event_is_taken_exactly_where_the_payer_pays_that_code_on_that_day(one, other, day):
    assert (AREAS.refusal(one.payer, other.code, day) is None) == (AREAS.payer_of(other.code, day) == one.payer)


@given(rows, days, days)
def test_nobody_is_lost_or_invented_on_the_way(area, one, other):
    then, now = sorted((one, other))
    codes = AREAS.successors(area.code, then, now)
    assert bool(codes) == (AREAS.payer_of(area.code, then) is not None)
    assert codes <= {a.code for a in on(now)}


# --- where a unit was split, the hamlet says ----------------------------------------------------------------------------------------


def test_every_split_unit_has_hamlets_in_each_of_its_communes_and_in_no_other():
    splits = {(c.on, c.old): AREAS.successors(c.old, c.on - timedelta(days=1), c.on) for c in CHANGES}
    for (day, old), codes in splits.items():
        listed = {hamlet.new for hamlet in HAMLETS if (hamlet.on, hamlet.old) == (day, old)}
        assert listed == (codes if len(codes) > 1 else set())


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("Tổ dân phố Mẫu 1", "18073"),
        ("TDP mẫu 3, phường Đại Nài", "18652"),
        ("to dan pho mau 4", "18652"),
        ("Tổ dân phố Mẫu 10", None),
        ("Tổ dân phố Mẫu 1, trước là tổ dân phố Mẫu 3", None),
        ("Mẫu 1", None),
        ("", None),
    ],
)
def test_an_address_decides_only_when_it_names_one_hamlet_of_the_table(address, code):
    split = AREAS.find("xa-18073", "Phường Đại Nài", SINCE)
    assert isinstance(split, Split)
    assert AREAS.by_hamlet(split, address, SINCE) == code
    assert AREAS.moved("18082", BETWEEN, SINCE, address=address) == (code or RowReason.AREA_SPLIT)
    at_home = Placed("18073", RowNote.AREA_BY_HAMLET) if code == "18073" else RowReason.AREA_NOT_OF_PAYER
    assert AREAS.placed(split, address, SINCE) == (at_home if code else split)


def test_a_hamlet_that_two_communes_claim_decides_nothing():
    twice = Areas(ROWS, CHANGES, [*HAMLETS, *(hamlet for hamlet in read_hamlets() if hamlet.old == "18082")])
    assert twice.moved("18082", BETWEEN, SINCE, address="Tổ dân phố Mẫu 1") is RowReason.AREA_SPLIT


def test_a_hamlet_of_the_first_reform_is_followed_through_the_second():
    assert AREAS.moved("18070", BEFORE, BETWEEN, address="Tổ dân phố Mẫu 1") == "18077"
    (later,) = AREAS.successors("18077", BETWEEN, SINCE)
    found = AREAS.moved("18070", BEFORE, SINCE, address="Tổ dân phố Mẫu 1")
    assert found == later


@given(st.sampled_from(["18082", "18796", "18073", "18502"]), days)
def test_an_event_may_name_a_split_unit_only_after_it_has_gone(code, day):
    for payer in ("xa-18073", "xa-18652", "xa-18754", "huyen-436"):
        split = AREAS.split(payer, code, day)
        if split:
            assert AREAS.payer_of(code, day) is None
            assert day >= split.until
            assert len(split.codes) > 1
