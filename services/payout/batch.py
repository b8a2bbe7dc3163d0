"""What a batch is: legal states, payments made from lines, the canonical list that people sign, its totals and hashes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.ids import end_to_end_id, instruction_id
from shared.money import Dong, total
from shared.topics import Provider
from shared.words import Channel, InstructionState


class BatchState(StrEnum):
    """States of one list for one provider."""

    DRAFT = "draft"
    CHECKED = "checked"
    APPROVED = "approved"
    SEALED = "sealed"
    SENT = "sent"
    SETTLED = "settled"


class Step(StrEnum):
    """What a person does to a batch. Nobody takes two steps of one batch. The province endorses large lists; that moves no state."""

    MAKE = "make"
    CHECK = "check"
    APPROVE = "approve"
    ENDORSE = "endorse"
    RELEASE = "release"


STEP_FROM: Mapping[Step, BatchState] = {
    Step.CHECK: BatchState.DRAFT,
    Step.APPROVE: BatchState.CHECKED,
    Step.RELEASE: BatchState.APPROVED,
}
BATCH_MOVES: Mapping[BatchState, tuple[BatchState, Step | None]] = {
    BatchState.DRAFT: (BatchState.CHECKED, Step.CHECK),
    BatchState.CHECKED: (BatchState.APPROVED, Step.APPROVE),
    BatchState.APPROVED: (BatchState.SEALED, Step.RELEASE),
    BatchState.SEALED: (BatchState.SENT, None),
    BatchState.SENT: (BatchState.SETTLED, None),
}

_S = InstructionState
_ENDS = frozenset({_S.PAID, _S.COLLECTED, _S.REJECTED, _S.RETURNED, _S.EXPIRED, _S.CANCELLED})
INSTRUCTION_MOVES: Mapping[InstructionState, frozenset[InstructionState]] = {
    _S.CREATED: frozenset({_S.SEALED, _S.WITHDRAWN}),
    _S.SEALED: frozenset({_S.SENDING}),
    _S.SENDING: _ENDS | {_S.ACCEPTED, _S.ISSUED, _S.UNKNOWN},
    _S.ACCEPTED: frozenset({_S.UNKNOWN, _S.PAID, _S.REJECTED, _S.RETURNED, _S.CANCELLED}),
    _S.UNKNOWN: _ENDS | {_S.ACCEPTED, _S.ISSUED},
    _S.ISSUED: frozenset({_S.COLLECTED, _S.EXPIRED, _S.REJECTED, _S.CANCELLED}),
    _S.PAID: frozenset({_S.RETURNED}),
    _S.COLLECTED: frozenset({_S.RETURNED}),
}
DEAD = frozenset({_S.REJECTED, _S.RETURNED, _S.EXPIRED, _S.WITHDRAWN, _S.CANCELLED})
"""A dead payment gives its lines back: the next build may pay them again, as the next attempt."""


class OpenLine(NamedTuple):
    """What is still to be paid of one line. `pieces` and `attempts` count what earlier payments of it used up; `month`: its own, where the
    payroll is of several."""

    entitlement_id: UUID
    vnd: Dong
    programme: str
    pieces: int = 0
    attempts: int = 0
    month: str | None = None


class Share(NamedTuple):
    """What one payment pays of one line. `month`: the line's, where the payroll is of several."""

    entitlement_id: UUID
    piece: int
    vnd: Dong
    programme: str
    month: str | None = None


class Order(NamedTuple):
    """One person's open lines with the way they go."""

    beneficiary_id: UUID
    channel: Channel
    area: str
    account_digest: str | None
    lines: tuple[OpenLine, ...]


