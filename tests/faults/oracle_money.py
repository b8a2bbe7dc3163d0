"""Count and VND from hop to hop, and what the partners say really happened. Pure.

ministry list -> registry's lines -> payout's lines -> payments and held lines -> lists -> manifests, files -> provider's truth -> answers.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared import topics
from shared.topics import Provider, Service, batch_topic, instruction_topic
from tests.faults.oracle_model import Books, Finding, Kind, Log, Row, World

DEAD = frozenset({"rejected", "returned", "expired", "withdrawn", "cancelled"})
NOT_SENT = frozenset({"created", "sealed", "withdrawn"})
PAID = frozenset({"paid", "collected"})
OPEN = frozenset({"sending", "accepted", "issued", "unknown"})
Total = tuple[int, int]
"""(count, VND)."""


def compare_money(world: World) -> Iterator[Finding]:
    """Every comparison of this module."""
    payout, facts = world.books[Service.PAYOUT], list(provider_facts(world.truth))
    yield from lines_really_paid(facts, payout)
    if not world.settled:
        yield from (finding for finding in truth_against_payments(facts, payout) if finding.kind is not Kind.BELIEVED_WRONGLY)
    else:
        yield from truth_against_payments(facts, payout)
        yield from texts(world.truth.get("sms", ()), world.books[Service.NOTIFY])
        yield from batches_on_topics(world.log, payout)
        yield from batches_at_providers(world.truth, payout)
        yield from closings(world.log, world.books)
        yield from frozen_lines(world.log, world.books)
        yield from places(payout)
        yield from batches(payout)


# --- lists -------------------------------------------------------------------------------------------------------------------------


def closings(log: Log, books: Mapping[Service, Books]) -> Iterator[Finding]:
    """Six statements of a closed list are one: as closed, frozen, told, told line by line, received, received line by line."""
    registry, payout = books[Service.REGISTRY], books[Service.PAYOUT]
    told = [*log.bodies(topics.REGISTRY_ENTITLEMENT)]
    said = {
        "registry payroll_list": _as_said(registry["closings"]),
        "registry entitlement_line": _added(registry["lines"]),
        topics.REGISTRY_LIST: _as_said(log.bodies(topics.REGISTRY_LIST)),
        topics.REGISTRY_ENTITLEMENT: _added({body["entitlement_id"]: body for body in told}.values()),
        "payout closing": _as_said(payout["closings"]),
        "payout line": _added(payout["lines"]),
    }
    for key in sorted(set().union(*said.values())):
        totals = {name: found.get(key) for name, found in said.items()}
        if len(set(totals.values())) > 1:
            yield Finding(Kind.NOT_CONSERVED, f"list {key[0]} {key[1]}", ", ".join(f"{n} {t}" for n, t in totals.items()))
    for body in log.bodies(topics.REGISTRY_LIST):
        digest = digest_of(line for line in told if (line["period"], line["payer"]) == (body["period"], body["payer"]))
        if digest != body["digest"]:
            yield Finding(
                Kind.NOT_CONSERVED, topics.REGISTRY_LIST, f"{body['period']} {body['payer']}: digest of the lines differs"
            )


def digest_of(lines: Iterable[Mapping[str, Any]]) -> str:
    """The closing digest, computed anew from the topic: the sum modulo 2^256 of the SHA-256 of each line's canonical bytes."""
    names = ("entitlement_id", "beneficiary_id", "period", "payer", "declared_vnd")
    canonical = {"|".join(str(line[name]) for name in names) for line in lines}
    return f"{sum(int.from_bytes(hashlib.sha256(text.encode()).digest()) for text in canonical) % (1 << 256):064x}"


def frozen_lines(log: Log, books: Mapping[Service, Books]) -> Iterator[Finding]:
    """Line by line: id, person and VND are the same where it was frozen, on the topic and in payout."""
    frozen = _by_id(books[Service.REGISTRY]["lines"])
    for where, rows in (
        (topics.REGISTRY_ENTITLEMENT, _by_id(log.bodies(topics.REGISTRY_ENTITLEMENT))),
        ("payout line", _by_id(books[Service.PAYOUT]["lines"])),
    ):
        for key in frozen.keys() | rows.keys():
            if frozen.get(key) != rows.get(key):
                yield Finding(Kind.NOT_CONSERVED, where, f"line {key}: frozen {frozen.get(key)}, here {rows.get(key)}")


