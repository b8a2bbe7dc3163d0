"""The file a bank reads: ISO 20022 pain.001.001.09 for one batch, as bytes that are the same whenever they are made again. Pure.

A file is `head`, `transactions` as often as it takes, `TAIL`, so that it is never in memory whole.
One payment per line, so that a validator's line number says something. The schema allows five decimals for every currency; that
VND has none is our own rule. Bank members are named by their BIN, names keep their diacritics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from xml.sax.saxutils import escape

from shared.topics import Provider

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
NAME_MAX = 140
REMARK_MAX = 35

# The bank that executes for us, where the payer's account is.
BIN_OF_PROVIDER: Mapping[Provider, str] = {Provider.BANK_A: "970405", Provider.BANK_B: "970449"}


@dataclass(frozen=True, slots=True)
class Debtor:
    """The paying office and its account at the provider."""

    name: str
    account: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment to an account. The amount is in VND."""

    end_to_end_id: str
    vnd: int
    name: str
    bank_bin: str
    account: str
    remark: str

    def __repr__(self) -> str:
        """Without the person."""
        return f"Transfer({self.end_to_end_id})"


TAIL = b"</PmtInf>\n</CstmrCdtTrfInitn>\n</Document>\n"
"""The end of a file."""


def head(
    batch_id: UUID, provider: Provider, *, count: int, vnd: int, debtor: Debtor, execution_date: date, made_at: datetime
) -> bytes:
    """The beginning of a file: a whole batch, at least one transfer; the message id is the batch's. The bank is asked to book every
    transfer by itself, so that its statement names each."""
    assert count > 0
    totals = f"<NbOfTxs>{count}</NbOfTxs><CtrlSum>{vnd}</CtrlSum>"
    name = f"<Nm>{text(debtor.name, NAME_MAX)}</Nm>"
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<Document xmlns="{NAMESPACE}">',
            "<CstmrCdtTrfInitn>",
            f"<GrpHdr><MsgId>{batch_id.hex}</MsgId><CreDtTm>{made_at.isoformat(timespec='seconds')}</CreDtTm>{totals}",
            f"<InitgPty>{name}</InitgPty></GrpHdr>",
            f"<PmtInf><PmtInfId>{batch_id.hex}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>{totals}",
            f"<ReqdExctnDt><Dt>{execution_date.isoformat()}</Dt></ReqdExctnDt><Dbtr>{name}</Dbtr>",
            f"<DbtrAcct>{_other(debtor.account)}<Ccy>VND</Ccy></DbtrAcct>",
            f"<DbtrAgt>{_member(BIN_OF_PROVIDER[provider])}</DbtrAgt>\n",
        )
    ).encode()


def transactions(transfers: Iterable[Transfer]) -> bytes:
    """Some transfers of a file, after its head and before its tail."""
    return "".join(map(_transaction, transfers)).encode()


def _transaction(transfer: Transfer) -> str:
    assert transfer.vnd > 0
    return (
        f"<CdtTrfTxInf><PmtId><EndToEndId>{transfer.end_to_end_id}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="VND">{transfer.vnd}</InstdAmt></Amt><CdtrAgt>{_member(transfer.bank_bin)}</CdtrAgt>'
        f"<Cdtr><Nm>{text(transfer.name, NAME_MAX)}</Nm></Cdtr><CdtrAcct>{_other(transfer.account)}</CdtrAcct>"
        f"<RmtInf><Ustrd>{text(transfer.remark, REMARK_MAX)}</Ustrd></RmtInf></CdtTrfTxInf>\n"
    )


def text(value: str, most: int) -> str:
    """Text as XML content: characters that XML 1.0 forbids are dropped, white space is single, the rest escaped."""
    if not value.isprintable():
        value = "".join(_allowed(value))
    return escape(" ".join(value.split())[:most])


def _allowed(value: str) -> Iterator[str]:
    for char in value:
        if char.isspace():
            yield " "
        elif char.isprintable() and char not in "\ufffe\uffff":
            yield char


def _other(account: str) -> str:
    return f"<Id><Othr><Id>{escape(account)}</Id></Othr></Id>"


def _member(bank_bin: str) -> str:
    return f"<FinInstnId><ClrSysMmbId><MmbId>{bank_bin}</MmbId></ClrSysMmbId></FinInstnId>"
