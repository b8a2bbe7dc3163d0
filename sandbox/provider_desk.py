"""The order desk of a sandbox provider: parks lines until their manifest, then decides whether a batch may be acted on. Pure.

Public libraries and the provider's own key only (joserfc): the manifest is a JWS ES256 by payout; the batch key inside it is a JWE
(ECDH-ES+A256KW) holding a symmetric JWK; each line is a JWE (`dir`, A256GCM). A batch is acted on when signature, count, sum and the
SHA-256 over the lines agree; else it is refused as a whole, and a refusal is final.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey

END_TO_END_ID = re.compile(r"[A-Z2-7]{16}")
_KEY_WRAP = ["ECDH-ES+A256KW", "A256GCM"]
_LINE = ["dir", "A256GCM"]


class Refusal(StrEnum):
    """Why a whole batch is not acted on: ISO 20022 external status reason codes."""

    NOT_SIGNED = "FRAD"  # the signature is not the customer's, or what it covers was changed
    NOT_FOR_US = "AGNT"
    UNREADABLE = "FF01"
    WRONG_COUNT = "AM18"
    WRONG_SUM = "AM10"
    WRONG_CURRENCY = "AM03"
    DUPLICATE = "AM05"
    INCOMPLETE = "DS24"  # waiting time expired
    CANCELLED = "DS02"


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """What the desk needs of one line; who is paid and where stays in the line."""

    index: int
    end_to_end_id: str
    amount_vnd: int


@dataclass(frozen=True, slots=True)
class Order:
    """A batch that may be acted on."""

    batch_id: str
    received_at: datetime
    execution_date: date
    lines: tuple[PaymentLine, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A batch that may never be acted on."""

    batch_id: str
    received_at: datetime
    reason: Refusal


@dataclass(frozen=True, slots=True)
class Recall:
    """The customer's wish that some lines of a batch are not paid."""

    batch_id: str
    cancel_id: str
    end_to_end_ids: tuple[str, ...]
    at: datetime


class _No(Exception):
    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Parked:
    lines: dict[int, str] = field(default_factory=dict)
    jws: str | None = None
    cancelled: bool = False
    received_at: datetime | None = None
    last_heard: float = 0.0


