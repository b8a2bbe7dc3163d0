"""Conservation proved from exported files alone: what is planted into them is found by its id, and what is right is not."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ansinh.audit_books import Place
from ansinh.audit_export import NAMES
from ansinh.audit_files import FilesDiffer, Partition, Said, partitions, read_manifest, read_partition, write_manifest
from ansinh.audit_prove import prove
from services.payout.recovering import RecoveryDesk
from shared import topics
from shared.events import Message, PaymentResult
from shared.topics import Provider, result_topic
from shared.words import CancelOutcome, Life, LineStatus, Outcome
from tests.integration.payout.payout_bench import Bench, a_line, a_merit_line, an_account
from tests.integration.payout.recall_bench import ask, asked_of, word

START = datetime(2026, 1, 31, 22, 0, tzinfo=UTC)
Change = Callable[[dict[str, Any]], dict[str, Any] | None]


class Export:
    """An export written as the exporter writes it, with hands that spoil it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, said: dict[str, list[tuple[str, str, bytes]]]) -> None:
        """(type, id, value) per topic, ten minutes apart, so they cross midnight."""
        marks = {}
        for topic, records in said.items():
            files = Partition(self.folder, topic, 0)
            for number, (kind, identity, value) in enumerate(records):
                at = START + timedelta(minutes=10 * number)
                files.add([Said(topic, 0, number, at, "key", kind, identity, value)])
                assert files.mark
                marks[files.mark.path] = files.mark
            files.close()
        write_manifest(self.folder, marks)

    def change(self, topic: str, change: Change) -> None:
        """Rewrite the values of a topic consistently: manifest, offsets and all. None takes a record out."""
        kept: dict[str, list[tuple[str, str, bytes]]] = {}
        for name in NAMES:
            for said in read_partition(self.folder, name, 0):
                value = change(json.loads(said.value)) if name == topic else json.loads(said.value)
                if value is not None:
                    kept.setdefault(name, []).append((said.type, said.id, json.dumps(value).encode()))
        for path in self.folder.glob("*/*.jsonl"):
            path.unlink()
        self.write(kept)

    def facts(self, change: Change) -> None:
        """Change facts one by one, in books and alone."""

        def entry(value: dict[str, Any]) -> dict[str, Any] | None:
            if "facts" not in value:
                return change(value)
            facts = [new for fact in value["facts"] if (new := change(fact)) is not None]
            return {**value, "facts": facts} if facts else None

        self.change(topics.PAYOUT_ENTRY, entry)

    def found(self) -> list[str]:
        return prove(self.folder).findings


@pytest.fixture
async def export(bench: Bench, tmp_path: Path) -> Export:
    """Two benefits of one person, one rejected at a bank and then collected at the post, one returned, one held, one without an answer."""
    await bench.enrol(a_line(), a_merit_line(), account=an_account())
    await bench.enrol(account=an_account(bank_bin="970436"))
    await bench.enrol(home_delivery=True)
    await bench.enrol(outcome=Outcome.NOT_FOUND)
    closing = await bench.close()
    await bench.pay()
    said: list[Message] = []
    said += await bench.answers_to(Provider.BANK_A, LineStatus.PAID)
    said += rejected if (rejected := await bench.answers_to(Provider.BANK_B, LineStatus.REJECTED, reason="AC04")) else []
    await bench.answer(*[one for one in said if one.provider is Provider.BANK_A])  # type: ignore[attr-defined]
    await bench.answer(*rejected)
    await bench.pay()
    [first, *_rest] = await bench.answers_to(Provider.POST, LineStatus.PAID)
    await bench.answer(first)
    said.append(first)
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT event_id, type, payload FROM outbox WHERE topic = $1 ORDER BY id", topics.PAYOUT_ENTRY)
    result = Export(tmp_path / "audit")
    records: dict[str, list[tuple[str, str, bytes]]] = {
        topics.REGISTRY_LIST: [_record(closing)],
        topics.REGISTRY_ENTITLEMENT: [_record(line) for line in bench.lines],
        topics.PAYOUT_ENTRY: [(row["type"], str(row["event_id"]), bytes(row["payload"])) for row in rows],
    }
    for answer in said:
        records.setdefault(result_topic(answer.provider), []).append(_record(answer))  # type: ignore[attr-defined]
    result.write(records)
    return result


