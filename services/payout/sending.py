"""What leaves with a release, made before the transaction that sends it: encrypted lines, signed manifests, bank files, lists.

Payments come some thousand at a time and nothing of them stays in memory: messages, postings and sealed parts of files go to spools.
It runs in a thread, on one snapshot of the database; the release asks again before it commits whether anything changed since.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from types import TracebackType
from typing import Self
from uuid import UUID

from asyncpg import Record

from services.payout import bank_file, ledger, spool
from services.payout.bank_file import Transfer
from services.payout.emitting import Entries, sending
from services.payout.months import months_in_words
from services.payout.papers import Papers
from services.payout.postal_list import HeldRow, PostalRow, family_collects, held_list, postal_list
from services.payout.provider_rules import RULES, remark_of
from services.payout.spool import Spool
from services.payout.store import Row
from services.payout.store_sending import FileRow, Listed
from services.payout.transfer_list import csv_file, xlsx_file
from shared.authorisation import ACCOUNT, may_collect
from shared.events import BatchMessage, InstructionMessage, Manifest
from shared.ids import derived_id
from shared.outbox import OutEvent, outbox_day
from shared.personal import Collector, Delivery, Payee, ProviderLine
from shared.topics import Provider, batch_topic, instruction_topic
from shared.vault import Kind, Vault
from shared.words import Channel, HeldReason

PART_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class Held:
    """A line that is held when the release is over, with its person's sealed blocks."""

    beneficiary_id: UUID
    area: str
    reason: HeldReason
    vnd: int
    payee: str | None
    delivery: str | None


class Shipment:
    """Everything a release sends and writes. Its spools are deleted at the end of the block."""

    def __init__(self, *, period: str, payer: str, at: datetime) -> None:
        """All of it is of one payroll and one moment."""
        self.entries = Entries(period, payer, at)
        self.periods: tuple[str, ...] = (period,)  # the months it pays
        self.family: frozenset[UUID] = frozenset()  # payments of people known as dead: their families collect
        self.sent: dict[UUID, Listed] = {}
        self.told: dict[UUID, tuple[date, bytes]] = {}  # the day a provider is told, and the index of the account that is debited
        self.files: list[FileRow] = []
        self.events = Spool("outbox", "day", "event_id", "topic", "key", "type", "at", "payload")
        self.postings = Spool("posting", "posting_id", "instruction_id", "period", "payer", "debit", "credit", "vnd", "at")
        self.parts = Spool("file_part", "path", "part", "sealed")
        self._stamp = (spool.day(outbox_day()), spool.moment(at))
        self._block = ExitStack()

    def __enter__(self) -> Self:
        """Spools live inside the block."""
        for one in (self.events, self.postings, self.parts):
            self._block.enter_context(one)
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._block.close()

    def tell(self, events: Iterable[OutEvent]) -> None:
        """Messages that leave with the release, as `shared.outbox.put_events` would write them."""
        day, at = self._stamp
        for event in events:
            message = event.message
            head = (day, spool.uuid(event.event_id), spool.word(event.topic), spool.text(event.key), spool.word(message.TYPE), at)
            self.events.add((*head, spool.raw(message.model_dump_json(exclude_none=True).encode())))

    def post(self, month: str, postings: Sequence[ledger.Posting]) -> None:
        """Postings of one month, and the facts that tell auditors of them."""
        names = (spool.text(month), spool.text(self.entries.payer))
        for p in postings:
            amounts = (spool.word(p.debit), spool.word(p.credit), spool.int8(p.vnd), self._stamp[1])
            self.postings.add((spool.uuid(p.posting_id), spool.uuid(p.instruction_id), *names, *amounts))
        self.tell(self.entries.posted(postings, month))


