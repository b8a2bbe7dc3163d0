"""The check of an account's holder by the bank: one question about one account. It says a name, a masked name, or nothing.

Fields follow those of the register's service; no description of such a check is published (domain 4.2), so they are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple, Protocol
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


class BankRefusal(StrEnum):
    """Why a bank names no holder, in the words of domain 4.2; `ACC_ID_MISMATCH`: the account still stands under the 9-digit number."""

    CANNOT_VERIFY = "CANNOT_VERIFY"
    ACC_ID_MISMATCH = "ACC_ID_MISMATCH"
    ACC_NOT_FOUND = "ACC_NOT_FOUND"
    ACC_CLOSED = "ACC_CLOSED"
    ACC_LOCKED = "ACC_LOCKED"


class Said(NamedTuple):
    """What a bank said: one of four words; with a refusal always `cannot_verify`."""

    answer: HolderAnswer
    refusal: BankRefusal | None = None


class HolderService(Protocol):
    """Whoever knows whose an account is."""

    async def ask(self, question: HolderQuestion) -> Said:
        """The fifth word, unavailable, is NoAnswer, which it raises."""
        ...


_REFUSALS = {
    "CANNOT_VERIFY": BankRefusal.CANNOT_VERIFY,
    "OLD_ID_NOT_LINKED": BankRefusal.ACC_ID_MISMATCH,
    "NOT_FOUND": BankRefusal.ACC_NOT_FOUND,
    "CLOSED": BankRefusal.ACC_CLOSED,
    "LOCKED": BankRefusal.ACC_LOCKED,
}


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

    async def ask(self, question: HolderQuestion) -> Said:
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
            return Said(HolderAnswer.CANNOT_VERIFY, _REFUSALS[said.result])
        if not said.holder.strip():
            raise NoAnswer(Silence.UNREADABLE)
        return Said(holder_said(said.holder, question.person_name))
