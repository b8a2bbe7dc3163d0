"""The newer word holds fact by fact; a list's columns state circumstances, and a slip is told by column and rule."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_workbooks import payroll, workbook
from test_registry_intake import only, problems

from services.registry.circumstances import left, taken, told
from services.registry.columns import Column
from services.registry.refusals import RowReason
from shared.personal import Circumstances, Happened, Moved, PovertyOf
from shared.words import LifeEvent, Poverty

CELLS = {
    "Diện hộ": None, "Đơn đề nghị": None, "Đang đi học": None, "Lương hưu, trợ cấp BHXH": None, "Biến động": None,
    "Biến động từ ngày": None, "Biến động đến ngày": None,
}  # fmt: skip
some = st.builds(
    Circumstances,
    poverty=st.builds(PovertyOf, year=st.integers(2023, 2026), status=st.sampled_from(Poverty)).map(lambda one: (one,)),
    requested=st.none() | st.booleans(),
    studying=st.none() | st.booleans(),
    other_benefit_vnd=st.none() | st.integers(0, 10**7),
    events=st.lists(
        st.builds(Happened, event=st.sampled_from(LifeEvent), since=st.dates(date(2023, 1, 1), date(2025, 1, 1))), max_size=3
    ).map(tuple),
)


@given(st.none() | some, some)
def test_the_newer_word_holds_and_nothing_is_lost(known, said):
    found = told(known, said)
    assert told(found, said) == found, "said twice is said once"
    for name in ("requested", "studying", "other_benefit_vnd"):
        newer, older = getattr(said, name), getattr(known, name) if known else None
        assert getattr(found, name) == (older if newer is None else newer)
    assert set(said.poverty) <= set(found.poverty)
    assert {(one.event, one.since) for one in found.events} == {
        (one.event, one.since) for one in (*said.events, *(known.events if known else ()))
    }


def test_an_event_gets_its_end_and_may_be_taken_back():
    since = date(2024, 1, 4)
    open_end = told(None, Circumstances(events=(Happened(event=LifeEvent.CUSTODY, since=since),)))
    ended = Happened(event=LifeEvent.CUSTODY, since=since, until=date(2024, 3, 1))
    assert told(open_end, Circumstances(events=(ended,))).events == (ended,)


def test_a_move_ends_on_the_first_list_that_takes_the_person():
    away = left(None, "xa-1", date(2025, 8, 20))
    arrived = taken(away, "xa-2", "2025-10")
    assert arrived.moves == (Moved(on=date(2025, 8, 20), from_payer="xa-1", to_payer="xa-2", decided_on=date(2025, 9, 30)),)
    assert taken(arrived, "xa-3", "2026-01") == arrived
    assert taken(None, "xa-3", "2026-01") is None


def said(**cells):
    return only(workbook([payroll(**{**CELLS, **cells})])).act.personal.circumstances


def test_a_list_without_the_columns_or_with_empty_cells_states_nothing():
    assert only(workbook([payroll()])).act.personal.circumstances is None
    assert said() is None


def test_columns_state_circumstances():
    found = said(
        **{
            "Diện hộ": "Hộ cận nghèo", "Đơn đề nghị": "x", "Đang đi học": "Không", "Lương hưu, trợ cấp BHXH": "1.200.000",
            "Biến động": "Tạm giam", "Biến động từ ngày": "04/01/2024", "Biến động đến ngày": "01/02/2024",
        }
    )  # fmt: skip
    event = Happened(event=LifeEvent.CUSTODY, since=date(2024, 1, 4), until=date(2024, 2, 1))
    near = PovertyOf(year=2024, status=Poverty.NEAR_POOR)
    assert found == Circumstances(poverty=(near,), requested=True, studying=False, other_benefit_vnd=1_200_000, events=(event,))


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"Diện hộ": "giàu"}, Column.POVERTY, RowReason.WORD_UNKNOWN),
        ({"Đơn đề nghị": "có lẽ"}, Column.REQUEST, RowReason.WORD_UNKNOWN),
        ({"Lương hưu, trợ cấp BHXH": "nhiều"}, Column.OTHER_PENSION, RowReason.MONEY_BAD),
        ({"Biến động": "đi xa", "Biến động từ ngày": "04/01/2024"}, Column.EVENT, RowReason.WORD_UNKNOWN),
        ({"Biến động": "Tạm giam"}, Column.EVENT_FROM, RowReason.MISSING),
        ({"Biến động": "Tạm giam", "Biến động từ ngày": "2024"}, Column.EVENT_FROM, RowReason.DATE_BAD),
        ({"Biến động từ ngày": "04/01/2024"}, Column.EVENT, RowReason.MISSING),
    ],
)
def test_a_slip_is_told_by_column_and_rule(cells, column, reason):
    assert problems(**{**CELLS, **cells}) == [(column, reason)]
