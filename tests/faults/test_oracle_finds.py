"""The oracle is silent about a good world and names every way of spoiling it: a checker that cannot fail is a defect."""

from dataclasses import replace

import pytest

from shared import topics
from shared.topics import Provider, Service, result_topic
from tests.faults.oracle import judge
from tests.faults.oracle_draft import E2E, PAYMENT, PERSON, TEXT, fact, merge_of, snapshot, state, well
from tests.faults.oracle_log import writers
from tests.faults.oracle_model import Kind
from tests.faults.oracle_spoiled import SPOILED, believed_unsent, nobody_read_it, paid_twice_under_one_id, phantom

R, V, P, N = Service.REGISTRY, Service.VERIFICATION, Service.PAYOUT, Service.NOTIFY


def test_good_world_has_no_findings():
    assert well().findings() == []


def test_records_delivered_again_are_allowed_and_counted():
    draft = well()
    for records in list(draft.records.values()):
        for record in list(records):
            draft.again(record)
    # Registry read the ministry's record twice, and left a trace each time.
    draft.rows[R]["source_events"].append(draft.rows[R]["source_events"][0] | {"fate": "repeated"})
    examined = judge(draft.world())
    assert examined.findings == ()
    assert examined.repeats == examined.deliveries // 2


def test_an_enrolment_that_waited_for_a_person_leaves_two_traces():
    draft = well()
    trace = draft.rows[R]["source_events"][0]
    draft.rows[R]["source_events"].insert(0, trace | {"fate": "refused", "reason": "AREA_SPLIT"})
    assert draft.findings() == []


def test_what_was_looked_at_is_counted():
    examined = judge(well().world())
    assert (examined.events_in, examined.paid, examined.texts) == (1, 1, 1)
    assert examined.deliveries == examined.decisions + 2  # the ministry's event and the bank's answer are not ours


def test_writers_are_ours_or_nobody():
    assert writers(topics.MINISTRY_BENEFICIARY) == writers(result_topic(Provider.POST)) == frozenset()
    assert writers(topics.POPULATION_PERSON) == {V}
    assert writers(topics.AUDIT) == set(Service)


@pytest.mark.parametrize(("spoil", "kind"), SPOILED, ids=lambda value: getattr(value, "__name__", ""))
def test_spoiled_world_is_found(spoil, kind):
    draft = well()
    spoil(draft)
    assert kind in draft.kinds()


def test_every_kind_has_an_example():
    assert {kind for _, kind in SPOILED} == set(Kind)


def test_findings_name_what_they_are_about():
    draft = well()
    paid_twice_under_one_id(draft)
    assert [str(finding) for finding in draft.findings()] == [f"paid-twice: truth bank-a: id {E2E}: paid 2 times"]


def test_while_work_is_under_way_only_what_always_holds_is_asked():
    draft = well()
    nobody_read_it(draft)
    phantom(draft)
    believed_unsent(draft)
    draft.settled = False
    assert draft.kinds() <= {Kind.LOST}
    paid_twice_under_one_id(draft)
    assert Kind.PAID_TWICE in draft.kinds()


def test_payment_on_a_draft_is_told_to_nobody():
    draft = well()
    draft.records[topics.PAYOUT_PAYMENT, 0] = [
        replace(record, offset=offset)
        for offset, record in enumerate(r for r in draft.records[topics.PAYOUT_PAYMENT, 0] if r.body["state"] != "created")
    ]
    told = {record.event_id for record in draft.records[topics.PAYOUT_PAYMENT, 0]}
    draft.outbox[P] = [row for row in draft.outbox[P] if row.topic != topics.PAYOUT_PAYMENT or row.event_id in told]
    assert draft.kinds() == set()


def test_versions_may_begin_again_in_a_new_epoch():
    draft = well()
    snapshot(draft, 2)
    snapshot(draft, 2, epoch=2)
    for service in Service:
        draft.rows[service]["people"][0] |= {"epoch": 2, "n": 2}
    assert draft.kinds() == set()


@pytest.mark.parametrize("fates", [["no_person"], ["no_person", "applied"]])
def test_event_that_waited_for_its_person_is_no_finding(fates):
    draft = well()
    trace = draft.rows[R]["source_events"][0]
    draft.rows[R]["source_events"] = [trace | {"fate": fate} for fate in fates]
    if fates == ["no_person"]:
        draft.rows[R]["waiting"].append({"source": trace["source"], "record": trace["record"], "sequence": 1})
    assert draft.kinds() == set()


def test_two_people_of_one_merge_and_a_second_merge_are_no_findings():
    draft = well()
    draft.rows[R]["source_events"] += [merge_of(PERSON), merge_of("other"), merge_of(PERSON, act="a later act")]
    assert draft.kinds() == set()


def test_money_that_came_back_may_be_paid_again():
    draft = well()
    payout = draft.rows[P]
    payout["instructions"][0] |= {"state": "returned", "state_seq": 6}
    state(draft, 6, "returned")
    for service, name in ((R, "payments"), (N, "account_payments")):
        draft.rows[service][name][0] |= {"state": "returned", "state_seq": 6}
    payout["shares"][0]["live"] = False
    draft.truth["bank-a"].insert(1, fact("returned"))
    assert draft.kinds() == set()
    assert payout["instructions"][0]["instruction_id"] == PAYMENT
    assert draft.rows[N]["messages"][0]["message_id"] == TEXT
