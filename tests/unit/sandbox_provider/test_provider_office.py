"""A sandbox provider pays once per end-to-end id, whatever is repeated, lost or restarted, and speaks the public contract."""

import collections
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from provider_orders import PLAIN, Office, ids

from sandbox.provider_mix import Mix
from sandbox.truth import BatchState, Reply, Status, TruthFile, TruthLocked, away, batch_states, line_facts, outcomes, payments
from shared.events import PaymentResult
from shared.words import LineStatus, ResultKind

LIVELY = Mix(rejected_per_10000=1_500, late_per_10000=1_000, returned_per_10000=800, expired_per_10000=800, lost=1, twice=1)


def lines_said(office):
    """(end-to-end id, status) -> how often it was said."""
    return collections.Counter((body["end_to_end_id"], body["status"]) for body in office.said if body["kind"] == "line")


def test_everything_said_is_the_public_contract(customer, tmp_path):
    office = Office(customer, tmp_path / "truth.jsonl", mix=LIVELY)
    batch = customer.batch(60)
    office.hear(*batch.lines(), batch.head())
    for answer in (answer for _ in range(4) for answer in _heard(office)):
        result = PaymentResult.model_validate_json(answer.value)
        headers = {name: value.decode() for name, value in answer.headers}
        assert headers["ce_type"] == PaymentResult.TYPE
        assert headers["ce_id"] == str(result.result_id)
        assert answer.key.decode() == batch.batch_id
        assert (result.kind is ResultKind.LINE) == (result.end_to_end_id is not None) == (result.status is not None)
        assert result.status is not LineStatus.REJECTED or result.reason
    office.truth.close()


def _heard(office):
    office.now += 5.0
    answers = office.office.due(office.now)
    office.office.said()
    return answers


def test_plain_batch_is_received_accepted_paid_complete(customer, office):
    batch = customer.batch(5)
    office.hear(*batch.lines(), batch.head())
    office.finish()
    kinds = [body["kind"] for body in office.said]
    assert kinds == ["batch_received", *["line"] * 10, "batch_complete"]
    assert lines_said(office) == {(key, status): 1 for key in ids(5) for status in ("accepted", "paid")}
    totals = [(body["count"], body["vnd"]) for body in office.said if body["kind"] != "line"]
    assert totals == [(5, 3_600_000)] * 2
    assert payments(office.path) == [(key, 720_000) for key in ids(5)]
    assert batch_states(office.path) == {batch.batch_id: BatchState.CLOSED}
    assert office.office.idle


def test_money_is_on_record_before_anybody_hears_of_it(customer, office):
    batch = customer.batch(5)
    office.hear(*batch.lines(), batch.head())
    office.wait(0.0)
    office.wait(5.0, published=False)
    assert len(payments(office.path)) == 5
    assert not any(body.get("status") == "paid" for body in office.said)


def test_manifest_replayed_pays_nobody_twice(customer, office):
    batch = customer.batch(5)
    for _ in range(3):
        office.hear(*batch.lines(), batch.head())
        office.finish()
    assert len(payments(office.path)) == 5
    assert lines_said(office).total() == 10


def test_same_ids_in_another_batch_are_not_paid_again(customer, office):
    first, second = customer.batch(5), customer.batch(5, number=2)
    office.hear(*first.lines(), first.head(), *second.lines(), second.head())
    office.finish()
    office.restart()
    third = customer.batch(6, number=3)
    office.hear(*third.lines(), third.head())
    office.finish()
    assert sorted(payments(office.path)) == sorted((key, 720_000) for key in ids(6))
    assert lines_said(office)[ids(5)[0], "paid"] == 3


def test_answers_owed_at_a_crash_are_said_after_it_with_the_same_ids(customer, office):
    batch = customer.batch(5)
    office.hear(*batch.lines(), batch.head())
    unheard = office.wait(0.0, published=False) + office.wait(5.0, published=False)
    assert not office.office.idle
    office.restart()
    office.hear(batch.head(), *batch.lines())
    office.finish()
    assert {body["result_id"] for body in unheard} == {body["result_id"] for body in office.said}
    assert [body for body in unheard if body["kind"] == "line"] == [body for body in office.said if body["kind"] == "line"]
    assert len(payments(office.path)) == 5


