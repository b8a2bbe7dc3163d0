"""MT940 through the library mt-940: bookings between an opening and a closing balance that must be explained by them. Pure.

The library reads what banks really write; that nothing was lost on the way is proven by the balances. Our id stands in the customer
reference of field 61, or behind /EREF/ in field 86.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import mt940

from services.payout.statement_line import (
    LINES_MAX,
    FileKind,
    LineKind,
    NotAStatement,
    Statement,
    StatementLine,
    StatementRefusal,
    holds_our_id,
    our_id,
    reference,
    whole_dong,
)

_OPTIONS = mt940.Options(strip_bom=True, merge_keeps_values=True, unbounded_details=True)
# What the library raises for text that is no MT940; it has no error of its own.
_UNREADABLE = (RuntimeError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError)
_KINDS: Mapping[str, LineKind] = {"D": LineKind.PAID, "C": LineKind.RETURNED, "RC": LineKind.REVERSAL, "RD": LineKind.REVERSAL}
_OUT = ("D", "RC")  # marks of bookings that lower the balance
_EREF = re.compile(r"(?:/EREF/|EREF\+)\s*([A-Z2-7]{16})(?![A-Z0-9])")
_REASON = re.compile(r"/(?:RTRN|RSN)/\s*([A-Z]{2}[A-Z0-9]{2})(?![A-Z0-9])")
_RETURN = re.compile(r"/(?:RTRN|RSN)/")
_RETURNED = ("NRTI", "FRTI", "SRTI")  # field 61: a returned item
_COUNTERPARTY = re.compile(r"/CNTP/\s*([0-9A-Za-z]{1,34})/")
_BIN = re.compile(r"[0-9]{6}")


def looks_like_mt940(content: bytes) -> bool:
    """Whether the fields of a statement stand in a text."""
    return (
        re.search(rb"^:20:", content, re.MULTILINE) is not None
        and re.search(rb"^:(25|60[FM]):", content, re.MULTILINE) is not None
    )


def read_mt940(content: bytes) -> Statement:
    """The bookings of a file with one statement or several. Raises NotAStatement."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    try:
        # A handle, never a text: the library opens a text that happens to name a file.
        blocks = mt940.parse_statements(io.StringIO(text.replace("\r\n", "\n")), options=_OPTIONS)
    except _UNREADABLE:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED) from None
    if not blocks:
        raise NotAStatement(StatementRefusal.FORMAT_UNKNOWN)
    lines, last, banks = list[StatementLine](), dict[str, Any](), set[str]()
    for block in blocks:
        bank, account = _account(block.data)
        last[account] = block.data
        banks |= {bank} if bank else set()
        lines += [replace(_line(one.data, number), ours=account) for number, one in enumerate(block, len(lines) + 1)]
        if len(lines) > LINES_MAX:
            raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
        _explained(block)
    whole = {account: _closed_on(data) for account, data in last.items()}
    message = _message(blocks[0].data)
    return Statement(FileKind.MT940, message, lines, accounts=frozenset(last), banks=frozenset(banks), whole=whole)


def _message(data: Mapping[str, Any]) -> str:
    parts = (data.get(name) for name in ("transaction_reference", "statement_number", "sequence_number"))
    return reference("/".join(str(part) for part in parts if part)) or "-"


def _account(data: Mapping[str, Any]) -> tuple[str | None, str]:
    bank, _, account = str(data.get("account_identification") or "").strip().rpartition("/")
    if not account:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED)
    return bank if _BIN.fullmatch(bank) else None, account


def _line(data: Mapping[str, Any], number: int) -> StatementLine:
    kind = _KINDS.get(str(data.get("status")))
    if kind is None:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED)
    details = "".join(str(data.get("transaction_details") or "").split("\n"))
    found, fault = our_id(str(data.get("customer_reference") or ""))
    if found is None:
        match = _EREF.search(details)
        found, fault = our_id(match[1] if match else str(data.get("end_to_end_reference") or "")) if match else (None, fault)
    reason = _REASON.search(details)
    return StatementLine(
        number,
        kind,
        found,
        _vnd(data),
        _day(data.get("entry_date") or data.get("date")),
        code=reason[1] if reason else None,
        bank_ref=reference(str(data.get("bank_reference") or "")),
        fault=fault,
        came_from=_came_from(data, details) if kind is LineKind.RETURNED and not found and not fault else None,
    )


def _came_from(data: Mapping[str, Any], details: str) -> str | None:
    """The account of a counterparty that field 86 marks as such; None where anything says that the money is a return of ours."""
    texts = (
        details,
        *(str(data.get(name) or "") for name in ("customer_reference", "bank_reference", "extra_details", "purpose")),
    )
    if data.get("id") in _RETURNED or _RETURN.search(details) or any(map(holds_our_id, texts)):
        return None
    match = _COUNTERPARTY.search(details)
    return reference(match[1]) if match else None


def _vnd(data: Mapping[str, Any]) -> int:
    money = data.get("amount")
    if money is None or money.currency != "VND":
        raise NotAStatement(StatementRefusal.NOT_VND)
    return whole_dong(str(abs(money.amount)))


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise NotAStatement(StatementRefusal.FILE_DAMAGED)
    return date(value.year, value.month, value.day)


def _balance(data: Mapping[str, Any], which: str) -> Any:
    return data.get(f"final_{which}_balance") or data.get(f"intermediate_{which}_balance")


def _explained(block: Any) -> None:
    """Opening balance and bookings make the closing balance: nothing is missing in between."""
    opened, closed = _balance(block.data, "opening"), _balance(block.data, "closing")
    if opened is None or closed is None:
        raise NotAStatement(StatementRefusal.FILE_TRUNCATED)
    if opened.amount.currency != "VND" or closed.amount.currency != "VND":
        raise NotAStatement(StatementRefusal.NOT_VND)
    moved = sum(-_vnd(one.data) if one.data.get("status") in _OUT else _vnd(one.data) for one in block)
    if opened.amount.amount + moved != closed.amount.amount:
        raise NotAStatement(StatementRefusal.TOTALS_WRONG)


def _closed_on(data: Mapping[str, Any]) -> date:
    """The last statement of an account must be whole."""
    closed = data.get("final_closing_balance")
    if closed is None:
        raise NotAStatement(StatementRefusal.FILE_TRUNCATED)
    return _day(closed.date)
