"""What somebody upstream states, opened and in our words: the one form in which a topic's event and a file's row are taken. Pure."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shared.events import DeclaredLine
from shared.fields import AreaCode, Block, Opaque, Period, Vnd
from shared.personal import Identity, PersonalData
from shared.words import AccountSource, EndReason, Wish


class Split(Block):
    """A unit of before that came to several communes: which of them is meant, a hamlet or a person says. `until` is its first day gone,
    `since` the last reform before the list's month; `codes` are of that time, `mine` those under the payer that lists the person."""

    old: AreaCode
    until: date
    since: date
    codes: tuple[AreaCode, ...]
    mine: tuple[AreaCode, ...]

    @property
    def unit(self) -> tuple[str, date, date]:
        """What a decision about somebody who lived there is kept under: codes of one time only."""
        return self.old, self.until, self.since


class Enrol(Block):
    """This person is on this list with this line."""

    kind: Literal["enrolled"] = "enrolled"
    period: Period
    payer: Opaque
    area: AreaCode
    line: DeclaredLine
    personal: PersonalData


class Change(Block):
    """The record reads like this now; what is absent stays."""

    kind: Literal["changed"] = "changed"
    area: AreaCode | None = None
    line: DeclaredLine | None = None
    personal: PersonalData | None = None


class End(Block):
    """The record ended on a day; a death or a move ends every record of the person."""

    kind: Literal["ended"] = "ended"
    reason: EndReason
    on: date


class Reinstate(Block):
    """The person is alive: the death said of them was a mistake."""

    kind: Literal["reinstated"] = "reinstated"


class RegisterAccount(Block):
    """The person has this account and wishes this channel. A list says whose list it is, and perhaps in which commune the person lives."""

    kind: Literal["account_registered"] = "account_registered"
    account_source: AccountSource
    wish: Wish
    personal: PersonalData
    payer: Opaque | None = None
    area: AreaCode | None = None


class RecordWish(Block):
    """The person wishes this channel; with `cannot_until` the reason is one of the "cannot" class, to be looked at again that day."""

    kind: Literal["wish_recorded"] = "wish_recorded"
    wish: Wish
    reason: str | None = None
    cannot_until: date | None = None


class NameCollector(Block):
    """Somebody may collect for the person between two days, both included."""

    kind: Literal["collector_named"] = "collector_named"
    valid_from: date
    valid_until: date | None = None
    personal: PersonalData


class OpenList(Block):
    """A list begins; its content key is kept."""

    kind: Literal["list_opened"] = "list_opened"
    period: Period
    payer: Opaque


class CloseList(Block):
    """Upstream's own totals of its part of a list."""

    kind: Literal["list_closed"] = "list_closed"
    period: Period
    payer: Opaque
    count: Annotated[int, Field(ge=0)]
    vnd: Vnd


class Undo(Block):
    """The file that said so was undone. Only registry itself says this, and only into its history."""

    kind: Literal["import_undone"] = "import_undone"


PersonalAct = Enrol | Change | End | Reinstate | RegisterAccount | RecordWish | NameCollector
ListAct = OpenList | CloseList
Act = Annotated[PersonalAct | ListAct | Undo, Field(discriminator="kind")]


class Statement(Block):
    """One act by one record of one source. A file's rows have no record of their own (`record` is None): it is made from the person."""

    source: Opaque
    sequence: Annotated[int, Field(ge=0)]
    at: AwareDatetime
    act: Act
    record: Opaque | None = None
    event_id: str | None = None
    row_no: int | None = None
    split: Split | None = None
    """An enrolment whose commune is not known yet; its `area` is the old unit's code until it is placed."""

    @property
    def identity(self) -> Identity | None:
        """Whom it speaks about, where it says so."""
        personal: PersonalData | None = getattr(self.act, "personal", None)
        return personal.identity if personal else None
