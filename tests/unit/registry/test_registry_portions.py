"""What a batch changed is cut so that nothing is lost, nothing is double, and who loses something is not written after who gets it."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from registry_workbooks import AREAS, RANKS, a_line, an_identity, plain_keys

from services.registry.desk import Desk
from services.registry.person import Terms
from services.registry.portions import portions
from services.registry.statements import Enrol, Statement
from shared.personal import PersonalData

AT = datetime(2024, 1, 20, 2, 0, tzinfo=UTC)


def a_desk():
    return Desk(
        today=date(2024, 1, 20),
        epoch=1,
        keys_of=plain_keys,
        digest_of=lambda act: act.model_dump_json(),
        terms=Terms(RANKS, date(2024, 1, 20)),
        areas=AREAS,
    )


def says(who, benefit="BT-5c", sequence=1):
    act = Enrol(
        period="2024-02", payer="huyen-444", area="18502", line=a_line(benefit_code=benefit),
        personal=PersonalData(identity=an_identity(personal_number=f"0421{who:08}", full_name=f"Nguyễn {chr(65 + who)}")),
    )  # fmt: skip
    return Statement(source="s", record=f"r{who}.{benefit}", sequence=sequence, at=AT, act=act)


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["BT-5c", "BT-6d"]))), st.integers(1, 4))
def test_everything_that_changed_is_in_one_portion_and_what_is_one_persons_is_together(said, most):
    desk = a_desk()
    for who, benefit in said:
        desk.take(says(who, benefit))
    cut = portions(desk, (), most)
    people = [who for portion in cut for who in portion.people]
    assert people == sorted(desk.changed_people)
    assert sorted(key for portion in cut for key in portion.records) == sorted(desk.changed_records)
    assert sorted(row.key for portion in cut for row in portion.rows) == sorted(desk.changed_rows)
    for portion in cut:
        assert len(portion.people) <= most
        assert {row.beneficiary_id for row in portion.rows} <= set(portion.people)
        assert {desk.records[key].beneficiary_id for key in portion.records} <= set(portion.people)


def test_where_something_that_stood_changes_everything_is_one_portion():
    known = a_desk()
    known.take(says(0))
    desk = a_desk()
    desk.records = dict(known.records)
    desk.know(known.people.values(), known.changed_rows.values())
    for who in range(4):
        desk.take(says(who, sequence=2))
    desk.take(says(5))
    assert len(portions(desk, known.people, 2)) == 1


def test_records_and_rows_of_people_who_stay_as_they_are_come_last():
    known = a_desk()
    known.take(says(0))
    desk = a_desk()
    desk.records = dict(known.records)
    desk.know(known.people.values(), known.changed_rows.values())
    desk.take(says(0, "BT-6d"))
    for who in range(1, 5):
        desk.take(says(who))
    cut = portions(desk, known.people, 2)
    assert [len(portion.people) for portion in cut] == [2, 2]
    assert ("s", "r0.BT-6d") in cut[-1].records