class SealedFile:
    """One file on its way into the database: cut in parts, each sealed by itself, hashed as a whole."""

    def __init__(self, vault: Vault, parts: Spool, path: str, month: str) -> None:
        """The vault must hold payee."""
        self.owner = derived_id("file", path)
        self._vault, self._parts, self._path, self._month = vault, parts, path, month
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._next = 0
        self._size = 0

    def write(self, content: bytes) -> None:
        """Content goes on."""
        self._hash.update(content)
        self._size += len(content)
        self._waiting += content
        while len(self._waiting) >= PART_BYTES:
            self._seal(bytes(self._waiting[:PART_BYTES]))
            del self._waiting[:PART_BYTES]

    def end(self, kind: str, *, batch_id: UUID | None, count: int, vnd: int) -> FileRow:
        """The row of the finished file."""
        self._seal(bytes(self._waiting))
        return FileRow(
            path=self._path,
            batch_id=batch_id,
            kind=kind,
            owner=self.owner,
            sha256=self._hash.hexdigest(),
            size=self._size,
            count=count,
            vnd=vnd,
        )

    def _seal(self, part: bytes) -> None:
        sealed = self._vault.seal(Kind.PAYEE, part_owner(self.owner, self._next), self._month, part)
        self._parts.add((spool.text(self._path), spool.int4(self._next), spool.text(sealed)))
        self._next += 1


def account_index(vault: Vault, number: str) -> bytes:
    """A keyed index of an account however its number is spaced: compared between batches and statements, never read."""
    return vault.index("statement-account", "".join(number.split()).upper())


def part_owner(owner: UUID, part: int) -> str:
    """Whom a part of a file is sealed for: a part in another place does not open."""
    return f"{owner}/{part}"


class Packer:
    """Packs what leaves of one payroll at one moment, batch by batch: `begin`, `add` as often as it takes, `end`; then `hold`."""

    def __init__(self, vault: Vault, papers: Papers, shipment: Shipment) -> None:
        """The vault must hold payee and delivery, and the providers' public keys."""
        self._vault = vault
        self._papers = papers
        self._shipment = shipment
        self._entries = shipment.entries

    def begin(self, batch: Row, leaving: Listed) -> Parcel:
        """A batch of which these payments leave."""
        self._shipment.sent[batch["batch_id"]] = leaving
        return Parcel(self._vault, self._papers, self._shipment, batch=batch, leaving=leaving)

    def hold(self, held: Iterable[HeldRow], area: str, rounds: int) -> None:
        """The list of those held in an area when the release is over."""
        rows = list(held)
        name = self._papers.area(area, self._entries.period)
        content = held_list(rows, area=name, period=", ".join(self._shipment.periods), made_at=self._entries.at)
        path = f"{folder(self._entries, rounds)}/held/{area}.xlsx"
        file = SealedFile(self._vault, self._shipment.parts, path, self._entries.period)
        file.write(content)
        self._shipment.files.append(file.end("held_list", batch_id=None, count=len(rows), vnd=sum(row.vnd for row in rows)))

    def held_row(self, line: Held) -> HeldRow:
        """What officers are shown of a held line."""
        owner = str(line.beneficiary_id)
        name = self._vault.open_as(line.payee, owner, Payee).full_name if line.payee else ""
        hamlet = self._vault.open_as(line.delivery, owner, Delivery).hamlet if line.delivery else ""
        return HeldRow(name, hamlet, line.reason, line.vnd)


