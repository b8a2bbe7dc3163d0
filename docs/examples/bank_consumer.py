"""A bank's side: park, verify, pay once, answer (docs/integrate-a-bank.md). SYNTHETIC: a row in `paid` stands for the money.
python bank_consumer.py BOOTSTRAP PROVIDER OWN_PRIVATE_JWK PAYOUT_PUBLIC_JWK BOOK.sqlite"""

import asyncio, hashlib, json, sqlite3, sys, uuid  # noqa: E401, I001
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from joserfc import errors, jwe, jwk, jws

BOOTSTRAP, PROVIDER, OWN, PAYOUT, BOOK = sys.argv[1:]
own, payout = (jwk.ECKey.import_key(json.loads(Path(path).read_text())) for path in (OWN, PAYOUT))
book = sqlite3.connect(BOOK)  # outlives process and topics: this is what makes "once" true
book.execute("CREATE TABLE IF NOT EXISTS paid (id TEXT PRIMARY KEY, vnd INTEGER NOT NULL)")
book.execute("CREATE TABLE IF NOT EXISTS said (batch TEXT NOT NULL, body TEXT NOT NULL)")


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


def decide(batch, manifest, texts):  # books first: after a crash the answers are said again, money does not leave again
    try:
        paid = opened(batch, manifest, texts)
        totals = {"count": len(paid), "vnd": sum(vnd for _id, vnd in paid)}
        said = [{"kind": "line", "end_to_end_id": one, "status": "paid", "amount_vnd": vnd} for one, vnd in paid]
        said = [{"kind": "batch_received", **totals}, *said, {"kind": "batch_complete", **totals}]
    except (errors.JoseError, ValueError) as no:
        paid, said = [], [{"kind": "batch_refused", "reason": str(no) if len(str(no)) == 4 else "FF01"}]
    about = {"provider": PROVIDER, "batch_id": batch, "occurred_at": datetime.now(UTC).isoformat()}
    with book:  # one transaction
        book.executemany("INSERT OR IGNORE INTO paid VALUES (?, ?)", paid)
        rows = [(batch, json.dumps({"result_id": str(uuid.uuid4()), **about, **one})) for one in said]
        book.executemany("INSERT INTO said VALUES (?, ?)", rows)
    return rows


def take(parked, body):
    held = parked.setdefault(body["batch_id"], [None, {}])  # [manifest or cancel, {index: text}]
    if "jwe" in body:  # the first text under an index counts; the signed hash says whether it is the right one
        held[1].setdefault(int(body["index"]), str(body["jwe"]))
    elif body["kind"] == "cancel" or not held[0]:
        said = json.loads(jws.deserialize_compact(body["jws"], payout, algorithms=["ES256"]).payload)
        held[0] = {**said, "kind": body["kind"]}


def whole(manifest, texts):
    return manifest and (manifest["kind"] == "cancel" or len(texts) >= manifest["count"])


async def main():
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, enable_idempotence=True)
    topics = [f"payout.{kind}.{PROVIDER}.v1" for kind in ("instruction", "batch")]  # no group: read from the first record
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=BOOTSTRAP, auto_offset_reset="earliest")
    await asyncio.gather(producer.start(), consumer.start())
    parked, to_say = {}, list(book.execute("SELECT batch, body FROM said"))
    decided = {batch for batch, _body in to_say}
    while True:
        for batch, body in to_say:
            await producer.send_and_wait(f"payment.result.{PROVIDER}.v1", body.encode(), batch.encode())
        for record in chain.from_iterable((await consumer.getmany(timeout_ms=200)).values()):
            with suppress(errors.JoseError, ValueError, KeyError, TypeError):  # what payout did not write changes nothing
                take(parked, json.loads(record.value))
        ready = [batch for batch, held in parked.items() if batch not in decided and whole(*held)]
        to_say = [row for batch in ready for row in decide(batch, *parked[batch])]
        decided.update(ready)


asyncio.run(main())
