"""The postal list on paper: A4 across, home deliveries first and each route on pages of its own, a sum under every page. Pure.

Typst makes the PDF with a font that comes in its own wheel, so accents do not depend on the machine. A list may be posted up at a pay
point: no identity number is in it, because none is in `PostalRow`. The same rows give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import typst

from services.payout.collation import key, name_key
from services.payout.postal_list import PostalRow
from shared.clock import LOCAL

ROWS = 15
"""Rows of a page: their height is fixed, so that this many always fit with heading, sum and signatures."""
COLUMNS = ("STT", "Họ và tên", "Địa chỉ", "Người nhận thay", "Số tiền (đồng)", "Mã chi trả", "Ký nhận")
TEMPLATE = Path(__file__).with_name("postal_print.typ").read_bytes()


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands over a list. `pay_day`: when the pay point pays it; `joined`: further months that are paid with the period."""

    area: str
    period: str
    pay_day: date
    joined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet: rows of one route, numbered through the list. The sum is VND."""

    route: str
    first: int
    rows: Sequence[PostalRow]

    @property
    def vnd(self) -> int:
        """The sum of the page."""
        return sum(row.vnd for row in self.rows)


def ordered(rows: Sequence[PostalRow]) -> list[PostalRow]:
    """Home deliveries first, then by hamlet, then by given name in Vietnamese order."""
    return sorted(rows, key=lambda r: (not r.home, key(r.hamlet), name_key(r.full_name), r.end_to_end_id))


def pages(rows: Sequence[PostalRow]) -> Iterator[Page]:
    """Sheets in order: a route of the postman per hamlet, one queue at the counter. Every row is on exactly one sheet."""
    first = 1
    for route, group in groupby(ordered(rows), key=_route):
        waiting = list(group)
        for start in range(0, len(waiting), ROWS):
            page = Page(route, first, waiting[start : start + ROWS])
            first += len(page.rows)
            yield page


def postal_print(rows: Sequence[PostalRow], heading: Heading, *, made_at: datetime) -> bytes:
    """One commune's payees as a PDF. At least one row."""
    assert rows
    words = json.dumps(document(rows, heading, made_at=made_at), ensure_ascii=False)
    return typst.compile(
        TEMPLATE, sys_inputs={"data": words}, format="pdf", ignore_system_fonts=True, pdf_tags=False, timestamp=0
    )


def document(rows: Sequence[PostalRow], heading: Heading, *, made_at: datetime) -> dict[str, Any]:
    """What the template prints, as words."""
    day = made_at.astimezone(LOCAL)
    months = ", ".join(f"{period[5:]}/{period[:4]}" for period in sorted({heading.period, *heading.joined}))
    return {
        "title": f"DANH SÁCH CHI TRẢ QUA BƯU ĐIỆN KỲ {months} - {heading.area.upper()}",
        "made": [day.year, day.month, day.day],
        "day": f"Ngày chi trả: {heading.pay_day:%d/%m/%Y}",
        "columns": COLUMNS,
        "pages": [_page(page) for page in pages(rows)],
        "total": f"Tổng cộng: {len(rows)} khoản, {dotted(sum(row.vnd for row in rows))} đồng",
    }


def _page(page: Page) -> dict[str, Any]:
    rows = (
        (str(n), _cut(r.full_name, 70), _cut(_place(r), 130), _cut(r.collector, 70), dotted(r.vnd), r.end_to_end_id, _beside(r))
        for n, r in enumerate(page.rows, page.first)
    )
    return {
        "route": page.route,
        "count": len(page.rows),
        "cells": [cell for row in rows for cell in row],
        "sum": f"Cộng trang: {len(page.rows)} khoản",
        "vnd": dotted(page.vnd),
    }


def _beside(row: PostalRow) -> tuple[str, str]:
    """What stands small above the signature: the note, which is set bold, and the months, as much as two lines hold."""
    note = _cut(row.note, 76)
    return note, _cut(row.months, max(1, 74 - len(note)))


def _cut(text: str, most: int) -> str:
    """As much as its column holds: two lines, or three small ones, as the template sets what is long."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def dotted(vnd: int) -> str:
    """VND as they are written: 1.250.000."""
    return f"{vnd:,}".replace(",", ".")


def _route(row: PostalRow) -> str:
    return f"Chi trả tại nhà - tuyến {row.hamlet or 'chưa rõ thôn'}" if row.home else "Chi trả tại quầy bưu điện"


def _place(row: PostalRow) -> str:
    return ", ".join(part for part in (row.address, row.hamlet) if part)
