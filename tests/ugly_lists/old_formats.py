"""The smallest XLS (BIFF8 in an OLE file) and ODS that readers accept: nobody writes them any more, so no library of ours does."""

import io
import struct
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0"
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"


def ole(streams: dict[str, bytes]) -> bytes:
    """An OLE compound file with these streams, each at least 4,096 bytes long."""
    fat: list[int] = []
    body = b""
    entries = [_entry("Root Entry", 5, _END, 0, child=1 if streams else _FREE)]
    for number, (name, data) in enumerate(streams.items(), start=1):
        sectors = -(-len(data) // _SECTOR)
        start = len(fat)
        fat += [start + n + 1 for n in range(sectors - 1)] + [_END]
        body += data.ljust(sectors * _SECTOR, b"\x00")
        entries.append(_entry(name, 2, start, len(data), right=number + 1 if number < len(streams) else _FREE))
    directory = b"".join(entries)
    directory = directory.ljust(-(-len(directory) // _SECTOR) * _SECTOR, b"\x00")
    first_directory = len(fat)
    count = len(directory) // _SECTOR
    fat += [first_directory + n + 1 for n in range(count - 1)] + [_END]
    fat_sectors = -(-(len(fat) + 1) // (_SECTOR // 4))
    while (len(fat) + fat_sectors) > fat_sectors * (_SECTOR // 4):
        fat_sectors += 1
    first_fat = len(fat)
    fat += [_FAT] * fat_sectors
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(fat_sectors * _SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 16
    header += struct.pack(
        "<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors, first_directory, 0, 4096, _END, 0, _END, 0, first_fat
    )
    header += struct.pack(f"<{109 - 1}I", *(first_fat + n if n < fat_sectors else _FREE for n in range(1, 109)))
    return header + body + directory + table


def _entry(name: str, kind: int, start: int, size: int, *, child: int = _FREE, right: int = _FREE) -> bytes:
    raw = (name + "\x00").encode("utf-16-le")
    return raw.ljust(64, b"\x00") + struct.pack("<HBBIII16xI8x8xIQ", len(raw), kind, 1, _FREE, right, child, 0, start, size)


Rows = Sequence[Sequence[str | int | float | None]]


def xls(rows: Rows, *, before: Rows | None = None, hidden: bool = False) -> bytes:
    """A workbook of texts and numbers. `before`: rows of a sheet before it, which may be `hidden`."""
    sheets = [_xls_sheet(one) for one in (before, rows) if one is not None]

    def globals_with(offset: int) -> bytes:
        bounds = b""
        for place, sheet in enumerate(sheets):
            name = f"Sheet{place + 1}".encode("utf-16-le")
            bound = struct.pack("<IBBBB", offset, hidden and place == 0, 0, len(name) // 2, 1) + name
            bounds, offset = bounds + _record(0x85, bound), offset + len(sheet)
        return _bof(0x05) + _record(0x42, struct.pack("<H", 1200)) + bounds + _record(0x0A, b"")

    book = globals_with(len(globals_with(0))) + b"".join(sheets)
    return ole({"Workbook": book.ljust(4_096, b"\x00")})


def _xls_sheet(rows: Rows) -> bytes:
    cells = b"".join(_cell(r, c, value) for r, row in enumerate(rows) for c, value in enumerate(row) if value is not None)
    width = max((len(row) for row in rows), default=0)
    return _bof(0x10) + _record(0x200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0)) + cells + _record(0x0A, b"")


def _bof(kind: int) -> bytes:
    return _record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 0x07CC, 0, 6))


def _cell(row: int, column: int, value: str | int | float) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, str):
        raw = value.encode("utf-16-le")
        return _record(0x204, place + struct.pack("<HB", len(raw) // 2, 1) + raw)
    return _record(0x203, place + struct.pack("<d", value))


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def ods(rows: Rows, *, more: str = "", before: Rows | None = None, hidden: bool = False) -> bytes:
    """A workbook; `more`: XML of further rows; `before`: rows of a sheet before it, which may be `hidden`."""
    table = _ods_table("A", rows, more)
    if before is not None:
        table = _ods_table("B", before, style=' table:style-name="hidden"' if hidden else "") + table
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{_OFFICE}" xmlns:table="{_TABLE}" '
        f'xmlns:text="{_TEXT}" xmlns:style="{_STYLE}" office:version="1.2"><office:automatic-styles><style:style style:name="hidden" '
        'style:family="table"><style:table-properties table:display="false"/></style:style></office:automatic-styles>'
        f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    return zipped({
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content, "META-INF/manifest.xml": manifest,
    })  # fmt: skip


def _ods_table(name: str, rows: Rows, more: str = "", *, style: str = "") -> str:
    inside = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    return f'<table:table table:name="{name}"{style}>{inside}{more}</table:table>'


def ods_row(cells: Sequence[str | None], *, repeated: int = 1, columns: int = 1) -> str:
    """A row that says it is repeated, each of its cells too."""
    inside = "".join(_ods_cell(cell, columns) for cell in cells)
    return f'<table:table-row table:number-rows-repeated="{repeated}">{inside}</table:table-row>'


def _ods_cell(value: str | int | float | None, repeated: int = 1) -> str:
    times = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    if value is None:
        return f"<table:table-cell{times}/>"
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"{times}><text:p>{escape(value)}</text:p></table:table-cell>'
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}"{times}><text:p>{value}</text:p></table:table-cell>'
    )


def zipped(parts: dict[str, str | bytes]) -> bytes:
    """An archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return target.getvalue()
