"""Fates: every statement ends in exactly one, repeats change nothing, one benefit is active once."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from registry_workbooks import AREAS, RANKS, a_line, an_identity, plain_keys

from services.registry.desk import Desk
from services.registry.person import Terms
from services.registry.refusals import Fate, RowNote, RowReason
from services.registry.statements import Change, End, Enrol, RecordWish, RegisterAccount, Statement
from shared.events import Arrears
from shared.personal import Account, PersonalData
from shared.words import AccountSource, EndReason, Life, Wish

AT = datetime(2024, 1, 20, 2, 0, tzinfo=UTC)


def a_desk(**changes):
    same = {
        "today": date(2024, 1, 20),
        "epoch": 1,
        "keys_of": plain_keys,
        "digest_of": lambda act: act.model_dump_json(),
        "terms": Terms(RANKS, AT.date()),
        "areas": AREAS,
    }
    return Desk(**{**same, **changes})


def says(act, record="r1", sequence=1, **changes):
    return Statement(**{"source": "s", "record": record, "sequence": sequence, "at": AT, "act": act, **changes})


def enrol(line=None, *, period="2024-02", payer="huyen-444", **identity):
    return Enrol(
        period=period, payer=payer, area="18502", line=line or a_line(), personal=PersonalData(identity=an_identity(**identity))
    )


def account(**identity):
    return RegisterAccount(
        account_source=AccountSource.COMMUNE_POLICE, wish=Wish.ACCOUNT,
        personal=PersonalData(identity=an_identity(**identity), account=Account(bank_bin="970405", number="1", holder="A")),
    )  # fmt: skip


def active(desk):
    return [row for row in desk.changed_rows.values() if row.end_reason is None]


def test_same_statement_again_is_repeated_an_older_one_stale_another_content_a_conflict():
    desk = a_desk()
    fates = [
        desk.take(statement).fate
        for statement in (
            says(enrol(), sequence=5), says(enrol(), sequence=5), says(enrol(), sequence=6), says(enrol(), sequence=4),
            says(enrol(a_line(monthly_vnd=1)), sequence=6),
        )
    ]  # fmt: skip
    assert fates == [Fate.APPLIED, Fate.REPEATED, Fate.REPEATED, Fate.STALE, Fate.CONFLICT]
    assert len(desk.people) == len(active(desk)) == 1


def test_two_benefits_are_one_person_with_two_rows():
    desk = a_desk()
    desk.take(says(enrol()))
    assert desk.take(says(enrol(a_line(benefit_code="BT-6d")), record="r2")).fate is Fate.APPLIED
    assert (len(desk.people), len(active(desk))) == (1, 2)


def test_the_same_benefit_twice_is_refused_whatever_record_source_or_payer_says_so():
    desk = a_desk()
    desk.take(says(enrol()))
    for statement in (
        says(enrol(), record="r2"),
        says(enrol(), record="r3", source="t"),
        says(enrol(payer="huyen-443"), record="r4"),
    ):
        assert desk.take(statement).reason is RowReason.DUPLICATE_ROW
    assert len(active(desk)) == 1


def test_a_file_names_a_persons_benefit_once_even_when_it_is_handed_in_again():
    desk = a_desk()
    rows = [says(enrol(), record=None, sequence=1, row_no=2), says(enrol(), record=None, sequence=1, row_no=3)]
    assert [desk.take(row).fate for row in rows] == [Fate.APPLIED, Fate.REFUSED]
    desk.seen = set()
    again = [desk.take(row.model_copy(update={"sequence": 2})) for row in rows]
    assert [outcome.fate for outcome in again] == [Fate.REPEATED, Fate.REFUSED]


def test_next_months_list_is_a_new_row_of_the_same_record():
    desk = a_desk()
    desk.take(says(enrol(), record=None, sequence=1))
    desk.seen = set()
    assert desk.take(says(enrol(period="2024-03"), record=None, sequence=2)).fate is Fate.APPLIED
    assert sorted(row.period for row in active(desk)) == ["2024-02", "2024-03"]
    assert len({row.record for row in active(desk)}) == 1


def test_an_account_of_nobody_waits():
    assert a_desk().take(says(account())).fate is Fate.NO_PERSON


def test_a_wish_of_a_record_nobody_knows_waits():
    assert a_desk().take(says(RecordWish(wish=Wish.POST))).fate is Fate.NO_PERSON


def test_a_record_follows_its_person_without_an_identity():
    desk = a_desk()
    desk.take(says(enrol()))
    desk.take(says(account(), record="tk-1"))
    desk.take(says(RecordWish(wish=Wish.POST, reason="R_HABIT"), record="tk-1", sequence=2))
    (person,) = desk.people.values()
    assert (person.wish, person.account is not None) == (Wish.POST, True)


def test_a_number_that_is_another_persons_is_refused():
    desk = a_desk()
    desk.take(says(enrol()))
    desk.take(says(enrol(full_name="Lê Văn Tám", birth_date="1980-01-01", personal_number="042080990002"), record="r2"))
    clash = Change(personal=PersonalData(identity=an_identity(full_name="Lê Văn Tám", birth_date="1980-01-01")))
    assert desk.take(says(clash, record="r2", sequence=2)).reason is RowReason.NUMBER_CLASH
    assert len(desk.people) == 2


def test_a_record_used_again_for_somebody_else_goes_to_that_person():
    desk = a_desk()
    first = desk.take(says(enrol())).beneficiary_id
    other = enrol(full_name="Lê Văn Tám", birth_date="1980-01-01", personal_number="042080990002", period="2024-03")
    second = desk.take(says(other, sequence=2)).beneficiary_id
    assert first != second
    assert {row.period: row.beneficiary_id for row in active(desk)} == {"2024-02": first, "2024-03": second}


def test_a_death_ends_later_months_of_every_record_and_keeps_its_own():
    desk = a_desk()
    desk.take(says(enrol(period="2024-01")))
    desk.take(says(enrol(), sequence=2))
    desk.take(says(enrol(a_line(benefit_code="BT-6d")), record="r2"))
    desk.take(says(End(reason=EndReason.DEATH, on=date(2024, 1, 28)), sequence=3))
    assert [row.period for row in active(desk)] == ["2024-01"]
    assert {person.life for person in desk.people.values()} == {Life.DEAD}
    assert desk.take(says(enrol(a_line(monthly_vnd=5)), sequence=4)).reason is RowReason.PERSON_DEAD


FUNERAL = {"benefit_code": "MT-BT", "coefficient_hundredths": None, "monthly_vnd": 0, "one_off_vnd": 7_200_000}


def test_what_a_death_brings_and_what_was_owed_before_stand_on_later_lists():
    desk = a_desk()
    desk.take(says(enrol(period="2024-01")))
    early = desk.take(says(enrol(a_line(**FUNERAL)), record="mt"))
    assert early.reason is RowReason.PERSON_ALIVE
    assert desk.take(says(End(reason=EndReason.DEATH, on=date(2024, 1, 28)), sequence=2)).fate is Fate.APPLIED
    unpaid = Arrears(periods=("2024-01",), vnd=360_000)
    taken = [
        desk.take(says(enrol(a_line(**FUNERAL), period="2024-03"), record="mt", sequence=2)),
        desk.take(says(enrol(a_line(coefficient_hundredths=None, monthly_vnd=0, unpaid=unpaid), period="2024-03"), sequence=3)),
    ]
    assert [done.fate for done in taken] == [Fate.APPLIED, Fate.APPLIED]
    told_again = desk.take(says(End(reason=EndReason.DEATH, on=date(2024, 1, 27)), sequence=4))
    assert told_again.fate is Fate.APPLIED
    assert sorted(row.period for row in active(desk)) == ["2024-01", "2024-03", "2024-03"], "the death told again ends neither"
    assert {person.life for person in desk.people.values()} == {Life.DEAD}


def test_money_on_a_death_of_somebody_nobody_knows_is_refused():
    assert a_desk().take(says(enrol(a_line(**FUNERAL)))).reason is RowReason.PERSON_ALIVE


def test_the_end_of_one_benefit_leaves_the_other():
    desk = a_desk()
    desk.take(says(enrol()))
    desk.take(says(enrol(a_line(benefit_code="BT-6d")), record="r2"))
    desk.take(says(End(reason=EndReason.NO_LONGER_ENTITLED, on=date(2024, 1, 10)), sequence=2))
    assert [row.line.benefit_code for row in active(desk)] == ["BT-6d"]


def test_a_closed_list_takes_no_row_and_no_change_but_the_person_changes():
    desk = a_desk()
    desk.take(says(enrol()))
    desk.changed_rows.clear()
    desk.closed.add(("2024-02", "huyen-444"))
    assert desk.take(says(enrol(a_line(benefit_code="BT-6d")), record="r2")).reason is RowReason.LIST_CLOSED
    changed = desk.take(says(Change(area="18499", line=a_line(monthly_vnd=1)), sequence=2))
    died = desk.take(says(End(reason=EndReason.DEATH, on=date(2024, 1, 28)), sequence=3))
    assert changed.notes == died.notes == (RowNote.LINE_FROZEN,)
    assert desk.changed_rows == {}
    (person,) = desk.people.values()
    assert (person.area, person.life) == ("18499", Life.DEAD)


def test_a_change_of_an_amount_needs_a_row():
    desk = a_desk()
    desk.take(says(enrol()))
    desk.take(says(account(), record="tk-1"))
    assert desk.take(says(Change(line=a_line()), record="tk-1", sequence=2)).reason is RowReason.NO_LIVE_ROW


def test_a_weaker_account_is_told():
    desk = a_desk()
    confirmed = enrol().model_copy(update={"personal": PersonalData(
        identity=an_identity(), account=Account(bank_bin="970405", number="2", holder="A"))})  # fmt: skip
    desk.take(says(confirmed))
    assert desk.take(says(account(), record="tk-1")).notes == (RowNote.STRONGER_ACCOUNT,)


acts = st.one_of(
    st.builds(
        lambda code, number, period, vnd: enrol(a_line(benefit_code=code, monthly_vnd=vnd), period=period, personal_number=number),
        st.sampled_from(["BT-5c", "BT-6d"]), st.sampled_from(["042149990001", "042149990002", None]),
        st.sampled_from(["2024-02", "2024-03"]), st.integers(1, 3),
    ),
    st.builds(lambda number: account(personal_number=number), st.sampled_from(["042149990001", "042149990003"])),
    st.builds(End, reason=st.sampled_from(EndReason), on=st.sampled_from([date(2024, 1, 10), date(2024, 2, 10)])),
)  # fmt: skip
statements = st.lists(
    st.builds(says, acts, record=st.sampled_from(["r1", "r2", "r3", None]), sequence=st.integers(1, 4)), max_size=12
)


@given(statements)
def test_whatever_comes_a_benefit_is_active_once_and_a_number_is_one_person(given_statements):
    desk = a_desk()
    outcomes = [desk.take(statement) for statement in given_statements]
    assert len(outcomes) == len(given_statements)
    keys = [row.once for row in active(desk)]
    assert len(keys) == len(set(keys))
    numbers = [person.identity.personal_number for person in desk.people.values() if person.identity.personal_number]
    assert len(numbers) == len(set(numbers))
    assert all((outcome.fate is Fate.REFUSED) == (outcome.reason is not None) for outcome in outcomes)


@given(statements)
def test_everything_twice_with_the_same_sequences_changes_nothing_more(given_statements):
    desk = a_desk()
    for statement in given_statements:
        desk.take(statement.model_copy(update={"record": statement.record or "r4"}))
    people, rows = dict(desk.people), dict(desk.changed_rows)
    last = {}
    for statement in given_statements:
        named = statement.model_copy(update={"record": statement.record or "r4"})
        known = desk.records.get((named.source, named.record))
        if known and (named.sequence, desk.digest_of(named.act)) == (known.sequence, known.digest):
            last[named.record] = named
    for statement in last.values():
        assert desk.take(statement).fate in (Fate.REPEATED, Fate.REFUSED)
    assert (desk.people, desk.changed_rows) == (people, rows)
