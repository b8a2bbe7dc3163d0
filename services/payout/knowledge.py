"""What registry knew of a person when their list closed, as the facts that entitlement asks for.

Ages come as those ages of the rules that were reached; circumstances come sealed and are opened here, where they are asked for, and kept
nowhere readable. What is not known contradicts nothing: an officer decided it (domain 9).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from services.payout.circumstances import Custody, Grant, Move, MoveKind, Person
from services.payout.months import plus_months
from services.payout.policy import Policy
from services.payout.standing import DECIDED_BY_COMMUNES
from shared.ages import BORN_IN
from shared.clock import period_of
from shared.events import DeclaredLine
from shared.personal import Circumstances, Happened
from shared.vault import Vault
from shared.words import LifeEvent

_LONG_AGO = date(1900, 1, 1)
"""When a benefit on a list was granted is not known: it is on the list."""
_YEARS_ONLY = 2 * len(BORN_IN)
_BORN_IN = {"january": 0, "july": 1, "december": 2}
_FIRST_DAY = {
    LifeEvent.PRISON: "prison_on", LifeEvent.CARE_HOME: "care_home_on", LifeEvent.GIVEN_UP: "given_up_on",
    LifeEvent.MISSING: "missing_on",
}  # fmt: skip


class Known(NamedTuple):
    """Of one line: `shared.ages.reached` as it is stored, the circumstances, and the day of a death. None: nothing is known."""

    ages: str | None = None
    circumstances: Circumstances | None = None
    died_on: date | None = None


def opened(vault: Vault, beneficiary_id: UUID, sealed: str | None) -> Circumstances | None:
    """The circumstances a line carries. Raises VaultError."""
    return vault.open_as(sealed, str(beneficiary_id), Circumstances) if sealed else None


def person_of(line: DeclaredLine, payer: str, period: str, *, known: Known, policy: Policy) -> Person:
    """The person of one line on a payer's list, for the month of that list; the line is their only grant."""
    told = known.circumstances or Circumstances()
    grant = Grant(line.benefit_code, _LONG_AGO, line.coefficient_hundredths, requested=told.requested is not False)
    move = _move(told, payer)
    return Person(
        payer=told.moves[-1].from_payer if move else payer,
        grants=(grant,),
        born=_born(known.ages, period, policy),
        poverty={one.year: one.status for one in told.poverty},
        other_benefit_vnd=told.other_benefit_vnd or 0,
        studying=told.studying is not False,
        moves=(move,) if move else (),
        custody=tuple(Custody(one.since, one.until) for one in _events(told) if one.event is LifeEvent.CUSTODY),
        **_days(told, period),
    )


def resumed_in(known: Circumstances | None) -> str:
    """The last month in which the person came forward after a suspension; before every month when they never did."""
    events = _events(known) if known else ()
    return max((period_of(one.since) for one in events if one.event is LifeEvent.RESUMED), default="")


def _born(ages: str | None, period: str, policy: Policy) -> str | None:
    """A month of birth that stands for the ages reached: old enough for the highest, by either setting, and for no higher one."""
    if not ages:
        return None
    reached = [int(age) for age in ages.split(",")]
    pair = 2 * _BORN_IN[policy.birth_year_only] if len(reached) == _YEARS_ONLY else 0
    age = reached[pair + (policy.age_takes_effect == "next_month")]
    return plus_months(period, -12 * age - 2)


def _events(told: Circumstances) -> Iterator[Happened]:
    """Those that were not taken back, oldest first."""
    yield from sorted((one for one in told.events if one.until is None or one.until > one.since), key=lambda one: one.since)


def _days(told: Circumstances, period: str) -> dict[str, Any]:
    """The first day of what lasts; what was over before the month does not count, for whoever is on a list again was decided upon."""
    days: dict[str, Any] = {}
    for one in _events(told):
        name = _FIRST_DAY.get(one.event)
        if name and (one.until is None or period_of(one.until) >= period):
            days.setdefault(name, one.since)
        if one.event is LifeEvent.REFUSED_CHECK:
            days |= {"refused_on": one.since, "refused_until": one.until}
    return days


def _move(told: Circumstances, payer: str) -> Move | None:
    """The last move, if this payer is one of its ends; older ones and payers that came by law say nothing of this list."""
    last = told.moves[-1] if told.moves else None
    if last is None or payer not in (last.from_payer, last.to_payer):
        return None
    by_communes = period_of(last.on) >= DECIDED_BY_COMMUNES
    kind = MoveKind.BETWEEN_COMMUNES if by_communes else MoveKind.ELSEWHERE
    return Move(last.on, last.to_payer or "", kind, requested=last.to_payer is not None, decided_on=last.decided_on)
