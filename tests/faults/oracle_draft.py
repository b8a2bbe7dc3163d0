"""A small consistent world to spoil: one person, one benefit, one list, one bank payment, one text. Synthetic, no servers."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from shared import topics
from shared.topics import TOPICS, Provider, Service, batch_topic, instruction_topic, result_topic
from tests.faults.oracle import findings_of
from tests.faults.oracle_model import Books, Finding, Kind, Log, Out, Place, Rec, World
from tests.faults.oracle_money import digest_of

NAMES = UUID("0d3f0d5e-6a64-4a1c-9c1e-3f5a5a0b7c11")
PERSON, LINE, BATCH, PAYMENT, TEXT, ANSWER = (
    str(uuid5(NAMES, name)) for name in ("person", "line", "batch", "payment", "text", "answer")
)
E2E, SHA, DIGEST, PERIOD, PAYER, VND = "ABCDEFGHIJKLMNOP", "5" * 64, "a" * 64, "2024-02", "huyen-000", 540_000
STATES = ((1, "created"), (3, "sending"), (4, "accepted"), (5, "paid"))
Rows = list[dict[str, Any]]


def jws(payload: dict[str, Any]) -> str:
    """The shape of a compact JWS; nobody signs here."""
    middle = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"e30.{middle}.c2ln"


@dataclass
class Draft:
    """Everything that a world is made of, open to change."""

    records: dict[Place, list[Rec]] = field(default_factory=lambda: defaultdict(list))
    outbox: dict[Service, list[Out]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[Service, dict[str, Rows]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    truth: dict[str, Rows] = field(default_factory=lambda: defaultdict(list))
    settled: bool = True

    def put(self, topic: str, key: str, body: dict[str, Any], *, event_id: str = "", type_: str = "") -> Rec:
        """A record at the end of partition 0."""
        place, records = (topic, 0), self.records[topic, 0]
        event_id = event_id or str(uuid5(NAMES, f"{topic}{len(records)}{json.dumps(body)}"))
        offset = records[-1].offset + 1 if records else 0
        record = Rec(*place, offset, key, event_id, type_, "", json.dumps(body).encode())
        records.append(record)
        return record

    def tell(self, service: Service, topic: str, key: str, body: dict[str, Any]) -> Rec:
        """A decision: outbox row and record."""
        record, number = self.put(topic, key, body), len(self.outbox[service]) + 1
        self.outbox[service].append(Out(number, number, record.event_id, topic, key, record.value))
        return record

    def again(self, record: Rec) -> Rec:
        """The same record delivered once more."""
        copy = Rec(record.topic, 0, self.records[record.topic, 0][-1].offset + 1, *_rest(record))
        self.records[record.topic, 0].append(copy)
        return copy

    def world(self) -> World:
        """The world as it now stands; whoever reads has read to the end unless the test wrote `consumed` itself."""
        end = {(topic.name, n): 0 for topic in TOPICS for n in range(topic.partitions)}
        end |= {place: records[-1].offset + 1 for place, records in self.records.items() if records}
        log = Log(dict(self.records), dict.fromkeys(end, 0), end)
        return World(
            log,
            {s: self._books(s, log) for s in Service},
            {"bank-a": list[dict[str, Any]](), "sms": list[dict[str, Any]]()} | self.truth,
            self.settled,
        )

    def kinds(self) -> set[Kind]:
        """What the oracle calls this world."""
        return {finding.kind for finding in self.findings()}

    def findings(self) -> list[Finding]:
        """What the oracle says of this world."""
        return sorted(set(findings_of(self.world())))

    def _books(self, service: Service, log: Log) -> Books:
        outbox, tables = self.outbox[service], self.rows[service]
        names = ("dead_letters", "people", "source_events", "waiting", "closings", "lines", "verified", "payments", "texts", "verdicts",
                 "batches", "instructions", "shares", "held", "files", "results", "account_payments", "messages")  # fmt: skip
        rows = {name: tables.get(name, []) for name in names}
        rows["consumed"] = tables.get("consumed") or [
            _at_end(log, t.name, n) for t in topics.read_by(service) for n in range(t.partitions)
        ]
        return Books(service, outbox, outbox[-1].order if outbox else (0, 0), rows)


def _rest(record: Rec) -> tuple[str, str, str, str, bytes]:
    return record.key, record.event_id, record.type, record.source, record.value


def _at_end(log: Log, topic: str, partition: int) -> dict[str, Any]:
    records = log.records.get((topic, partition), ())
    last = records[-1].event_id if records else None
    return {
        "topic": topic,
        "partition": partition,
        "next_offset": log.end[topic, partition],
        "last_event_id": last,
        "stopped_reason": None,
    }


def well() -> Draft:
    """A world in which everything went well."""
    draft = Draft()
    _enrolled(draft)
    _judged(draft)
    _closed(draft)
    _paid(draft)
    _reminded(draft)
    return draft


def _enrolled(draft: Draft) -> None:
    event = {
        "source": "test/ministry", "record": "r-1", "source_sequence": 1, "period": PERIOD, "payer": PAYER, "area": "18496",
        "line": {"programme": "social_assistance", "benefit_code": "BT-5a1", "monthly_vnd": VND}, "personal": "e30.a.b.c.d",
    }  # fmt: skip
    record = draft.put(topics.MINISTRY_BENEFICIARY, "test/ministry:r-1", event, type_="vn.ansinh.ministry.enrolled.v1")
    trace = {
        "event_id": record.event_id,
        "source": "test/ministry",
        "record": "r-1",
        "sequence": 1,
        "kind": "enrolled",
        "fate": "applied",
        "reason": None,
        "beneficiary_id": PERSON,
    }
    draft.rows[Service.REGISTRY]["source_events"].append(trace)
    snapshot(draft, 1)
    for service in Service:
        draft.rows[service]["people"].append({"beneficiary_id": PERSON, "epoch": 1, "n": 1})


def merge_of(person: str, *, act: str = "an act") -> dict[str, Any]:
    """The trace registry keeps of two people becoming one, for one of them."""
    return {
        "event_id": act, "source": "registry", "record": None, "sequence": 0, "kind": "merge", "fate": "applied",
        "reason": None, "beneficiary_id": person,
    }  # fmt: skip


def snapshot(draft: Draft, n: int, *, area: str = "18496", epoch: int = 1) -> Rec:
    """One version of the person."""
    body = {
        "beneficiary_id": PERSON,
        "version": {"epoch": epoch, "n": n},
        "area": area,
        "identity": "v1.identity.x",
        "identity_digest": DIGEST,
    }
    return draft.tell(Service.REGISTRY, topics.REGISTRY_BENEFICIARY, PERSON, body)


def result(draft: Draft, number: int, outcome: str = "match") -> Rec:
    """One result about the person, kept by verification."""
    said = {"beneficiary_id": PERSON, "result_seq": number, "outcome": outcome, "identity_digest": DIGEST, "account_digest": None}
    draft.rows[Service.VERIFICATION]["verdicts"].append(dict(said))
    return draft.tell(Service.VERIFICATION, topics.VERIFICATION_RESULT, PERSON, said)


def _judged(draft: Draft) -> None:
    result(draft, 1)
    held = {"beneficiary_id": PERSON, "result_seq": 1, "outcome": "match"}
    draft.rows[Service.REGISTRY]["verified"].append(dict(held))
    draft.rows[Service.PAYOUT]["verdicts"].append(dict(held))
    draft.rows[Service.NOTIFY]["verdicts"].append({"beneficiary_id": PERSON, "result_seq": 1, "dead": False})


def _closed(draft: Draft) -> None:
    line = {"entitlement_id": LINE, "beneficiary_id": PERSON, "period": PERIOD, "payer": PAYER, "declared_vnd": VND}
    closing = {"period": PERIOD, "payer": PAYER, "count": 1, "vnd": VND}
    draft.tell(Service.REGISTRY, topics.REGISTRY_ENTITLEMENT, PERSON, line)
    draft.tell(Service.REGISTRY, topics.REGISTRY_LIST, f"{PERIOD}:{PAYER}", closing | {"digest": digest_of([line])})
    for service in (Service.REGISTRY, Service.PAYOUT):
        draft.rows[service]["lines"].append(dict(line))
        draft.rows[service]["closings"].append(dict(closing))


def state(draft: Draft, number: int, word: str) -> Rec:
    """One state of the payment, told."""
    body = {
        "instruction_id": PAYMENT,
        "beneficiary_id": PERSON,
        "state_seq": number,
        "state": word,
        "channel": "account",
        "vnd": VND,
    }
    return draft.tell(Service.PAYOUT, topics.PAYOUT_PAYMENT, PERSON, body)


def _paid(draft: Draft) -> None:
    payout = draft.rows[Service.PAYOUT]
    for number, word in STATES:
        state(draft, number, word)
    lines_hash = hashlib.sha256(hashlib.sha256(b"jwe-0").digest()).hexdigest()
    draft.tell(Service.PAYOUT, instruction_topic(Provider.BANK_A), BATCH, {"batch_id": BATCH, "index": 0, "jwe": "jwe-0"})
    manifest = {"count": 1, "vnd": VND, "lines_sha256": lines_hash, "sent_sha256": SHA, "approved_sha256": SHA}
    draft.tell(Service.PAYOUT, batch_topic(Provider.BANK_A), BATCH, {"batch_id": BATCH, "kind": "manifest", "jws": jws(manifest)})
    draft.put(result_topic(Provider.BANK_A), BATCH, {"result_id": ANSWER, "status": "paid"})
    payout["results"].append({"result_id": ANSWER, "fate": "applied"})
    payout["batches"].append(
        {"batch_id": BATCH, "period": PERIOD, "payer": PAYER, "provider": "bank-a", "state": "settled", "count": 1, "vnd": VND,
         "sha256": SHA, "sent_count": 1, "sent_vnd": VND, "sent_sha256": SHA}
    )  # fmt: skip
    payout["instructions"].append(
        {"instruction_id": PAYMENT, "batch_id": BATCH, "provider": "bank-a", "channel": "account", "vnd": VND, "end_to_end_id": E2E,
         "state_seq": 5, "state": "paid"}
    )  # fmt: skip
    payout["shares"].append({"instruction_id": PAYMENT, "entitlement_id": LINE, "vnd": VND, "live": True})
    payout["files"].append({"batch_id": BATCH, "kind": "pain.001", "count": 1, "vnd": VND})
    for service, name in ((Service.REGISTRY, "payments"), (Service.NOTIFY, "account_payments")):
        draft.rows[service][name].append({"instruction_id": PAYMENT, "state_seq": 5, "state": "paid"})
    draft.truth["bank-a"] += [fact(), {"fact": "batch", "batch_id": BATCH, "state": "closed"}]


def fact(status: str = "paid", **changes: Any) -> dict[str, Any]:
    """What really happened to the payment."""
    return {
        "fact": "line",
        "provider": "bank-a",
        "batch_id": BATCH,
        "end_to_end_id": E2E,
        "amount_vnd": VND,
        "status": status,
    } | changes


def _reminded(draft: Draft) -> None:
    for status in ("created", "accepted", "delivered"):
        draft.tell(Service.NOTIFY, topics.NOTIFY_MESSAGE, TEXT, {"message_id": TEXT, "status": status})
    draft.rows[Service.NOTIFY]["messages"].append({"message_id": TEXT, "campaign": "tet", "round": 1, "status": "delivered"})
    draft.rows[Service.REGISTRY]["texts"].append({"message_id": TEXT, "status": "delivered"})
    draft.truth["sms"].append({"id": TEXT, "number_sha256": "b" * 64})