class Payment(NamedTuple):
    """One payment of a batch: all its parts are made from the order, so a restore makes the same one again."""

    instruction_id: UUID
    batch_id: UUID
    beneficiary_id: UUID
    part: int
    attempt: int
    provider: Provider
    channel: Channel
    area: str
    end_to_end_id: str
    account_digest: str | None
    shares: tuple[Share, ...]
    vnd: Dong
    """The amount: exactly its shares."""

    @property
    def periods(self) -> list[str] | None:
        """The months it pays, in order, where its payroll is of several."""
        if self.shares[0].month is None:
            return None
        return sorted({share.month for share in self.shares if share.month})

    def canonical(self) -> str:
        """This payment's line of the canonical list."""
        shares = self.shares if len(self.shares) == 1 else sorted(self.shares, key=lambda s: s.entitlement_id)
        lines = ",".join([f"{s.entitlement_id}:{s.piece}:{s.vnd}" for s in shares])
        head = f"{self.end_to_end_id}|{self.instruction_id}|{self.beneficiary_id}|{self.part}|{self.attempt}|{self.provider}"
        return f"{head}|{self.channel}|{self.area}|{self.vnd}|{self.account_digest or '-'}|{lines}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A new list for one provider. Make it with `Draft.of`."""

    batch_id: UUID
    provider: Provider
    payments: tuple[Payment, ...]
    vnd: Dong
    sha256: str

    @classmethod
    def of(cls, payments: Sequence[Payment]) -> Draft:
        """The list of these payments, which are all of one batch and provider."""
        assert len({(p.batch_id, p.provider) for p in payments}) == 1
        first = payments[0]
        return cls(first.batch_id, first.provider, tuple(payments), total(p.vnd for p in payments), list_sha256(payments))


def pay(order: Order, *, batch_id: UUID, provider: Provider, bounds: tuple[int, int], key: bytes) -> list[Payment]:
    """All lines of a person in one payment; above the provider's limit in as few parts as it takes. `bounds`: the least and the most VND
    of one payment; the order is of the least at least, and the most is twice that or more."""
    attempt = 1 + max([line.attempts for line in order.lines])
    payments = []
    for part, shares in enumerate(_parts(order.lines, bounds), 1):
        identity = instruction_id(batch_id=batch_id, beneficiary_id=order.beneficiary_id, part=part)
        payments.append(
            Payment(
                identity,
                batch_id,
                order.beneficiary_id,
                part,
                attempt,
                provider,
                order.channel,
                order.area,
                end_to_end_id(key, identity, attempt),
                order.account_digest,
                tuple(shares),
                shares[0].vnd if len(shares) == 1 else total([share.vnd for share in shares]),
            )
        )
    assert sum([p.vnd for p in payments]) == sum([line.vnd for line in order.lines])
    return payments


def _parts(lines: Sequence[OpenLine], bounds: tuple[int, int]) -> Iterable[list[Share]]:
    least, most = bounds
    assert 0 < 2 * least <= most
    if len(lines) == 1 and least <= lines[0].vnd <= most:  # nearly everybody
        return ([Share(lines[0].entitlement_id, lines[0].pieces + 1, lines[0].vnd, lines[0].programme, lines[0].month)],)
    return _cut(lines, _sizes(sum([line.vnd for line in lines]), least, most))


def _sizes(whole: int, least: int, most: int) -> Iterator[int]:
    """Parts as large as they may be, of which the last but one leaves enough for the last."""
    assert whole >= least
    for after in range(-(-whole // most) - 1, -1, -1):
        size = min(most, whole - after * least)
        yield size
        whole -= size


def _cut(lines: Sequence[OpenLine], sizes: Iterator[int]) -> Iterator[list[Share]]:
    shares: list[Share] = []
    room = next(sizes)
    for line in sorted(lines, key=lambda line: line.entitlement_id):
        left, piece = int(line.vnd), line.pieces
        while left:
            piece += 1
            cut = min(left, room)
            shares.append(Share(line.entitlement_id, piece, Dong(cut), line.programme, line.month))
            left, room = left - cut, room - cut
            if not room:
                yield shares
                shares, room = [], next(sizes, 0)


def list_sha256(payments: Iterable[Payment]) -> str:
    """SHA-256 of the canonical list: one line per payment, sorted, so the order they are stored in does not matter."""
    text = "".join(line + "\n" for line in sorted(payment.canonical() for payment in payments))
    return hashlib.sha256(text.encode()).hexdigest()


def joint_sha256(hashes: Iterable[str]) -> str:
    """What one signature over several lists names: SHA-256 over their hashes, sorted, one a line. One list: no other than this too."""
    return hashlib.sha256("".join(line + "\n" for line in sorted(hashes)).encode()).hexdigest()


def withdrawal_sha256(reason: str, taken_off: Iterable[tuple[str, str]], months: Iterable[str] = ()) -> str:
    """The hash of a withdrawal list: its reason, the months it is about where these are not all, and, per payment, the hash of the list
    it is on and its end-to-end id."""
    payments = (f"{list_hash}:{identity}" for list_hash, identity in taken_off)
    return joint_sha256([f"reason:{reason}", *(f"month:{month}" for month in months), *payments])
