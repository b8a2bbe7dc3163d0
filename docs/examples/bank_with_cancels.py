"""A bank's side: park, verify, pay once, honour cancels, answer (docs/integrate-a-bank.md): `bank_consumer.py` and what cancels add.

SYNTHETIC: a row in `paid` stands for the money. How to run it:
    python bank_with_cancels.py BOOTSTRAP PROVIDER OWN_PRIVATE_JWK PAYOUT_PUBLIC_JWK BOOK.sqlite
"""

import asyncio
import hashlib
import json
import sqlite3
import sys
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from joserfc import errors, jwe, jwk, jws

BOOTSTRAP, PROVIDER, OWN, PAYOUT, BOOK = sys.argv[1:]
own, payout = (jwk.ECKey.import_key(json.loads(Path(path).read_text())) for path in (OWN, PAYOUT))
book = sqlite3.connect(BOOK)  # outlives process and topics: this is what makes "once" true
book.execute("CREATE TABLE IF NOT EXISTS paid (id TEXT PRIMARY KEY, vnd INTEGER NOT NULL)")  # 0 VND: cancelled
book.execute("CREATE TABLE IF NOT EXISTS said (about TEXT NOT NULL, body TEXT NOT NULL)")


def need(fact, reason):  # an ISO 20022 status reason code: the batch is refused as a whole
    if not fact:
        raise ValueError(reason)


def opened(batch, manifest, texts):  # the payments of a batch that agrees with its manifest
    need(manifest["kind"] != "cancel", "DS02")
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


def word(one):  # what the books say to the wish to cancel a line
    row = book.execute("SELECT vnd FROM paid WHERE id = ?", (one,)).fetchone()
    return "unknown_id" if row is None else "too_late" if row[0] else "cancelled"


def totals(kind, lines):
    return {"kind": kind, "count": len(lines), "vnd": sum(vnd for _id, vnd in lines)}


def decide(batch, manifest, texts, cancels):  # what is answered; from here on the books say what was paid
    try:
        lines = opened(batch, manifest, texts)
        gone = {one for named in cancels.values() for one in named}
        book.executemany("INSERT OR IGNORE INTO paid VALUES (?, ?)", [(one, 0 if one in gone else vnd) for one, vnd in lines])
        paid = [(one, vnd) for one, vnd in lines if word(one) == "too_late"]
        said = [{"kind": "line", "end_to_end_id": one, "status": "paid", "amount_vnd": vnd} for one, vnd in paid]
        return [totals("batch_received", lines), *said, totals("batch_complete", paid)]
    except (errors.JoseError, ValueError) as no:
        return [{"kind": "batch_refused", "reason": str(no) if len(str(no)) == 4 else "FF01"}]


def answers(batch, held, decided):  # of the batch, then of cancels of its lines; kept before said: a crash says it again, no more
    for about, named in [pair for pair in held[2].items() if pair[0] not in decided]:
        decided.add(about)
        words = [{"kind": "cancel", "end_to_end_id": one, "outcome": word(one)} for one in named]
        for said in words or decide(batch, *held):
            about_it = {"provider": PROVIDER, "batch_id": batch, "occurred_at": datetime.now(UTC).isoformat()}
            yield about, json.dumps({"result_id": str(uuid.uuid4()), **about_it, **said})


def take(parked, body):
    held = parked.setdefault(body["batch_id"], [None, {}, {body["batch_id"]: ()}])  # manifest, {index: text}, {id: cancelled}
    if "jwe" in body:  # the first text under an index counts; the signed hash says whether it is the right one
        held[1].setdefault(int(body["index"]), str(body["jwe"]))
    elif "end_to_end_ids" in (said := json.loads(jws.deserialize_compact(body["jws"], payout, algorithms=["ES256"]).payload)):
        held[2] |= {said["cancel_id"]: said["end_to_end_ids"]} if said["batch_id"] == body["batch_id"] else {}
    elif body["kind"] == "cancel" or not held[0]:
        held[0] = {**said, "kind": body["kind"]}


def whole(manifest, texts, _cancels):
    return manifest and (manifest["kind"] == "cancel" or len(texts) >= manifest["count"])


async def main():
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, enable_idempotence=True)
    topics = [f"payout.{kind}.{PROVIDER}.v1" for kind in ("instruction", "batch")]  # no group: read from the first record
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=BOOTSTRAP, auto_offset_reset="earliest")
    await asyncio.gather(producer.start(), consumer.start())
    parked, to_say = {}, list(book.execute("SELECT about, body FROM said"))
    decided = {about for about, _body in to_say}
    while True:
        for _about, body in to_say:
            await producer.send_and_wait(f"payment.result.{PROVIDER}.v1", body.encode(), json.loads(body)["batch_id"].encode())
        for record in chain.from_iterable((await consumer.getmany(timeout_ms=200)).values()):
            with suppress(errors.JoseError, ValueError, KeyError, TypeError):  # what payout did not write changes nothing
                take(parked, json.loads(record.value))
        with book:  # one transaction
            to_say = [row for b, held in parked.items() if b in decided or whole(*held) for row in answers(b, held, decided)]
            book.executemany("INSERT INTO said VALUES (?, ?)", to_say)


asyncio.run(main())
