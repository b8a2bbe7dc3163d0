"""What leaves with a release, made before the transaction that sends it: encrypted lines, signed manifests, bank files, lists.

Takes seconds for a district, so it runs in a thread, on rows that the release reads again before it commits.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.payout.bank_file import Debtor, Transfer, bank_file
from services.payout.batch import Payment, list_sha256
from services.payout.postal_list import HeldRow, PostalRow, held_list, postal_list
from services.payout.store import FileRow
from shared.events import BatchMessage, InstructionMessage, Manifest
from shared.ids import derived_id
from shared.outbox import OutEvent
from shared.personal import Delivery, Payee, ProviderLine
from shared.topics import Provider, batch_topic, instruction_topic
from shared.vault import Kind, Vault
from shared.words import HeldReason

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A line that is held when the release is over."""

    beneficiary_id: UUID
    area: str
    reason: HeldReason
    vnd: int
    payee: str | None
    delivery: str | None


@dataclass
class Shipment:
    """Everything a release sends and writes. `sent`: batch_id -> count, VND and hash of what leaves."""

    messages: list[OutEvent] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    sent: dict[UUID, tuple[int, int, str]] = field(default_factory=dict)


class Packer:
    """Packs the batches of one payroll at one moment."""

    def __init__(self, vault: Vault, debtor: Debtor, *, period: str, payer: str, made_at: datetime) -> None:
        """The vault must hold payee and delivery, and the providers' public keys."""
        self._vault = vault
        self._debtor = debtor
        self._period = period
        self._payer = payer
        self._at = made_at
        self._remark = f"AN SINH {period.replace('-', '')}"

    def pack(
        self, batches: Sequence[Row], payments: Sequence[Payment], *, people: Mapping[UUID, Row], held: Sequence[Held]
    ) -> Shipment:
        """Payments are those that leave; people are opened here and nowhere else. Raises VaultError when a block does not open."""
        shipment = Shipment()
        for batch in batches:
            leaving = [payment for payment in payments if payment.batch_id == batch["batch_id"]]
            self._pack_batch(shipment, batch, leaving, people=people)
        rounds = max(batch["round"] for batch in batches)
        shipment.files += self._held_files(held, f"{self._folder(rounds)}/held")
        return shipment

    def _pack_batch(self, shipment: Shipment, batch: Row, payments: Sequence[Payment], *, people: Mapping[UUID, Row]) -> None:
        provider = Provider(batch["provider"])
        lines = [self._line(payment, people[payment.beneficiary_id]) for payment in payments]
        sent = (len(payments), sum(payment.vnd for payment in payments), list_sha256(payments))
        shipment.sent[batch["batch_id"]] = sent
        shipment.messages += self._messages(batch, provider, lines=lines, sent=sent)
        if not lines:
            return
        folder = f"{self._folder(batch['round'])}/{provider}"
        if provider is Provider.POST:
            shipment.files += self._postal_files(batch["batch_id"], lines, folder)
        else:
            shipment.files.append(self._bank_file(batch, provider, lines=lines, folder=folder))

    def _line(self, payment: Payment, person: Row) -> ProviderLine:
        owner = str(payment.beneficiary_id)
        payee = self._vault.open_as(person["payee"], owner, Payee)
        cash = payment.provider is Provider.POST
        delivery = self._vault.open_as(person["delivery"], owner, Delivery) if cash and person["delivery"] else None
        return ProviderLine(
            end_to_end_id=payment.end_to_end_id,
            amount_vnd=payment.vnd,
            name=payee.full_name,
            channel=payment.channel,
            account=None if cash else payee.account,
            area=payment.area,
            delivery=delivery,
            remark=self._remark,
        )

    def _messages(
        self, batch: Row, provider: Provider, *, lines: Sequence[ProviderLine], sent: tuple[int, int, str]
    ) -> Iterable[OutEvent]:
        """Lines first, then the manifest: a reader parks lines until it has the manifest, whatever the order between topics."""
        batch_id, key = batch["batch_id"], self._vault.new_batch_key(provider)
        sealed = [key.seal_line(line.model_dump_json(exclude_none=True).encode()) for line in lines]
        for index, jwe in enumerate(sealed):
            message = InstructionMessage(batch_id=batch_id, index=index, jwe=jwe)
            yield OutEvent(instruction_topic(provider), str(batch_id), message)
        manifest = Manifest(
            batch_id=batch_id,
            provider=provider,
            payer=self._payer,
            periods=(self._period,),
            count=sent[0],
            vnd=sent[1],
            execution_date=batch["execution_date"],
            approved_sha256=batch["sha256"],
            sent_sha256=sent[2],
            withdrawn=batch["count"] - sent[0],
            lines_sha256=lines_sha256(sealed),
            batch_key=key.wrapped,
            made_at=self._at,
        )
        jws = self._vault.sign(manifest.model_dump_json().encode())
        yield OutEvent(batch_topic(provider), str(batch_id), BatchMessage(batch_id=batch_id, kind="manifest", jws=jws))

    def _bank_file(self, batch: Row, provider: Provider, *, lines: Sequence[ProviderLine], folder: str) -> FileRow:
        transfers = [_transfer(line) for line in lines]
        made = bank_file(
            batch["batch_id"],
            provider,
            transfers,
            debtor=self._debtor,
            execution_date=batch["execution_date"],
            made_at=self._at,
        )
        path = f"{folder}/pain.001.001.09-{batch['batch_id']}.xml"
        return self._file(path, "pain.001", made.content, batch_id=batch["batch_id"], count=made.count, vnd=made.vnd)

    def _postal_files(self, batch_id: UUID, lines: Sequence[ProviderLine], folder: str) -> Iterable[FileRow]:
        for area, rows in _by_area((line.area, _postal_row(line)) for line in lines):
            content = postal_list(rows, area=area, period=self._period, made_at=self._at)
            vnd = sum(row.vnd for row in rows)
            yield self._file(f"{folder}/{area}.xlsx", "postal_list", content, batch_id=batch_id, count=len(rows), vnd=vnd)

    def _held_files(self, held: Sequence[Held], folder: str) -> Iterable[FileRow]:
        for area, rows in _by_area((line.area, self._held_row(line)) for line in held):
            content = held_list(rows, area=area, period=self._period, made_at=self._at)
            vnd = sum(row.vnd for row in rows)
            yield self._file(f"{folder}/{area}.xlsx", "held_list", content, batch_id=None, count=len(rows), vnd=vnd)

    def _held_row(self, line: Held) -> HeldRow:
        owner = str(line.beneficiary_id)
        name = self._vault.open_as(line.payee, owner, Payee).full_name if line.payee else ""
        hamlet = self._vault.open_as(line.delivery, owner, Delivery).hamlet if line.delivery else ""
        return HeldRow(name, hamlet, line.reason, line.vnd)

    def _file(self, path: str, kind: str, content: bytes, *, batch_id: UUID | None, count: int, vnd: int) -> FileRow:
        owner = derived_id("file", path)
        return FileRow(
            path=path,
            batch_id=batch_id,
            kind=kind,
            owner=owner,
            sealed=self._vault.seal(Kind.PAYEE, str(owner), self._period, content),
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            count=count,
            vnd=vnd,
        )

    def _folder(self, number: int) -> str:
        """Relative to the files folder; a payer's id may hold a slash, a folder name may not."""
        return f"{self._period}/{self._payer.replace('/', '_')}/round-{number}"


def lines_sha256(sealed: Iterable[str]) -> str:
    """SHA-256 over the concatenated 32-byte SHA-256 of each line's JWE text, in order of index."""
    return hashlib.sha256(b"".join(hashlib.sha256(jwe.encode()).digest() for jwe in sealed)).hexdigest()


def _by_area(rows: Iterable[tuple[str, Any]]) -> list[tuple[str, list[Any]]]:
    areas: dict[str, list[Any]] = defaultdict(list)
    for area, row in rows:
        areas[area].append(row)
    return sorted(areas.items())


def _transfer(line: ProviderLine) -> Transfer:
    account = line.account
    assert account is not None, "a payment to an account has an account"
    return Transfer(line.end_to_end_id, line.amount_vnd, line.name, account.bank_bin, account.number, line.remark)


def _postal_row(line: ProviderLine) -> PostalRow:
    delivery = line.delivery or Delivery()
    collector = delivery.collector.full_name if delivery.collector else ""
    return PostalRow(
        line.end_to_end_id, line.name, delivery.hamlet, delivery.address, collector, line.channel == "home", line.amount_vnd
    )