def places(payout: Books) -> Iterator[Finding]:
    """Every line of a built payroll is in live payments or held, for exactly what it declares; or it came back from a dead payment."""
    state = {row["instruction_id"]: row["state"] for row in payout["instructions"]}
    live, died, held = defaultdict[Any, int](int), set[Any](), dict[Any, int]()
    for share in payout["shares"]:
        if share["live"] != (state[share["instruction_id"]] not in DEAD):
            yield Finding(Kind.MISPLACED, "payout instruction_line", f"line {share['entitlement_id']}: live is {share['live']}")
        if share["live"]:
            live[share["entitlement_id"]] += share["vnd"]
        else:
            died.add(share["entitlement_id"])
    for row in payout["held"]:
        if row["entitlement_id"] in held:
            yield Finding(Kind.MISPLACED, "payout held", f"line {row['entitlement_id']} is held twice")
        held[row["entitlement_id"]] = row["vnd"]
    built = {(row["period"], row["payer"]) for row in payout["batches"]}
    for line in payout["lines"]:
        key = line["entitlement_id"]
        covered = live[key] + held.get(key, 0)
        placed = covered == line["declared_vnd"] and (live[key] > 0 or key in held)
        if (line["period"], line["payer"]) in built and not placed and not (key in died and covered < line["declared_vnd"]):
            yield Finding(Kind.MISPLACED, "payout line", f"line {key}: {covered} of {line['declared_vnd']} VND have a place")


# --- batches -----------------------------------------------------------------------------------------------------------------------


def batches(payout: Books) -> Iterator[Finding]:
    """What people signed, what left and what stands in files adds up to the payments."""
    whole, left = defaultdict[Any, list[int]](list), defaultdict[Any, list[int]](list)
    shares = defaultdict[Any, int](int)
    for share in payout["shares"]:
        shares[share["instruction_id"]] += share["vnd"]
    for row in payout["instructions"]:
        whole[row["batch_id"]].append(row["vnd"])
        if row["state"] != "withdrawn":
            left[row["batch_id"]].append(row["vnd"])
        if shares[row["instruction_id"]] != row["vnd"]:
            what = f"payment {row['instruction_id']}: {row['vnd']} VND, lines {shares[row['instruction_id']]}"
            yield Finding(Kind.NOT_CONSERVED, "payout instruction_line", what)
    files = defaultdict[Any, list[Total]](list)
    for file in payout["files"]:
        files[file["batch_id"]].append((file["count"], file["vnd"]))
    for batch in payout["batches"]:
        key, sent = batch["batch_id"], (batch["sent_count"], batch["sent_vnd"])
        yield from _same(f"batch {key}", {"list": (batch["count"], batch["vnd"]), "payments": _sum(whole[key])})
        if batch["sent_count"] is not None:
            in_files = (sum(count for count, _ in files[key]), sum(vnd for _, vnd in files[key]))
            yield from _same(f"batch {key}", {"sent": sent, "payments that left": _sum(left[key]), "files": in_files})


def batches_on_topics(log: Log, payout: Books) -> Iterator[Finding]:
    """A list leaves once: one manifest, one text per line, with the count, sum and hash that the manifest signs."""
    sent = {str(row["batch_id"]): row for row in payout["batches"] if row["sent_count"] is not None}
    for provider in Provider:
        lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for body in log.bodies(instruction_topic(provider)):
            lines[body["batch_id"]][body["index"]].add(body["jwe"])
        manifests: dict[str, set[str]] = defaultdict(set)
        for body in log.bodies(batch_topic(provider)):
            if body["kind"] == "manifest":
                manifests[body["batch_id"]].add(body["jws"])
        for batch_id in sorted({*lines, *manifests, *(key for key, row in sent.items() if row["provider"] == provider)}):
            yield from _batch_on_topic(provider, batch_id, manifests[batch_id], lines=lines[batch_id], sent=sent.get(batch_id))


