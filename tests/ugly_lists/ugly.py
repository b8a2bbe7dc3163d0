"""The ugly lists themselves, by name. Every person is SYNTHETIC; each is ugly in a way that lists of offices can be."""

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import xlsxwriter

from services.registry.legacy_text import TABLES, TextCode
from tests.ugly_lists.old_formats import ods, ods_row, ole, xls, zipped

Row = Sequence[Any]
TONES = "\u0300\u0301\u0303\u0309\u0323"
HEADER = (
    "STT",
    "Họ và tên",
    "Ngày sinh",
    "Giới tính",
    "Số CCCD",
    "Thôn/xóm",
    "Xã/phường",
    "Mã đối tượng",
    "Mức trợ cấp",
    "Tổng cộng",
)
HOA = (1, "Nguyễn Thị Hòa", "02/03/1949", "Nữ", "042149990001", "Thôn 3", "Xã Hà Linh", "BT-5c", 360_000, 360_000)
AN = (2, "Trần Văn Ân", "1951", "Nam", "042051990002", "Thôn Đông", "Hương Trạch", "NCC-TB-61", "5.450.000", None)
SAU = (3, "Lê Thị Sáu", "15/08/1960", "Nữ", "042160990003", "Xóm Bãi", "Thị trấn Hương Khê", "BT-6c", "540,000 đ", 540_000)
PEOPLE = (HOA, AN, SAU)
ACCOUNTS = ("STT", "Họ tên", "Năm sinh", "Số định danh", "Ngân hàng", "Số TK", "Chủ TK", "Nguyện vọng")


@dataclass(frozen=True)
class Ugly:
    """One file. `period` is None for an account list."""

    body: bytes
    period: str | None = "2024-02"
    payer: str = "huyen-444"