def _record(message: Message) -> tuple[str, str, bytes]:
    return message.TYPE, str(uuid4()), message.model_dump_json(exclude_none=True).encode()


def once(test: Callable[[dict[str, Any]], bool], change: Change) -> Change:
    """Change only the first that fits."""
    done: list[bool] = []

    def apply(value: dict[str, Any]) -> dict[str, Any] | None:
        if done or not test(value):
            return value
        done.append(True)
        return change(value)

    return apply


async def test_every_line_of_a_payroll_is_in_one_place_and_nothing_is_found(export: Export) -> None:
    proof = prove(export.folder)
    assert proof.findings == []
    summed: dict[Place, list[int]] = {}
    for places in proof.places.values():
        for place, (count, vnd) in places.items():
            old = summed.setdefault(place, [0, 0])
            old[:] = old[0] + count, old[1] + vnd
    assert summed.keys() == {Place.PAID, Place.HELD, Place.IN_FLIGHT}
    assert [sum(column) for column in zip(*summed.values(), strict=True)] == [proof.lines, proof.vnd]
    assert len(list((export.folder / topics.PAYOUT_ENTRY).iterdir())) > 1, "days have files of their own"


async def test_a_lost_line_is_found(export: Export) -> None:
    """Its payment, or the word that it is held, was never told."""
    lost: list[str] = []
    export.facts(once(lambda f: f["fact"] == "held", lambda f: lost.append(f["subject"])))  # type: ignore[func-returns-value]
    assert [f for f in export.found() if f"line {lost[0]}" in f and "nowhere" in f]


async def test_a_line_in_two_payments_is_found(export: Export) -> None:
    doubled: list[str] = []

    def twice(value: dict[str, Any]) -> dict[str, Any]:
        fact = next(f for f in value["facts"] if f["fact"] == "assigned")
        doubled.append(fact["subject"])
        other = {**fact, "entry_id": str(uuid4()), "end_to_end_id": "ABCDEFGH234567AB"}
        return {**value, "facts": [*value["facts"], other]}

    export.change(topics.PAYOUT_ENTRY, once(lambda v: any(f["fact"] == "assigned" for f in v.get("facts", ())), twice))
    assert [f for f in export.found() if f"line {doubled[0]}" in f and "declares" in f]


async def test_an_end_to_end_id_of_two_payments_is_found(export: Export) -> None:
    ids: list[str] = []

    def same(fact: dict[str, Any]) -> dict[str, Any]:
        if "end_to_end_id" in fact:
            ids.append(fact["end_to_end_id"])
            return {**fact, "end_to_end_id": ids[0]}
        return fact

    export.facts(same)
    assert [f for f in export.found() if f"end-to-end id {ids[0]} is used by" in f]


@pytest.mark.parametrize("debit", ["paid", "in_flight:bank-a", "in_flight:post"])
async def test_a_changed_amount_of_a_posting_is_found(export: Export, debit: str) -> None:
    changed: list[str] = []

    def more(fact: dict[str, Any]) -> dict[str, Any]:
        changed.append(fact["subject"])
        return {**fact, "vnd": fact["vnd"] + 1}

    export.facts(once(lambda f: f.get("debit") == debit, more))
    assert [f for f in export.found() if f"payment {changed[0]}" in f]


async def test_a_posting_that_nobody_told_is_found(export: Export) -> None:
    lost: list[str] = []

    def drop(fact: dict[str, Any]) -> None:
        lost.append(fact["subject"])

    export.facts(once(lambda f: f.get("debit") == "paid", drop))
    assert export.found() == [], "money in flight is where it was: an answer on its way"
    export.facts(once(lambda f: f.get("credit", "").startswith("budget:"), drop))
    assert [f for f in export.found() if f"payment {lost[1]}" in f]


