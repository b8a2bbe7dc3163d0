"""By what somebody is known: blind indexes of an identity, and where an enrolment says they live. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.registry.person import NOWHERE, Place
from services.registry.statements import Act, Enrol, Statement
from shared.personal import Identity

Placing = tuple[tuple[str, date, date], UUID | bytes]
"""The unit that was split (`Split.unit`), and the person or the key of who lived there."""


class Keys(NamedTuple):
    """Blind indexes of an identity: its numbers, its name with the whole birth date, its name with year and place.

    Each is as narrow as the rule of `matching.find` that uses it: a common name and a year fit fifty people of a province.
    """

    number: bytes | None = None
    old_number: bytes | None = None
    name_birth: bytes | None = None
    name_place: bytes | None = None


def place_of(act: Act) -> Place:
    """Where an enrolment says the person lives; nowhere for everything else: only a list may be matched by place."""
    if not isinstance(act, Enrol):
        return NOWHERE
    return Place(act.area, act.personal.delivery.hamlet if act.personal.delivery else "", act.payer)


def subject_of(statement: Statement, keys_of: Callable[[Identity, Place], Keys], digest_of: Callable[[Act], str]) -> bytes:
    """What somebody is known by before they are anybody of ours: the strongest of their blind indexes, 32 bytes."""
    said = statement.identity
    keys = keys_of(said, place_of(statement.act)) if said else Keys()
    found = keys.number or keys.old_number or keys.name_birth or keys.name_place
    return found or bytes.fromhex(digest_of(statement.act))