def xlsx(
    rows: Sequence[Row],
    *,
    painted: int = 0,
    days: Sequence[tuple[int, int]] = (),
    sheets: Sequence[str] = ("A",),
    before: Sequence[Row] = (),
    hidden: bool = False,
) -> bytes:
    """A workbook. `painted`: empty cells with a border behind each row; `days`: cells shown as days; the last sheet holds the rows.
    `before`: rows of the sheet before it, which may be `hidden`."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    border, day = book.add_format({"border": 1}), book.add_format({"num_format": "dd/mm/yyyy"})
    for name in sheets:
        sheet = book.add_worksheet(name)
    for number, row in enumerate(before):
        book.worksheets()[-2].write_row(number, 0, row)
    if hidden:
        book.worksheets()[-2].hide()
        sheet.activate()
        sheet.set_first_sheet()
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(number, column, value, day)
            elif isinstance(value, str):
                sheet.write_string(number, column, value)
            elif value is not None:
                sheet.write_number(number, column, value, day if (number, column) in days else None)
        for extra in range(painted):
            sheet.write_blank(number, len(row) + extra, None, border)
    book.close()
    return target.getvalue()


def text(rows: Sequence[Row], *, separator: str = ",", encoding: str = "utf-8") -> bytes:
    """A CSV file."""
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=separator).writerows([["" if cell is None else cell for cell in row] for row in rows])
    return target.getvalue().encode(encoding)


def legacy(value: Any, code: TextCode) -> Any:
    """A text as it was typed under a code of before Unicode."""
    if not isinstance(value, str):
        return value
    back = {new: old for old, new in TABLES[code].items()}
    return "".join(back.get(char, char) for char in value)


def in_code(rows: Sequence[Row], code: TextCode, *, only: Sequence[int] = ()) -> list[list[Any]]:
    """Rows typed under a code, or only some columns of them."""
    return [[legacy(cell, code) if not only or n in only else cell for n, cell in enumerate(row)] for row in rows]


def changed(row: Row, **cells: Any) -> list[Any]:
    """A row with other cells: `c4` is the fifth."""
    new = list(row)
    for name, value in cells.items():
        new[int(name[1:])] = value
    return new


def many(count: int) -> list[Row]:
    """Enough people for a code to be sure of."""
    names = ("Phạm Thị Hường", "Đặng Văn Lượng", "Võ Thị Quỳnh", "Bùi Đức Thắng", "Hoàng Thị Tuyết", "Ngô Văn Dưỡng")
    return [changed(HOA, c0=n + 1, c1=names[n % len(names)], c4=f"0421499{n:05}") for n in range(count)]


def cp1258(rows: Sequence[Row]) -> bytes:
    """As Vietnamese Windows writes: letters with their tones apart."""

    def apart(char: str) -> str:
        parts = unicodedata.normalize("NFD", char)
        tone = "".join(sign for sign in parts if sign in TONES)
        return unicodedata.normalize("NFC", "".join(sign for sign in parts if sign not in TONES)) + tone

    return "".join(map(apart, text(rows).decode())).encode("cp1258")


TITLES = (("ỦY BAN NHÂN DÂN HUYỆN HƯƠNG KHÊ",), ("DANH SÁCH CHI TRẢ",), (None, "Tháng 02/2024"), ())
TOTAL = (None, "Tổng cộng", None, None, None, None, None, None, 6_350_000, 900_000)
NUMBERS = ("(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(9)", "(10)")
CELLS_TOO_MANY = ods_row(["a"], repeated=1_000_000, columns=1_000)


def _lists() -> dict[str, Ugly]:
    body = (HEADER, *PEOPLE)
    july = {"period": "2025-08", "payer": "xa-18502"}
    return {
        "titles-above": Ugly(xlsx((*TITLES, *body))),
        "header-in-row-20": Ugly(xlsx((*[()] * 19, *body))),
        "header-in-row-21": Ugly(xlsx((*[()] * 20, *body))),
        "columns-backwards": Ugly(xlsx([list(reversed(row)) for row in body])),
        "headers-in-capitals-without-accents": Ugly(xlsx((tuple(h.upper() for h in (
            "stt", "ho ten", "nam sinh", "nam/nu", "so cccd/cmnd", "thon", "xa", "loai tro cap", "muc huong", "thuc linh")), *PEOPLE))),
        "one-content-twice": Ugly(xlsx(((*HEADER, "Họ tên"), *PEOPLE))),
        "no-code-column": Ugly(xlsx([[*row[:7], *row[8:]] for row in body])),
        "a-cover-sheet-first": Ugly(xlsx(body, sheets=("Bìa", "Danh sách"))),
        "a-list-on-two-sheets": Ugly(xlsx((HEADER, SAU), sheets=("Hà Linh", "Hương Khê"), before=(HEADER, HOA))),
        "a-hidden-sheet-first": Ugly(xlsx((HEADER, SAU), sheets=("Cũ", "Danh sách"), before=(HEADER, HOA), hidden=True)),
        "xls-list-on-two-sheets": Ugly(xls((HEADER, SAU), before=(HEADER, HOA))),
        "xls-hidden-sheet-first": Ugly(xls((HEADER, SAU), before=(HEADER, HOA), hidden=True)),
        "ods-list-on-two-sheets": Ugly(ods((HEADER, SAU), before=(HEADER, HOA))),
        "ods-hidden-sheet-first": Ugly(ods((HEADER, SAU), before=(HEADER, HOA), hidden=True)),
        "pdf-called-xlsx": Ugly(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        "word-called-xlsx": Ugly(zipped({"word/document.xml": "<a/>"})),
        "nothing-in-it": Ugly(b"\r\n  \r\n"),
        "a-stray-cell-in-column-xfd": Ugly(xlsx((*body, [*[None] * 16_383, "x"]))),
        "half-a-workbook": Ugly(xlsx(body)[:900]),
        "with-a-password": Ugly(ole({"EncryptedPackage": b"\x07" * 5_000, "EncryptionInfo": b"\x04" * 4_096})),
        "xls-of-2003": Ugly(xls((*TITLES, *body))),
        "xls-broken": Ugly(xls(body)[:3_000]),
        "ods": Ugly(ods((*TITLES, *body), more=ods_row([None], repeated=1_000_000))),
        "ods-that-says-it-is-a-billion": Ugly(ods(body, more=CELLS_TOO_MANY)),
        "csv-with-mark-and-semicolons": Ugly(text(body, separator=";", encoding="utf-8-sig")),
        "csv-that-names-its-separator": Ugly(b"sep=;\r\n" + text(body, separator=";")),
        "csv-utf-16-by-tabs": Ugly(text(body, separator="\t", encoding="utf-16")),
        "csv-windows-1258": Ugly(cp1258((HEADER, *PEOPLE, *many(9)))),
        "csv-tcvn3": Ugly("".join(legacy(text((HEADER, *PEOPLE, *many(9))).decode(), TextCode.TCVN3)).encode("cp1252")),
        "csv-vni": Ugly("".join(legacy(text((HEADER, *PEOPLE, *many(9))).decode(), TextCode.VNI)).encode("cp1252")),
        "csv-with-lost-letters": Ugly(text((HEADER, *[changed(row, c1="Nguy?n Th? H\xf2a") for row in PEOPLE]))
                                      .decode().encode("cp1252", "replace")),
        "csv-one-byte-wrong": Ugly(text((HEADER, *PEOPLE, *many(20))).replace("Sáu".encode(), b"S\xe1u")),
        "xlsx-in-tcvn3-font": Ugly(xlsx(in_code((HEADER, *PEOPLE, *many(20)), TextCode.TCVN3))),
        "xlsx-names-in-vni-font": Ugly(xlsx([HEADER, *in_code((*PEOPLE, *many(20)), TextCode.VNI, only=(1,))])),
        "xlsx-capitals-in-tcvn3-font": Ugly(xlsx([HEADER, *(changed(row, c1=legacy(row[1], TextCode.TCVN3)
                                            .translate(str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")))
                                            for row in (*PEOPLE, *many(20)))])),
        "xlsx-names-in-no-known-code": Ugly(xlsx((HEADER, *(changed(row, c1="ÆÐÞ þð Øřł") for row in many(25))))),
        "numbers-by-excel": Ugly(xlsx((HEADER, changed(HOA, c4="4.2E+10"), changed(HOA, c4=42_149_990_001), changed(HOA, c4=4.2e10),
                                      changed(HOA, c4="'042 149 990 001"), changed(HOA, c4="183900001"), changed(HOA, c4="12345")))),
        "birth-dates": Ugly(xlsx((HEADER, changed(HOA, c2=date(1949, 3, 2)), changed(HOA, c2="3/1949"), changed(HOA, c2=1949),
                                 changed(HOA, c2="31/02/1949"), changed(HOA, c2="02/03/49"), changed(HOA, c2=None, c4=None)))),
        "sums-of-money": Ugly(xlsx((HEADER, *(changed(HOA, c8=vnd, c9=None) for vnd in (
            "360.000", "360,000 đ", "360 000", "360000.00", "360,5", "ba trăm", -1, None)), changed(HOA, c9=360_001)))),
        "totals-of-communes-and-signatures": Ugly(xlsx((HEADER, ("I. Xã Hà Linh",), *PEOPLE, TOTAL, changed(TOTAL, c8=1),
                                                       (), (None, "Người lập biểu", None, None, "Thủ trưởng")))),
        "header-on-every-page-and-column-numbers": Ugly(xlsx((HEADER, NUMBERS, HOA, HEADER, NUMBERS, AN))),
        "csv-quotes-not-closed": Ugly(text(body) + b'4,"Ph\xe1\xba\xa1m,1950\r\n'),
        "csv-separator-in-a-cell": Ugly(text(body).replace("Thôn Đông".encode(), "Thôn Đông, xóm 2, nhà 4".encode())),
        "csv-row-cut-short": Ugly(text(body) + b"4,Le Van Tam,1950\r\n"),
        "hidden-signs-in-names": Ugly(xlsx((HEADER, changed(HOA, c1="\u200bNguyễn\u00a0Thị  Hòa\u202e"), changed(AN, c1="Trần Văn Ân 2")))),
        "text-that-runs": Ugly(text((HEADER, changed(HOA, c5="=cmd|' /C calc'!A0"), changed(AN, c1="@SUM(1+1)")))),
        "painted-cells-behind-the-list": Ugly(xlsx(body, painted=4)),
        "empty-rows-and-columns": Ugly(xlsx([(), (None, *HEADER), (), (None, *HOA), (), (), (None, *AN)])),
        "no-row": Ugly(xlsx((*TITLES, HEADER))),
        "communes-by-code": Ugly(xlsx((HEADER, changed(HOA, c6="18502"), changed(AN, c6=18_553), changed(SAU, c6="18070")))),
        "communes-of-elsewhere": Ugly(xlsx((HEADER, changed(HOA, c6="Phường Trần Phú"), changed(AN, c6="Xã Hương Phố"),
                                           changed(SAU, c6="Xã Atlantis")))),
        "old-names-after-july-2025": Ugly(xlsx((HEADER, HOA, changed(AN, c6="Xã Điền Mỹ"), changed(SAU, c6="Thị trấn Hương Khê"))), **july),
        "a-commune-that-was-split": Ugly(xlsx((HEADER, changed(HOA, c6="Xã Kỳ Lợi"), changed(AN, c5="thôn mẫu 1 (cũ)", c6="18796"),
                                              changed(SAU, c5="Thôn Mẫu 3", c6="Kỳ Lợi"))), "2025-08", "xa-18754"),
        "a-district-after-its-end": Ugly(xlsx(body), "2025-08"),
        "a-payer-nobody-knows": Ugly(xlsx(body), payer="huyen-999"),
        "accounts-by-excel": Ugly(xlsx((ACCOUNTS,
            (1, "Nguyễn Thị Hòa", 1949, "042149990001", "Agribank", 3_709_000_000_001, "NGUYEN THI HOA", ""),
            (2, "Trần Văn Ân", 1951, "042051990002", "Ngân hàng Liên Việt LPBank", 99_000_000_001, "TRAN VAN AN", "Bưu điện"),
            (3, "Lê Thị Sáu", 1960, "042160990003", "Ngân hàng Trên Mây", "12/34", None, "?"),
            (4, "Phạm Văn Bảy", 1955, None, "VCB", "0011 0012 3456 7", "PHAM VAN BAY", "Chuyển khoản"))), None),
        "accounts-of-namesakes": Ugly(xlsx((
            (*ACCOUNTS, "Xã/phường"),
            *((n, "Nguyễn Thị Lan", "01/01/1950", number, "Agribank", f"370900000000{n}", "NGUYEN THI LAN", None, commune)
              for n, (number, commune) in enumerate((
                  (None, "Xã Hà Linh"), (None, None), (None, "Phường Sông Trí"), (None, "Xã Không Có"), ("042150990001", "Phường Sông Trí"),
                  (None, "Xã Điền Mỹ"), (None, "18499"),
              ), start=1)))), None, "xa-18502"),
        "accounts-without-a-number": Ugly(xlsx((ACCOUNTS[:5], (1, "Nguyễn Thị Hòa", 1949, "042149990001", "Agribank"))), None),
    }  # fmt: skip


LISTS = _lists()
