"""The settlement report as a workbook: where everything is, the money per provider, who is carried into the next month, held lines by
reason, and what does not balance. Written row by row with constant memory; all text is text, so nothing becomes a formula. Pure."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from services.payout.postal_list import REASONS
from services.payout.settlement import Report, Row, Total
from services.payout.settlement_page import ENDS, MONEY, PROGRAMMES, Named
from services.payout.settlement_shown import MEASURES, measures
from shared.words import Channel, HeldReason

ROWS, PROVIDERS, PEOPLE, HELD, CHECKS = "Quyết toán", "Nhà cung cấp", "Chuyển kỳ sau", "Tạm giữ", "Kiểm tra"
CHANNELS = {Channel.ACCOUNT: "Tài khoản", Channel.COUNTER: "Tại quầy", Channel.HOME: "Tại nhà"}
FIRST_ROW = 3
"""Row of the headings, counted from 1: a title and an empty row come before."""
_OPTIONS = {
    "in_memory": True,
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
Cells = Sequence[str | int]


@dataclass(frozen=True)
class _Formats:
    """How cells look; `bad`: text and amounts of a row that does not balance."""

    head: Any
    text: Any
    money: Any
    bad_text: Any
    bad_money: Any


def as_workbook(found: Report, name: Named, *, payer: str | None, made_at: datetime) -> bytes:
    """The workbook; the same report gives the same bytes. `payer`: of whom it was asked, None for all."""
    buffer = io.BytesIO()
    title = f"QUYẾT TOÁN CHI TRẢ KỲ {found.period}" + (f" - {payer}" if payer else "")
    with xlsxwriter.Workbook(buffer, _OPTIONS) as book:
        book.set_properties({"title": title, "created": made_at.replace(tzinfo=None)})
        formats = _formats(book)
        verdict = "Khớp" if found.balanced else "KHÔNG KHỚP"
        head, lines = _rows(found, name)
        _sheet(book, ROWS, f"{title} - {verdict}", formats=formats, head=head, lines=lines)
        _sheet(
            book,
            PROVIDERS,
            title,
            formats=formats,
            head=_twice(("Đơn vị", "Nhà cung cấp"), MONEY.values()),
            lines=_providers(found),
        )
        _sheet(book, PEOPLE, title, formats=formats, head=_PEOPLE, lines=_people(found, name))
        _sheet(book, HELD, title, formats=formats, head=_HELD, lines=_held(found, name))
        faults = [((fault,), True) for fault in found.faults] or [((verdict,), False)]
        _sheet(book, CHECKS, title, formats=formats, head=("Kết quả kiểm tra",), lines=faults)
    return buffer.getvalue()


def _formats(book: Any) -> _Formats:
    bad = {"bg_color": "#FFBBBB", "border": 1}
    return _Formats(
        book.add_format({"bold": True, "text_wrap": True, "border": 1}),
        book.add_format({"border": 1}),
        book.add_format({"num_format": "#,##0", "border": 1}),
        book.add_format(bad),
        book.add_format(bad | {"num_format": "#,##0"}),
    )


def _sheet(
    book: Any, name: str, title: str, *, formats: _Formats, head: Sequence[str], lines: Iterable[tuple[Cells, bool]]
) -> None:
    """A title, headings, one line after the other; a line that is marked stands in red."""
    sheet: Worksheet = book.add_worksheet(name)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, len(head) - 1, 16)
    sheet.write_string(0, 0, title, formats.head)
    for place, text in enumerate(head):
        sheet.write_string(FIRST_ROW - 1, place, text, formats.head)
    for number, (cells, bad) in enumerate(lines, FIRST_ROW):
        words, money = (formats.bad_text, formats.bad_money) if bad else (formats.text, formats.money)
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(number, place, cell, words)
            else:
                sheet.write_number(number, place, cell, money)


def _twice(words: Iterable[str], amounts: Iterable[str]) -> tuple[str, ...]:
    """Headings: words, then count and VND of each amount."""
    return (*words, *chain.from_iterable((f"{amount} (số lượng)", f"{amount} (đồng)") for amount in amounts))


def _pairs(amounts: Iterable[Total]) -> tuple[int, ...]:
    return tuple(chain.from_iterable((amount.count, amount.vnd) for amount in amounts))


def _rows(found: Report, name: Named) -> tuple[tuple[str, ...], list[tuple[Cells, bool]]]:
    head = (*_twice(("Đơn vị", "Chương trình", "Mã xã", "Xã", "Nhà cung cấp"), MEASURES.values()), "Kiểm tra")
    lines = [
        _line(row, (row.key.payer, _programme(row), row.key.area, name(row.key.area), row.key.provider)) for row in found.rows
    ]
    return head, [*lines, _line(found.whole, ("Tổng cộng", "", "", "", ""))]


def _line(row: Row, words: tuple[str, ...]) -> tuple[Cells, bool]:
    check = "; ".join(row.faults) or "Khớp"
    return (*words, *_pairs(measures(row).values()), check), bool(row.faults)


def _programme(row: Row) -> str:
    return PROGRAMMES.get(row.key.programme, row.key.programme)


def _providers(found: Report) -> Iterable[tuple[Cells, bool]]:
    for one in found.providers:
        yield (one.payer, one.provider, *_pairs(getattr(one, column) for column in MONEY)), not one.balances


_PEOPLE = (
    "Đơn vị", "Mã xã", "Xã", "Mã người hưởng", "Chương trình", "Nhà cung cấp", "Hình thức", "Vì sao", "Mã lý do", "Số tiền (đồng)",
    "Số tháng liền chưa nhận", "Đã chốt chuyển",
)  # fmt: skip


def _people(found: Report, name: Named) -> Iterable[tuple[Cells, bool]]:
    """People by their random id: the office finds them by `ansinh trace`, a lost file tells nobody who they are."""
    for one in found.people:
        cells = (
            one.payer, one.area, name(one.area), str(one.beneficiary_id), PROGRAMMES.get(one.programme, one.programme), one.provider,
            CHANNELS[Channel(one.channel)], ENDS.get(one.state, one.state), one.reason, one.vnd, one.months,
            "Có" if one.carried else "Chưa",
        )  # fmt: skip
        yield cells, False


_HELD = ("Đơn vị", "Chương trình", "Mã xã", "Xã", "Lý do", "Việc cần làm", "Số dòng", "Số tiền (đồng)")


def _held(found: Report, name: Named) -> Iterable[tuple[Cells, bool]]:
    for row in found.rows:
        for reason, amount in sorted(row.held.items()):
            words = (row.key.payer, _programme(row), row.key.area, name(row.key.area), *REASONS[HeldReason(reason)])
            yield (*words, amount.count, amount.vnd), False
