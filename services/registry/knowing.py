"""What was known of one person at a moment, about a day: two times, never mixed. Pure.

*Known at* is when registry took a statement; *on* is the day that is asked about. A death told in March of a day in January is not known in
February, and from March on it is true of January. Ids, words, periods and sums only: an identity is kept as it reads now, never as it read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from shared.clock import period_of
from shared.words import EndReason

_ABOUT_PERSON = (EndReason.DEATH, EndReason.MOVED_OUT)


class Said(NamedTuple):
    """One statement that took effect, as the history keeps it."""

    kind: str
    source: str
    record: str | None
    period: str | None = None
    payer: str | None = None
    declared_vnd: int | None = None
    acts_on: date | None = None
    word: str | None = None
    said_on: date = date.min
    """The day on which it was said."""


def known(said: Sequence[Said], on: date) -> dict[str, Any]:
    """What these statements, in the order in which they were taken, say of a day."""
    deaths = [one.acts_on for one in said[_last_reinstated(said) :] if one.word == EndReason.DEATH and one.acts_on]
    died_on = deaths[-1] if deaths and deaths[-1] <= on else None
    return {
        "on": on,
        "life": "dead" if died_on else "moved_out" if _is_away(said, on) else "alive",
        "died_on": died_on,
        "wish": _last_word(said, "wish_recorded", on),
        "account_from": _last_word(said, "account_registered", on),
        "lines": _lines(said, period_of(on)),
    }


def _last_reinstated(said: Sequence[Said]) -> int:
    """From where on a death counts: one said before was a mistake."""
    return max((place for place, one in enumerate(said, start=1) if one.kind == "reinstated"), default=0)


def _is_away(said: Iterable[Said], on: date) -> bool:
    """Whether somebody had moved out by a day and stood on no other payer's list of that day's month, or an earlier one, since."""
    payer, left = None, False
    for one in said:
        if one.word == EndReason.MOVED_OUT and one.acts_on:
            left = left or one.acts_on <= on
        elif one.kind == "enrolled" and one.period and one.period <= period_of(on):
            left = left and one.payer == payer
            payer = one.payer
    return left


def _last_word(said: Iterable[Said], kind: str, on: date) -> str | None:
    """What was said last of it by a day: a wish or an account counts from when it is said."""
    return next((one.word for one in reversed(list(said)) if one.kind == kind and one.word and one.said_on <= on), None)


def _lines(said: Sequence[Said], period: str) -> list[dict[str, Any]]:
    """Rows of the month's lists. `changed`: something was said about the row after it was listed, also where a later word took that back:
    the history keeps no content, so it cannot tell. How the row reads in the end stands in the frozen line. A file that was taken back
    leaves what stood before it."""
    live: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    by_death: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for one in said:
        key = (one.source, one.record)
        if one.kind == "enrolled" and one.period == period:
            live.setdefault(key, []).append({
                "source": one.source, "record": one.record, "payer": one.payer, "declared_vnd": one.declared_vnd, "changed": False,
            })  # fmt: skip
        elif one.kind == "changed" and live.get(key):
            live[key][-1]["changed"] = True
        elif one.kind == "import_undone" and live.get(key) and one.period in (None, period):
            live[key].pop()
        elif one.kind == "ended" and one.acts_on and period > period_of(one.acts_on):
            for ended in list(live) if one.word in _ABOUT_PERSON else [key]:
                rows = live.pop(ended, [])
                if one.word == EndReason.DEATH:
                    by_death[ended] = rows
        elif one.kind == "reinstated":
            live |= {ended: rows for ended, rows in by_death.items() if ended not in live}
            by_death = {}
    return [lines[-1] for lines in live.values() if lines]
