"""The tables of this release load, and whatever is wrong in a table is refused with file, row and column named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payout.months import plus_months
from services.payout.rate_book import row_of
from services.payout.rate_files import FOLDER, BadRates, parse_standards, read_rates, shipped

HEADER = "standard,from,until,vnd,instrument,source,mark\n"


def standards(*rows: str) -> str:
    return HEADER + "".join(f"assistance,{row},Decree,somewhere,c\n" for row in rows)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of the tables with one text replaced in one file."""

    def change(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "rates"
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        text = (FOLDER / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), "utf-8")
        return folder

    return change


@pytest.mark.parametrize(
    ("name", "period", "vnd"),
    [
        ("assistance", "2015-01", 270_000), ("assistance", "2021-06", 270_000), ("assistance", "2021-07", 360_000),
        ("assistance", "2024-06", 360_000), ("assistance", "2024-07", 500_000), ("assistance", "2026-11", 500_000),
        ("merit", "2021-07", 1_624_000), ("merit", "2023-06", 1_624_000), ("merit", "2023-07", 2_055_000),
        ("merit", "2024-06", 2_055_000), ("merit", "2024-07", 2_789_000), ("pension", "2025-07", 500_000),
        ("pension", "2025-06", None), ("assistance", "2014-12", None), ("nothing", "2024-07", None),
    ],
)  # fmt: skip
def test_standard_of_a_month(name, period, vnd):
    level = shipped().standard(name, period, "42")
    assert (level.vnd if level else None) == vnd


def test_holes_of_the_war_invalid_table_are_loaded_as_not_known():
    rows = {loss: shipped().rates[f"NCC-TB-{loss}"] for loss in range(21, 101)}
    unknown = {loss for loss, (row,) in rows.items() if row.mark == "x"}
    assert unknown == {*range(73, 81), *range(93, 101)}
    assert all(not row.values for loss in unknown for row in rows[loss])
    known = [row.values[0] for loss, (row,) in rows.items() if loss not in unknown]
    assert known == sorted(known)
    assert (known[0], known[-1], len(known)) == (1_878_000, 8_222_000, 64)


def test_every_row_says_where_it_comes_from():
    book = shipped()
    rows = [row for rows in (*book.standards.values(), *book.rates.values(), *book.funeral.values()) for row in rows]
    rows += [
        *book.benefits.values(),
        *book.exclusive,
        *book.one_off,
        *(band for bands in book.ladders.values() for band in bands),
    ]
    assert all(row.source and row.mark in "cmx" for row in rows)


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        (["2021-07,2024-06,360000", "2024-08,,500000"], "row 3 column from: nothing is known from 2024-07 on"),
        (["2021-07,2024-06,360000", "2024-06,,500000"], "row 3 column from: overlaps"),
        (["2021-07,,360000", "2024-07,,500000"], "row 3 column from: overlaps"),
        (["2024-07,2024-06,360000"], "row 2 column until: before from"),
        (["2024-07,,36O000"], "row 2 column vnd: "),
        (["2024-07,,-1"], "row 2 column vnd: "),
        (["2024-07,,360000.5"], "row 2 column vnd: "),
        (["2024-13,,360000"], "row 2 column from: "),
        (["2024-7,,360000"], "row 2 column from: "),
        ([",,360000"], "row 2 column from: "),
        (["2024-07,,"], "row 2 column vnd: "),
        (["2024-07,,360000,extra"], "row 2 column "),
    ],
)
def test_bad_standard_is_refused_with_its_place(rows, place):
    with pytest.raises(BadRates) as caught:
        parse_standards(standards(*rows))
    assert str(caught.value).startswith(f"standards.csv {place}")


