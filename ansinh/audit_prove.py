"""`ansinh audit prove`: conservation rerun from exported files alone, without our database. Every closed line is in exactly one place, by
count and VND; every booking has a provider's word; ids are unique; the ledger balances. Findings name the ids that offend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from ansinh.audit_books import ENDS, PAID, Books, Line, Payment, Place
from ansinh.audit_files import Said, partitions, read_partition, unlike_manifest
from shared import topics
from shared.events import BY_TYPE, EntitlementLine, Entry, EntryBook, ListClosing, Message, PaymentResult
from shared.topics import BY_NAME, Provider, Service, result_topic
from shared.words import LineStatus

READ = (
    topics.REGISTRY_LIST,
    topics.REGISTRY_ENTITLEMENT,
    topics.PAYOUT_ENTRY,
    *(result_topic(provider) for provider in Provider),
)
OURS = frozenset(str(service) for service in Service)
Total = list[int]
"""[lines, VND]."""


@dataclass
class Proof:
    """`places`: per period, payer, programme and provider ('-' before a payment) the lines and VND in each place. `findings`: what breaks
    conservation. `count` of findings may be above the number shown."""

    records: int = 0
    lines: int = 0
    vnd: int = 0
    places: dict[tuple[str, str, str, str], dict[Place, Total]] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    heads: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing breaks conservation."""
        return not self.findings


def prove(folder: Path) -> Proof:
    """The proof from one folder of `ansinh audit export`. Raises FilesDiffer when files cannot be read at all."""
    books, proof = Books(), Proof()
    proof.findings += unlike_manifest(folder)
    for topic in READ:
        for partition in partitions(folder, topic):
            for message in _messages(_unbroken(read_partition(folder, topic, partition), proof), proof):
                proof.records += 1
                _enter(books, message)
    judge(books, proof)
    return proof


def judge(books: Books, proof: Proof) -> None:
    """Everything that can be said once all is read."""
    proof.findings += books.findings
    proof.findings += books.totals()
    for identity, payment in books.payments.items():
        proof.findings += (f"payment {identity}: {text}" for text in _payment_wrong(payment, books))
    proof.findings += _ids_used_twice(books)
    for identity, line in books.lines.items():
        if line.payroll in books.closings:
            proof.findings += (f"line {identity}: {text}" for text in _place(line, books, proof))
    if sum(books.balances.values()):
        proof.findings.append("ledger: balances do not sum to zero")
    paid = sum(places[Place.PAID][1] for places in proof.places.values() if Place.PAID in places)
    if paid != books.balances.get(PAID, 0):
        proof.findings.append(f"ledger: {books.balances.get(PAID, 0)} VND are booked as paid, lines worth {paid} VND are")
    proof.balances, proof.heads = dict(sorted(books.balances.items())), books.heads


def _unbroken(records: Iterable[Said], proof: Proof) -> Iterator[Said]:
    """Offsets follow one another on topics we write ourselves; foreign producers' transactions leave holes. A relay that says a record
    again says it with the same id: it counts once."""
    last: Said | None = None
    said: dict[str, int] = {}
    for record in records:
        place = f"{record.topic} {record.partition} at {record.offset}"
        expected = last.offset + 1 if last else record.offset
        if record.offset != expected and (BY_NAME[record.topic].writer in OURS or record.offset < expected):
            proof.findings.append(f"{place}: {expected} should stand here, records are gone or were put in")
        last = record
        before = said.get(record.id)
        said[record.id] = content = hash(record.value)
        if before is None:
            yield record
        elif before != content:
            proof.findings.append(f"{place}: event {record.id} was said with other content before")


def _messages(records: Iterable[Said], proof: Proof) -> Iterator[Message]:
    for record in records:
        try:
            yield BY_TYPE[record.type].model_validate_json(record.value)
        except (KeyError, ValidationError):
            proof.findings.append(f"{record.topic} {record.partition} at {record.offset}: no {record.type} that we know")


def _enter(books: Books, message: Message) -> None:
    match message:
        case ListClosing():
            books.closing(message)
        case EntitlementLine():
            books.line(message)
        case Entry():
            books.fact((message.period, message.payer), message)
        case EntryBook():
            for fact in message.facts:
                books.fact((message.period, message.payer), fact)
        case PaymentResult():
            books.answer(message)


