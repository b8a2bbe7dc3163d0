"""By what somebody is known: blind indexes of an identity, and where an enrolment says they live. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.registry.person import NOWHERE, Place
from services.registry.statements import Act, Enrol, RegisterAccount, Statement
from shared.personal import Identity

Placing = tuple[tuple[str, date, date], UUID | bytes]
"""The unit that was split (`Split.unit`), and the person or the key of who lived there."""


class Keys(NamedTuple):
    """Blind indexes of an identity: its numbers, its name with the whole birth date, its name with year and hamlet, with year and commune.

    Each is as narrow as the rule of `matching.find` that uses it: a common name and a year fit fifty people of a province. By year and
    hamlet nobody is found who was kept since there is one by commune; decisions about people of split units are kept under it.
    """

    number: bytes | None = None
    old_number: bytes | None = None
    name_birth: bytes | None = None
    name_place: bytes | None = None
    name_area: bytes | None = None

    @property
    def shared(self) -> list[bytes]:
        """Under what several people may be found, and are looked for in a batch."""
        return [key for key in (self.old_number, self.name_birth, self.name_area) if key]


def place_of(act: Act) -> Place:
    """Where a list says the person lives: one of payrolls always, one of accounts perhaps only on whose lists. An event tells no place but
    with an enrolment."""
    if isinstance(act, Enrol):
        hamlet = act.personal.delivery.hamlet if act.personal.delivery else ""
        return Place(act.area, hamlet, act.payer, is_listed=True)
    if isinstance(act, RegisterAccount) and act.payer:
        return Place(act.area or "", "", act.payer)
    return NOWHERE


def where_of(statement: Statement) -> Place:
    """The same of a statement; where a unit was split, any of the communes it came to."""
    place = place_of(statement.act)
    return place._replace(among=statement.split.codes) if statement.split else place


def day_of(act: Act) -> date | None:
    """The day whose communes a list names; None where it is the day on which it comes."""
    return date.fromisoformat(f"{act.period}-01") if isinstance(act, Enrol) else None


def subject_of(statement: Statement, keys_of: Callable[[Identity, Place], Keys], digest_of: Callable[[Act], str]) -> bytes:
    """What somebody is known by before they are anybody of ours: the strongest of their blind indexes, 32 bytes."""
    said = statement.identity
    keys = keys_of(said, place_of(statement.act)) if said else Keys()
    found = keys.number or keys.old_number or keys.name_birth or keys.name_place
    return found or bytes.fromhex(digest_of(statement.act))