def test_missing_column_is_refused():
    with pytest.raises(BadRates, match=r"standards\.csv row 1 column mark: missing"):
        parse_standards("standard,from,until,vnd,instrument,source\n")


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("rates.csv", "BT-1b,coefficient,150", "BT-99,coefficient,150", "rates.csv row 3 column code: no benefit BT-99"),
        ("rates.csv", "BT-1a,coefficient,250", "BT-1a,coefficent,250", "rates.csv row 2 column kind"),
        ("rates.csv", "BT-1a,coefficient,250,assistance", "BT-1a,coefficient,250,", "rates.csv row 2 column standard"),
        ("rates.csv", "BT-1a,coefficient,250", "BT-1a,coefficient,250|100", "rates.csv row 2 column value"),
        ("rates.csv", "BT-1a,coefficient,250", "BT-1a,coefficient,0", "rates.csv row 2 column value"),
        ("rates.csv", "assistance,2021-07,,,Decree 20/2021 Art. 6,lawnet", "assistance,2011-07,,,Decree 20/2021 Art. 6,lawnet",
         "rates.csv row 2 column from: before the first level"),
        ("rates.csv", "2021-07,,unconfirmed_rates,", "2021-07,,some_setting,", "rates.csv row 4 column setting: no setting"),
        ("rates.csv", "2021-07,,unconfirmed_rates,", "2021-07,,,", "rates.csv row 4 column setting: what is not confirmed"),
        ("rates.csv", "NCC-BB-51..90", "NCC-BB-90..51", "rates.csv row 36 column code: the range is empty"),
        ("rates.csv", "NCC-BB-51..90", "NCC-BB-50..90", "rates.csv row 36 column from: overlaps"),
        ("war_invalids.csv", "NCC-TB-21,", "NCC-AH,", "war_invalids.csv row 2 column code: NCC-AH stands"),
        ("war_invalids.csv", "NCC-TB-73,none,", "NCC-TB-73,none,5", "war_invalids.csv row 54 column value"),
        ("war_invalids.csv", "cut off in the page that was read,x", "cut off in the page that was read,c",
         "war_invalids.csv row 54 column mark"),
        ("benefits.csv", "BT-1b,BT", "BT-1a,BT", "benefits.csv row 3 column code: BT-1a twice"),
        ("benefits.csv", "2025-06,HT-1", ",HT-1", "benefits.csv row 10 column becomes"),
        ("benefits.csv", "2025-06,HT-1", "2025-06,HT-9", "benefits.csv row 2 column becomes: no benefit HT-9"),
        ("bands.csv", "BT-1,BT-1b,4,", "BT-1,BT-1b,3,", "bands.csv row 3 column age_from: overlaps"),
        ("bands.csv", "BT-1,BT-1b,4,16", "BT-1,BT-1b,4,4", "bands.csv row 3 column age_until"),
        ("bands.csv", "BT-1,BT-1b,4,16", "BT-1,BT-0,4,16", "bands.csv row 3 column code"),
        ("bands.csv", "BT-7,BT-7,0,3", "BT-7,BT-7,0,5", "bands.csv row 18 column age_until: registry tells no such age"),
        ("exclusive.csv", "BT-4,BT-5,both", "BT-4,BT-55,both", "exclusive.csv row 3 column family_b"),
        ("exclusive.csv", "BT-4,BT-5,both", "BT-4,BT-5,neither", "exclusive.csv row 3 column mode"),
        ("exclusive.csv", "BT-4,BT-6,both", "BT-5,BT-4,both", "exclusive.csv row 4 column from: overlaps"),
        ("funeral.csv", "2000,assistance", "2000,nothing", "funeral.csv row 2 column standard"),
        ("one_off.csv", "2025-12-31,2026-01-31", "2025-12-31,2026-01-32", "one_off.csv row 3 column deadline_other_paper"),
        ("overrides.csv", ",mark\n", ",mark\n42,wages,2025-01,,1,paper,somewhere,c\n", "overrides.csv row 2 column standard"),
    ],
)  # fmt: skip
def test_bad_table_is_refused_with_its_place(changed, file, old, new, place):
    with pytest.raises(BadRates) as caught:
        read_rates(changed(file, old, new))
    assert str(caught.value).startswith(place)


def test_a_missing_file_is_refused(changed, tmp_path):
    folder = changed("overrides.csv", "province", "province")
    (folder / "funeral.csv").unlink()
    with pytest.raises(FileNotFoundError):
        read_rates(folder)


def test_a_province_has_its_own_standard_from_a_month_on(changed):
    folder = changed("overrides.csv", ",mark\n", ",mark\n42,assistance,2025-01,,600000,Resolution,made up,c\n")
    book = read_rates(folder)
    assert [book.standard("assistance", period, "42").vnd for period in ("2024-12", "2025-01")] == [500_000, 600_000]
    assert book.standard("assistance", "2025-01", "40").vnd == book.standard("assistance", "2025-01", None).vnd == 500_000


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 10**6)), min_size=1, max_size=8), st.integers(0, 240))
def test_every_month_of_a_table_without_gaps_has_exactly_one_level(spans, asked):
    rows, month = [], "2010-01"
    for length, vnd in spans:
        following = plus_months(month, length)
        rows.append(f"{month},{plus_months(following, -1)},{vnd}")
        month = following
    levels = parse_standards(standards(*reversed(rows)))["assistance"]
    period = plus_months("2010-01", asked)
    found = row_of(levels, period)
    assert (found is not None) == (period < month)
    assert sum(level.holds(period) for level in levels) == (period < month)
