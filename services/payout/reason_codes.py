"""Why a provider did not pay: every spelling we have met as one closed list. Pure.

ISO 20022 external status and return reason codes, the list of domain.md 4.2 (no official Vietnamese one exists), and what people of the
post write by hand. An unknown code is kept as it came, under OTHER.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from services.payout.hand_typed import folded

_CODE = re.compile(r"[A-Z0-9]{4}")


class PaymentReason(StrEnum):
    """Why a payment was rejected or sent back (domain.md 4.2), and what the post meets at the door."""

    ACC_NOT_FOUND = "ACC_NOT_FOUND"
    ACC_NAME_MISMATCH = "ACC_NAME_MISMATCH"
    ACC_ID_MISMATCH = "ACC_ID_MISMATCH"
    ACC_CLOSED = "ACC_CLOSED"
    ACC_LOCKED = "ACC_LOCKED"
    ACC_DORMANT = "ACC_DORMANT"
    ACC_NOT_VND = "ACC_NOT_VND"
    ACC_NOT_PERSONAL = "ACC_NOT_PERSONAL"
    BANK_UNKNOWN_BIN = "BANK_UNKNOWN_BIN"
    BANK_NOT_REACHABLE = "BANK_NOT_REACHABLE"
    CANNOT_VERIFY = "CANNOT_VERIFY"
    AMOUNT_LIMIT = "AMOUNT_LIMIT"
    REMARK_INVALID = "REMARK_INVALID"
    DUPLICATE_REF = "DUPLICATE_REF"
    CARD_EXPIRED_ID = "CARD_EXPIRED_ID"
    HOLDER_DEAD = "HOLDER_DEAD"
    TIMEOUT_UNKNOWN = "TIMEOUT_UNKNOWN"
    NOT_COLLECTED = "NOT_COLLECTED"
    ADDRESS_UNKNOWN = "ADDRESS_UNKNOWN"
    SENT_BACK = "SENT_BACK"
    OTHER = "OTHER"


_R = PaymentReason
# The first code of each reason is the one we write where a provider used words.
ISO: Mapping[str, PaymentReason] = {
    "AC01": _R.ACC_NOT_FOUND, "AC03": _R.ACC_NOT_FOUND, "AC02": _R.ACC_NOT_FOUND, "AC04": _R.ACC_CLOSED, "AC07": _R.ACC_CLOSED,
    "AC06": _R.ACC_LOCKED, "AG01": _R.ACC_NOT_PERSONAL, "AC14": _R.ACC_NOT_PERSONAL, "AC15": _R.ACC_DORMANT, "AC09": _R.ACC_NOT_VND,
    "AM03": _R.ACC_NOT_VND, "BE01": _R.ACC_NAME_MISMATCH, "BE22": _R.ACC_NAME_MISMATCH, "BE16": _R.ACC_ID_MISMATCH,
    "BE17": _R.ACC_ID_MISMATCH, "RC01": _R.BANK_UNKNOWN_BIN, "RC04": _R.BANK_UNKNOWN_BIN, "AGNT": _R.BANK_UNKNOWN_BIN,
    "AB08": _R.BANK_NOT_REACHABLE, "AB05": _R.TIMEOUT_UNKNOWN, "AB06": _R.TIMEOUT_UNKNOWN, "NARR": _R.OTHER,
    "AM02": _R.AMOUNT_LIMIT, "AM14": _R.AMOUNT_LIMIT, "AM04": _R.OTHER, "AM09": _R.OTHER, "RR04": _R.OTHER, "MS03": _R.OTHER,
    "FF10": _R.REMARK_INVALID, "RR07": _R.REMARK_INVALID, "AM05": _R.DUPLICATE_REF, "DU03": _R.DUPLICATE_REF, "DU04": _R.DUPLICATE_REF,
    "CH16": _R.CARD_EXPIRED_ID, "MD07": _R.HOLDER_DEAD, "NOAS": _R.NOT_COLLECTED, "BE04": _R.ADDRESS_UNKNOWN,
    "BE06": _R.ADDRESS_UNKNOWN, "BE07": _R.ADDRESS_UNKNOWN, "CUST": _R.SENT_BACK, "FOCR": _R.SENT_BACK, "MS02": _R.SENT_BACK,
}  # fmt: skip
_FIRST = {reason: code for code, reason in reversed(list(ISO.items()))}

# Parts of folded sentences, most telling first.
WORDS: tuple[tuple[str, PaymentReason], ...] = (
    ("da chet", _R.HOLDER_DEAD), ("da mat", _R.HOLDER_DEAD), ("tu vong", _R.HOLDER_DEAD), ("qua doi", _R.HOLDER_DEAD),
    ("khong ton tai", _R.ACC_NOT_FOUND), ("sai so tai khoan", _R.ACC_NOT_FOUND), ("sai tai khoan", _R.ACC_NOT_FOUND),
    ("da dong", _R.ACC_CLOSED), ("dong tai khoan", _R.ACC_CLOSED), ("phong toa", _R.ACC_LOCKED), ("bi khoa", _R.ACC_LOCKED),
    ("tam khoa", _R.ACC_LOCKED), ("khong hoat dong", _R.ACC_DORMANT), ("ngu dong", _R.ACC_DORMANT), ("sai ten", _R.ACC_NAME_MISMATCH),
    ("khong khop ten", _R.ACC_NAME_MISMATCH), ("ten khong khop", _R.ACC_NAME_MISMATCH), ("giay to het han", _R.CARD_EXPIRED_ID),
    ("het han", _R.CARD_EXPIRED_ID), ("sai dia chi", _R.ADDRESS_UNKNOWN), ("khong co dia chi", _R.ADDRESS_UNKNOWN),
    ("khong co nguoi", _R.ADDRESS_UNKNOWN), ("chuyen di", _R.ADDRESS_UNKNOWN), ("chuyen noi", _R.ADDRESS_UNKNOWN),
    ("khong den", _R.NOT_COLLECTED), ("khong nhan", _R.NOT_COLLECTED), ("chua nhan", _R.NOT_COLLECTED), ("chua linh", _R.NOT_COLLECTED),
    ("khong linh", _R.NOT_COLLECTED), ("vang", _R.NOT_COLLECTED), ("qua han", _R.NOT_COLLECTED), ("tu choi", _R.SENT_BACK),
    ("xin tra", _R.SENT_BACK),
)  # fmt: skip


def reason_of(told: str | None) -> PaymentReason | None:
    """Our word for what a provider gave as a reason; None when it gave none."""
    text = " ".join((told or "").split())
    if not text:
        return None
    if text in ISO:
        return ISO[text]
    if text in PaymentReason.__members__:
        return PaymentReason[text]
    said = f" {folded(text)} "
    return next((reason for words, reason in WORDS if f" {words} " in said), _R.OTHER)


def iso_code(told: str | None) -> str | None:
    """The reason as four characters of ISO 20022, for messages: the provider's own, or the one that stands for its words."""
    text = " ".join((told or "").split())
    if _CODE.fullmatch(text):
        return text
    reason = reason_of(text)
    return _FIRST.get(reason, "NARR") if reason else None
