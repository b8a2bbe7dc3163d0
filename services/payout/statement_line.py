"""What a provider's file says, in one form whatever its format: `StatementLine`. Why a file is refused: a closed list. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from uuid import UUID

from shared.ids import is_end_to_end_id
from shared.money import DONG_MAX

BYTES_MAX = 128 * 1024 * 1024
LINES_MAX = 500_000
SHEET_ROWS = 2**20
"""Numbers of lines that each sheet of a workbook has for itself: as many as it can have rows."""
TEXT_MAX = 64
"""The longest name of a message or a booking that is kept; the standards allow 35."""


class FileKind(StrEnum):
    """The formats that are read."""

    PAIN_002 = "pain.002"
    CAMT_053 = "camt.053"
    CAMT_054 = "camt.054"
    MT940 = "mt940"
    POST_LIST = "post_list"


BOOKINGS = frozenset({FileKind.CAMT_053, FileKind.CAMT_054, FileKind.MT940})
"""Files that name each movement of money once; the others tell how things stand and may say it again."""
STATEMENTS = frozenset({FileKind.CAMT_053, FileKind.MT940})
"""Files that are whole up to a day: what does not stand in them did not happen by then."""


class LineKind(StrEnum):
    """What a line says. A reversal takes a booking back as a mistake, a return sends the money back; `unknown` says nothing."""

    ACCEPTED = "accepted"
    PAID = "paid"
    REJECTED = "rejected"
    RETURNED = "returned"
    REVERSAL = "reversal"
    UNKNOWN = "unknown"


class Fault(StrEnum):
    """What of a line could not be read."""

    ID = "id"
    AMOUNT = "amount"
    DATE = "date"


class StatementRefusal(StrEnum):
    """Why a file is refused whole, in order of precedence. Nothing of it has an effect."""

    FILE_EMPTY = "FILE_EMPTY"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    FORMAT_UNKNOWN = "FORMAT_UNKNOWN"
    FILE_DAMAGED = "FILE_DAMAGED"
    FILE_TRUNCATED = "FILE_TRUNCATED"
    SCHEMA_INVALID = "SCHEMA_INVALID"
    NO_HEADER = "NO_HEADER"
    NO_LINES = "NO_LINES"
    NOT_VND = "NOT_VND"
    TOTALS_WRONG = "TOTALS_WRONG"
    ACCOUNT_FOREIGN = "ACCOUNT_FOREIGN"
    BATCH_FOREIGN = "BATCH_FOREIGN"
    MESSAGE_KNOWN = "MESSAGE_KNOWN"


ADVICE: Mapping[StatementRefusal, str] = {
    StatementRefusal.FILE_EMPTY: "Tệp không có nội dung.",
    StatementRefusal.FILE_TOO_LARGE: "Tệp quá lớn; đề nghị đơn vị chi trả chia nhỏ.",
    StatementRefusal.FORMAT_UNKNOWN: "Không nhận ra định dạng; nhận pain.002, camt.053, camt.054, MT940 và danh sách của bưu điện.",
    StatementRefusal.FILE_DAMAGED: "Tệp hỏng, không đọc được; đề nghị gửi lại.",
    StatementRefusal.FILE_TRUNCATED: "Tệp bị cắt, thiếu phần cuối; đề nghị gửi lại.",
    StatementRefusal.SCHEMA_INVALID: "Tệp không đúng lược đồ ISO 20022; đề nghị gửi lại.",
    StatementRefusal.NO_HEADER: "Không tìm thấy dòng tiêu đề có cột mã chi trả phía trên các mã.",
    StatementRefusal.NO_LINES: "Không có dòng chi trả nào.",
    StatementRefusal.NOT_VND: "Có số tiền không phải đồng Việt Nam hoặc có phần lẻ.",
    StatementRefusal.TOTALS_WRONG: "Tổng số hoặc số dư trong tệp không khớp với các dòng; đề nghị gửi lại.",
    StatementRefusal.ACCOUNT_FOREIGN: "Sao kê của tài khoản hoặc ngân hàng khác.",
    StatementRefusal.BATCH_FOREIGN: "Tệp nói về lệnh chi không phải của chúng ta.",
    StatementRefusal.MESSAGE_KNOWN: "Đã nhận một tệp khác cùng số hiệu; cần người kiểm tra.",
}


class NotAStatement(Exception):
    """A file that is refused whole. Carries the reason and where to look, never a value."""

    def __init__(self, reason: StatementRefusal, where: str = "") -> None:
        """`where`: a place in words, empty where the reason says enough."""
        super().__init__(reason)
        self.reason = reason
        self.where = where


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What one line of a provider's file says. Amounts in VND; `line` counts from 1 within the file, `place_of` says of which sheet.

    A line without an end-to-end id speaks of a batch when it names one, else of nothing we sent. `fault`: it could not be read wholly.
    `ours`: the account of ours a booking stands on. `came_from`: the account a credit came from, only where nothing on it says that it is
    about a payment of ours.
    """

    line: int
    kind: LineKind
    end_to_end_id: str | None = None
    vnd: int | None = None
    booked_on: date | None = None
    code: str | None = None
    bank_ref: str | None = None
    account: str | None = None
    batch_id: UUID | None = None
    fault: Fault | None = None
    ours: str | None = None
    came_from: str | None = None

    def __repr__(self) -> str:
        """Without accounts."""
        return f"StatementLine({self.line}, {self.kind}, {self.end_to_end_id}, {self.vnd})"