class Parcel:
    """One batch while it is packed. Payments come area by area."""

    def __init__(self, vault: Vault, papers: Papers, shipment: Shipment, *, batch: Row, leaving: Listed) -> None:
        """Begins with the key of its provider and the head of its file, which already names the totals."""
        self._vault, self._shipment, self._batch, self._leaving = vault, shipment, batch, leaving
        self._entries, self._papers = shipment.entries, papers
        self._provider = Provider(batch["provider"])
        self._execution_date = papers.execution_date(batch["execution_date"], self._entries.at)
        self._debtor = papers.debtor(self._entries.payer, self._execution_date)
        shipment.told[batch["batch_id"]] = (self._execution_date, account_index(vault, self._debtor.account))
        self._topic, self._key = instruction_topic(self._provider), str(batch["batch_id"])
        self._batch_key = vault.new_batch_key(self._provider)
        self._hashes = hashlib.sha256()
        self._count = self._vnd = 0
        self._area: tuple[str, list[PostalRow]] = ("", [])
        self._bank = self._begin_bank_file() if self._provider is not Provider.POST and leaving.count else None
        self._transfers: list[Transfer] = []

    def add(self, rows: Sequence[Record]) -> None:
        """The next payments. People are opened here and nowhere else. Raises VaultError when a block does not open."""
        lines = [self._line(row) for row in rows]
        self._shipment.tell(self._messages(lines))
        self._shipment.tell(sending(row, self._entries.period, self._entries.payer) for row in rows)
        for month, postings in _postings(rows, self._entries.period).items():
            self._shipment.post(month, postings)
        transfers = [_transfer(line) for line in lines if line.channel is Channel.ACCOUNT]
        if self._bank:
            self._bank.write(bank_file.transactions(transfers))
        if not self._bank or self._provider in self._papers.listed:  # the post reads tables, also of accounts
            self._transfers += transfers
        for line, row in zip(lines, rows, strict=True):
            if line.channel is not Channel.ACCOUNT:
                self._at_the_counter(line, row)

    def end(self) -> None:
        """The manifest, after all lines: a reader parks lines until it has the manifest, whatever the order between topics."""
        assert (self._count, self._vnd) == (self._leaving.count, self._leaving.vnd), "what was packed is what the list says"
        if self._bank:
            self._bank.write(bank_file.TAIL)
            self._file(self._bank, "pain.001", count=self._count, vnd=self._vnd)
        self._list_transfers()
        self._end_area()
        batch_id = self._batch["batch_id"]
        manifest = Manifest(
            batch_id=batch_id,
            provider=self._provider,
            payer=self._entries.payer,
            periods=self._shipment.periods,
            count=self._count,
            vnd=self._vnd,
            execution_date=self._execution_date,
            approved_sha256=self._batch["sha256"],
            sent_sha256=self._leaving.sha256,
            withdrawn=self._batch["count"] - self._count,
            lines_sha256=self._hashes.hexdigest(),
            batch_key=self._batch_key.wrapped,
            made_at=self._entries.at,
        )
        jws = self._vault.sign(manifest.model_dump_json().encode())
        message = BatchMessage(batch_id=batch_id, kind="manifest", jws=jws)
        self._shipment.tell([OutEvent(batch_topic(self._provider), self._key, message)])

    def _line(self, row: Row) -> ProviderLine:
        owner = str(row["beneficiary_id"])
        payee = self._vault.open_as(row["payee"], owner, Payee)
        cash = row["channel"] != Channel.ACCOUNT
        assert cash or row["known_account"] == row["account_digest"], "only the judged account is paid"
        delivery = self._vault.open_as(row["delivery"], owner, Delivery) if cash and row["delivery"] else None
        by_paper = (
            not cash and row["paper_scope"] in ACCOUNT
        )  # its holder is somebody else, and a bank compares the name with the holder's
        return ProviderLine(
            end_to_end_id=row["end_to_end_id"],
            amount_vnd=row["vnd"],
            name=payee.account.holder if by_paper and payee.account else payee.full_name,
            channel=Channel(row["channel"]),
            account=None if cash else payee.account,
            area=row["area"],
            delivery=_handed_over(delivery, self._execution_date) if delivery else None,
            remark=_remark(tuple(row["periods"] or (self._entries.period,)), self._provider, self._to_the_family(row)),
        )

    def _messages(self, lines: Sequence[ProviderLine]) -> Iterable[OutEvent]:
        """`lines_sha256` of the manifest: SHA-256 over the concatenated 32-byte SHA-256 of each line's JWE text, in order of index."""
        for line in lines:
            jwe = self._batch_key.seal_line(line.model_dump_json(exclude_none=True).encode())
            self._hashes.update(hashlib.sha256(jwe.encode()).digest())
            yield OutEvent(
                self._topic, self._key, InstructionMessage(batch_id=self._batch["batch_id"], index=self._count, jwe=jwe)
            )
            self._count += 1
            self._vnd += line.amount_vnd

    def _to_the_family(self, row: Row) -> bool:
        return row["instruction_id"] in self._shipment.family

    def _at_the_counter(self, line: ProviderLine, row: Row) -> None:
        if line.area != self._area[0]:
            self._end_area()
            self._area = (line.area, [])
        self._area[1].append(_postal_row(line, row["periods"], self._to_the_family(row)))

    def _end_area(self) -> None:
        area, rows = self._area
        if not rows:
            return
        name, period, at = self._papers.area(area, self._entries.period), ", ".join(self._shipment.periods), self._entries.at
        sums = {"count": len(rows), "vnd": sum(row.vnd for row in rows)}
        self._whole(f"{area}.xlsx", "postal_list", postal_list(rows, area=name, period=period, made_at=at), **sums)
        self._area = ("", [])

    def _list_transfers(self) -> None:
        """The same transfers for a bank that reads tables."""
        if not self._transfers:
            return
        entries, sums = self._entries, {"count": len(self._transfers), "vnd": sum(t.vnd for t in self._transfers)}
        name = f"transfers-{self._batch['batch_id']}"
        content = xlsx_file(self._transfers, payer=entries.payer, period=", ".join(self._shipment.periods), made_at=entries.at)
        self._whole(f"{name}.xlsx", "transfer_list", content, **sums)
        self._whole(f"{name}.csv", "transfer_csv", csv_file(self._transfers), **sums)

    def _begin_bank_file(self) -> SealedFile:
        batch_id = self._batch["batch_id"]
        file = self._new_file(f"pain.001.001.09-{batch_id}.xml")
        file.write(
            bank_file.head(
                batch_id,
                self._provider,
                count=self._leaving.count,
                vnd=self._leaving.vnd,
                debtor=self._debtor,
                execution_date=self._execution_date,
                made_at=self._entries.at,
            )
        )
        return file

    def _whole(self, name: str, kind: str, content: bytes, *, count: int, vnd: int) -> None:
        file = self._new_file(name)
        file.write(content)
        self._file(file, kind, count=count, vnd=vnd)

    def _new_file(self, name: str) -> SealedFile:
        path = f"{folder(self._entries, self._batch['round'])}/{self._provider}/{name}"
        return SealedFile(self._vault, self._shipment.parts, path, self._entries.period)

    def _file(self, file: SealedFile, kind: str, *, count: int, vnd: int) -> None:
        self._shipment.files.append(file.end(kind, batch_id=self._batch["batch_id"], count=count, vnd=vnd))


