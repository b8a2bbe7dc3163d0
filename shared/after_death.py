"""What of a declared line is owed although its person died before its month: what the death brings, and sums of earlier months. Pure.

Somebody is entitled through the month of death (domain 2.2). Funeral money and what relatives of a Heroic Mother get stand on the list of a
later month, each a line of its own under a code of ours: no official code was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from shared.clock import period_of
from shared.events import Arrears, DeclaredLine
from shared.words import Programme

RELATIVES = "MT-BM"
ON_DEATH: Mapping[str, Programme] = {
    "MT-BT": Programme.SOCIAL_ASSISTANCE, "MT-HT": Programme.SOCIAL_PENSION, "MT-NCC": Programme.MERIT, RELATIVES: Programme.MERIT,
}  # fmt: skip
"""Codes of money a death brings: funeral money by the law of the benefit the person had, and the months of a Heroic Mother's relatives."""


def vnd_after(line: DeclaredLine, period: str, month: str) -> int:
    """VND of a line of this period that is for months after `month`; of arrears their share, rounded down. One-off sums are of no month."""
    own = line.monthly_vnd + line.carer_vnd if period > month else 0
    return own + sum(_share_after(part, month) for part in (line.arrears, line.unpaid) if part)


def _share_after(part: Arrears, month: str) -> int:
    return part.vnd * sum(period > month for period in part.periods) // len(part.periods)


def owed_to_the_family(line: DeclaredLine, period: str, died_on: date | None) -> bool:
    """Whether every dong of a line is owed to who is left: the one-off sum of a death, or on a list of a later month sums of months
    through that of the death."""
    if died_on is None:
        return False
    month = period_of(died_on)
    if line.benefit_code in ON_DEATH:
        return period >= month and 0 < line.one_off_vnd == line.declared_vnd
    return period > month and line.one_off_vnd == 0 and vnd_after(line, period, month) == 0