def place_of(line: int) -> tuple[int, int]:
    """Where people find a line: (visible sheet, row), each from 1. A file without sheets is one sheet."""
    sheet, row = divmod(line - 1, SHEET_ROWS)
    return sheet + 1, row + 1


@dataclass(frozen=True, slots=True)
class Claim:
    """What a status report says we had sent: count and VND of a batch, where it says so."""

    batch_id: UUID
    count: int | None
    vnd: int | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One file. `accounts` and `banks` are those it is about; `whole`: account -> the day up to which all its bookings stand here."""

    kind: FileKind
    message_id: str
    lines: Sequence[StatementLine]
    accounts: frozenset[str] = frozenset()
    banks: frozenset[str] = frozenset()
    whole: Mapping[str, date] = field(default_factory=dict)
    claims: Sequence[Claim] = field(default=())

    @property
    def to_on(self) -> date | None:
        """The day up to which the file is whole, whichever of its accounts is asked about."""
        return min(self.whole.values(), default=None)


def whole_dong(text: str | None) -> int:
    """An amount as the standards write it, without sign. Raises NotAStatement for parts of a dong or what is no amount."""
    try:
        amount = Decimal(text or "")
    except InvalidOperation:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED) from None
    if not amount.is_finite() or amount < 0 or amount > DONG_MAX:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED)
    if amount != int(amount):
        raise NotAStatement(StatementRefusal.NOT_VND)
    return int(amount)


def whole_number(text: str | None) -> int:
    """A count. Raises NotAStatement."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise NotAStatement(StatementRefusal.FILE_DAMAGED)
    return int(text)


def reference(text: str | None) -> str | None:
    """A name that a bank gives to something, in one line; None when empty."""
    kept = " ".join((text or "").split())[:TEXT_MAX]
    return kept if kept.isprintable() and kept else None


_ID_IN_TEXT = re.compile(r"(?<![A-Z0-9])[A-Z2-7]{16}(?![A-Z0-9])")


def holds_our_id(text: str) -> bool:
    """Whether an end-to-end id stands anywhere in a text."""
    return any(map(is_end_to_end_id, _ID_IN_TEXT.findall(text)))


def our_id(text: str | None) -> tuple[str | None, Fault | None]:
    """An end-to-end id as a machine writes it. Text of another shape is no id of ours; a wrong check character is a fault."""
    found = (text or "").strip()
    if is_end_to_end_id(found):
        return found, None
    return None, Fault.ID if len(found) == 16 and found.isalnum() and found.isupper() else None
