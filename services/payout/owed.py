"""What a calculation of entitlement ends in: sums owed, each with month, code, rule and reason, and what stands against the rest. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.payout.standing import Stop


class Part(StrEnum):
    """What a sum is."""

    MONTHLY = "monthly"
    ARREARS = "arrears"  # an earlier month, at that month's rate
    UNPAID = "unpaid"  # an earlier sum nobody collected
    FUNERAL = "funeral"
    RELATIVES = "relatives"  # months of allowance to the relatives of a Heroic Mother
    GIFT = "gift"


class OwedReason(StrEnum):
    """Why a sum is what it is."""

    BY_RULE = "BY_RULE"
    BY_AGE = "BY_AGE"  # a rule, of the code the person grew into
    AS_DECLARED = "AS_DECLARED"  # no rule is known
    DIFFERENCE = "DIFFERENCE"  # what is missing to the rule of a month that was partly paid
    CARRIED = "CARRIED"
    ON_DEATH = "ON_DEATH"
    ONE_OFF = "ONE_OFF"


@dataclass(frozen=True, slots=True)
class Owed:
    """A sum. `period`: in which it is paid; `month`: for which; `code`: as granted; `paid_as`: what it goes under in that month.

    `rule` is None where no rule is known; then the list's own sum is taken, and shown as such.
    """

    period: str
    month: str
    code: str
    paid_as: str
    part: Part
    vnd: int
    rule: str | None
    reason: OwedReason
    payer: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that is owed for some periods, and why the rest is not."""

    owed: tuple[Owed, ...]
    stops: tuple[Stop, ...]

    @property
    def vnd(self) -> int:
        """The sum of the parts."""
        return total_of(self.owed)


def total_of(owed: Iterable[Owed]) -> int:
    """VND."""
    return sum(one.vnd for one in owed)
