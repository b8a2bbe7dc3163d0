"""The list of a bank that takes no ISO 20022: the same transfers as CSV and as a workbook, with their sum. Pure.

CSV: UTF-8 with a byte-order mark (so that spreadsheets show accents), comma, CRLF as RFC 4180. Text that a spreadsheet would take for a
formula is text in the workbook, and gets an apostrophe in front in the CSV, which `read_csv` takes off again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime

from services.payout.bank_file import Transfer
from services.payout.workbook import workbook

FIELDS = ("no", "end_to_end_id", "name", "bank_bin", "account", "amount_vnd", "remark")
COLUMNS = (
    ("STT", 6), ("Mã giao dịch", 20), ("Tên người hưởng", 30), ("Mã ngân hàng (BIN)", 18), ("Số tài khoản", 22), ("Số tiền (đồng)", 16),
    ("Nội dung", 36),
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
BOM = "\ufeff"


def csv_file(transfers: Sequence[Transfer]) -> bytes:
    """All transfers, then a line with `total`, their count and sum in VND, so that a file cut short is seen."""
    made = io.StringIO()
    made.write(BOM)
    writer = csv.writer(made)
    writer.writerow(FIELDS)
    for number, t in enumerate(transfers, 1):
        writer.writerow((number, t.end_to_end_id, _guarded(t.name), t.bank_bin, t.account, t.vnd, _guarded(t.remark)))
    writer.writerow(("total", len(transfers), "", "", "", sum(t.vnd for t in transfers), ""))
    return made.getvalue().encode()


def read_csv(content: bytes) -> list[Transfer]:
    """What `csv_file` wrote. Raises ValueError when it is cut short or its totals do not agree."""
    rows = list(csv.reader(io.StringIO(content.decode().removeprefix(BOM), newline="")))
    if not rows or tuple(rows[0]) != FIELDS or (rows[-1][0], len(rows[-1])) != ("total", len(FIELDS)):
        raise ValueError("cut short, or no list of ours")
    transfers = [
        Transfer(end_to_end_id, int(vnd), _plain(name), bank_bin, account, _plain(remark))
        for _number, end_to_end_id, name, bank_bin, account, vnd, remark in rows[1:-1]
    ]
    if (int(rows[-1][1]), int(rows[-1][5])) != (len(transfers), sum(t.vnd for t in transfers)):
        raise ValueError("totals do not agree")
    return transfers


def xlsx_file(transfers: Sequence[Transfer], *, payer: str, period: str, made_at: datetime) -> bytes:
    """The same as a workbook. Account numbers and BINs are text there: zeros in front stay. At least one transfer."""
    return workbook(
        f"DANH SÁCH CHUYỂN KHOẢN KỲ {period} - {payer}",
        COLUMNS,
        list(_rows(transfers)),
        sums=[(f"Tổng cộng: {len(transfers)} khoản", sum(t.vnd for t in transfers))],
        sums_column="Số tiền (đồng)",
        made_at=made_at,
    )


def _rows(transfers: Sequence[Transfer]) -> Iterator[tuple[str | int, ...]]:
    for number, t in enumerate(transfers, 1):
        yield number, t.end_to_end_id, t.name, t.bank_bin, t.account, t.vnd, t.remark


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(text: str) -> str:
    return text.removeprefix("'")