async def test_a_payment_booked_without_the_provider_s_word_is_found(export: Export) -> None:
    export.change(result_topic(Provider.BANK_A), once(lambda v: True, lambda v: None))
    assert [f for f in export.found() if "is booked as paid, its provider never said so" in f]


async def test_a_provider_that_paid_another_amount_is_found(export: Export) -> None:
    export.change(result_topic(Provider.BANK_A), once(lambda v: True, lambda v: {**v, "amount_vnd": v["amount_vnd"] + 1}))
    assert [f for f in export.found() if "its provider says paid of" in f]


@pytest.mark.parametrize("field", ["count", "vnd"])
async def test_a_closing_unlike_its_lines_is_found(export: Export, field: str) -> None:
    export.change(topics.REGISTRY_LIST, lambda v: {**v, field: v[field] + 1})
    assert [f for f in export.found() if "2024-02 huyen-444: closed with" in f]


async def test_a_frozen_line_taken_out_is_found_by_digest_and_by_its_payment(export: Export) -> None:
    export.change(topics.REGISTRY_ENTITLEMENT, once(lambda v: True, lambda v: None))
    found = export.found()
    assert [f for f in found if "closed with" in f]
    assert [f for f in found if "was never frozen for this list" in f]


async def test_a_posting_told_twice_differently_is_found_and_alike_is_not(export: Export) -> None:
    books: list[dict[str, Any]] = []

    def again(value: dict[str, Any]) -> dict[str, Any]:
        posting = next(f for f in value["facts"] if f["fact"] == "posting")
        books.append(posting)
        return {**value, "facts": [*value["facts"], posting]}

    has = lambda v: any(f["fact"] == "posting" for f in v.get("facts", ()))  # noqa: E731
    export.change(topics.PAYOUT_ENTRY, once(has, again))
    assert export.found() == []
    export.facts(once(lambda f: f["entry_id"] == books[0]["entry_id"], lambda f: {**f, "vnd": f["vnd"] + 1}))
    assert [f for f in export.found() if f"entry {books[0]['entry_id']} was told twice" in f]


async def test_a_file_changed_after_the_export_is_found(export: Export) -> None:
    path = next(iter((export.folder / topics.PAYOUT_ENTRY).iterdir()))
    path.write_bytes(path.read_bytes().replace(b"360000", b"360001", 1))
    assert [f for f in export.found() if "not what was exported" in f]
    path.unlink()
    assert [f for f in export.found() if f"{path.name}: gone" in f]


async def test_a_record_taken_out_of_the_middle_is_found_even_with_a_right_manifest(export: Export) -> None:
    [path] = list((export.folder / topics.REGISTRY_ENTITLEMENT).iterdir())
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    marks = read_manifest(export.folder)
    files = Partition(export.folder, topics.REGISTRY_ENTITLEMENT, 0)
    files.close()
    assert files.mark
    write_manifest(export.folder, {**marks, files.mark.path: files.mark})
    assert [f for f in export.found() if "records are gone or were put in" in f]


async def test_a_half_written_line_is_cut_off_and_the_next_record_follows(tmp_path: Path) -> None:
    said = [Said("payout.entry.v1", 0, n, START + timedelta(hours=n), "k", "t", str(n), b'{"n":1}') for n in range(6)]
    files = Partition(tmp_path, "payout.entry.v1", 0)
    files.add(said[:4])
    files.close()
    path = sorted((tmp_path / "payout.entry.v1").iterdir())[-1]
    path.write_bytes(path.read_bytes()[:-7])
    files = Partition(tmp_path, "payout.entry.v1", 0)
    assert files.next_offset == 3
    files.add(said[3:])
    with pytest.raises(FilesDiffer):
        files.add(said[3:])
    files.close()
    assert [one.offset for one in read_partition(tmp_path, "payout.entry.v1", 0)] == list(range(6))
    assert partitions(tmp_path, "payout.entry.v1") == [0]
    assert list(read_partition(tmp_path, "payout.entry.v1", 0)) == said


