"""A ministry's event opened: from a message with a JWE to a statement in our words. Uses the vault, decides nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import AwareDatetime, ValidationError

from services.registry import cells
from services.registry.cells import BadCell
from services.registry.phones import e164
from services.registry.refusals import RowReason
from services.registry.statements import (
    Act,
    Change,
    CloseList,
    End,
    Enrol,
    NameCollector,
    OpenList,
    RecordWish,
    RegisterAccount,
    Reinstate,
    Statement,
)
from shared import events
from shared.events import BY_TYPE, MinistryMessage
from shared.fields import Block
from shared.personal import PersonalData
from shared.records import Received
from shared.vault import Vault, VaultError

SEQUENCE_MAX, COUNT_MAX = 2**63 - 1, 2**31 - 1


class Unopened(Block):
    """An event kept as it came until its list's content key arrives."""

    type: str
    message: str
    event_id: str
    at: AwareDatetime

    @classmethod
    def of(cls, received: Received[MinistryMessage]) -> Unopened:
        """Keep an event."""
        message = received.message
        return cls(type=message.TYPE, message=message.model_dump_json(), event_id=received.event_id, at=received.at)

    def received(self) -> Received[MinistryMessage]:
        """The event again. Its place in the topic is behind us and means nothing any more."""
        message = BY_TYPE[self.type].model_validate_json(self.message)
        assert isinstance(message, MinistryMessage)
        return Received(message, self.event_id, self.at, message.TOPIC, 0, 0)


@dataclass(frozen=True, slots=True)
class Opened:
    """A statement; with a refusal when its personal data cannot be read."""

    statement: Statement
    refusal: RowReason | None = None


def too_large(message: MinistryMessage) -> bool:
    """Whether a number of the message is larger than a column of ours holds: refused by name, nobody's data is at fault."""
    return message.source_sequence > SEQUENCE_MAX or (type(message) is events.ListClosed and message.count > COUNT_MAX)


def kid_of(message: MinistryMessage) -> str | None:
    """The content key a message needs; None when it needs none or names none that could be waited for."""
    compact: str | None = getattr(message, "personal", None)
    return _kid(compact.partition(".")[0]) if compact else None


@lru_cache(maxsize=1024)
def _kid(head: str) -> str | None:
    """One list has one first part: it is read once."""
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        return str(header["kid"]) if header.get("alg") == "dir" and header.get("kid") else None
    except (ValueError, AttributeError):
        return None


def opened(received: Received[MinistryMessage], vault: Vault, content_keys: Mapping[str, bytes]) -> Opened:
    """The statement of an event. Personal data that does not open or does not fit is a refusal, not a dead letter: it has a sender."""
    message = received.message
    compact: str | None = getattr(message, "personal", None)
    refusal, personal = RowReason.TOO_LARGE if too_large(message) else None, PersonalData()
    if compact is not None and not refusal:
        try:
            personal = _cleaned(PersonalData.model_validate_json(vault.open_jwe(compact, content_keys)))
        except (VaultError, ValidationError, BadCell):
            refusal = RowReason.PERSONAL_UNREADABLE
    statement = Statement(
        source=message.source,
        record=message.record,
        sequence=min(message.source_sequence, SEQUENCE_MAX),
        at=received.at,
        event_id=received.event_id,
        act=_act(message, personal),
    )
    return Opened(statement, refusal)


def _act(message: MinistryMessage, said: PersonalData) -> Act:
    match message:
        case events.Enrolled():
            act: Act = Enrol(period=message.period, payer=message.payer, area=message.area, line=message.line, personal=said)
        case events.Changed():
            act = Change(area=message.area, line=message.line, personal=said if message.personal else None)
        case events.Ended():
            act = End(reason=message.reason, on=message.on)
        case events.Reinstated():
            act = Reinstate()
        case events.AccountRegistered():
            act = RegisterAccount(account_source=message.account_source, wish=message.wish, personal=said)
        case events.WishRecorded():
            act = RecordWish(wish=message.wish, reason=message.reason, cannot_until=message.cannot_until)
        case events.CollectorNamed():
            act = NameCollector(valid_from=message.valid_from, valid_until=message.valid_until, personal=said)
        case events.ListOpened():
            act = OpenList(period=message.period, payer=message.payer)
        case events.ListClosed():
            act = CloseList(period=message.period, payer=message.payer, count=message.count, vnd=message.vnd)
        case _:
            raise AssertionError("every ministry message has an act")
    return act


def _cleaned(said: PersonalData) -> PersonalData:
    """Names in NFC without hidden characters, the phone as E.164 or not at all. Raises BadCell for a name that is none."""
    identity = said.identity
    if identity is not None and (name := cells.name(identity.full_name).value) != identity.full_name:
        said = said.model_copy(update={"identity": identity.model_copy(update={"full_name": name})})
    if said.phone and (phone := e164(said.phone)) != said.phone:
        said = said.model_copy(update={"phone": phone})
    return said
