"""When a partition stops by itself: too many dead letters in a row, or too large a share of the last records. Pure.

A bad release must stop the line, not empty a topic into the dead letters. The share is counted over the last 10,000 records read since
a person last resumed the partition (reliability.md F23), not over all of them: after a year of good records a broken release would
otherwise have to kill a hundredth of that year before anybody is told. It counts once 1,000 were read. A parked record is a record
read, is not dead, and does not break a run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import BadRecord, Parked

IN_A_ROW_MAX = 20
WINDOW = 10_000
WINDOW_MIN = 1_000
PERCENT_MAX = 1
DEAD_IN_A_ROW = "DEAD_IN_A_ROW"
DEAD_OVER_ONE_PERCENT = "DEAD_OVER_ONE_PERCENT"


class TooManyDead(Exception):
    """A limit was reached inside a batch, at this offset: only what is up to it may be taken."""

    def __init__(self, offset: int, reason: str) -> None:
        """Name the offset of the last record allowed and the limit."""
        super().__init__(reason)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Count:
    """What a partition's row remembers since it was last resumed.

    `read`: records read; the n-th has number n. `in_a_row`: dead letters at the end. `recent`: numbers of the dead among the last
    WINDOW records, rising.
    """

    read: int
    in_a_row: int
    recent: tuple[int, ...]

    @property
    def reason(self) -> str | None:
        """Why the partition must stop here, if it must."""
        if self.in_a_row >= IN_A_ROW_MAX:
            return DEAD_IN_A_ROW
        return DEAD_OVER_ONE_PERCENT if _over(len(self.recent), self.read) else None


def _over(dead: int, read: int) -> bool:
    window = min(read, WINDOW)
    return window >= WINDOW_MIN and dead * 100 > window * PERCENT_MAX


def count(before: Count, offsets: Sequence[int], bad: Sequence[BadRecord]) -> Count:
    """The count after a batch. Raises TooManyDead when a limit is reached before the batch's last record; where batches end makes no
    difference to where a partition stops."""
    if not bad and not before.recent:
        return Count(before.read + len(offsets), 0 if offsets else before.in_a_row, ())
    parked = {complaint.offset for complaint in bad if isinstance(complaint, Parked)}
    dead = {complaint.offset for complaint in bad} - parked
    run, recent = before.in_a_row, deque(before.recent)
    for number, offset in enumerate(offsets, before.read + 1):
        run = run + 1 if offset in dead else run if offset in parked else 0
        if offset in dead:
            recent.append(number)
        while recent and recent[0] <= number - WINDOW:
            recent.popleft()
        if offset != offsets[-1] and (run >= IN_A_ROW_MAX or _over(len(recent), number)):
            raise TooManyDead(offset, Count(number, run, tuple(recent)).reason or "")
    return Count(before.read + len(offsets), run, tuple(recent))
