"""A death that was a mistake is taken back in the order of domain 2.3: money on it first, then the mark, then what it ended."""

from datetime import date

import pytest
from registry_workbooks import a_line
from test_registry_desk import a_desk, active, enrol, says

from services.registry.knowing import Said, known
from services.registry.refusals import Fate, RowNote, RowReason
from services.registry.statements import End, Reinstate
from shared.words import EndReason, Life

DIED = date(2024, 1, 15)
DEATH = End(reason=EndReason.DEATH, on=DIED)
FUNERAL = a_line(benefit_code="MT-BT", coefficient_hundredths=None, monthly_vnd=0, one_off_vnd=7_200_000)


def dead_in_an_open_list(**changes):
    desk = a_desk(**changes)
    assert desk.take(says(enrol(period="2024-02"))).fate is Fate.APPLIED
    assert desk.take(says(DEATH, sequence=2)).fate is Fate.APPLIED
    return desk


def person(desk):
    (found,) = desk.people.values()
    return found


def test_the_person_is_alive_and_what_the_death_ended_in_open_lists_stands_again():
    desk = dead_in_an_open_list()
    assert (person(desk).life, active(desk)) == (Life.DEAD, [])
    assert desk.take(says(Reinstate(), sequence=3)).fate is Fate.APPLIED
    assert (person(desk).life, person(desk).died_on) == (Life.ALIVE, None)
    assert [row.period for row in active(desk)] == ["2024-02"]
    assert desk.take(says(enrol(period="2024-03"), record="r2")).fate is Fate.APPLIED


def test_of_somebody_of_whom_no_death_is_known_that_is_told():
    desk = a_desk()
    desk.take(says(enrol(period="2024-02")))
    desk.take(says(End(reason=EndReason.GIVEN_UP, on=DIED), sequence=2))
    told = desk.take(says(Reinstate(), sequence=3))
    assert (told.fate, told.notes) == (Fate.APPLIED, (RowNote.NOT_DEAD,))
    assert active(desk) == []


def test_the_death_said_again_late_does_not_come_back_and_a_new_one_does():
    desk = dead_in_an_open_list()
    desk.take(says(Reinstate(), sequence=3))
    assert desk.take(says(DEATH, sequence=2)).fate is Fate.STALE
    assert desk.take(says(Reinstate(), sequence=3)).fate is Fate.REPEATED
    assert person(desk).life is Life.ALIVE
    assert desk.take(says(End(reason=EndReason.DEATH, on=date(2024, 2, 1)), sequence=4)).fate is Fate.APPLIED
    assert person(desk).died_on == date(2024, 2, 1)


def test_what_one_record_says_again_counts_when_another_has_said_otherwise_since():
    desk = dead_in_an_open_list()
    desk.take(says(enrol(a_line(benefit_code="BT-6a"), period="2024-01"), record="r2"))
    assert desk.take(says(Reinstate(), sequence=3)).fate is Fate.APPLIED
    assert desk.take(says(DEATH, record="r2", sequence=2)).fate is Fate.APPLIED
    assert desk.take(says(Reinstate(), sequence=4)).fate is Fate.APPLIED
    assert person(desk).life is Life.ALIVE
    assert desk.take(says(Reinstate(), sequence=5)).fate is Fate.REPEATED
    assert desk.take(says(DEATH, record="r2", sequence=3)).fate is Fate.APPLIED
    assert person(desk).life is Life.DEAD


def test_money_on_the_death_leaves_the_open_list_first():
    desk = dead_in_an_open_list()
    assert desk.take(says(enrol(FUNERAL), record="funeral")).fate is Fate.APPLIED
    refused = desk.take(says(Reinstate(), sequence=3))
    assert (refused.fate, refused.reason) == (Fate.REFUSED, RowReason.DEATH_IS_LISTED)
    assert person(desk).life is Life.DEAD
    ends = End(reason=EndReason.NO_LONGER_ENTITLED, on=date(2024, 1, 31))
    assert desk.take(says(ends, record="funeral", sequence=2)).fate is Fate.APPLIED
    assert desk.take(says(Reinstate(), sequence=4)).fate is Fate.APPLIED
    assert person(desk).life is Life.ALIVE
    assert [row.record for row in active(desk)] == ["r1"]


def test_frozen_lines_stay_and_money_on_the_death_in_them_is_told():
    desk = dead_in_an_open_list()
    desk.take(says(enrol(FUNERAL), record="funeral"))
    desk.closed.add(("2024-02", "huyen-444"))
    done = desk.take(says(Reinstate(), sequence=3))
    assert (done.fate, done.notes) == (Fate.APPLIED, (RowNote.LINE_FROZEN,))
    assert person(desk).life is Life.ALIVE
    assert [row.record for row in active(desk)] == ["funeral"]


def test_what_ended_otherwise_stays_ended_and_a_benefit_stands_once():
    desk = a_desk()
    for record in ("r1", "r2"):
        desk.take(says(enrol(a_line() if record == "r1" else a_line(benefit_code="BT-6a")), record=record))
    desk.take(says(End(reason=EndReason.GIVEN_UP, on=DIED), record="r2", sequence=2))
    desk.take(says(DEATH, sequence=2))
    desk.take(says(Reinstate(), sequence=3))
    assert [row.record for row in active(desk)] == ["r1"]


@pytest.mark.parametrize("moved", [True, False])
def test_who_had_moved_out_is_away_again(moved):
    desk = a_desk()
    desk.take(says(enrol()))
    if moved:
        desk.take(says(End(reason=EndReason.MOVED_OUT, on=date(2024, 1, 10)), sequence=2))
    desk.take(says(DEATH, sequence=3))
    desk.take(says(Reinstate(), sequence=4))
    assert person(desk).life is (Life.MOVED_OUT if moved else Life.ALIVE)


def test_who_is_alive_stays_alive():
    desk = a_desk()
    desk.take(says(enrol()))
    before = person(desk)
    assert desk.take(says(Reinstate(), sequence=2)).fate is Fate.APPLIED
    assert person(desk) == before


def test_what_is_known_of_a_day_no_longer_has_the_death():
    listed = Said("enrolled", "s", "r1", period="2024-02", payer="huyen-444", declared_vnd=360_000)
    died = Said("ended", "s", "r1", acts_on=DIED, word=EndReason.DEATH)
    taken_back = Said("reinstated", "s", "r1")
    on = date(2024, 2, 10)
    assert known([listed, died], on)["life"] == "dead"
    assert known([listed, died], on)["lines"] == []
    again = known([listed, died, taken_back], on)
    assert (again["life"], again["died_on"], len(again["lines"])) == ("alive", None, 1)
    later = died._replace(acts_on=date(2024, 2, 5))
    assert known([listed, died, taken_back, later], on)["died_on"] == date(2024, 2, 5)
