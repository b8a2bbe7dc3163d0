"""Builders: a customer (the real vault of payout) who signs and encrypts batches for a sandbox provider."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from sandbox.provider import ProviderOffice
from sandbox.provider_desk import Desk, Order, PaymentLine, lines_sha256
from sandbox.provider_mix import Mix
from sandbox.truth import TruthFile
from shared.ids import end_to_end_id
from shared.keyfiles import make_key_files
from shared.vault import Vault

HEADERS = [("ce_time", b"2024-01-31T15:00:00+07:00")]
RECEIVED_AT = datetime.fromisoformat("2024-01-31T15:00:00+07:00")
PLAIN = Mix(rejected_per_10000=0, late_per_10000=0, returned_per_10000=0, expired_per_10000=0, lost=0, twice=0)


def ids(count: int, *, start: int = 0) -> list[str]:
    """End-to-end ids, the same every time."""
    return [end_to_end_id(b"test", uuid.UUID(int=number), 1) for number in range(start, start + count)]


def an_order(count: int = 10, *, batch: int = 1, start: int = 0, amount: int = 720_000) -> Order:
    """A batch that was found right."""
    return Order(
        batch_id=str(uuid.UUID(int=batch)),
        received_at=RECEIVED_AT,
        execution_date=RECEIVED_AT.date(),
        lines=tuple(PaymentLine(index, key, amount) for index, key in enumerate(ids(count, start=start))),
    )


@dataclass
class Batch:
    """A batch on the wire: (topic, value) per record."""

    batch_id: str
    manifest: dict[str, Any]
    jwes: list[str]
    jws: str
    provider: str
    keys: "Customer" = field(repr=False)

    def lines(self) -> list[tuple[str, bytes]]:
        """The line records, by index."""
        return [self._record("instruction", index=index, jwe=text) for index, text in enumerate(self.jwes)]

    def head(self, *, kind: str = "manifest", **changes: object) -> tuple[str, bytes]:
        """The manifest record, signed again when something is changed."""
        jws = self.keys.vault.sign(json.dumps({**self.manifest, **changes}).encode()) if changes else self.jws
        return self._record("batch", kind=kind, jws=jws)

    def recall(self, *keys: str, number: int = 1, **changes: object) -> tuple[str, bytes]:
        """A cancel that names lines."""
        about = {"cancel_id": str(uuid.UUID(int=900 + number)), "batch_id": self.batch_id, "provider": self.provider}
        payload = {**about, "end_to_end_ids": keys, "made_at": "2024-02-01T09:00:00+07:00", **changes}
        return self._record("batch", kind="cancel", jws=self.keys.vault.sign(json.dumps(payload).encode()))

    def _record(self, topic: str, **fields: object) -> tuple[str, bytes]:
        return f"payout.{topic}.{self.provider}.v1", json.dumps({"batch_id": self.batch_id, **fields}).encode()


class Customer:
    """Payout's side of the counter."""

    def __init__(self, folder: Path) -> None:
        """Make key files as a local installation does."""
        make_key_files(folder)
        self.folder = folder
        self.vault = Vault.load(folder / "payout.json")

    def key(self, name: str) -> ECKey:
        """A key file as a JWK."""
        return ECKey.import_key(json.loads((self.folder / f"{name}.json").read_text()))

    def batch(self, count: int = 10, *, provider: str = "bank-a", number: int = 1, start: int = 0, **changes: object) -> Batch:
        """A right batch, or one whose manifest says something else (`changes`)."""
        key = self.vault.new_batch_key(provider)
        plains = [{"end_to_end_id": end, "amount_vnd": 720_000, "name": "Nguyễn Thị Thử"} for end in ids(count, start=start)]
        jwes = [key.seal_line(json.dumps(plain).encode()) for plain in plains]
        manifest = {
            "batch_id": str(uuid.UUID(int=number)), "provider": provider, "count": count, "vnd": 720_000 * count, "currency": "VND",
            "execution_date": "2024-02-01", "lines_sha256": lines_sha256(jwes), "batch_key": key.wrapped, **changes,
        }  # fmt: skip
        jws = self.vault.sign(json.dumps(manifest).encode())
        return Batch(str(uuid.UUID(int=number)), manifest, jwes, jws, provider, self)

    def desk(self, provider: str = "bank-a") -> Desk:
        """The provider's desk with its own private key and payout's public one."""
        return Desk(provider=provider, own=self.key(provider), customer=self.key("payout.public"))


@dataclass
class Office:
    """A provider under test with a hand-moved clock; `restart` is a crash and a new start on the same truth file."""

    customer: Customer
    path: Path
    provider: str = "bank-a"
    mix: Mix = PLAIN
    now: float = 0.0
    said: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self.truth = TruthFile(self.path)
        self.office = ProviderOffice(
            provider=self.provider, desk=self.customer.desk(self.provider), truth=self.truth, mix=self.mix
        )

    def restart(self) -> None:
        """Everything in memory is gone."""
        self.truth.close()
        self._open()

    def hear(self, *records: tuple[str, bytes]) -> None:
        """Records arrive."""
        for topic, value in records:
            self.office.take(topic, value, headers=HEADERS, now=self.now)

    def wait(self, seconds: float, *, published: bool = True) -> list[dict[str, Any]]:
        """Time passes; returns what was said then. Unless `published`, the broker took none of it."""
        self.now += seconds
        said = [json.loads(answer.value) for answer in self.office.due(self.now)]
        if published:
            self.office.said()
            self.said += said
        return said

    def finish(self) -> None:
        """Let everything owed be said."""
        for _ in range(4):
            self.wait(5.0)
