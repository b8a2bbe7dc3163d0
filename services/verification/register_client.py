"""The register's query service: one question about one person, in the fields of the national data exchange (domain 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.verification.exchange import Authority, Exchange, NoAnswer, Silence
from services.verification.population_feed import Entry
from shared.personal import Identity, RegisterIdentity

PATH = "/v1/population/query"
_DAY_LENGTH, _YEAR_LENGTH = 10, 4


@dataclass(frozen=True, slots=True)
class Question:
    """One question. The id was stored before it is sent."""

    request_id: UUID
    identity: Identity

    def __repr__(self) -> str:
        """Without the person."""
        return f"Question({self.request_id})"


class RegisterService(Protocol):
    """Whoever answers questions about one person."""

    async def ask(self, question: Question) -> list[Entry]:
        """The entries the person may be; empty when there is nobody. Raises NoAnswer."""
        ...


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, strict=True)


class _Row(_Said):
    number: Annotated[str, Field(alias="SoDinhDanh", pattern=r"^[0-9]{12}$")]
    old_number: Annotated[str, Field(alias="SoCMND", pattern=r"^([0-9]{9})?$")] = ""
    family: Annotated[str, Field(alias="Ho", max_length=100)]
    middle: Annotated[str, Field(alias="ChuDem", max_length=100)] = ""
    given: Annotated[str, Field(alias="Ten", max_length=100)]
    birth: Annotated[str, Field(alias="NgayThangNamSinh", pattern=r"^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$")]
    sex: Annotated[Literal["1", "2", ""], Field(alias="GioiTinh")] = ""
    status: Annotated[Literal["1", "2", "3"], Field(alias="TrangThai")]
    status_on: Annotated[str, Field(alias="NgayTrangThai", pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""
    new_number: Annotated[str, Field(alias="SoDinhDanhMoi", pattern=r"^([0-9]{12})?$")] = ""
    area: Annotated[str, Field(alias="MaDiaBan", pattern=r"^([0-9]{5})?$")] = ""


class _Response(_Said):
    request_id: Annotated[str, Field(alias="MaYeuCau")]
    rows: Annotated[list[_Row], Field(alias="DanhSach", max_length=200)]


class _Envelope(_Said):
    code: Literal[200]
    status: Literal["SUCCESS"]
    response: _Response


_SEX: dict[str, Literal["male", "female"]] = {"1": "male", "2": "female"}
_SEX_WORD = {"male": "1", "female": "2"}
_STATUS: dict[str, Literal["alive", "dead", "moved"]] = {"1": "alive", "2": "dead", "3": "moved"}


class HttpRegisterService:
    """The service behind `POST /v1/population/query`."""

    def __init__(self, exchange: Exchange, authority: Authority) -> None:
        """Every question names the authority."""
        self._exchange = exchange
        self._authority = authority

    async def ask(self, question: Question) -> list[Entry]:
        """Raises NoAnswer, also for an answer to another question or about somebody else."""
        content = await self._exchange.ask(PATH, _body(question, self._authority))
        try:
            said = _Envelope.model_validate_json(content).response
            entries = [_entry(row) for row in said.rows]
        except (ValidationError, ValueError):
            raise NoAnswer(Silence.UNREADABLE) from None
        about_us = all(_about(question.identity, row) for row in _asked_about(said.rows))
        if said.request_id != str(question.request_id) or not about_us:
            raise NoAnswer(Silence.ABOUT_ANOTHER)
        return entries


def _body(question: Question, authority: Authority) -> dict[str, str]:
    identity = question.identity
    birth = identity.birth_date or ""
    return {
        "MaYeuCau": str(question.request_id),
        **authority.fields(),
        "SoDinhDanh": identity.personal_number or "",
        "SoCMND": "" if identity.personal_number else identity.old_number or "",
        "HoVaTen": identity.full_name,
        "NgayThangNamSinh": birth if len(birth) == _DAY_LENGTH else birth[:_YEAR_LENGTH],
        "GioiTinh": _SEX_WORD.get(identity.sex or "", ""),
    }


def _asked_about(rows: list[_Row]) -> list[_Row]:
    """All but those that another one names as its new number."""
    led_to = {row.new_number for row in rows if row.new_number}
    return [row for row in rows if row.number not in led_to]


def _about(identity: Identity, row: _Row) -> bool:
    """Whether an entry can be one that was asked for: by its number; without one by its old number or its birth year."""
    if identity.personal_number:
        return row.number == identity.personal_number
    same_old = bool(identity.old_number) and row.old_number == identity.old_number
    return same_old or row.birth[:_YEAR_LENGTH] == (identity.birth_date or "")[:_YEAR_LENGTH]


def _entry(row: _Row) -> Entry:
    name = " ".join(part for part in (row.family, row.middle, row.given) if part)
    identity = Identity(
        full_name=name,
        birth_date=row.birth,
        sex=_SEX.get(row.sex),
        personal_number=row.number,
        old_number=row.old_number or None,
    )
    known = RegisterIdentity(identity=identity, replaced_by=row.new_number or None)
    status_on = date.fromisoformat(row.status_on) if row.status_on else None
    return Entry(row.number, known, _STATUS[row.status], status_on, row.area or None)