def test_refused_batch_stays_refused(customer, office):
    batch = customer.batch(5, vnd=1)
    office.hear(*batch.lines(), batch.head())
    office.finish()
    office.restart()
    office.hear(*batch.lines(), batch.head(vnd=3_600_000))
    office.finish()
    assert [(body["kind"], body["reason"]) for body in office.said] == [("batch_refused", "AM10")] * 2
    assert payments(office.path) == []
    assert batch_states(office.path) == {batch.batch_id: BatchState.REFUSED}


def test_cancel_after_the_batch_began_comes_too_late(customer, office):
    batch = customer.batch(5)
    office.hear(*batch.lines(), batch.head())
    office.wait(5.0, published=False)
    office.restart()
    office.hear(batch.head(kind="cancel"), *batch.lines(), batch.head(), batch.head(kind="cancel"))
    office.finish()
    assert not any(body["kind"] == "batch_refused" for body in office.said)
    assert len(payments(office.path)) == 5


def test_rubbish_is_passed_over(customer, office):
    topic = "payout.instruction.bank-a.v1"
    office.hear((topic, b""), (topic, b"[]"), (topic, b'{"batch_id": "x"}'), ("payout.batch.bank-a.v1", b"\xff"))
    office.finish()
    assert office.office.unreadable == 4
    assert office.said == []


def test_exactly_one_answer_is_lost_and_one_said_twice_over_all_batches(customer, tmp_path):
    office = Office(customer, tmp_path / "truth.jsonl", mix=replace(PLAIN, lost=1, twice=1))
    for number in (1, 2, 3):
        batch = customer.batch(10, number=number, start=number * 100)
        office.hear(*batch.lines(), batch.head())
        office.finish()
        office.restart()
    office.truth.close()
    said = lines_said(office)
    silent = [key for key, _ in payments(office.path) if (key, "paid") not in said]
    assert len(silent) == 1
    assert (silent[0], "accepted") not in said
    assert sorted(said.values())[-2:] == [1, 2]
    assert [fact.answer for fact in line_facts(office.path) if fact.end_to_end_id == silent[0]] == [Reply.LOST]
    complete = [body["count"] for body in office.said if body["kind"] == "batch_complete"]
    assert complete == [10, 10, 10]


def test_late_answers_and_returns_come_after_completion(customer, tmp_path):
    office = Office(customer, tmp_path / "truth.jsonl", mix=replace(LIVELY, lost=0, twice=0))
    batch = customer.batch(100)
    office.hear(*batch.lines(), batch.head())
    office.finish()
    office.truth.close()
    order = [body["kind"] if body["kind"] != "line" else (body["end_to_end_id"], body["status"]) for body in office.said]
    end = order.index("batch_complete")
    facts = line_facts(office.path)
    late = {(fact.end_to_end_id, "paid") for fact in facts if fact.answer is Reply.LATE}
    returned = {(fact.end_to_end_id, "returned") for fact in facts if fact.status is Status.RETURNED}
    assert late
    assert returned
    assert set(order[end + 1 :]) == late | returned
    assert all(order.index((key, "paid")) < order.index((key, "returned")) for key, _ in returned)


def test_the_post_lets_some_expire_after_accepting_them(customer, tmp_path):
    office = Office(customer, tmp_path / "truth.jsonl", provider="post", mix=LIVELY)
    batch = customer.batch(100, provider="post")
    office.hear(*batch.lines(), batch.head())
    office.finish()
    office.truth.close()
    expired = [fact.end_to_end_id for fact in line_facts(office.path) if fact.reason == "NOAS"]
    said = lines_said(office)
    assert expired
    assert all(said[key, "accepted"] == said[key, "returned"] == 1 for key in expired)
    assert not set(expired) & {key for key, _ in payments(office.path)}


