"""Ways of spoiling a good world, each with what the oracle must call it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared import topics
from shared.topics import Provider, Service, batch_topic, instruction_topic
from tests.faults.oracle_draft import BATCH, LINE, PERSON, VND, Draft, fact, jws, merge_of, result, snapshot, state
from tests.faults.oracle_model import Kind

R, V, P, N = Service.REGISTRY, Service.VERIFICATION, Service.PAYOUT, Service.NOTIFY
SNAPSHOTS, MINISTRY = (topics.REGISTRY_BENEFICIARY, 0), (topics.MINISTRY_BENEFICIARY, 0)


def lost(draft: Draft) -> None:
    draft.records[SNAPSHOTS] = []
    draft.rows[V]["people"] = draft.rows[P]["people"] = draft.rows[N]["people"] = draft.rows[R]["people"] = []


def unpublished(draft: Draft) -> None:
    lost(draft)
    draft.outbox[R].append(draft.outbox[R].pop(0).__class__(99, 99, "e", topics.REGISTRY_BENEFICIARY, PERSON, b"{}"))
    draft.outbox[R].append(replace(draft.outbox[R][0], xid=3, id=3))


def phantom(draft: Draft) -> None:
    draft.outbox[N].pop(0)


def other_bytes(draft: Draft) -> None:
    draft.outbox[R][0] = replace(draft.outbox[R][0], payload=b'{"other":1}')


def one_id_for_two_decisions(draft: Draft) -> None:
    draft.outbox[V].append(replace(draft.outbox[V][0], id=9))


def order_turned(draft: Draft) -> None:
    first, second = draft.outbox[N][0], draft.outbox[N][1]
    draft.outbox[N][:2] = [replace(first, xid=second.xid, id=second.id), replace(second, xid=first.xid, id=first.id)]


def key_on_two_partitions(draft: Draft) -> None:
    record = draft.records[topics.NOTIFY_MESSAGE, 0].pop()
    draft.records[topics.NOTIFY_MESSAGE, 1] = [replace(record, partition=1, offset=0)]


def hole_in_offsets(draft: Draft) -> None:
    records = draft.records[topics.NOTIFY_MESSAGE, 0]
    records[-1] = replace(records[-1], offset=7)


def consumed(draft: Draft, service: Service, topic: str, **changes: Any) -> None:
    book = draft.world().books[service]
    draft.rows[service]["consumed"] = [
        dict(row) | (changes if row["topic"] == topic and row["partition"] == 0 else {}) for row in book["consumed"]
    ]


def offset_above_the_log(draft: Draft) -> None:
    consumed(draft, V, topics.REGISTRY_BENEFICIARY, next_offset=5)


def offset_names_another_record(draft: Draft) -> None:
    consumed(draft, V, topics.REGISTRY_BENEFICIARY, last_event_id="somebody else")


def nobody_read_it(draft: Draft) -> None:
    consumed(draft, P, topics.REGISTRY_BENEFICIARY, next_offset=0, last_event_id=None)


def partition_stopped(draft: Draft) -> None:
    consumed(draft, P, topics.REGISTRY_BENEFICIARY, stopped_reason="TOPIC_RECREATED")


def event_without_a_trace(draft: Draft) -> None:
    draft.rows[R]["source_events"] = []


def one_delivery_of_two_without_a_trace(draft: Draft) -> None:
    draft.again(draft.records[MINISTRY][0])


def event_taken_twice(draft: Draft) -> None:
    draft.rows[R]["source_events"].append(draft.rows[R]["source_events"][0] | {"fate": "repeated"})


def enrolment_put_before_a_person_twice(draft: Draft) -> None:
    trace = draft.rows[R]["source_events"][0]
    draft.rows[R]["source_events"][:0] = 2 * [trace | {"fate": "refused", "reason": "AREA_SPLIT"}]


def statement_applied_twice(draft: Draft) -> None:
    other = draft.again(draft.records[MINISTRY][0])
    draft.records[MINISTRY][-1] = replace(other, event_id="another event id")
    draft.rows[R]["source_events"].append(draft.rows[R]["source_events"][0] | {"event_id": "another event id"})


def merge_applied_twice(draft: Draft) -> None:
    draft.rows[R]["source_events"] += 2 * [merge_of(PERSON)]


def older_statement_applied_after_a_newer(draft: Draft) -> None:
    trace = draft.rows[R]["source_events"][0]
    draft.rows[R]["source_events"] = [trace | {"sequence": 2, "event_id": None}, trace]


def unreadable_event_not_set_aside(draft: Draft) -> None:
    draft.records[MINISTRY].append(replace(draft.records[MINISTRY][0], offset=1, event_id="x", value=b"{"))


def set_aside(draft: Draft) -> None:
    draft.rows[P]["dead_letters"].append(
        {"topic": topics.REGISTRY_BENEFICIARY, "partition": 3, "offset": 9, "disposition": "dead", "reason": "SEALED_BLOCK"}
    )


def answer_not_kept(draft: Draft) -> None:
    draft.rows[P]["results"] = []


def answer_kept_twice(draft: Draft) -> None:
    draft.rows[P]["results"] *= 2


def version_missing(draft: Draft) -> None:
    snapshot(draft, 3)
    for service in Service:
        draft.rows[service]["people"][0]["n"] = 3


def version_says_two_things(draft: Draft) -> None:
    snapshot(draft, 1, area="18500")


def result_missing(draft: Draft) -> None:
    result(draft, 3)
    for service, name in ((R, "verified"), (P, "verdicts"), (N, "verdicts")):
        draft.rows[service][name][0]["result_seq"] = 3


def state_missing(draft: Draft) -> None:
    state(draft, 7, "returned")
    for service, name in ((R, "payments"), (P, "instructions"), (N, "account_payments")):
        draft.rows[service][name][0] |= {"state_seq": 7, "state": "returned"}
    draft.rows[P]["shares"][0]["live"] = False
    draft.truth["bank-a"].append(fact("returned"))


def older_snapshot_held(draft: Draft) -> None:
    snapshot(draft, 2)
    for service in (R, P, N):
        draft.rows[service]["people"][0]["n"] = 2


def older_result_held(draft: Draft) -> None:
    result(draft, 2, "dead")
    draft.rows[R]["verified"][0] |= {"result_seq": 2, "outcome": "dead"}
    draft.rows[N]["verdicts"][0] |= {"result_seq": 2, "dead": True}


def state_held_that_nobody_told(draft: Draft) -> None:
    draft.rows[R]["payments"][0]["state"] = "returned"


def verdict_that_nobody_told(draft: Draft) -> None:
    draft.rows[V]["verdicts"].append(draft.rows[V]["verdicts"][0] | {"result_seq": 2})


def text_held_further_than_told(draft: Draft) -> None:
    draft.rows[N]["messages"][0]["status"] = "failed"


def line_nowhere(draft: Draft) -> None:
    draft.rows[P]["shares"] = []


def line_paid_and_held(draft: Draft) -> None:
    draft.rows[P]["held"].append({"entitlement_id": LINE, "reason": "MOVED", "vnd": VND})


def line_of_a_dead_payment_still_claimed(draft: Draft) -> None:
    draft.rows[P]["instructions"][0]["state"] = "rejected"


def line_received_otherwise(draft: Draft) -> None:
    draft.rows[P]["lines"][0]["declared_vnd"] = VND + 1_000


def closing_received_otherwise(draft: Draft) -> None:
    draft.rows[P]["closings"][0]["count"] = 2


def digest_of_another_list(draft: Draft) -> None:
    record = draft.records[topics.REGISTRY_LIST, 0][0]
    spoiled = record.value.replace(record.body["digest"].encode(), b"0" * 64)
    draft.records[topics.REGISTRY_LIST, 0][0] = replace(record, value=spoiled)
    draft.outbox[R] = [replace(row, payload=spoiled) if row.event_id == record.event_id else row for row in draft.outbox[R]]


def list_signed_for_another_sum(draft: Draft) -> None:
    draft.rows[P]["batches"][0]["vnd"] = VND + 1


def file_with_one_payment_less(draft: Draft) -> None:
    draft.rows[P]["files"] = []


def payment_worth_more_than_its_lines(draft: Draft) -> None:
    draft.rows[P]["shares"][0]["vnd"] = VND - 1_000


def line_told_twice_in_other_words(draft: Draft) -> None:
    draft.tell(P, instruction_topic(Provider.BANK_A), BATCH, {"batch_id": BATCH, "index": 0, "jwe": "jwe-other"})


def manifest_told_twice_in_other_words(draft: Draft) -> None:
    draft.tell(P, batch_topic(Provider.BANK_A), BATCH, {"batch_id": BATCH, "kind": "manifest", "jws": jws({"count": 1})})


def batch_never_left(draft: Draft) -> None:
    for topic in (batch_topic(Provider.BANK_A), instruction_topic(Provider.BANK_A)):
        draft.records[topic, 0] = []
    draft.outbox[P] = [
        row for row in draft.outbox[P] if row.topic not in (batch_topic(Provider.BANK_A), instruction_topic(Provider.BANK_A))
    ]


def lines_without_manifest(draft: Draft) -> None:
    draft.records[batch_topic(Provider.BANK_A), 0] = []
    draft.outbox[P] = [row for row in draft.outbox[P] if row.topic != batch_topic(Provider.BANK_A)]


def paid_twice_under_one_id(draft: Draft) -> None:
    draft.truth["bank-a"].insert(1, fact())


def paid_by_two_providers(draft: Draft) -> None:
    draft.truth["bank-b"].append(fact())


def paid_unasked(draft: Draft) -> None:
    draft.truth["bank-b"].append(fact(end_to_end_id="QRSTUVWXYZ234567", batch_id="?"))


def paid_another_amount(draft: Draft) -> None:
    draft.truth["bank-a"][0] = fact(amount_vnd=VND * 10)


def line_paid_by_two_payments(draft: Draft) -> None:
    second = draft.rows[P]["instructions"][0] | {"instruction_id": "second", "end_to_end_id": "QRSTUVWXYZ234567"}
    draft.rows[P]["instructions"].append(second)
    draft.rows[P]["shares"].append(draft.rows[P]["shares"][0] | {"instruction_id": "second"})
    draft.truth["bank-a"].insert(1, fact(end_to_end_id="QRSTUVWXYZ234567"))


def believed_paid(draft: Draft) -> None:
    draft.truth["bank-a"] = [fact("rejected")]


def believed_failed(draft: Draft) -> None:
    draft.rows[P]["instructions"][0]["state"] = "rejected"


def believed_unsent(draft: Draft) -> None:
    draft.rows[P]["instructions"][0]["state"] = "created"


def provider_acted_on_less(draft: Draft) -> None:
    draft.rows[P]["batches"][0] |= {"sent_count": 2, "sent_vnd": 2 * VND}


def text_went_out_twice(draft: Draft) -> None:
    draft.truth["sms"] *= 2


def two_texts_to_one_phone(draft: Draft) -> None:
    draft.rows[N]["messages"].append(draft.rows[N]["messages"][0] | {"message_id": "second"})
    draft.truth["sms"].append(draft.truth["sms"][0] | {"id": "second"})


def text_unasked(draft: Draft) -> None:
    draft.truth["sms"].append({"id": "stranger", "number_sha256": "c" * 64})


def text_believed_delivered(draft: Draft) -> None:
    draft.truth["sms"] = []


def text_believed_unsent(draft: Draft) -> None:
    draft.rows[N]["messages"][0]["status"] = "skipped"


SPOILED: list[tuple[Callable[[Draft], None], Kind]] = [
    (lost, Kind.LOST), (unpublished, Kind.UNPUBLISHED), (phantom, Kind.PHANTOM), (other_bytes, Kind.DUPLICATE_DIFFERS),
    (one_id_for_two_decisions, Kind.DUPLICATE_DIFFERS), (order_turned, Kind.NON_MONOTONIC), (key_on_two_partitions, Kind.NON_MONOTONIC),
    (hole_in_offsets, Kind.GAP),
    (offset_above_the_log, Kind.INCONSISTENT_OFFSETS), (offset_names_another_record, Kind.INCONSISTENT_OFFSETS),
    (nobody_read_it, Kind.UNREAD), (partition_stopped, Kind.STOPPED), (event_without_a_trace, Kind.EFFECT_MISSING),
    (one_delivery_of_two_without_a_trace, Kind.EFFECT_MISSING), (event_taken_twice, Kind.READ_TWICE),
    (enrolment_put_before_a_person_twice, Kind.READ_TWICE),
    (statement_applied_twice, Kind.EFFECT_TWICE), (merge_applied_twice, Kind.EFFECT_TWICE),
    (unreadable_event_not_set_aside, Kind.EFFECT_MISSING),
    (older_statement_applied_after_a_newer, Kind.NON_MONOTONIC), (set_aside, Kind.SET_ASIDE),
    (answer_not_kept, Kind.EFFECT_MISSING), (answer_kept_twice, Kind.EFFECT_TWICE), (version_missing, Kind.SEQUENCE_HOLE),
    (version_says_two_things, Kind.SEQUENCE_REPEATED), (result_missing, Kind.SEQUENCE_HOLE), (state_missing, Kind.SEQUENCE_HOLE),
    (older_snapshot_held, Kind.STALE), (older_result_held, Kind.STALE), (state_held_that_nobody_told, Kind.STALE),
    (verdict_that_nobody_told, Kind.STALE), (text_held_further_than_told, Kind.STALE), (line_nowhere, Kind.MISPLACED),
    (line_paid_and_held, Kind.MISPLACED), (line_of_a_dead_payment_still_claimed, Kind.MISPLACED),
    (line_received_otherwise, Kind.NOT_CONSERVED), (closing_received_otherwise, Kind.NOT_CONSERVED),
    (digest_of_another_list, Kind.NOT_CONSERVED), (list_signed_for_another_sum, Kind.NOT_CONSERVED),
    (file_with_one_payment_less, Kind.NOT_CONSERVED), (payment_worth_more_than_its_lines, Kind.NOT_CONSERVED),
    (line_told_twice_in_other_words, Kind.DUPLICATE_DIFFERS), (manifest_told_twice_in_other_words, Kind.DUPLICATE_DIFFERS),
    (batch_never_left, Kind.NOT_CONSERVED), (lines_without_manifest, Kind.NOT_CONSERVED), (paid_twice_under_one_id, Kind.PAID_TWICE),
    (paid_by_two_providers, Kind.PAID_TWICE), (paid_unasked, Kind.PAID_UNASKED), (paid_another_amount, Kind.PAID_OTHERWISE),
    (line_paid_by_two_payments, Kind.PAID_TWICE), (believed_paid, Kind.BELIEVED_WRONGLY), (believed_failed, Kind.BELIEVED_WRONGLY),
    (believed_unsent, Kind.BELIEVED_WRONGLY), (provider_acted_on_less, Kind.NOT_CONSERVED), (text_went_out_twice, Kind.TEXT_TWICE),
    (two_texts_to_one_phone, Kind.TEXT_TWICE), (text_unasked, Kind.TEXT_UNASKED), (text_believed_delivered, Kind.BELIEVED_WRONGLY),
    (text_believed_unsent, Kind.BELIEVED_WRONGLY),
]  # fmt: skip
