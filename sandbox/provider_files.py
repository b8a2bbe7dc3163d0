"""Files a sandbox provider writes of what really happened: pain.002, camt.053, camt.054, MT940, the post's filled-in list. Pure.

SYNTHETIC: made from the truth file, so every file of a provider tells the same truth as its answers. The same facts give the same bytes.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from xml.sax.saxutils import escape

import xlsxwriter

from sandbox.truth import LineFact, Status

LOCAL = timezone(timedelta(hours=7))
_ISO = "urn:iso:std:iso:20022:tech:xsd:"
_BANK_CODES = "<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd>"
POST_COLUMNS = ("STT", "Mã chi trả", "Số tiền (đồng)", "Ngày nhận", "Kết quả", "Lý do")
_POST_WORDS = {
    "BE04": "không có địa chỉ",
    "BE06": "sai địa chỉ",
    "MD07": "đã mất",
    "NOAS": "không đến nhận",
    "CUST": "từ chối nhận",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The customer's account as its bank names it, and what lay on it before the first booking, in VND."""

    number: str
    bank_bin: str
    opened_vnd: int = 0


@dataclass(frozen=True, slots=True)
class Movement:
    """One booking on the account; `out`: money left; `counterparty`: the account that a credit came from, where the bank says it."""

    end_to_end_id: str
    vnd: int
    out: bool
    booked_on: date
    reason: str | None
    bank_ref: str
    counterparty: str | None = None


def movements(facts: Iterable[LineFact]) -> list[Movement]:
    """What stands on the account: paid ones went out, returned ones came back."""
    return [
        Movement(
            fact.end_to_end_id,
            fact.amount_vnd,
            fact.status is Status.PAID,
            fact.at.astimezone(LOCAL).date(),
            fact.reason,
            f"BK{number:09d}",
        )
        for number, fact in enumerate(facts, 1)
        if fact.status in (Status.PAID, Status.RETURNED)
    ]


# --- camt -----------------------------------------------------------------------------------------------------------------------


def camt053(booked: Sequence[Movement], account: Account, *, message_id: str, made_at: datetime, version: str = "08") -> bytes:
    """A statement with its balances and totals; edition `08` or `02`."""
    return _camt("camt.053", booked, account, message_id=message_id, made_at=made_at, version=version)


def camt054(booked: Sequence[Movement], account: Account, *, message_id: str, made_at: datetime, version: str = "08") -> bytes:
    """A notification of bookings, without balances."""
    return _camt("camt.054", booked, account, message_id=message_id, made_at=made_at, version=version)


def _camt(name: str, booked: Sequence[Movement], account: Account, *, message_id: str, made_at: datetime, version: str) -> bytes:
    statement = name == "camt.053"
    root, part = ("BkToCstmrStmt", "Stmt") if statement else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    moment = made_at.astimezone(UTC).isoformat(timespec="seconds")
    servicer = f"<Svcr><FinInstnId><ClrSysMmbId><MmbId>{account.bank_bin}</MmbId></ClrSysMmbId></FinInstnId></Svcr>"
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_ISO}{name}.001.{version}"><{root}>'
        f"<GrpHdr><MsgId>{escape(message_id)}</MsgId><CreDtTm>{moment}</CreDtTm></GrpHdr>"
        f"<{part}><Id>{escape(message_id)}</Id><CreDtTm>{moment}</CreDtTm>"
        f"<Acct><Id><Othr><Id>{escape(account.number)}</Id></Othr></Id><Ccy>VND</Ccy>{servicer}</Acct>"
    )
    body = (_balances(booked, account, made_at) if statement else "") + _summary(booked)
    entries = "".join(f"\n{_entry(one, version)}" for one in booked)
    return f"{head}{body}{entries}\n</{part}></{root}></Document>\n".encode()


def _balances(booked: Sequence[Movement], account: Account, made_at: datetime) -> str:
    days = [one.booked_on for one in booked] or [made_at.astimezone(LOCAL).date()]
    closed = account.opened_vnd + sum(-one.vnd if one.out else one.vnd for one in booked)
    return "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="VND">{abs(vnd)}</Amt><CdtDbtInd>{"DBIT" if vnd < 0 else "CRDT"}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>'
        for code, vnd, day in (("OPBD", account.opened_vnd, min(days)), ("CLBD", closed, max(days)))
    )


def _summary(booked: Sequence[Movement]) -> str:
    sides = {name: [one.vnd for one in booked if one.out is out] for name, out in (("Cdt", False), ("Dbt", True))}
    whole = [one.vnd for one in booked]
    parts = [f"<TtlNtries><NbOfNtries>{len(whole)}</NbOfNtries><Sum>{sum(whole)}</Sum></TtlNtries>"]
    parts += [
        f"<Ttl{name}Ntries><NbOfNtries>{len(vnds)}</NbOfNtries><Sum>{sum(vnds)}</Sum></Ttl{name}Ntries>"
        for name, vnds in sides.items()
    ]
    return f"<TxsSummry>{''.join(parts)}</TxsSummry>"


def _entry(one: Movement, version: str) -> str:
    money, mark = f'<Amt Ccy="VND">{one.vnd}</Amt>', f"<CdtDbtInd>{'DBIT' if one.out else 'CRDT'}</CdtDbtInd>"
    status = "<Sts>BOOK</Sts>" if version == "02" else "<Sts><Cd>BOOK</Cd></Sts>"
    own = f"<AmtDtls><TxAmt>{money}</TxAmt></AmtDtls>" if version == "02" else money + mark
    back = f"<RtrInf><Rsn><Cd>{one.reason}</Cd></Rsn></RtrInf>" if one.reason and not one.out else ""
    other = f"<Id><Othr><Id>{one.counterparty}</Id></Othr></Id>" if one.counterparty else ""
    party = f"<RltdPties><DbtrAcct>{other}</DbtrAcct></RltdPties>" if other else ""
    return (
        f"<Ntry><NtryRef>{one.bank_ref}</NtryRef>{money}{mark}{status}<BookgDt><Dt>{one.booked_on}</Dt></BookgDt>"
        f"<AcctSvcrRef>{one.bank_ref}</AcctSvcrRef>{_BANK_CODES}<NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{one.end_to_end_id}</EndToEndId></Refs>{own}{party}{back}</TxDtls></NtryDtls></Ntry>"
    )


