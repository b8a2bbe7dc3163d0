"""camt.053 and camt.054, editions 2009 (.001.02) and 2019 (.001.08): bookings of our accounts at a bank. Pure.

A batch booking is read through its details, which must add up to it. Balances and totals that the file names must be those of its
entries, else nothing of it is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from services.payout import iso_xml
from services.payout.iso_xml import Element, amount, day, every, inside, said
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
    whole_number,
)

_TAGS = frozenset({"MsgId", "Acct", "Bal", "TxsSummry", "FrToDt", "Ntry", "Stmt", "Ntfctn"})
_REPORTS = ("Stmt", "Ntfctn")
_RETURNS = frozenset({"RRTN", "RPCR"})  # a payment returned; taken back on request
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


@dataclass
class _Report:
    """One account's part of a file while it is read; sums are signed from the account's view."""

    accounts: set[str] = field(default_factory=set)
    balances: dict[str, int] = field(default_factory=dict)
    closed_on: date | None = None
    totals: list[tuple[str, int | None, int | None]] = field(default_factory=list)
    count: dict[str, int] = field(default_factory=lambda: {"CRDT": 0, "DBIT": 0})
    vnd: dict[str, int] = field(default_factory=lambda: {"CRDT": 0, "DBIT": 0})
    booked: int = 0


def read_camt(content: bytes, kind: FileKind) -> Statement:
    """The bookings of a file. Raises NotAStatement."""
    message, report = None, _Report()
    accounts, banks, lines, whole = set[str](), set[str](), list[StatementLine](), dict[str, date]()
    ended = False
    for tag, element in iso_xml.elements(content, _TAGS):
        if tag == "MsgId" and inside(element, "GrpHdr"):
            message = reference(element.text)
        elif tag == "Acct" and any(inside(element, name) for name in _REPORTS):
            report.accounts |= _names(element, "Id/IBAN", "Id/Othr/Id")
            banks |= _names(element, "Svcr/FinInstnId/ClrSysMmbId/MmbId")
        elif tag in ("Bal", "TxsSummry", "FrToDt"):
            _read_head(report, tag, element)
        elif tag == "Ntry":
            lines += _entry(report, element, len(lines))
            if len(lines) > LINES_MAX:
                raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
        elif tag in _REPORTS:
            _add_up(report, kind)
            accounts |= report.accounts
            if report.closed_on and kind is FileKind.CAMT_053:
                whole |= {account: min(report.closed_on, whole.get(account, date.max)) for account in report.accounts}
            report, ended = _Report(), True
    if message is None or not ended:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED)
    return Statement(kind, message, lines, accounts=frozenset(accounts), banks=frozenset(banks), whole=whole)


def _names(element: Element, *paths: str) -> set[str]:
    return {text for path in paths if (text := said(element, path))}


def _read_head(report: _Report, tag: str, element: Element) -> None:
    if tag == "Bal":
        name = said(element, "Tp/CdOrPrtry/Cd") or ""
        vnd = amount(element, "Amt")
        if vnd is not None and name in (*_OPENING, *_CLOSING):
            report.balances[name] = -vnd if said(element, "CdtDbtInd") == "DBIT" else vnd
            report.closed_on = day(element, "Dt") if name in _CLOSING else report.closed_on
    elif tag == "TxsSummry":
        for name, mark in (("TtlNtries", ""), ("TtlCdtNtries", "CRDT"), ("TtlDbtNtries", "DBIT")):
            for total in every(element, name):
                count = said(total, "NbOfNtries")
                summed = amount(total, "Sum") if every(total, "Sum") else None
                report.totals.append((mark, None if count is None else whole_number(count), summed))


def _entry(report: _Report, entry: Element, before: int) -> list[StatementLine]:
    """The lines of one entry. What is not booked yet says nothing and counts nowhere."""
    vnd, mark = amount(entry, "Amt"), said(entry, "CdtDbtInd")
    if vnd is None or mark not in report.count:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED)
    booked = (said(entry, "Sts/Cd") or said(entry, "Sts")) == "BOOK"
    report.count[mark] += 1
    report.vnd[mark] += vnd
    if booked:
        report.booked += vnd if mark == "CRDT" else -vnd
    details = every(entry, "NtryDtls/TxDtls")
    lines = list(_details(entry, details, mark=mark, vnd=vnd, before=before))
    if len(details) > 1 and sum(line.vnd or 0 for line in lines) != vnd:
        raise NotAStatement(StatementRefusal.TOTALS_WRONG)
    if booked:
        return [replace(line, ours=next(iter(report.accounts), None)) for line in lines]
    return [StatementLine(line.line, LineKind.UNKNOWN, line.end_to_end_id, line.vnd, line.booked_on) for line in lines]


def _details(entry: Element, details: list[Element], *, mark: str, vnd: int, before: int) -> Iterator[StatementLine]:
    booked_on, reversal = day(entry, "BookgDt"), said(entry, "RvslInd") in ("true", "1")
    plain = mark == "CRDT" and not reversal
    entry_ref = reference(said(entry, "AcctSvcrRef") or said(entry, "NtryRef"))
    for number, one in enumerate(details or [entry], before + 1):
        own = None if one is entry else amount(one, "Amt") or amount(one, "AmtDtls/TxAmt/Amt")
        if own is None and len(details) > 1:
            raise NotAStatement(StatementRefusal.TOTALS_WRONG)
        end_to_end, fault = our_id(said(one, "Refs/EndToEndId"))
        yield StatementLine(
            number,
            LineKind.REVERSAL if reversal else LineKind.PAID if mark == "DBIT" else LineKind.RETURNED,
            end_to_end,
            vnd if own is None else own,
            booked_on,
            code=reference(said(one, "RtrInf/Rsn/Cd") or said(one, "RtrInf/Rsn/Prtry")),
            bank_ref=reference(said(one, "Refs/AcctSvcrRef")) or entry_ref,
            account=_account(one, "CdtrAcct") if mark == "DBIT" else None,
            fault=fault,
            came_from=_account(one, "DbtrAcct") if plain and not (end_to_end or fault or _is_return(one, entry)) else None,
        )


def _account(one: Element, party: str) -> str | None:
    return reference(said(one, f"RltdPties/{party}/Id/Othr/Id") or said(one, f"RltdPties/{party}/Id/IBAN"))


def _is_return(one: Element, entry: Element) -> bool:
    """Whether anything says that money came back: a reason, the bank's code for returns, an id of ours in whatever place."""
    codes = {said(element, "BkTxCd/Domn/Fmly/SubFmlyCd") for element in (one, entry)}
    texts = [*map(str, one.itertext()), said(entry, "AddtlNtryInf") or ""]
    return bool(every(one, "RtrInf") or codes & _RETURNS or holds_our_id(" ".join(texts)))


def _add_up(report: _Report, kind: FileKind) -> None:
    """The totals a report names are those of its entries. A statement names its balances, a notification none."""
    for mark, count, vnd in report.totals:
        counted = report.count[mark] if mark else sum(report.count.values())
        summed = report.vnd[mark] if mark else sum(report.vnd.values())
        if count not in (None, counted) or vnd not in (None, summed):
            raise NotAStatement(StatementRefusal.TOTALS_WRONG)
    opened = next((report.balances[name] for name in _OPENING if name in report.balances), None)
    closed = report.balances.get("CLBD")
    if kind is FileKind.CAMT_053 and (opened is None or closed is None or report.closed_on is None):
        raise NotAStatement(StatementRefusal.FILE_TRUNCATED)
    if opened is not None and closed is not None and opened + report.booked != closed:
        raise NotAStatement(StatementRefusal.TOTALS_WRONG)
