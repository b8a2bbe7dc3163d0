"""What a sandbox provider does with each line: mostly pays, sometimes not, and not always answers as one would wish. Pure.

SYNTHETIC: the shares are ours. A line's fate is drawn from the hash of its end-to-end id, so it is the same after a restart.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Protocol

from sandbox.provider_desk import Order, PaymentLine
from sandbox.truth import LineFact, Reply, Status

_WHOLE = 10_000
# ISO 20022 external reason codes. A bank: no such account, closed, blocked, kind forbids, name differs. The post: nobody of that name
# there, died, address missing; NOAS is "no answer from the customer": nobody came within the paying days.
BANK_REASONS = ("AC01", "AC04", "AC06", "AG01", "BE01")
POST_REASONS = ("BE06", "MD07", "BE04")
RETURN_REASONS = ("AC04", "MD07", "CUST")
NOT_COLLECTED = "NOAS"


class Fate(StrEnum):
    """How a line ends. `returned` was paid before; `expired` is the post's: it lay at the counter, nobody came, it went back.
    `cancelled`: the customer asked for it before it was paid."""

    PAID = "paid"
    REJECTED = "rejected"
    RETURNED = "returned"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares in lines of 10,000; `lost` and `twice` are numbers of lines over the provider's whole life; pauses in seconds.

    `pay_after_seconds` lies between accepted and paid (at the post: collected), `late_after_seconds` between the batch being complete and
    the late answers and returns. To the wish to cancel: `cancel_silent` lines are paid without a word about it, `cancel_contradicts` ones
    are called cancelled and paid all the same.
    """

    seed: int = 1
    rejected_per_10000: int = 150
    late_per_10000: int = 100
    returned_per_10000: int = 20
    expired_per_10000: int = 50
    lost: int = 1
    twice: int = 1
    pay_after_seconds: float = 0.3
    late_after_seconds: float = 1.0
    cancel_silent_per_10000: int = 0
    cancel_contradicts_per_10000: int = 0

    @classmethod
    def of(cls, given: Mapping[str, object]) -> "Mix":
        """From parsed JSON. Raises ValueError for a name or value that makes no sense: a misspelt share must not mean the default."""
        names = {field.name for field in fields(cls)}
        if unknown := sorted(given.keys() - names):
            raise ValueError(f"unknown in the mix: {', '.join(unknown)}")
        if bad := sorted(name for name, value in given.items() if not _makes_sense(name, value)):
            raise ValueError(f"out of range in the mix: {', '.join(bad)}")
        return cls(**given)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with one line and how the customer hears of it. `amount_vnd` is what really moved."""

    line: PaymentLine
    amount_vnd: int
    fate: Fate
    reason: str | None
    reply: Reply


class Memory(Protocol):
    """What happened before: the truth file."""

    def known(self, end_to_end_id: str) -> dict[Status, LineFact]:
        """What happened to an id so far."""

    def stays_away(self) -> frozenset[str]:
        """Ids for whom nobody comes to the counter, because a story chose so."""

    def told(self, reply: Reply, *, outside: str) -> int:
        """How many lines of other batches were given this reply."""


def decide(order: Order, mix: Mix, memory: Memory, *, counter: bool) -> list[Decision]:
    """One decision per line. `counter`: the post, which hands out money and so knows lines nobody collects, drawn ones and chosen ones.

    An id that was paid or rejected before keeps its outcome and amount, in whichever batch it comes again: nobody is paid twice.
    """
    decisions, away = [], memory.stays_away() if counter else frozenset()
    for line in order.lines:
        if known := memory.known(line.end_to_end_id):
            decisions.append(_as_before(line, known, mix))
        elif line.end_to_end_id in away:
            decisions.append(Decision(line, line.amount_vnd, Fate.EXPIRED, NOT_COLLECTED, Reply.ONCE))
        else:
            decisions.append(_drawn(line, mix, counter=counter))
    _make_odd(decisions, order, mix, memory=memory)
    return decisions


def _make_odd(decisions: list[Decision], order: Order, mix: Mix, *, memory: Memory) -> None:
    """Turn the ordinary paid answers with the smallest draws into lost and doubled ones, in place."""
    candidates = sorted(
        (_draw(decision.line, mix), place)
        for place, decision in enumerate(decisions)
        if decision.fate is Fate.PAID and decision.reply is Reply.ONCE and not memory.known(decision.line.end_to_end_id)
    )
    for reply, wanted in ((Reply.LOST, mix.lost), (Reply.TWICE, mix.twice)):
        so_far = memory.told(reply, outside=order.batch_id) + sum(decision.reply is reply for decision in decisions)
        chosen, candidates = candidates[: max(wanted - so_far, 0)], candidates[max(wanted - so_far, 0) :]
        for _, place in chosen:
            decisions[place] = replace(decisions[place], reply=reply)


def _drawn(line: PaymentLine, mix: Mix, *, counter: bool) -> Decision:
    draw = _draw(line, mix)
    roll, pick = draw % _WHOLE, draw // _WHOLE % 1_000
    reasons = POST_REASONS if counter else BANK_REASONS
    if (roll := roll - mix.rejected_per_10000) < 0:
        return Decision(line, line.amount_vnd, Fate.REJECTED, reasons[pick % len(reasons)], Reply.ONCE)
    if (roll := roll - mix.returned_per_10000) < 0:
        return Decision(line, line.amount_vnd, Fate.RETURNED, _return_reason(draw), Reply.ONCE)
    if counter and (roll := roll - mix.expired_per_10000) < 0:
        return Decision(line, line.amount_vnd, Fate.EXPIRED, NOT_COLLECTED, Reply.ONCE)
    late = draw // _WHOLE**2 % _WHOLE < mix.late_per_10000
    return Decision(line, line.amount_vnd, Fate.PAID, None, Reply.LATE if late else Reply.ONCE)


def _as_before(line: PaymentLine, known: Mapping[Status, LineFact], mix: Mix) -> Decision:
    if Status.CANCELLED in known:
        return Decision(line, line.amount_vnd, Fate.CANCELLED, None, Reply.ONCE)
    if (fact := known.get(Status.REJECTED)) is not None:
        return Decision(line, fact.amount_vnd, Fate.REJECTED, fact.reason, fact.answer)
    paid = known.get(Status.PAID)
    if paid is None:
        fact = known[Status.RETURNED]
        return Decision(line, fact.amount_vnd, Fate.EXPIRED, fact.reason, fact.answer)
    returned = Status.RETURNED in known or _drawn(line, mix, counter=False).fate is Fate.RETURNED
    fate, reason = (Fate.RETURNED, _return_reason(_draw(line, mix))) if returned else (Fate.PAID, None)
    return Decision(line, paid.amount_vnd, fate, reason, paid.answer)


def cancel_roll(end_to_end_id: str, mix: Mix) -> int:
    """In lines of 10,000, how a wish to cancel this line is taken; the same after a restart."""
    return int.from_bytes(hashlib.sha256(f"{mix.seed}:cancel:{end_to_end_id}".encode()).digest()[:8]) % _WHOLE


def _draw(line: PaymentLine, mix: Mix) -> int:
    return int.from_bytes(hashlib.sha256(f"{mix.seed}:{line.end_to_end_id}".encode()).digest()[:12])


def _return_reason(draw: int) -> str:
    return RETURN_REASONS[draw // _WHOLE % len(RETURN_REASONS)]


def _makes_sense(name: str, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if name.endswith("_seconds"):
        return 0 <= value <= 86_400
    return isinstance(value, int) and 0 <= value <= (_WHOLE if name.endswith("_per_10000") else 2**31)