# --- pain.002 -------------------------------------------------------------------------------------------------------------------


def pain002(facts: Sequence[LineFact], *, message_id: str, made_at: datetime, version: str = "10") -> bytes:
    """What the bank did with one batch, line by line; what came back later stands on the statement."""
    told = [fact for fact in facts if fact.status in (Status.PAID, Status.REJECTED)]
    batch = facts[0].batch_id.replace("-", "")
    moment = made_at.astimezone(UTC).isoformat(timespec="seconds")
    counts = "".join(
        f"<NbOfTxsPerSts><DtldNbOfTxs>{len(vnds)}</DtldNbOfTxs><DtldSts>{code}</DtldSts><DtldCtrlSum>{sum(vnds)}</DtldCtrlSum></NbOfTxsPerSts>"
        for code, status in (("ACSC", Status.PAID), ("RJCT", Status.REJECTED))
        if (vnds := [fact.amount_vnd for fact in told if fact.status is status])
    )
    lines = "".join(f"\n{_status(fact)}" for fact in told)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_ISO}pain.002.001.{version}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>{escape(message_id)}</MsgId><CreDtTm>{moment}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{batch}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts>{counts}"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>{batch}</OrgnlPmtInfId>{lines}\n"
        "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>\n"
    ).encode()


def refused(batch_id: str, reason: str, *, message_id: str, made_at: datetime, version: str = "10") -> bytes:
    """The whole batch was not taken."""
    moment = made_at.astimezone(UTC).isoformat(timespec="seconds")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_ISO}pain.002.001.{version}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>{escape(message_id)}</MsgId><CreDtTm>{moment}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{batch_id.replace('-', '')}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>\n"
    ).encode()


def _status(fact: LineFact) -> str:
    code = "ACSC" if fact.status is Status.PAID else "RJCT"
    why = f"<StsRsnInf><Rsn><Cd>{fact.reason}</Cd></Rsn></StsRsnInf>" if fact.reason else ""
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{fact.end_to_end_id}</OrgnlEndToEndId><TxSts>{code}</TxSts>{why}"
        f'<OrgnlTxRef><Amt><InstdAmt Ccy="VND">{fact.amount_vnd}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>'
    )


# --- MT940 ----------------------------------------------------------------------------------------------------------------------


def mt940(booked: Sequence[Movement], account: Account, *, reference: str, number: int, made_at: datetime) -> bytes:
    """One statement message as SWIFT prints it; our id is the customer reference of field 61."""
    days = [one.booked_on for one in booked] or [made_at.astimezone(LOCAL).date()]
    closed = account.opened_vnd + sum(-one.vnd if one.out else one.vnd for one in booked)
    lines = [f":20:{reference[:16]}", f":25:{account.bank_bin}/{account.number}", f":28C:{number}/1"]
    lines.append(f":60F:{_balance(account.opened_vnd, min(days))}")
    for one in booked:
        lines.append(f":61:{one.booked_on:%y%m%d%m%d}{'D' if one.out else 'C'}{one.vnd},NTRF{one.end_to_end_id}//{one.bank_ref}")
        why = f"/RTRN/{one.reason}" if one.reason and not one.out else ""
        party = f"/CNTP/{one.counterparty}///" if one.counterparty else ""
        lines.append(f":86:/EREF/{one.end_to_end_id}{why}{party}")
    return "".join(f"{line}\r\n" for line in (*lines, f":62F:{_balance(closed, max(days))}", "-")).encode()


def _balance(vnd: int, day: date) -> str:
    return f"{'D' if vnd < 0 else 'C'}{day:%y%m%d}VND{abs(vnd)},"


# --- the post -------------------------------------------------------------------------------------------------------------------


def post_list(facts: Sequence[LineFact], *, period: str) -> bytes:
    """The list that comes back from the counters, as a clerk fills it in."""
    buffer = io.BytesIO()
    last = {fact.end_to_end_id: fact for fact in facts}
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime(2024, 1, 1)})  # noqa: DTZ001
        sheet = book.add_worksheet("Kết quả")
        sheet.write_string(0, 0, f"KẾT QUẢ CHI TRẢ QUA BƯU ĐIỆN KỲ {period} (DỮ LIỆU GIẢ LẬP)")
        sheet.write_row(2, 0, POST_COLUMNS)
        for place, fact in enumerate(last.values(), 3):
            sheet.write_row(place, 0, _post_row(place - 2, fact))
        sheet.write_string(len(last) + 4, 1, "")
        sheet.write_row(len(last) + 4, 0, ("Tổng cộng", "", sum(fact.amount_vnd for fact in last.values())))
    return buffer.getvalue()


def _post_row(number: int, fact: LineFact) -> tuple[object, ...]:
    spaced = " ".join(fact.end_to_end_id[start : start + 4] for start in range(0, 16, 4))
    day = fact.at.astimezone(LOCAL)
    paid = fact.status is Status.PAID
    why = "" if paid else _POST_WORDS.get(fact.reason or "", "không đến nhận")
    return (
        number,
        spaced,
        fact.amount_vnd,
        f"{day.day}/{day.month}/{day.year}" if paid else "",
        "Đã nhận" if paid else "Trả lại",
        why,
    )
