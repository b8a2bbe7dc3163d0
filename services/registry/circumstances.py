"""What decides a benefit beside its line: the newer word is put into what is known, and moves are seen as they happen. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TypeVar

from shared.fields import Block
from shared.personal import Circumstances, Moved

Part = TypeVar("Part", bound=Block)
_NOTHING = Circumstances()


def told(known: Circumstances | None, said: Circumstances) -> Circumstances:
    """The newer word holds for each fact: for a year of poverty, for an event of a day. What is not said stays as it was."""
    known = known or _NOTHING
    return Circumstances(
        poverty=tuple(_by(known.poverty, said.poverty, "year")),
        requested=known.requested if said.requested is None else said.requested,
        studying=known.studying if said.studying is None else said.studying,
        other_benefit_vnd=known.other_benefit_vnd if said.other_benefit_vnd is None else said.other_benefit_vnd,
        events=tuple(_by(known.events, said.events, "event", "since")),
        moves=tuple(_by(known.moves, said.moves, "on", "from_payer")),
    )


def left(known: Circumstances | None, from_payer: str, on: date) -> Circumstances:
    """Somebody moved away from a payer; who takes them is not known yet."""
    return told(known, Circumstances(moves=(Moved(on=on, from_payer=from_payer),)))


def taken(known: Circumstances | None, to_payer: str, period: str) -> Circumstances | None:
    """Somebody who had moved away stands on a new payer's list: the new place decided in the month before at the latest (domain 2.2)."""
    if known is None or not known.moves or known.moves[-1].to_payer:
        return known
    decided_on = date.fromisoformat(f"{period}-01") - timedelta(days=1)
    arrived = known.moves[-1].model_copy(update={"to_payer": to_payer, "decided_on": decided_on})
    return known.model_copy(update={"moves": (*known.moves[:-1], arrived)})


def _by(known: tuple[Part, ...], said: tuple[Part, ...], *names: str) -> list[Part]:
    """In order of the names; of two with the same names the one that is said."""
    parts = {tuple(getattr(part, name) for name in names): part for part in (*known, *said)}
    return [parts[key] for key in sorted(parts)]
