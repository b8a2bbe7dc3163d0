"""The check of an account's holder by the bank: one question about one account. It says a name, a masked name, or nothing.

Fields follow those of the register's service; no description of such a check is published (domain 4.2), so they are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.verification.account_check import HolderAnswer, holder_said
from services.verification.exchange import Authority, Exchange, NoAnswer, Silence
from shared.personal import Account

PATH = "/v1/accounts/holder"


@dataclass(frozen=True, slots=True)
class HolderQuestion:
    """One question. The id was stored before it is sent."""

    request_id: UUID
    account: Account
    person_name: str

    def __repr__(self) -> str:
        """Without account and person."""
        return f"HolderQuestion({self.request_id})"


class HolderService(Protocol):
    """Whoever knows whose an account is."""

    async def ask(self, question: HolderQuestion) -> HolderAnswer:
        """One of four words; the fifth, unavailable, is NoAnswer, which it raises."""
        ...


class _Holder(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, strict=True)
    request_id: Annotated[str, Field(alias="MaYeuCau")]
    account: Annotated[str, Field(alias="SoTaiKhoan")]
    result: Annotated[
        Literal["NAME", "CANNOT_VERIFY", "OLD_ID_NOT_LINKED", "NOT_FOUND", "CLOSED", "LOCKED"], Field(alias="KetQua")
    ]
    holder: Annotated[str, Field(alias="TenChuTaiKhoan", max_length=140)] = ""


class HttpHolderService:
    """The service behind `POST /v1/accounts/holder`."""

    def __init__(self, exchange: Exchange, authority: Authority) -> None:
        """Every question names the authority."""
        self._exchange = exchange
        self._authority = authority

    async def ask(self, question: HolderQuestion) -> HolderAnswer:
        """A bank that refuses (the account is closed, or still stands under the 9-digit number) has not verified anybody."""
        account = question.account
        where = {"MaNganHang": account.bank_bin, "SoTaiKhoan": account.number}
        content = await self._exchange.ask(PATH, {"MaYeuCau": str(question.request_id), **self._authority.fields(), **where})
        try:
            said = _Holder.model_validate_json(content)
        except (ValidationError, ValueError):
            raise NoAnswer(Silence.UNREADABLE) from None
        if (said.request_id, said.account) != (str(question.request_id), account.number):
            raise NoAnswer(Silence.ABOUT_ANOTHER)
        if said.result != "NAME":
            return HolderAnswer.CANNOT_VERIFY
        if not said.holder.strip():
            raise NoAnswer(Silence.UNREADABLE)
        return holder_said(said.holder, question.person_name)
