"""Double entry in whole dong: every fact about a payment as a move of an amount from one account to another. Pure.

Accounts: `budget:<programme>` (the payer's money), `in_flight:<provider>` (told to pay, or no answer yet), `paid`, `returned`.
Budget = paid + in flight + returned + what is left: each posting has a debit and a credit, so all balances sum to zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.ids import derived_id
from shared.words import InstructionState

PAID = "paid"
RETURNED = "returned"
_PAID_STATES = (InstructionState.PAID, InstructionState.COLLECTED)
_BACK_STATES = (InstructionState.RETURNED, InstructionState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount goes from `credit` to `debit`. The id is derived from the cause, so the same cause never posts twice."""

    posting_id: UUID
    instruction_id: UUID
    debit: str
    credit: str
    vnd: int

    def __post_init__(self) -> None:
        """An amount is positive and really moves."""
        assert self.vnd > 0
        assert self.debit != self.credit


def budget(programme: str) -> str:
    """The account of one programme's money."""
    return f"budget:{programme}"


def in_flight(provider: str) -> str:
    """The account of what a provider was told to pay and has not answered for."""
    return f"in_flight:{provider}"


def shares_of(row: Any, period: str) -> dict[str, dict[str, int]]:
    """What a payment is worth per month and programme. `row` has the `programmes` and `vnds` of its lines, and their `months`, which
    are said only where its payroll, named by `period`, is of several."""
    programmes, vnds, months = row["programmes"], row["vnds"], row["months"]
    if len(vnds) == 1:  # nearly everybody
        return {months[0] if months else period: {programmes[0]: vnds[0]}}
    shares: dict[str, dict[str, int]] = {}
    for month, programme, vnd in zip(months or (period,) * len(vnds), programmes, vnds, strict=True):
        of_month = shares.setdefault(month, defaultdict(int))
        of_month[programme] += vnd
    return shares


def on_sent(instruction_id: UUID, provider: str, by_programme: Mapping[str, int], *, of: str = "") -> list[Posting]:
    """The payment leaves: from each programme's budget into flight. `of`: the month this is about, where the payment pays several."""
    return [
        _posting(instruction_id, "sent" + of, debit=in_flight(provider), credit=budget(programme), vnd=vnd)
        for programme, vnd in sorted(by_programme.items())
    ]


def on_move(
    instruction_id: UUID, provider: str, by_programme: Mapping[str, int], *, before: InstructionState, after: InstructionState,
    of: str = "",
) -> list[Posting]:  # fmt: skip
    """What a provider's answer means in money. Paid and later returned is a second posting, never an edit of the first."""
    vnd = sum(by_programme.values())
    if after in _PAID_STATES:
        return [_posting(instruction_id, "paid" + of, debit=PAID, credit=in_flight(provider), vnd=vnd)]
    if after in _BACK_STATES:
        source = PAID if before in _PAID_STATES else in_flight(provider)
        return [_posting(instruction_id, "returned" + of, debit=RETURNED, credit=source, vnd=vnd)]
    if after in (InstructionState.REJECTED, InstructionState.CANCELLED):
        return [
            _posting(instruction_id, str(after) + of, debit=budget(programme), credit=in_flight(provider), vnd=share)
            for programme, share in sorted(by_programme.items())
        ]
    return []


def on_paying_again(instruction_id: UUID, entitlement_id: UUID, *, programme: str, vnd: int) -> Posting:
    """What came back of one line returns to its budget before the line is paid again."""
    return _posting(instruction_id, f"again:{entitlement_id}", debit=budget(programme), credit=RETURNED, vnd=vnd)


def _posting(instruction_id: UUID, cause: str, *, debit: str, credit: str, vnd: int) -> Posting:
    identity = derived_id("posting", instruction_id, cause, debit, credit)
    return Posting(identity, instruction_id, debit, credit, vnd)