def test_nobody_comes_for_whom_a_story_says_so_and_a_bank_pays_them_all(customer, tmp_path):
    for provider, status in (("post", "returned"), ("bank-a", "paid")):
        office = Office(customer, tmp_path / f"{provider}.jsonl", provider=provider)
        chosen = ids(5)[1]
        away(office.path).write_text(f"{chosen}\n")
        batch = customer.batch(5, provider=provider)
        office.hear(*batch.lines(), batch.head())
        office.wait(0.0)
        away(office.path).unlink()  # chosen before the batch was decided; a restart knows only what happened
        office.finish()
        office.restart()
        office.finish()
        assert {key: kind for (key, kind), _times in lines_said(office).items() if kind != "accepted"} == {
            key: status if key == chosen else "paid" for key in ids(5)
        }  # fmt: skip
        office.truth.close()


def test_truth_and_answers_agree(customer, tmp_path):
    office = Office(customer, tmp_path / "truth.jsonl", mix=LIVELY)
    batch = customer.batch(100)
    office.hear(*batch.lines(), batch.head())
    office.finish()
    office.truth.close()
    last = {body["end_to_end_id"]: body["status"] for body in office.said if body["kind"] == "line"}
    truth = {key: str(status) for key, _, status in outcomes(office.path)}
    lost = truth.keys() - last.keys()
    assert len(truth) == 100
    assert len(lost) == 1
    assert {key: status for key, status in truth.items() if key not in lost} == last


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_nobody_is_paid_twice_whatever_is_repeated_lost_or_restarted(customer, tmp_path_factory, data):
    """Two batches that share half their ids, records in any order and number, crashes and unpublished answers in between."""
    office = Office(customer, tmp_path_factory.mktemp("chaos") / "truth.jsonl", mix=LIVELY)
    batches = [customer.batch(8), customer.batch(8, number=2, start=4)]
    records = [record for batch in batches for record in (*batch.lines(), batch.head())]
    steps = st.one_of(st.sampled_from(records), st.sampled_from(["restart", "wait", "wait unpublished"]))
    for step in data.draw(st.lists(steps, max_size=60)):
        if step == "restart":
            office.restart()
        elif isinstance(step, str):
            office.wait(1.0, published=step == "wait")
        else:
            office.hear(step)
    office.restart()
    office.hear(*records)
    office.finish()
    office.truth.close()
    paid = [key for key, _ in payments(office.path)]
    assert len(paid) == len(set(paid))
    assert sorted(key for key, _, _ in outcomes(office.path)) == sorted(ids(12))
    assert set(batch_states(office.path).values()) == {BatchState.CLOSED}


def test_torn_last_line_never_happened(customer, office):
    batch = customer.batch(3)
    office.hear(*batch.lines(), batch.head())
    office.finish()
    whole = office.path.read_bytes()
    office.truth.close()
    office.path.write_bytes(whole + b'{"fact": "line", "provi')
    assert len(payments(office.path)) == 3
    office.truth = TruthFile(office.path)
    assert office.path.read_bytes() == whole


def test_two_providers_cannot_share_one_memory(office):
    with pytest.raises(TruthLocked):
        TruthFile(office.path)


@pytest.mark.parametrize(
    "given", [{"rejected": 1}, {"lost": -1}, {"lost": True}, {"late_per_10000": 10_001}, {"seed": "1"}, {"lost": 1.5}]
)
def test_mix_refuses_what_makes_no_sense(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        Mix.of(given)


def test_mix_is_near_its_shares(customer):
    from provider_orders import an_order

    from sandbox.provider_mix import Fate, decide

    class Nothing:
        def known(self, _key):
            return {}

        def stays_away(self):
            return frozenset()

        def told(self, _reply, *, outside):
            return 0

    fates = collections.Counter(decision.fate for decision in decide(an_order(20_000), Mix(), Nothing(), counter=True))
    assert 200 < fates[Fate.REJECTED] < 400
    assert 15 < fates[Fate.RETURNED] < 80
    assert 50 < fates[Fate.EXPIRED] < 160
