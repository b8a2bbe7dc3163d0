"""A sandbox provider cancels what it has not paid, says so once it is on record, and can be silent or lie; its truth file does not."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from provider_orders import PLAIN, Customer, Office, ids

from sandbox.provider_files import Account
from sandbox.provider_written import write_files
from sandbox.truth import Status, line_facts, payments
from shared.events import PaymentResult

SILENT, LIAR = replace(PLAIN, cancel_silent_per_10000=10_000), replace(PLAIN, cancel_contradicts_per_10000=10_000)


def words(office: Office) -> dict[str, str]:
    """The last word about each cancelled line."""
    return {body["end_to_end_id"]: body["outcome"] for body in office.said if body["kind"] == "cancel"}


def paid_said(office: Office) -> set[str]:
    return {body["end_to_end_id"] for body in office.said if body.get("status") == "paid"}


def totals(office: Office, kind: str) -> set[tuple[int, int]]:
    return {(body["count"], body["vnd"]) for body in office.said if body["kind"] == kind}


def test_line_cancelled_before_the_batch_is_whole(customer: Customer, office: Office) -> None:
    batch, keys = customer.batch(4), ids(4)
    first, *rest = batch.lines()
    office.hear(*rest, batch.head(), batch.recall(keys[1]))
    assert not office.wait(1.0), "the cancel waits for the batch"
    office.hear(first)
    office.finish()
    assert words(office) == {keys[1]: "cancelled"}
    assert {key for key, _vnd in payments(office.path)} == paid_said(office) == {keys[0], keys[2], keys[3]}
    assert totals(office, "batch_received") == {(4, 2_880_000)}
    assert totals(office, "batch_complete") == {(3, 2_160_000)}
    assert office.office.idle
    for body in office.said:
        PaymentResult.model_validate_json(json.dumps(body))


def test_line_cancelled_between_accepted_and_paid(customer: Customer, office: Office) -> None:
    batch, keys = customer.batch(2), ids(2)
    office.hear(*batch.lines(), batch.head())
    office.wait(0.0)
    office.hear(batch.recall(keys[0]))
    office.finish()
    assert words(office) == {keys[0]: "cancelled"}
    assert paid_said(office) == {keys[1]}
    assert [fact.status for fact in line_facts(office.path) if fact.end_to_end_id == keys[0]] == [Status.CANCELLED]


def test_too_late_and_unknown(customer: Customer, office: Office) -> None:
    batch, keys = customer.batch(2), ids(3)
    office.hear(*batch.lines(), batch.head())
    office.finish()
    office.hear(batch.recall(keys[0], keys[2]))
    office.finish()
    assert words(office) == {keys[0]: "too_late", keys[2]: "unknown_id"}
    assert len(payments(office.path)) == 2


@pytest.mark.parametrize("change", [{"batch_id": "another"}, {"provider": "post"}, {"end_to_end_ids": []}])
def test_cancel_that_is_not_about_us_has_no_effect(customer: Customer, office: Office, change: dict[str, Any]) -> None:
    batch, keys = customer.batch(2), ids(2)
    office.hear(*batch.lines(), batch.head())
    office.wait(0.0)
    office.hear(batch.recall(keys[0], **change))
    office.finish()
    assert words(office) == {}
    assert paid_said(office) == set(keys)


def test_bank_that_never_answers_pays_all_the_same(customer: Customer, tmp_path: Any) -> None:
    office, batch = Office(customer, tmp_path / "truth.jsonl", mix=SILENT), customer.batch(1)
    office.hear(*batch.lines(), batch.head(), batch.recall(*ids(1)))
    office.finish()
    assert words(office) == {}
    assert len(payments(office.path)) == 1
    office.truth.close()


def test_bank_that_says_both_is_known_by_its_truth(customer: Customer, tmp_path: Any) -> None:
    office, batch = Office(customer, tmp_path / "truth.jsonl", mix=LIAR), customer.batch(1)
    office.hear(*batch.lines(), batch.head(), batch.recall(*ids(1)))
    office.finish()
    assert words(office) == {ids(1)[0]: "cancelled"}
    assert paid_said(office) == set(ids(1))
    assert [fact.status for fact in line_facts(office.path)] == [Status.PAID]
    office.truth.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(0, 6), crashes=st.sets(st.integers(0, 6)), twice=st.booleans())
def test_whenever_it_comes_and_whatever_crashes_the_word_is_what_was_done(
    customer: Customer, tmp_path_factory: pytest.TempPathFactory, at: int, crashes: set[int], twice: bool
) -> None:
    office = Office(customer, tmp_path_factory.mktemp("recall") / "truth.jsonl")
    batch, keys = customer.batch(3), ids(3)
    records = [*batch.lines(), batch.head()]
    records.insert(min(at, 4), batch.recall(keys[0]))
    if at > 4:
        records = [*batch.lines(), batch.head()]
    heard: list[Any] = []
    for step in range(8):
        if step < len(records):
            heard.append(records[step])
            office.hear(records[step])
        if step == at and at > 4:
            heard.append(batch.recall(keys[0]))
            office.hear(heard[-1])
        if step in crashes:
            office.wait(0.2, published=False)
            office.restart()
            office.hear(*heard)
        office.wait(0.2)
    if twice:
        office.hear(batch.recall(keys[0]))
    office.finish()
    office.truth.close()
    really = {key for key, _vnd in payments(office.path)}
    outcomes = {body["outcome"] for body in office.said if body["kind"] == "cancel"}
    assert len(outcomes) == 1, "one word, however often it is asked and whatever dies"
    assert outcomes <= {"cancelled", "too_late", "unknown_id"}
    assert (keys[0] in really) == (outcomes != {"cancelled"})
    assert really >= set(keys[1:])
    assert len(payments(office.path)) == len(really)


def test_files_and_statement_of_a_bank_that_cancelled(customer: Customer, office: Office, tmp_path: Any) -> None:
    batch, keys = customer.batch(2), ids(2)
    office.hear(*batch.lines(), batch.head(), batch.recall(keys[0]))
    office.finish()
    paths = write_files("bank-a", office.path, tmp_path / "files", account=Account("999", "970405", 0))
    assert paths
    assert not any(keys[0] in path.read_text() for path in paths), "no money moved: no file says it"