class Desk:
    """Everything parked at one provider. A batch leaves the desk once, as an Order or as Refused."""

    def __init__(self, *, provider: str, own: ECKey, customer: ECKey, patience_seconds: float = 60.0) -> None:
        """`own` opens, `customer` verifies; a batch whose lines stop coming for `patience_seconds` is refused."""
        self._provider = provider
        self._own = own
        self._customer = customer
        self._patience = patience_seconds
        self._parked: dict[str, _Parked] = {}
        self._changed: set[str] = set()

    @property
    def waiting(self) -> int:
        """Batches something is parked of."""
        return len(self._parked)

    def take_line(self, batch_id: str, index: int, text: str, *, heard: float) -> None:
        """Park one encrypted line. The first text under an index counts: whether it is the right one, the signed hash says."""
        self._heard(batch_id, heard).lines.setdefault(index, text)

    def take_batch(self, batch_id: str, kind: str, signed: str, *, at: datetime, heard: float) -> None:
        """Park a manifest (the first one counts), or note a cancel that really is the customer's."""
        parked = self._heard(batch_id, heard)
        parked.received_at = parked.received_at or at
        if kind == "manifest":
            parked.jws = parked.jws or signed
        elif self._is_cancel(batch_id, signed):
            parked.cancelled = True

    def holds(self, batch_id: str) -> bool:
        """Whether something of a batch is parked and not decided."""
        return batch_id in self._parked

    def recall_of(self, batch_id: str, signed: str, at: datetime) -> Recall | None:
        """A cancel that names lines; None for one that is not the customer's, not for us, or speaks of the whole batch."""
        try:
            said = self._verified(signed)
            ids = tuple(str(one) for one in said["end_to_end_ids"])
            ours = (said["batch_id"], said["provider"]) == (batch_id, self._provider)
            return Recall(batch_id, str(said["cancel_id"]), ids, at) if ours and ids else None
        except (_No, KeyError, TypeError):
            return None

    def decided(self, now: float) -> Iterator[Order | Refused]:
        """What can be decided now, each once. `now` and `heard` are seconds of one monotonic clock."""
        for batch_id in [key for key, parked in self._parked.items() if self._due(key, parked, now)]:
            parked = self._parked[batch_id]
            at = parked.received_at
            if at is not None:
                yield self._decide(batch_id, parked, at)
            del self._parked[batch_id]
        self._changed.clear()

    def _heard(self, batch_id: str, heard: float) -> _Parked:
        parked = self._parked.setdefault(batch_id, _Parked())
        parked.last_heard = heard
        self._changed.add(batch_id)
        return parked

    def _due(self, batch_id: str, parked: _Parked, now: float) -> bool:
        if now - parked.last_heard > self._patience or parked.cancelled:
            return True
        if parked.jws is None or batch_id not in self._changed:
            return False
        return len(parked.lines) >= _claimed_count(parked.jws)

    def _decide(self, batch_id: str, parked: _Parked, at: datetime) -> Order | Refused:
        try:
            if parked.cancelled:
                raise _No(Refusal.CANCELLED)
            return self._checked(batch_id, parked, at)
        except _No as no:
            return Refused(batch_id, at, no.reason)

    def _checked(self, batch_id: str, parked: _Parked, at: datetime) -> Order:
        manifest = self._manifest(batch_id, parked.jws or "")
        if len(parked.lines) < manifest["count"]:
            raise _No(Refusal.INCOMPLETE)
        if sorted(parked.lines) != list(range(manifest["count"])):
            raise _No(Refusal.WRONG_COUNT)
        texts = [parked.lines[index] for index in range(manifest["count"])]
        if lines_sha256(texts) != manifest["lines_sha256"]:
            raise _No(Refusal.NOT_SIGNED)
        key = self._batch_key(manifest["batch_key"])
        lines = tuple(_line(index, text, key) for index, text in enumerate(texts))
        if sum(line.amount_vnd for line in lines) != manifest["vnd"]:
            raise _No(Refusal.WRONG_SUM)
        if len({line.end_to_end_id for line in lines}) != len(lines):
            raise _No(Refusal.DUPLICATE)
        return Order(batch_id, at, date.fromisoformat(manifest["execution_date"]), lines)

    def _manifest(self, batch_id: str, signed: str) -> Mapping[str, Any]:
        manifest = self._verified(signed)
        if manifest.get("batch_id") != batch_id or manifest.get("provider") != self._provider:
            raise _No(Refusal.NOT_FOR_US)
        if manifest.get("currency") != "VND":
            raise _No(Refusal.WRONG_CURRENCY)
        try:
            date.fromisoformat(manifest["execution_date"])
            whole = type(manifest["count"]) is int and type(manifest["vnd"]) is int
            texts = isinstance(manifest["lines_sha256"], str) and isinstance(manifest["batch_key"], str)
        except (KeyError, TypeError, ValueError):
            raise _No(Refusal.UNREADABLE) from None
        if not (whole and texts):
            raise _No(Refusal.UNREADABLE)
        return manifest

    def _verified(self, signed: str) -> Mapping[str, Any]:
        try:
            manifest = json.loads(jws.deserialize_compact(signed, self._customer, algorithms=["ES256"]).payload)
        except (JoseError, ValueError):
            raise _No(Refusal.NOT_SIGNED) from None
        if not isinstance(manifest, dict):
            raise _No(Refusal.UNREADABLE)
        return manifest

    def _is_cancel(self, batch_id: str, signed: str) -> bool:
        try:
            said = self._verified(signed)
            return said.get("batch_id") == batch_id and "end_to_end_ids" not in said  # the whole batch, not lines of it
        except _No:
            return False

    def _batch_key(self, wrapped: str) -> OctKey:
        try:
            return OctKey.import_key(json.loads(_plain(wrapped, self._own, _KEY_WRAP)))
        except (JoseError, ValueError, TypeError):
            raise _No(Refusal.UNREADABLE) from None


def lines_sha256(texts: list[str]) -> str:
    """SHA-256 over the concatenated SHA-256 of each line's JWE text, by index."""
    return hashlib.sha256(b"".join(hashlib.sha256(text.encode()).digest() for text in texts)).hexdigest()


def _claimed_count(signed: str) -> int:
    """How many lines to wait for, read before the signature is verified; 0 (decide now) where it cannot be read."""
    try:
        count = json.loads(jws.extract_compact(signed.encode()).payload)["count"]
    except (JoseError, ValueError, KeyError, TypeError):
        return 0
    return count if isinstance(count, int) else 0


def _line(index: int, text: str, key: OctKey) -> PaymentLine:
    try:
        plain = json.loads(_plain(text, key, _LINE))
        end_to_end_id, amount = plain["end_to_end_id"], plain["amount_vnd"]
    except (JoseError, ValueError, KeyError, TypeError):
        raise _No(Refusal.UNREADABLE) from None
    if type(amount) is not int or amount < 1 or not END_TO_END_ID.fullmatch(end_to_end_id):
        raise _No(Refusal.UNREADABLE)
    return PaymentLine(index, end_to_end_id, amount)


def _plain(text: str, key: ECKey | OctKey, algorithms: list[str]) -> bytes:
    return jwe.decrypt_compact(text, key, algorithms=algorithms).plaintext or b""