def folder(entries: Entries, number: int) -> str:
    """Relative to the files folder; a payer's id may hold a slash, a folder name may not."""
    return f"{entries.period}/{entries.payer.replace('/', '_')}/round-{number}"


def _postings(rows: Iterable[Row], period: str) -> dict[str, list[ledger.Posting]]:
    """Month by month."""
    made: dict[str, list[ledger.Posting]] = defaultdict(list)
    for row in rows:
        by_month = ledger.shares_of(row, period)
        for month, shares in by_month.items():
            of = month if len(by_month) > 1 else ""
            made[month] += ledger.on_sent(row["instruction_id"], row["provider"], shares, of=of)
    return made


@lru_cache(maxsize=1_024)
def _remark(periods: tuple[str, ...], provider: Provider, family: bool) -> str:
    return remark_of(periods, RULES[provider], family=family)


def _transfer(line: ProviderLine) -> Transfer:
    account = line.account
    assert account is not None, "a payment to an account has an account"
    return Transfer(line.end_to_end_id, line.amount_vnd, line.name, account.bank_bin, account.number, line.remark)


def _handed_over(delivery: Delivery, on: date) -> Delivery:
    """Where, and to whom else on that day; a provider is told the collector's name and paper and nothing of their story."""
    collector = delivery.collector
    if collector is None:
        return delivery
    told = Collector(full_name=collector.full_name, paper_number=collector.paper_number)
    return delivery.model_copy(update={"collector": told if may_collect(collector, on) else None})


def _postal_row(line: ProviderLine, periods: Sequence[str] | None, family: bool) -> PostalRow:
    delivery = line.delivery or Delivery()
    collector = delivery.collector
    return PostalRow(
        line.end_to_end_id, line.name, delivery.hamlet, delivery.address, collector.full_name if collector else "", line.channel == "home",
        line.amount_vnd, months_in_words(periods) if periods else "", family_collects(collector) if family else "",
    )  # fmt: skip