def _a_break(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An end of a break in place of another fact that nobody adds up."""
    said = {
        "fact": "break",
        "vnd": 11_000,
        "debit": "accepted:bank-a",
        "credit": "breaks:bank-a",
        "reason": "extra",
        "actor": "a-second",
    }
    return {**{key: value[key] for key in ("entry_id", "subject", "period", "payer", "at")}, **said, **changes}


async def test_an_end_of_a_break_is_counted(export: Export) -> None:
    export.change(topics.PAYOUT_ENTRY, once(lambda v: v.get("fact") == "approval", _a_break))
    proof = prove(export.folder)
    assert proof.findings == []
    assert (proof.balances["accepted:bank-a"], proof.balances["breaks:bank-a"]) == (11_000, -11_000)


@pytest.mark.parametrize("wrong", [{"actor": None}, {"credit": "budget:merit"}, {"debit": None}])
async def test_an_end_of_a_break_that_nobody_signed_or_that_is_no_end_is_found(export: Export, wrong: dict[str, Any]) -> None:
    export.change(topics.PAYOUT_ENTRY, once(lambda v: v.get("fact") == "approval", lambda v: _a_break(v, **wrong)))
    assert [f for f in export.found() if "ended by no posting" in f]


async def test_a_break_that_ended_twice_is_found(export: Export) -> None:
    subject = str(uuid4())
    for _time in range(2):
        export.change(topics.PAYOUT_ENTRY, once(lambda v: v.get("fact") == "approval", lambda v: _a_break(v, subject=subject)))
    assert [f for f in export.found() if f"break {subject} ended twice" in f]


async def test_cancelled_payments_and_claims_are_proved_too(bench: Bench, tmp_path: Path) -> None:
    """One payment cancelled and kept back, one cancelled and sent again, one paid to somebody who had died: every dong has its place."""
    kept, again, gone = [await bench.enrol(account=an_account(number=f"370900000000{number}")) for number in range(3)]
    closing = await bench.close()
    await bench.pay()
    await ask(bench, kept)
    await ask(bench, again, after="free", reason="WRONG_BATCH")
    said: list[PaymentResult] = []
    for request in await asked_of(bench):
        said += await word(bench, CancelOutcome.CANCELLED, request)
    await bench.pay()
    ours = {payment["end_to_end_id"] for payment in (await bench.trace(gone))["payments"]}
    paid = [one for one in await bench.answers_to(Provider.BANK_A, LineStatus.PAID) if one.end_to_end_id in ours]
    await bench.answer(*paid)
    await bench.see(bench.snapshot(gone, an_account(), life=Life.DEAD, died_on=date(2024, 1, 20)))
    await RecoveryDesk(bench.database, bench.clock).look()
    async with bench.database.session() as session:
        rows = await session.fetch("SELECT event_id, type, payload FROM outbox WHERE topic = $1 ORDER BY id", topics.PAYOUT_ENTRY)
    export = Export(tmp_path / "audit")
    export.write(
        {
            topics.REGISTRY_LIST: [_record(closing)],
            topics.REGISTRY_ENTITLEMENT: [_record(line) for line in bench.lines],
            topics.PAYOUT_ENTRY: [(row["type"], str(row["event_id"]), bytes(row["payload"])) for row in rows],
            result_topic(Provider.BANK_A): [_record(answer) for answer in (*said, *paid)],
        }
    )
    proof = prove(export.folder)
    assert proof.findings == []
    places = {place for found in proof.places.values() for place in found}
    assert places == {Place.HELD, Place.IN_FLIGHT, Place.PAID}
    export.change(result_topic(Provider.BANK_A), lambda value: None if value["kind"] == "cancel" else value)
    assert len([text for text in export.found() if "booked back, its provider never said so" in text]) == 2
    export.facts(lambda fact: {**fact, "vnd": fact["vnd"] + 1} if fact["fact"] == "recovery" else fact)
    assert any("are claimed back of payment" in text for text in export.found())
