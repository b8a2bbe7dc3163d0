"""Rows on their way into a table, in PostgreSQL's binary COPY format: made before the transaction that writes them, on disk when many.

Whoever spools sees to it that nothing here can be read: lines and files are encrypted before, states and postings name nobody.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import BinaryIO, Self, cast
from uuid import UUID

from shared.database import Tx

MEMORY_MAX = 2**20
BULK_SECONDS = 300.0
"""How long a whole payroll may take to write, where a single statement has 30 seconds."""
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = struct.pack("!h", -1)
_EPOCH_DAY = date(2000, 1, 1)
_LENGTH = struct.Struct("!i")
_INT8 = struct.Struct("!iq")


def text(value: str) -> bytes:
    """A text column."""
    return raw(value.encode())


@lru_cache(maxsize=256)
def word(value: str) -> bytes:
    """A text column that holds the same few words again and again."""
    return text(value)


def raw(value: bytes) -> bytes:
    """A bytea column, or any other whose binary form is at hand."""
    return _LENGTH.pack(len(value)) + value


def uuid(value: UUID) -> bytes:
    """A uuid column."""
    return b"\x00\x00\x00\x10" + value.bytes


def int4(value: int) -> bytes:
    """An integer column."""
    return struct.pack("!ii", 4, value)


def int8(value: int) -> bytes:
    """A bigint column."""
    return _INT8.pack(8, value)


def day(value: date) -> bytes:
    """A date column."""
    return int4((value - _EPOCH_DAY).days)


def moment(value: datetime) -> bytes:
    """A timestamptz column: microseconds since 2000."""
    since = value - datetime(2000, 1, 1, tzinfo=value.tzinfo) + (value.utcoffset() or timedelta()) * -1
    return int8(since // timedelta(microseconds=1))


class Spool:
    """Rows of one table. Write all of them, then copy them into the table as often as it takes."""

    def __init__(self, table: str, *columns: str) -> None:
        """Columns in the order in which `add` gets them; the others take their defaults."""
        self._table = table
        self._columns = columns
        self._head = struct.pack("!h", len(columns))
        self._file = SpooledTemporaryFile(max_size=MEMORY_MAX)  # noqa: SIM115
        self._file.write(_HEADER)
        self.rows = 0

    def add(self, fields: Sequence[bytes]) -> None:
        """One row, each field as the functions above make it."""
        assert len(fields) == len(self._columns)
        self._file.write(b"".join((self._head, *fields)))
        self.rows += 1

    async def copy(self, tx: Tx) -> None:
        """Write the rows into the table, in the caller's transaction."""
        end = self._file.tell()
        self._file.write(_END)
        self._file.seek(0)
        source = cast(BinaryIO, self._file)
        columns = list(self._columns)
        await tx.copy_to_table(self._table, source=source, columns=columns, format="binary", timeout=BULK_SECONDS)
        self._file.seek(end)
        self._file.truncate()

    def __enter__(self) -> Self:
        """Its file is deleted at the end of the block."""
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._file.close()