# --- payments ------------------------------------------------------------------------------------------------------------------


def _payment_wrong(payment: Payment, books: Books) -> Iterator[str]:
    if payment.sent_vnd and payment.withdrawn:
        yield "was withdrawn and sent"
    if payment.sent_vnd not in (0, payment.vnd):
        yield f"is worth {payment.vnd} VND, {payment.sent_vnd} VND left for it"
    for account, vnd in payment.accounts.items():
        if not account.startswith("budget:") and not 0 <= vnd <= payment.vnd:
            yield f"{vnd} VND on {account}"
    yield from _unlike_answers(payment, books)


def _unlike_answers(payment: Payment, books: Books) -> Iterator[str]:
    """What the ledger says needs the provider's word, and the word needs the amount."""
    if payment.end_to_end_id is None:
        return
    said = books.answers.get(payment.end_to_end_id, {})
    for status, vnd in said.items():
        if vnd not in (None, payment.vnd):
            yield f"is worth {payment.vnd} VND, its provider says {status} of {vnd} VND"
    place = payment.place()
    if place is Place.PAID and LineStatus.PAID not in said:
        yield "is booked as paid, its provider never said so"
    if place is Place.RETURNED and not said.keys() & {LineStatus.RETURNED, LineStatus.REJECTED}:
        yield "is booked as returned, its provider never said so"
    back = place is None and payment.sent_vnd and payment.batch_id not in books.refused
    if back and not said.keys() & {LineStatus.REJECTED, LineStatus.RETURNED} and payment.end_to_end_id not in books.cancelled:
        yield "is booked back, its provider never said so"


def _ids_used_twice(books: Books) -> Iterator[str]:
    users: dict[str, list[UUID]] = defaultdict(list)
    for identity, payment in books.payments.items():
        if payment.end_to_end_id:
            users[payment.end_to_end_id].append(identity)
    for end_to_end_id, payments in sorted(users.items()):
        if len(payments) > 1:
            yield f"end-to-end id {end_to_end_id} is used by {len(payments)} payments: {', '.join(map(str, payments))}"


# --- lines ---------------------------------------------------------------------------------------------------------------------


def _place(line: Line, books: Books, proof: Proof) -> Iterator[str]:
    """Put a line where its money is, and say what is wrong with that."""
    found: dict[Place, int] = defaultdict(int)
    came_back = 0
    provider = "-"
    for identity, vnd in line.shares.items():
        payment = books.payments[identity]
        place = payment.place()
        provider = payment.provider or provider
        if place in (Place.PAID, Place.IN_FLIGHT, Place.LISTED):
            found[place] += vnd
        elif payment.sent_vnd:
            came_back += vnd
    if line.held is not None:
        found[Place.HELD] += line.held
    covered = sum(found.values())
    left = line.vnd - covered
    if left > 0:
        found[_place_of_rest(line, books, came_back=came_back, left=left)] += left
    if left < 0:
        yield f"{covered} VND in payments or held, it declares {line.vnd} VND"
    if not line.vnd and not found:
        found[Place.NOWHERE if books.is_built(line.payroll) else Place.NOT_BUILT] += 0
    _add(proof, line, provider=provider, found=found)
    if Place.NOWHERE in found:
        yield f"{found[Place.NOWHERE]} VND are nowhere"
    if line.payroll in books.closed and (open_places := sorted(found.keys() - set(ENDS))):
        yield f"its payroll is closed and it is {', '.join(open_places)}"


def _place_of_rest(line: Line, books: Books, *, came_back: int, left: int) -> Place:
    if left <= came_back:
        return Place.RETURNED
    return Place.NOWHERE if books.is_built(line.payroll) else Place.NOT_BUILT


def _add(proof: Proof, line: Line, *, provider: str, found: dict[Place, int]) -> None:
    proof.lines += 1
    proof.vnd += line.vnd
    places = proof.places.setdefault((*line.payroll, line.programme, provider), defaultdict(lambda: [0, 0]))
    for number, (place, vnd) in enumerate(sorted(found.items(), key=lambda item: -item[1])):
        places[place][0] += not number  # a line that is cut counts where most of it is
        places[place][1] += vnd
