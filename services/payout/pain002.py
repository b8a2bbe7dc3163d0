"""pain.002: what a bank says of a file of orders, as a whole and line by line. Pure.

A status of the whole file never stands for its lines: only a refusal does, because nothing of it was taken. Lines that are absent are
unknown, also where the file says that the rest was accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from services.payout import iso_xml
from services.payout.iso_xml import Element, amount, day, every, said
from services.payout.statement_line import (
    LINES_MAX,
    Claim,
    FileKind,
    LineKind,
    NotAStatement,
    Statement,
    StatementLine,
    StatementRefusal,
    our_id,
    reference,
    whole_dong,
    whole_number,
)

_TAGS = frozenset({"GrpHdr", "OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts"})
# ISO 20022 ExternalPaymentTransactionStatus1Code. Anything else says nothing that we rely on.
STATUS: Mapping[str, LineKind] = {
    "ACCC": LineKind.PAID, "ACSC": LineKind.PAID, "ACCP": LineKind.ACCEPTED, "ACSP": LineKind.ACCEPTED, "ACTC": LineKind.ACCEPTED,
    "ACWC": LineKind.ACCEPTED, "ACFC": LineKind.ACCEPTED, "RCVD": LineKind.ACCEPTED, "PDNG": LineKind.ACCEPTED,
    "RJCT": LineKind.REJECTED, "CANC": LineKind.REJECTED,
}  # fmt: skip


def read_pain002(content: bytes) -> Statement:
    """The answers of a file. Raises NotAStatement."""
    message, batch, made_on = None, None, None
    lines, claims, counted = list[StatementLine](), list[Claim](), list[tuple[str, int, int | None]]()
    for tag, element in iso_xml.elements(content, _TAGS):
        if tag == "GrpHdr":
            message, made_on = reference(said(element, "MsgId")), day(element, "CreDtTm")
        elif tag == "OrgnlGrpInfAndSts":
            batch = _batch(said(element, "OrgnlMsgId"))
            claims.append(_claim(element, batch))
            lines += _whole(element, batch, len(lines) + 1, made_on=made_on)
            counted += _counts(element)
        elif tag == "OrgnlPmtInfAndSts":
            lines += _payment_block(element, batch, len(lines) + 1, made_on=made_on)
        else:
            lines.append(_line(element, len(lines) + 1, made_on=made_on))
            if len(lines) > LINES_MAX:
                raise NotAStatement(StatementRefusal.FILE_TOO_LARGE)
    if message is None or batch is None:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED)
    _compare(counted, lines)
    ordered = sorted(lines, key=lambda line: line.batch_id is None)  # a refusal of the whole is heard before its lines
    return Statement(FileKind.PAIN_002, message, [replace(one, line=n) for n, one in enumerate(ordered, 1)], claims=claims)


def _batch(original: str | None) -> UUID:
    """The message id of what we sent is the batch's."""
    try:
        return UUID(hex=original or "")
    except ValueError:
        raise NotAStatement(StatementRefusal.BATCH_FOREIGN) from None


def _claim(element: Element, batch: UUID) -> Claim:
    count, vnd = said(element, "OrgnlNbOfTxs"), said(element, "OrgnlCtrlSum")
    return Claim(batch, None if count is None else whole_number(count), None if vnd is None else whole_dong(vnd))


def _whole(element: Element, batch: UUID, number: int, *, made_on: date | None) -> list[StatementLine]:
    """What a status of the whole file means for the batch: taken, or refused; a partly accepted file is neither."""
    kind = STATUS.get(said(element, "GrpSts") or "", LineKind.UNKNOWN)
    if kind is LineKind.UNKNOWN:
        return []
    kind = LineKind.REJECTED if kind is LineKind.REJECTED else LineKind.ACCEPTED
    return [StatementLine(number, kind, booked_on=made_on, code=_code(element), batch_id=batch)]


def _payment_block(element: Element, batch: UUID | None, number: int, *, made_on: date | None) -> list[StatementLine]:
    """Our files have one block of payments: its refusal is the file's."""
    if STATUS.get(said(element, "PmtInfSts") or "") is not LineKind.REJECTED:
        return []
    if _batch(said(element, "OrgnlPmtInfId")) != batch:
        raise NotAStatement(StatementRefusal.BATCH_FOREIGN)
    return [StatementLine(number, LineKind.REJECTED, booked_on=made_on, code=_code(element), batch_id=batch)]


def _line(element: Element, number: int, *, made_on: date | None) -> StatementLine:
    end_to_end, fault = our_id(said(element, "OrgnlEndToEndId"))
    return StatementLine(
        number,
        STATUS.get(said(element, "TxSts") or "", LineKind.UNKNOWN),
        end_to_end,
        amount(element, "OrgnlTxRef/Amt/InstdAmt"),
        day(element, "AccptncDtTm") or made_on,
        code=_code(element),
        bank_ref=reference(said(element, "AcctSvcrRef")),
        fault=fault,
    )


def _code(element: Element) -> str | None:
    return reference(said(element, "StsRsnInf/Rsn/Cd") or said(element, "StsRsnInf/Rsn/Prtry"))


def _counts(element: Element) -> list[tuple[str, int, int | None]]:
    """How many lines of a status the file says it holds, and their sum."""
    return [
        (
            said(one, "DtldSts") or "",
            whole_number(said(one, "DtldNbOfTxs")),
            whole_dong(said(one, "DtldCtrlSum")) if every(one, "DtldCtrlSum") else None,
        )
        for one in every(element, "NbOfTxsPerSts")
    ]


def _compare(counted: list[tuple[str, int, int | None]], lines: list[StatementLine]) -> None:
    """A file that says how many lines of a kind it holds must hold them, unless it holds no lines of that kind at all."""
    told, summed = Counter[LineKind](), Counter[LineKind]()
    for status, count, vnd in counted:
        told[STATUS.get(status, LineKind.UNKNOWN)] += count
        summed[STATUS.get(status, LineKind.UNKNOWN)] += vnd or 0
    for kind in told:
        held = [line for line in lines if line.kind is kind and line.batch_id is None]
        if held and (len(held) != told[kind] or (summed[kind] and all(line.vnd is not None for line in held)
                     and sum(line.vnd or 0 for line in held) != summed[kind])):  # fmt: skip
            raise NotAStatement(StatementRefusal.TOTALS_WRONG)
