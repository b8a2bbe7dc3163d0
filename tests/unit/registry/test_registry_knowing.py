"""What statements say of a day, in the order in which they were taken."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.registry.knowing import Said, known

ROW = Said("enrolled", "s", "r", "2024-02", "huyen-444", 360_000)
OTHER = ROW._replace(record="r2", declared_vnd=500_000)
SAID = st.lists(
    st.sampled_from(
        [
            ROW, OTHER, ROW._replace(period="2024-03"), Said("changed", "s", "r"), Said("import_undone", "s", "r2"),
            Said("ended", "s", "r", acts_on=date(2024, 1, 15), word="given_up"),
            Said("ended", "s", "r", acts_on=date(2024, 2, 15), word="death"),
            Said("wish_recorded", "s", "w", word="post"),
        ]
    ),
    max_size=12,
)  # fmt: skip


def lines(said, on=date(2024, 2, 10)):
    return {line["record"]: line["declared_vnd"] for line in known(said, on)["lines"]}


def test_a_row_is_of_its_month():
    assert lines([ROW, OTHER]) == {"r": 360_000, "r2": 500_000}
    assert lines([ROW], date(2024, 3, 1)) == {}


def test_an_end_takes_its_record_and_a_death_takes_all_but_the_month_of_death():
    assert lines([ROW, OTHER, Said("ended", "s", "r", acts_on=date(2024, 1, 15), word="given_up")]) == {"r2": 500_000}
    assert lines([ROW, OTHER, Said("ended", "s", "r", acts_on=date(2024, 1, 15), word="death")]) == {}
    assert len(lines([ROW, OTHER, Said("ended", "s", "r", acts_on=date(2024, 2, 15), word="death")])) == 2


def test_a_death_is_true_from_its_day_on():
    death = Said("ended", "s", "r", acts_on=date(2024, 1, 15), word="death")
    assert known([ROW, death], date(2024, 1, 14))["life"] == "alive"
    assert known([ROW, death], date(2024, 1, 15))["died_on"] == date(2024, 1, 15)


def test_a_file_that_was_undone_said_nothing_and_may_say_it_again():
    undone = Said("import_undone", "s", "r")
    assert lines([ROW, undone]) == {}
    assert lines([ROW, undone, ROW]) == {"r": 360_000}


def test_a_file_that_was_undone_leaves_what_stood_before_it():
    undone = Said("import_undone", "s", "r", "2024-02")
    assert lines([ROW, ROW._replace(declared_vnd=500_000), undone]) == {"r": 360_000}
    assert lines([ROW, undone._replace(period="2024-03")]) == {"r": 360_000}


def test_who_moved_out_is_there_again_once_the_new_place_lists_them():
    moved = Said("ended", "s", "r", acts_on=date(2024, 3, 5), word="moved_out")
    taken = Said("enrolled", "t", "n", "2024-05", "huyen-449", 360_000)
    said = [ROW, moved, ROW._replace(period="2024-04"), taken]
    lives = {day: known(said, day)["life"] for day in (date(2024, 3, 4), date(2024, 3, 5), date(2024, 4, 30), date(2024, 5, 1))}
    assert list(lives.values()) == ["alive", "moved_out", "moved_out", "alive"]
    assert known([*said, moved._replace(acts_on=date(2024, 6, 1))], date(2024, 6, 2))["life"] == "moved_out"


def test_a_wish_counts_from_the_day_it_was_said():
    said = [Said("wish_recorded", "s", "w", word="account", said_on=date(2024, 3, 1))]
    assert [known(said, day)["wish"] for day in (date(2024, 2, 29), date(2024, 3, 1))] == [None, "account"]


def test_the_last_wish_holds():
    said = [Said("wish_recorded", "s", "w", word=word) for word in ("post", "account")]
    assert known(said, date(2024, 2, 1))["wish"] == "account"


@given(SAID)
def test_a_line_is_always_one_that_was_said_of_that_month(said):
    for line in known(said, date(2024, 2, 10))["lines"]:
        assert any(one.kind == "enrolled" and one.period == "2024-02" and one.record == line["record"] for one in said)