def _batch_on_topic(
    provider: Provider, batch_id: str, manifests: set[str], *, lines: Mapping[int, set[str]], sent: Row | None
) -> Iterator[Finding]:
    where = batch_topic(provider)
    twice = [index for index, texts in lines.items() if len(texts) > 1]
    if len(manifests) > 1 or twice:
        yield Finding(
            Kind.DUPLICATE_DIFFERS, where, f"batch {batch_id}: {len(manifests)} manifests, {len(twice)} lines say two things"
        )
        return
    if not manifests:
        yield Finding(Kind.NOT_CONSERVED, where, f"batch {batch_id}: {len(lines)} lines and no manifest")
        return
    manifest = payload_of(next(iter(manifests)))
    texts = [next(iter(lines[index])) for index in sorted(lines)]
    hashed = hashlib.sha256(b"".join(hashlib.sha256(text.encode()).digest() for text in texts)).hexdigest()
    if len(texts) != manifest["count"] or hashed != manifest["lines_sha256"]:
        yield Finding(
            Kind.NOT_CONSERVED, where, f"batch {batch_id}: manifest of {manifest['count']} lines, {len(texts)} on the topic"
        )
    ours = (sent["provider"], sent["sent_count"], sent["sent_vnd"], sent["sent_sha256"], sent["sha256"]) if sent else None
    signed = (provider, manifest["count"], manifest["vnd"], manifest["sent_sha256"], manifest["approved_sha256"])
    if ours != signed:
        yield Finding(Kind.NOT_CONSERVED, where, f"batch {batch_id}: manifest says {signed[:3]}, books {ours and ours[:3]}")


def payload_of(jws: str) -> dict[str, Any]:
    """The payload of a compact JWS, unverified: the partner verifies."""
    middle = jws.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


# --- what really happened ------------------------------------------------------------------------------------------------------------


