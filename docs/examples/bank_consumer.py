"""A bank's side in sixty lines: park, verify, pay once, answer (docs/integrate-a-bank.md). `bank_with_cancels.py` honours cancels too.

SYNTHETIC: a row in `paid` stands for the money. How to run it:
    python bank_consumer.py BOOTSTRAP PROVIDER OWN_PRIVATE_JWK PAYOUT_PUBLIC_JWK BOOK.sqlite
"""

import asyncio
import hashlib
import json
import sqlite3
import sys
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from joserfc import errors, jwe, jwk, jws

BOOTSTRAP, PROVIDER, OWN, PAYOUT, BOOK = sys.argv[1:]
own, payout = (jwk.ECKey.import_key(json.loads(Path(path).read_text())) for path in (OWN, PAYOUT))
book = sqlite3.connect(BOOK)  # outlives process and topics: this is what makes "once" true
book.execute("CREATE TABLE IF NOT EXISTS paid (id TEXT PRIMARY KEY, vnd INTEGER NOT NULL)")
book.execute("CREATE TABLE IF NOT EXISTS said (batch TEXT NOT NULL, body TEXT NOT NULL)")


def park(parked, body):  # nothing is paid of what is parked
    manifest, texts = parked.setdefault(body["batch_id"], ({}, {}))
    if "jwe" in body:  # the first text under an index counts; the signed hash says whether it is the right one
        texts.setdefault(int(body["index"]), str(body["jwe"]))
    elif body["kind"] == "manifest":
        signed = json.loads(jws.deserialize_compact(body["jws"], payout, algorithms=["ES256"]).payload)
        manifest.update({**signed, "count": int(signed["count"])})


def need(fact, reason):  # an ISO 20022 status reason code: the batch is refused as a whole
    if not fact:
        raise ValueError(reason)


def verified(batch, manifest, texts):  # the payments of a batch that agrees with its manifest
    need((manifest["batch_id"], manifest["provider"]) == (batch, PROVIDER), "AGNT")
    need(manifest["currency"] == "VND", "AM03")
    need(sorted(texts) == list(range(manifest["count"])), "AM18")
    hashes = b"".join(hashlib.sha256(texts[index].encode()).digest() for index in sorted(texts))
    need(hashlib.sha256(hashes).hexdigest() == manifest["lines_sha256"], "FRAD")
    key = jwk.OctKey.import_key(json.loads(jwe.decrypt_compact(manifest["batch_key"], own).plaintext))
    payments = [json.loads(jwe.decrypt_compact(texts[index], key).plaintext) for index in sorted(texts)]
    need(sum(payment["amount_vnd"] for payment in payments) == manifest["vnd"], "AM10")
    need(len({payment["end_to_end_id"] for payment in payments}) == len(payments), "AM05")
    return [(payment["end_to_end_id"], payment["amount_vnd"]) for payment in payments]


def decide(batch, manifest, texts):  # what is answered; from here on the books say what was paid
    try:
        payments = verified(batch, manifest, texts)
    except (errors.JoseError, ValueError) as no:
        return [{"kind": "batch_refused", "reason": str(no) if len(str(no)) == 4 else "FF01"}]
    book.executemany("INSERT OR IGNORE INTO paid VALUES (?, ?)", payments)  # an id that is there already is not paid again
    totals = {"count": len(payments), "vnd": sum(vnd for _id, vnd in payments)}
    lines = [{"kind": "line", "end_to_end_id": one, "status": "paid", "amount_vnd": vnd} for one, vnd in payments]
    return [{"kind": "batch_received", **totals}, *lines, {"kind": "batch_complete", **totals}]


def answers(batch, held):
    about = {"provider": PROVIDER, "batch_id": batch, "occurred_at": datetime.now(UTC).isoformat()}
    return [(batch, json.dumps({"result_id": str(uuid.uuid4()), **about, **said})) for said in decide(batch, *held)]


async def main():
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, enable_idempotence=True)
    topics = [f"payout.{kind}.{PROVIDER}.v1" for kind in ("instruction", "batch")]  # no group: read from the first record
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=BOOTSTRAP, auto_offset_reset="earliest")
    await asyncio.gather(producer.start(), consumer.start())
    parked, to_say = {}, book.execute("SELECT batch, body FROM said").fetchall()  # said again after a start: the same id, no more
    decided = {batch for batch, _body in to_say}
    while True:
        for batch, body in to_say:
            await producer.send_and_wait(f"payment.result.{PROVIDER}.v1", body.encode(), batch.encode())
        for record in [one for records in (await consumer.getmany(timeout_ms=200)).values() for one in records]:
            with suppress(errors.JoseError, ValueError, KeyError, TypeError):  # what payout did not write changes nothing
                park(parked, json.loads(record.value))
        whole = {batch for batch, (manifest, texts) in parked.items() if manifest and len(texts) >= manifest["count"]}
        with book:  # one transaction: what was paid and what is answered
            to_say = [row for batch in whole - decided for row in answers(batch, parked[batch])]
            book.executemany("INSERT INTO said VALUES (?, ?)", to_say)
        decided |= whole


asyncio.run(main())
