"""Personal data: what sealed blocks and JWEs hold. Nothing here ever stands in the clear on a topic, in a log or in a table."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shared import words
from shared.fields import AreaCode, Block, Opaque, Vnd


class Identity(Block):
    """Who a person is. `birth_date` is YYYY, YYYY-MM or YYYY-MM-DD: year-only dates are normal (domain 3)."""

    full_name: Annotated[str, Field(min_length=1, max_length=100)]
    birth_date: Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$")] | None = None
    sex: Literal["male", "female"] | None = None
    personal_number: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None
    old_number: Annotated[str, Field(pattern=r"^[0-9]{9}$")] | None = None


class Account(Block):
    """A bank account: bank by 6-digit BIN, number as text (leading zeros count), holder as the bank writes it."""

    bank_bin: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    number: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,30}$")]
    holder: Annotated[str, Field(min_length=1, max_length=140)]


Scope = Literal["cash", "account", "both"]


class Collector(Block):
    """Who may collect for the person, with the number of the certified paper. Without a scope it is for cash."""

    full_name: Annotated[str, Field(min_length=1, max_length=100)]
    paper_number: Annotated[str, Field(max_length=40)] | None = None
    scope: Scope | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    revoked_on: date | None = None
    died_on: date | None = None


class Delivery(Block):
    """Where money is handed over."""

    hamlet: Annotated[str, Field(max_length=100)] = ""
    address: Annotated[str, Field(max_length=200)] = ""
    collector: Collector | None = None


class Contact(Block):
    """How to reach the person: a phone number in E.164."""

    phone: Annotated[str, Field(pattern=r"^\+84[0-9]{9}$")]


class Payee(Block):
    """Who is paid, as the payment line names them. `authorisation`: lets a holder who is somebody else receive, between its days."""

    full_name: Annotated[str, Field(min_length=1, max_length=100)]
    account: Account | None = None
    authorisation: Collector | None = None


class PovertyOf(Block):
    """A household's status in one year."""

    year: Annotated[int, Field(ge=1990, le=2100)]
    status: words.Poverty


class Happened(Block):
    """Something in a person's life, from a day to a day, open without an end. An end that is not after its beginning takes it back."""

    event: words.LifeEvent
    since: date
    until: date | None = None


class Moved(Block):
    """Away from a payer; `to_payer` and the month of its decision once another list took the person."""

    on: date
    from_payer: Opaque
    to_payer: Opaque | None = None
    decided_on: date | None = None


class Circumstances(Block):
    """What decides a benefit beside its line (domain 1, 2.2). What is absent is not known, and nobody is held for it."""

    poverty: tuple[PovertyOf, ...] = Field(default=(), max_length=20)
    requested: bool | None = None
    """Whether the person asked in writing (HT-1)."""
    studying: bool | None = None
    other_benefit_vnd: Vnd | None = None
    """A month of a pension or social-insurance benefit that others pay."""
    events: tuple[Happened, ...] = Field(default=(), max_length=40)
    moves: tuple[Moved, ...] = Field(default=(), max_length=40)


class PersonalData(Block):
    """The plain text of a ministry's `personal` JWE."""

    identity: Identity | None = None
    account: Account | None = None
    delivery: Delivery | None = None
    home_delivery: bool | None = None
    phone: Annotated[str, Field(max_length=20)] | None = None
    collector: Collector | None = None
    cannot_reason: Annotated[str, Field(pattern=r"^R_[A-Z]+$")] | None = None
    circumstances: Circumstances | None = None


class RegisterIdentity(Block):
    """An identity as the register holds it; `replaced_by` is the new number when the police changed it."""

    identity: Identity
    replaced_by: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None


class ProviderLine(Block):
    """What a provider needs to pay once and nothing more: no programme, no beneficiary id."""

    end_to_end_id: Annotated[str, Field(pattern=r"^[A-Z2-7]{16}$")]
    amount_vnd: Annotated[int, Field(ge=1, le=10**15)]
    name: str
    channel: words.Channel
    account: Account | None = None
    area: AreaCode
    delivery: Delivery | None = None
    remark: Annotated[str, Field(pattern=r"^[A-Z0-9 ]{1,35}$")]