def provider_facts(truth: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    """Line facts of all providers, each file in order."""
    for name, rows in truth.items():
        if name != "sms":
            yield from (row for row in rows if row["fact"] == "line")


def truth_against_payments(facts: Sequence[Row], payout: Books) -> Iterator[Finding]:
    """Paid at most once per end-to-end id, exactly as asked; and our books claim nothing that did not happen, nor deny what did."""
    ours = {row["end_to_end_id"]: row for row in payout["instructions"]}
    happened: dict[str, list[Row]] = defaultdict(list)
    for fact in facts:
        happened[fact["end_to_end_id"]].append(fact)
    for key, of_id in happened.items():
        times, where = sum(fact["status"] == "paid" for fact in of_id), f"truth {of_id[0]['provider']}"
        if times > 1:
            yield Finding(Kind.PAID_TWICE, where, f"id {key}: paid {times} times")
        if key not in ours:
            yield Finding(Kind.PAID_UNASKED, where, f"id {key}: {of_id[0]['status']}, a payment that is not ours")
            continue
        asked = (ours[key]["provider"], str(ours[key]["batch_id"]), ours[key]["vnd"])
        for done in {(fact["provider"], fact["batch_id"], fact["amount_vnd"]) for fact in of_id} - {asked}:
            yield Finding(Kind.PAID_OTHERWISE, where, f"id {key}: asked {asked}, acted on {done}")
    for key, row in ours.items():
        yield from _believed(key, row["state"], happened.get(key, ()))


def _believed(key: str, state: str, facts: Sequence[Row]) -> Iterator[Finding]:
    """A paid payment may be one we have no answer for, never one we call failed: that one would be paid again."""
    stays_paid = bool(facts) and facts[-1]["status"] == "paid"
    if state in PAID and not any(fact["status"] == "paid" for fact in facts):
        yield Finding(Kind.BELIEVED_WRONGLY, "payout instruction", f"id {key}: {state}, though no money left")
    if stays_paid and state not in PAID | OPEN:
        yield Finding(Kind.BELIEVED_WRONGLY, "payout instruction", f"id {key}: {state}, though money left")
    if facts and state in NOT_SENT:
        yield Finding(Kind.BELIEVED_WRONGLY, "payout instruction", f"id {key}: {state}, though a provider acted on it")


def lines_really_paid(facts: Sequence[Row], payout: Books) -> Iterator[Finding]:
    """No frozen line is paid beyond what it declares, over however many payments."""
    last = {fact["end_to_end_id"]: fact["status"] for fact in facts}
    names = {row["instruction_id"]: row["end_to_end_id"] for row in payout["instructions"]}
    declared = {row["entitlement_id"]: row["declared_vnd"] for row in payout["lines"]}
    paid: dict[Any, int] = defaultdict(int)
    for share in payout["shares"]:
        if last.get(names[share["instruction_id"]]) == "paid":
            paid[share["entitlement_id"]] += share["vnd"]
    for key, vnd in paid.items():
        if vnd > declared[key]:
            yield Finding(Kind.PAID_TWICE, "payout line", f"line {key}: really paid {vnd} of {declared[key]} VND")


def batches_at_providers(truth: Mapping[str, Sequence[Row]], payout: Books) -> Iterator[Finding]:
    """A closed batch was acted on line by line: as many ids and as much money as left. A provider never acts on more than that."""
    sent = {str(row["batch_id"]): (row["sent_count"], row["sent_vnd"]) for row in payout["batches"]}
    for name, rows in truth.items():
        if name == "sms":
            continue
        acted: dict[str, dict[str, int]] = defaultdict(dict)
        states = {row["batch_id"]: row["state"] for row in rows if row["fact"] == "batch"}
        for fact in (row for row in rows if row["fact"] == "line"):
            acted[fact["batch_id"]][fact["end_to_end_id"]] = fact["amount_vnd"]
        for batch_id, lines in acted.items():
            done, asked = (len(lines), sum(lines.values())), sent.get(batch_id, (0, 0))
            if (states.get(batch_id) == "closed" and done != asked) or done[0] > (asked[0] or 0):
                yield Finding(Kind.NOT_CONSERVED, f"truth {name}", f"batch {batch_id}: left {asked}, acted on {done}")


# --- texts ---------------------------------------------------------------------------------------------------------------------------


def texts(facts: Sequence[Row], notify: Books) -> Iterator[Finding]:
    """A text reached the centre at most once per id and per (phone, round), only as stored before, and our books agree."""
    ours = {str(row["message_id"]): row for row in notify["messages"]}
    for key, times in Counter(fact["id"] for fact in facts).items():
        if times > 1:
            yield Finding(Kind.TEXT_TWICE, "truth sms", f"text {key}: {times} times")
    phones: dict[tuple[str, int, str], set[str]] = defaultdict(set)
    for fact in facts:
        row = ours.get(fact["id"])
        if row is None:
            yield Finding(Kind.TEXT_UNASKED, "truth sms", f"text {fact['id']}: not one of ours")
            continue
        if row["status"] in ("created", "skipped"):
            yield Finding(Kind.BELIEVED_WRONGLY, "notify message", f"text {fact['id']} is {row['status']}, though it went out")
        phones[row["campaign"], row["round"], fact["number_sha256"]].add(fact["id"])
    for (campaign, round_, _phone), ids in phones.items():
        if len(ids) > 1:
            yield Finding(Kind.TEXT_TWICE, "truth sms", f"{campaign} round {round_}: {sorted(ids)} to one phone")
    there = {fact["id"] for fact in facts}
    for key, row in ours.items():
        if row["status"] in ("accepted", "delivered") and key not in there:
            yield Finding(
                Kind.BELIEVED_WRONGLY, "notify message", f"text {key} is {row['status']}, though it never reached the centre"
            )


# --- helpers ---------------------------------------------------------------------------------------------------------------------------


def _same(where: str, said: Mapping[str, Total]) -> Iterator[Finding]:
    if len(set(said.values())) > 1:
        yield Finding(Kind.NOT_CONSERVED, where, ", ".join(f"{name} {total}" for name, total in said.items()))


def _sum(amounts: Sequence[int]) -> Total:
    return len(amounts), sum(amounts)


def _as_said(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Total]:
    return {(row["period"], row["payer"]): (row["count"], row["vnd"]) for row in rows}


def _added(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Total]:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        found[row["period"], row["payer"]].append(row["declared_vnd"])
    return {key: _sum(amounts) for key, amounts in found.items()}


def _by_id(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, int]]:
    return {str(row["entitlement_id"]): (str(row["beneficiary_id"]), row["declared_vnd"]) for row in rows}
