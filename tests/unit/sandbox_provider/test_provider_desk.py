"""Lines are parked until the manifest; a batch is acted on only when signature, count, sum and hash agree."""

import json
from base64 import urlsafe_b64encode
from datetime import datetime

import pytest
from joserfc import jws
from provider_orders import HEADERS

from sandbox.provider_desk import Order, Refusal, Refused, lines_sha256

SOON, TOO_LATE = 1.0, 100.0


def decisions(desk, *records, now=SOON):
    at = datetime.fromisoformat(HEADERS[0][1].decode())
    for topic, value in records:
        body = json.loads(value)
        if topic.startswith("payout.batch"):
            desk.take_batch(body["batch_id"], body["kind"], body["jws"], at=at, heard=0.0)
        else:
            desk.take_line(body["batch_id"], body["index"], body["jwe"], heard=0.0)
    return list(desk.decided(now))


@pytest.mark.parametrize("arrival", ["lines first", "manifest first", "manifest between", "backwards"])
def test_right_batch_is_acted_on_whatever_arrives_first(customer, arrival):
    batch = customer.batch(10)
    lines, head = batch.lines(), batch.head()
    order = {
        "lines first": [*lines, head],
        "manifest first": [head, *lines],
        "manifest between": [*lines[:4], head, *lines[4:]],
        "backwards": [*reversed(lines), head],
    }[arrival]
    desk = customer.desk()
    assert decisions(desk, *order[:-1]) == []
    (decided,) = decisions(desk, order[-1])
    assert isinstance(decided, Order)
    assert [line.index for line in decided.lines] == list(range(10))
    assert sum(line.amount_vnd for line in decided.lines) == batch.manifest["vnd"]
    assert desk.waiting == 0


def test_lines_without_a_manifest_wait_and_nothing_is_decided(customer):
    desk = customer.desk()
    assert decisions(desk, *customer.batch(3).lines()) == []
    assert desk.waiting == 1
    assert decisions(desk, now=TOO_LATE) == []
    assert desk.waiting == 0


def test_the_same_line_twice_changes_nothing(customer):
    batch = customer.batch(3)
    (decided,) = decisions(customer.desk(), *batch.lines(), *batch.lines(), batch.head())
    assert len(decided.lines) == 3


def test_empty_batch_is_a_batch(customer):
    batch = customer.batch(0)
    (decided,) = decisions(customer.desk(), batch.head())
    assert isinstance(decided, Order)
    assert decided.lines == ()


def refusal(customer, batch, *records, now=SOON, provider="bank-a"):
    (decided,) = decisions(customer.desk(provider), *records, now=now)
    assert isinstance(decided, Refused)
    assert decided.batch_id == batch.batch_id
    return decided.reason


def test_tampered_line_refuses_the_batch(customer):
    batch = customer.batch(5)
    lines = batch.lines()
    lines[2] = (lines[2][0], lines[2][1].replace(batch.jwes[2].encode(), batch.jwes[2][:-4].encode() + b"AAAA"))
    assert refusal(customer, batch, *lines, batch.head()) is Refusal.NOT_SIGNED


def test_line_moved_to_another_place_refuses_the_batch(customer):
    batch = customer.batch(5)
    batch.jwes[0], batch.jwes[1] = batch.jwes[1], batch.jwes[0]
    assert refusal(customer, batch, *batch.lines(), batch.head()) is Refusal.NOT_SIGNED


def test_manifest_signed_by_another_key_refuses_the_batch(customer):
    batch = customer.batch(2)
    forged = jws.serialize_compact({"alg": "ES256"}, json.dumps(batch.manifest).encode(), customer.key("bank-b"))
    head = (batch.head()[0], json.dumps({"batch_id": batch.batch_id, "kind": "manifest", "jws": forged}).encode())
    assert refusal(customer, batch, *batch.lines(), head) is Refusal.NOT_SIGNED


def test_unsigned_manifest_refuses_the_batch(customer):
    batch = customer.batch(2)
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, batch.manifest)]
    body = {"batch_id": batch.batch_id, "kind": "manifest", "jws": ".".join((*parts, ""))}
    head = (batch.head()[0], json.dumps(body).encode())
    assert refusal(customer, batch, *batch.lines(), head) is Refusal.NOT_SIGNED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"vnd": 1}, Refusal.WRONG_SUM),
        ({"count": 4}, Refusal.WRONG_COUNT),
        ({"count": "5"}, Refusal.UNREADABLE),
        ({"lines_sha256": "0" * 64}, Refusal.NOT_SIGNED),
        ({"provider": "bank-b"}, Refusal.NOT_FOR_US),
        ({"batch_id": "00000000-0000-0000-0000-0000000000ff"}, Refusal.NOT_FOR_US),
        ({"currency": "USD"}, Refusal.WRONG_CURRENCY),
        ({"execution_date": "soon"}, Refusal.UNREADABLE),
        ({"batch_key": "e30.a.b.c.d"}, Refusal.UNREADABLE),
    ],
)
def test_manifest_that_does_not_agree_refuses_the_batch(customer, changes, reason):
    batch = customer.batch(5)
    assert refusal(customer, batch, *batch.lines(), batch.head(**changes)) is reason


def test_batch_whose_lines_do_not_all_come_is_refused_in_the_end(customer):
    batch, desk = customer.batch(5), customer.desk()
    assert decisions(desk, *batch.lines()[:4], batch.head()) == []
    assert [decided.reason for decided in decisions(desk, now=TOO_LATE)] == [Refusal.INCOMPLETE]


def test_batch_encrypted_for_another_provider_is_refused(customer):
    batch = customer.batch(2, provider="bank-b", number=3)
    for_us = batch.head(provider="bank-a")
    assert refusal(customer, batch, *batch.lines(), for_us) is Refusal.UNREADABLE


def test_one_end_to_end_id_twice_in_a_batch_is_refused(customer):
    batch = customer.batch(1)
    key = customer.vault.new_batch_key("bank-a")
    plain = json.dumps({"end_to_end_id": "A" * 16, "amount_vnd": 5}).encode()
    batch.jwes = [key.seal_line(plain), key.seal_line(plain)]
    changes = {"count": 2, "vnd": 10, "lines_sha256": lines_sha256(batch.jwes), "batch_key": key.wrapped}
    assert refusal(customer, batch, *batch.lines(), batch.head(**changes)) is Refusal.DUPLICATE


def test_cancel_by_the_customer_ends_a_waiting_batch(customer):
    batch = customer.batch(3)
    assert refusal(customer, batch, *batch.lines()[:1], batch.head(kind="cancel")) is Refusal.CANCELLED


def test_cancel_by_a_stranger_has_no_effect(customer):
    batch, desk = customer.batch(3), customer.desk()
    forged = jws.serialize_compact({"alg": "ES256"}, json.dumps(batch.manifest).encode(), customer.key("bank-b"))
    head = (batch.head()[0], json.dumps({"batch_id": batch.batch_id, "kind": "cancel", "jws": forged}).encode())
    assert decisions(desk, head) == []
    assert isinstance(decisions(desk, *batch.lines(), batch.head())[0], Order)
